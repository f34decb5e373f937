//! The heart of the report: alignment, and uniformity of each set, with what to compare them with.

use serde_json::{Map, Value, json};
use unisphere::{Alignment, Estimate, Precision, Scaling, Uniformity};

use super::{
    estimator::Estimator,
    section::{Absent, Maybe, Section, cell, maybe, number, reasons},
    work::Work,
};
use crate::{
    exit::Failure,
    text::{columns, count, decimal, digits},
};

pub(super) struct Summary {
    pub(super) alignment: Option<(Alignment, Valued)>,
    pub(super) metric: Uniformity,
    pub(super) estimator: Estimator,
    /// Of x, and of y.
    pub(super) sets: Vec<(&'static str, Valued)>,
    floor: Maybe<f64>,
    least: Maybe<f64>,
    rows: usize,
    dims: usize,
}

/// A value, and how sure it is.
pub(super) struct Valued {
    pub(super) value: f64,
    error: Maybe<f64>,
    low: Maybe<f64>,
    high: Maybe<f64>,
}

impl Valued {
    fn estimated(estimate: Estimate) -> Self {
        let Estimate { value, standard_error, low, high } = estimate;
        let known = |number: f64| {
            if standard_error.is_finite() {
                Ok(number)
            } else {
                Absent::because("it takes three rows or more")
            }
        };
        Self { value, error: known(standard_error), low: known(low), high: known(high) }
    }

    fn alone(value: f64, reason: &str) -> Self {
        let unknown = || Absent::because(reason);
        Self { value, error: unknown(), low: unknown(), high: unknown() }
    }

    fn weighted(value: f64) -> Self {
        Self::alone(value, "it is not known for weighted rows")
    }
}

impl Summary {
    pub(super) fn measure(work: &mut Work) -> Result<Self, Failure> {
        let (metric, estimator) = (work.plan.uniformity, work.plan.estimator);
        let (rows, dims) = (work.rows(), work.dims());
        let alignment = alignment(work)?;
        let sets = uniformities(work)?;
        let (floor, least) = match work.plan.scaling {
            Scaling::Raw => {
                (Absent::because("raw points have no floor"), Absent::because("raw points have none"))
            }
            Scaling::Unit => (Ok(metric.floor(dims)), Ok(estimator.least(metric, rows, dims))),
        };
        Ok(Self { alignment, metric, estimator, sets, floor, least, rows, dims })
    }

    pub(super) fn mean(&self) -> Option<f64> {
        match self.sets.as_slice() {
            [(_, x), (_, y)] => Some((x.value + y.value) / 2.0),
            _ => None,
        }
    }

    fn gap(&self, value: f64) -> Maybe<f64> {
        self.floor.clone().map(|floor| value - floor)
    }

    fn score(&self, value: f64) -> Maybe<f64> {
        // Zero has one sign.
        self.floor.clone().map(|_| self.metric.score(value, self.dims) + 0.0)
    }

    fn effective_dims(&self, value: f64) -> Maybe<f64> {
        self.floor.clone()?;
        let none = || Absent("no sphere's uniform distribution has this value".into());
        self.metric.effective_dims(value).ok_or_else(none)
    }
}

/// Of each set. Potentials tell the uncertainty too, but are sums in single precision, whatever was asked for.
fn uniformities(work: &mut Work) -> Result<Vec<(&'static str, Valued)>, Failure> {
    let (metric, estimator, rows) = (work.plan.uniformity, work.plan.estimator, work.rows());
    let weights = work.row_weights().map(<[f64]>::to_vec);
    let single = work.session.engine.precision() == Precision::F32;
    if work.plan.full || work.plan.top.is_some() || work.plan.rows || weights.is_none() && single {
        work.find_potentials()?;
    }
    let mut sets = Vec::new();
    for set in &work.sets {
        let (what, points) = (format!("uniformity of {}", set.name), &set.points);
        let value = if let Some(weights) = &weights {
            let u = work
                .session
                .within(&what, points, |engine| engine.weighted_uniformity(points, weights, metric))?;
            Valued::weighted(estimator.weighted(u, weights))
        } else if let Some(potentials) = &set.potentials {
            Valued::estimated(estimator.estimate(potentials.estimate(), rows))
        } else {
            let u = work.session.within(&what, points, |engine| engine.uniformity(points, metric))?;
            Valued::alone(estimator.value(u, rows), "it takes --precision f32")
        };
        sets.push((set.name, value));
    }
    Ok(sets)
}

fn alignment(work: &Work) -> Result<Option<(Alignment, Valued)>, Failure> {
    let (metric, Some(distances)) = (work.plan.alignment, &work.distances) else { return Ok(None) };
    let value = match (work.pair_weights(), work.both()) {
        (Some(weights), Some((x, y))) => {
            Valued::weighted(work.session.engine.weighted_alignment(x, y, weights, metric)?)
        }
        _ => Valued::estimated(metric.estimate(distances)),
    };
    Ok(Some((metric, value)))
}

impl Section for Summary {
    fn json(&self, object: &mut Map<String, Value>) {
        if let Some((metric, value)) = &self.alignment {
            let object = object.entry("alignment").or_insert_with(|| json!({}));
            object["alpha"] = number(metric.alpha);
            object["value"] = number(value.value);
            object["pairs"] = self.rows.into();
            put_error(object, value);
        }
        let mut uniformity = json!({
            "t": number(self.metric.t),
            "estimator": self.estimator.name(),
            "pairs": self.estimator.pairs(self.rows),
        });
        for (name, value) in &self.sets {
            uniformity[name] = number(value.value);
        }
        if let Some(mean) = self.mean() {
            uniformity["mean"] = number(mean);
        }
        uniformity["floor"] = maybe(&self.floor);
        uniformity["least"] = maybe(&self.least);
        for (name, value) in &self.sets {
            let mut of =
                json!({"gap": maybe(&self.gap(value.value)), "score": maybe(&self.score(value.value))});
            put_error(&mut of, value);
            of["effective_dims"] = maybe(&self.effective_dims(value.value));
            uniformity[format!("of_{name}")] = of;
        }
        if let Some(mean) = self.mean() {
            uniformity["of_mean"] = json!({"gap": maybe(&self.gap(mean)), "score": maybe(&self.score(mean))});
        }
        object.insert("uniformity".into(), uniformity);
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}", self.values(), self.calibration(), self.notes())
    }
}

fn put_error(object: &mut Value, value: &Valued) {
    object["standard_error"] = maybe(&value.error);
    object["low"] = maybe(&value.low);
    object["high"] = maybe(&value.high);
}

impl Summary {
    fn values(&self) -> String {
        let mut rows = Vec::new();
        let row = |what: String, parameter: String, value: &Valued, pairs: u64| {
            let cells = [cell(&value.error), cell(&value.low), cell(&value.high), count(pairs)];
            let mut row = vec![what, parameter, decimal(value.value)];
            row.extend(cells);
            row
        };
        if let Some((metric, value)) = &self.alignment {
            rows.push(row("alignment".into(), format!("alpha = {}", metric.alpha), value, self.rows as u64));
        }
        let (t, pairs) = (format!("t = {}", self.metric.t), self.estimator.pairs(self.rows));
        for (name, value) in &self.sets {
            let what =
                if self.sets.len() == 1 { "uniformity".into() } else { format!("uniformity of {name}") };
            rows.push(row(what, t.clone(), value, pairs));
        }
        if let Some(mean) = self.mean() {
            let cells = ["their mean".into(), t, decimal(mean)].into_iter();
            rows.push(cells.chain([const { String::new() }; 3]).chain([count(pairs)]).collect());
        }
        let missing =
            self.alignment.iter().map(|(_, value)| value).chain(self.sets.iter().map(|(_, value)| value));
        let missing = missing.map(|value| ("the standard error", &value.error));
        columns(&["", "", "value", "std. error", "95 % from", "to", "pairs"], 2, &rows) + &reasons(missing)
    }

    fn calibration(&self) -> String {
        let row = |what: String, value: f64, dims: String| {
            let score = self.score(value).map_or("-".into(), |score| format!("{score:.4}"));
            vec![what, cell(&self.floor), cell(&self.gap(value)), score, dims]
        };
        let mut rows: Vec<_> = self
            .sets
            .iter()
            .map(|(name, value)| {
                let dims = self.effective_dims(value.value).map_or("-".into(), digits);
                row(format!("uniformity of {name}"), value.value, dims)
            })
            .collect();
        rows.extend(self.mean().map(|mean| row("their mean".into(), mean, String::new())));
        let dims: Vec<_> = self.sets.iter().map(|(_, value)| self.effective_dims(value.value)).collect();
        let missing = [("the floor", &self.floor)].into_iter();
        let missing =
            missing.chain(dims.iter().filter(|_| self.floor.is_ok()).map(|d| ("effective dims", d)));
        columns(&["", "floor", "above floor", "score", "effective dims"], 1, &rows) + &reasons(missing)
    }

    fn notes(&self) -> String {
        let mean = match self.estimator {
            Estimator::U => "the pairs i < j of one set, without the diagonal (U-statistic)",
            Estimator::V => "all ordered pairs of one set, each point with itself too (V-statistic)",
        };
        let floor = if self.floor.is_err() {
            String::new()
        } else {
            let below = match self.estimator {
                Estimator::U => {
                    "A finite set may lie below it, the more the greater t: no point is paired with itself.\n"
                }
                Estimator::V => "",
            };
            format!(
                "Floor: the value of points spread evenly over the whole sphere, the least of any distribution.\n{below}\
                 Score: 0 where all points are equal, 1 at the floor. Effective dims: the sphere whose floor is the value.\n"
            )
        };
        format!(
            "Uniformity: log mean over {mean}.\n{floor}Intervals: by the jackknife, of rows drawn independently.\n"
        )
    }
}
