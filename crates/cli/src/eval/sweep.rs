//! Uniformity at several t: of each set, of both, and across.

use serde_json::{Map, Value, json};
use unisphere::{Scaling, Uniformity, unordered_pairs};

use super::{
    section::{Absent, Maybe, Section, cell, maybe, number, reasons},
    summary::Summary,
    work::Work,
};
use crate::{exit::Failure, text::columns};

pub(super) struct Sweep {
    /// At every t that was asked for, and at those that go with a τ.
    rows: Vec<Row>,
    /// How many of the former.
    shown: usize,
    paired: bool,
}

#[derive(Clone)]
pub(super) struct Row {
    pub(super) t: f64,
    floor: Maybe<f64>,
    pub(super) x: Maybe<f64>,
    pub(super) y: Maybe<f64>,
    pub(super) mean: Maybe<f64>,
    pub(super) cross: Maybe<f64>,
    pooled: Maybe<f64>,
    squared_mmd: Maybe<f64>,
}

impl Sweep {
    pub(super) fn measure(work: &mut Work, summary: &Summary) -> Result<Self, Failure> {
        let shown = work.plan.sweep.len();
        let matching = work.plan.contrastive.iter().map(|metric| 1.0 / (2.0 * metric.tau));
        let ts: Vec<_> = work.plan.sweep.iter().copied().chain(matching).collect();
        let within = within(work, summary, &ts)?;
        let cross = across(work, &ts)?;
        let paired = work.sets.len() == 2;
        let value = |set: Option<&Vec<Maybe<f64>>>, i: usize| {
            set.map_or_else(|| Absent::because("there is one set"), |values| values[i].clone())
        };
        let rows = ts.iter().enumerate().map(|(i, &t)| {
            let (x, y) = (value(within.first(), i), value(within.get(1), i));
            let floor = match work.plan.scaling {
                Scaling::Unit => Ok(Uniformity { t }.floor(work.dims())),
                Scaling::Raw => Absent::because("raw points have no floor"),
            };
            Row::new(work, t, floor, (x, y), value(cross.as_ref(), i))
        });
        Ok(Self { rows: rows.collect(), shown, paired })
    }

    /// At the t that goes with a τ, by its place.
    pub(super) fn matching(&self, place: usize) -> Option<&Row> {
        self.rows.get(self.shown + place)
    }

    /// What was asked for, if anything.
    pub(super) fn shown(mut self) -> Option<Self> {
        self.rows.truncate(self.shown);
        (!self.rows.is_empty()).then_some(self)
    }
}

/// The U-statistic of either set at every t.
fn within(work: &mut Work, summary: &Summary, ts: &[f64]) -> Result<Vec<Vec<Maybe<f64>>>, Failure> {
    if ts.is_empty() {
        return Ok(Vec::new());
    }
    let weights = work.row_weights().map(<[f64]>::to_vec);
    let mut within = Vec::new();
    for (set, (name, main)) in work.sets.iter().zip(&summary.sets) {
        let what = format!("uniformity of {name}");
        let estimator = work.plan.estimator;
        // The very number of the summary, which was summed in another order.
        let known = |t: f64| (t == summary.metric.t).then_some(main.value);
        let mut values = Vec::new();
        if let Some(weights) = &weights {
            for &t in ts {
                if let Some(value) = known(t) {
                    values.push(value);
                    continue;
                }
                let u = work.session.within(&what, &set.points, |engine| {
                    engine.weighted_uniformity(&set.points, weights, Uniformity { t })
                })?;
                values.push(estimator.weighted(u, weights));
            }
        } else {
            let us =
                work.session.within(&what, &set.points, |engine| engine.uniformities(&set.points, ts))?;
            values.extend(us.into_iter().map(|u| estimator.value(u, set.points.rows())));
        }
        within.push(ts.iter().zip(values).map(|(&t, value)| Ok(known(t).unwrap_or(value))).collect());
    }
    Ok(within)
}

fn across(work: &mut Work, ts: &[f64]) -> Result<Option<Vec<Maybe<f64>>>, Failure> {
    let [x, y] = work.sets.as_slice() else { return Ok(None) };
    if ts.is_empty() {
        return Ok(None);
    }
    if work.row_weights().is_some() {
        return Ok(Some(vec![Absent::because("it is measured without weights only"); ts.len()]));
    }
    let pairs = x.points.rows() as u64 * y.points.rows() as u64;
    let values = work
        .session
        .compute("cross uniformity", pairs, |engine| engine.cross_uniformities(&x.points, &y.points, ts))?;
    Ok(Some(values.into_iter().map(Ok).collect()))
}

impl Row {
    fn new(
        work: &Work,
        t: f64,
        floor: Maybe<f64>,
        (x, y): (Maybe<f64>, Maybe<f64>),
        cross: Maybe<f64>,
    ) -> Self {
        let all = || Ok::<_, Absent>((x.clone()?, y.clone()?, cross.clone()?));
        let n = work.rows();
        // Of pairs without the diagonal.
        let plain = |value: f64| work.plan.estimator.u(value, n);
        let pooled = all().map(|(x, y, cross)| {
            let within = unordered_pairs(n);
            let u =
                Uniformity::pooled(&[(plain(x), within), (plain(y), within), (cross, n as u64 * n as u64)]);
            work.plan.estimator.value(u, 2 * n)
        });
        let squared_mmd = all().map(|(x, y, cross)| Uniformity::squared_mmd(plain(x), plain(y), cross));
        let mean = x.clone().and_then(|x| Ok((x + y.clone()?) / 2.0));
        Self { t, floor, x, y, mean, cross, pooled, squared_mmd }
    }

    /// Under their names, with those of a second set where there is one.
    fn values(&self, paired: bool) -> Vec<(&'static str, &Maybe<f64>)> {
        let one = [("x", &self.x)].into_iter();
        let two = [
            ("y", &self.y),
            ("mean", &self.mean),
            ("cross", &self.cross),
            ("pooled", &self.pooled),
            ("squared_mmd", &self.squared_mmd),
        ];
        one.chain(two.into_iter().filter(|_| paired)).chain([("floor", &self.floor)]).collect()
    }
}

impl Section for Sweep {
    fn json(&self, object: &mut Map<String, Value>) {
        let rows = self.rows.iter().map(|row| {
            let mut values = json!({"t": number(row.t)});
            for (name, value) in row.values(self.paired) {
                values[name] = maybe(value);
            }
            values
        });
        object.insert("sweep".into(), rows.collect());
    }

    fn text(&self) -> String {
        let title = |name: &'static str| if name == "squared_mmd" { "squared MMD" } else { name };
        let names = self.rows.first().map(|row| row.values(self.paired)).unwrap_or_default();
        let head: Vec<_> =
            std::iter::once("uniformity").chain(names.iter().map(|(name, _)| title(name))).collect();
        let line = |row: &Row| {
            let cells = row.values(self.paired).into_iter().map(|(_, value)| cell(value));
            std::iter::once(format!("t = {}", row.t)).chain(cells).collect()
        };
        let rows: Vec<_> = self.rows.iter().map(line).collect();
        let note = if self.paired {
            "Cross: over all pairs of one point of x and one of y. Pooled: of both sets together. Squared MMD: how far the two\n\
             sets are apart as distributions, under the kernel exp(-t|x-y|^2), without bias: about 0 where they are not.\n"
        } else {
            ""
        };
        let missing = self.rows.iter().flat_map(|row| row.values(self.paired));
        columns(&head, 1, &rows) + &reasons(missing) + note
    }
}
