//! Uniformity at several t: of each set, of both, and across.

use serde_json::{Map, Value, json};
use unisphere::{Scaling, Uniformity, unordered_pairs};

use super::{
    section::{Absent, Maybe, Section, cell, maybe, number, reasons},
    summary::Summary,
    work::Work,
};
use crate::{
    exit::Failure,
    text::{columns, plain},
};

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
    /// Across, without the positive pairs.
    pub(super) unpaired: Maybe<f64>,
    /// The U-statistics of x and y.
    pub(super) within: Maybe<[f64; 2]>,
    pooled: Maybe<f64>,
    squared_mmd: Maybe<f64>,
}

/// What is left of the sum across, as a share of it, when the positive pairs are taken away: below this, rounding would
/// be too much of it.
const LEAST_LEFT: f64 = 1e-3;

impl Sweep {
    pub(super) fn measure(work: &mut Work, summary: &Summary) -> Result<Self, Failure> {
        let shown = work.plan.sweep.len();
        let matching = work.plan.contrastive.iter().map(|metric| metric.matching().t);
        let ts: Vec<_> = work.plan.sweep.iter().copied().chain(matching).collect();
        let within = within(work, summary, &ts)?;
        let cross = across(work, &ts)?;
        let unpaired = unpaired(work, cross.as_ref(), &ts)?;
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
            Row::new(work, t, floor, (x, y), [value(cross.as_ref(), i), value(unpaired.as_ref(), i)])
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
        let mut known = vec![(summary.metric.t, main.value)];
        let new: Vec<_> = ts.iter().copied().filter(|&t| t != summary.metric.t).collect();
        if let Some(weights) = &weights {
            for t in new {
                let u = work.session.within(&what, &set.points, |engine| {
                    engine.weighted_uniformity(&set.points, weights, Uniformity { t })
                })?;
                known.push((t, estimator.weighted(u, weights)));
            }
        } else if !new.is_empty() {
            let us =
                work.session.within(&what, &set.points, |engine| engine.uniformities(&set.points, &new))?;
            known.extend(new.into_iter().zip(us.into_iter().map(|u| estimator.value(u, set.points.rows()))));
        }
        let value = |t: &f64| known.iter().find(|(known, _)| known == t).map(|&(_, value)| Ok(value));
        within.push(ts.iter().filter_map(value).collect());
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

/// From the sum across and that of the positive pairs, without a pass of its own where enough is left.
fn unpaired(
    work: &mut Work,
    cross: Option<&Vec<Maybe<f64>>>,
    ts: &[f64],
) -> Result<Option<Vec<Maybe<f64>>>, Failure> {
    let ([x, y], Some(cross), Some(distances)) = (&*work.sets, cross, &work.distances) else {
        return Ok(None);
    };
    let n = x.points.rows() as f64;
    let mut values = Vec::new();
    for (cross, &t) in cross.iter().zip(ts) {
        let Ok(cross) = cross else {
            values.push(cross.clone());
            continue;
        };
        let paired: f64 = distances.iter().map(|distance| (-t * distance * distance - cross).exp()).sum();
        let left = 1.0 - paired / (n * n);
        if left >= LEAST_LEFT {
            values.push(Ok(cross + (left * n / (n - 1.0)).ln()));
        } else {
            let pairs = 2 * unordered_pairs(x.points.rows());
            let found = work.session.compute("cross uniformity", pairs, |engine| {
                engine.unpaired_uniformities(&x.points, &y.points, &[t])
            })?;
            values.extend(found.into_iter().map(Ok));
        }
    }
    Ok(Some(values))
}

impl Row {
    fn new(
        work: &Work,
        t: f64,
        floor: Maybe<f64>,
        (x, y): (Maybe<f64>, Maybe<f64>),
        [cross, unpaired]: [Maybe<f64>; 2],
    ) -> Self {
        let (n, estimator) = (work.rows(), work.plan.estimator);
        let both = x.clone().and_then(|x| Ok([x, y.clone()?]));
        let within = both.clone().map(|both| both.map(|value| estimator.u(value, n)));
        let pooled = within.clone().and_then(|[x, y]| {
            let pairs = unordered_pairs(n);
            let u = Uniformity::pooled(&[(x, pairs), (y, pairs), (cross.clone()?, n as u64 * n as u64)]);
            Ok(estimator.value(u, 2 * n))
        });
        let squared_mmd =
            within.clone().and_then(|[x, y]| Ok(Uniformity::squared_mmd(x, y, unpaired.clone()?)));
        let mean = both.map(|[x, y]| (x + y) / 2.0);
        Self { t, floor, x, y, mean, cross, unpaired, within, pooled, squared_mmd }
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
            std::iter::once(format!("t = {}", plain(row.t))).chain(cells).collect()
        };
        let rows: Vec<_> = self.rows.iter().map(line).collect();
        let note = if self.rows.iter().any(|row| row.cross.is_ok()) {
            "Cross: over all pairs of one point of x and one of y. Pooled: of both sets together. Squared MMD: how far the two\n\
             sets are apart as distributions, under the kernel exp(-t|x-y|^2), over rows that are not paired, without bias:\n\
             about 0 where they are not apart.\n"
        } else {
            ""
        };
        let missing = self.rows.iter().flat_map(|row| row.values(self.paired));
        let missing = missing.map(|(name, value)| (title(name), value));
        columns(&head, 1, &rows) + &reasons(missing) + note
    }
}
