//! The heart of the report: alignment, and uniformity of each set, with what to compare them with.

use serde_json::{Map, Value, json};
use unisphere::{Alignment, Estimate, Precision, Scaling, Uniformity};

use super::{
    estimator::Estimator,
    protocol::Weighed,
    section::{Absent, Maybe, Section, cell, finite, maybe, number, reasons},
    work::Work,
};
use crate::{
    exit::Failure,
    text::{columns, count, decimal, digits, plain},
};

pub(super) struct Summary {
    pub(super) alignment: Option<(Alignment, Valued)>,
    pub(super) metric: Uniformity,
    pub(super) estimator: Estimator,
    /// Of x, and of y.
    pub(super) sets: Vec<(&'static str, Valued)>,
    floor: Maybe<f64>,
    least: Maybe<f64>,
    /// Positive pairs, and rows of one set, that count.
    counted: (usize, usize),
    weighed: Weighed,
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
    /// Of so many rows.
    fn estimated(estimate: Estimate, rows: usize) -> Self {
        let Estimate { value, standard_error, low, high } = estimate;
        let known = |number: f64| match finite(standard_error) {
            Err(_) if rows < 3 => Absent::because("it takes three rows or more"),
            error => error.and_then(|_| finite(number)),
        };
        Self { value, error: known(standard_error), low: known(low), high: known(high) }
    }

    fn alone(value: f64, reason: &str) -> Self {
        let unknown = || Absent::because(reason);
        Self { value, error: unknown(), low: unknown(), high: unknown() }
    }

    /// A mean of powers of distances, each of which counts as its weight says: its error as if weights were given and
    /// distances drawn, and an interval by the normal distribution.
    fn weighted(value: f64, weighted: &[(f64, f64)]) -> Self {
        const QUANTILE: f64 = 1.959_963_985;
        let greatest = weighted.iter().map(|(weight, _)| *weight).fold(0.0, f64::max);
        if weighted.iter().filter(|(weight, _)| *weight > 0.0).count() < 2 {
            return Self::alone(value, "it takes two pairs of positive weight or more");
        }
        let (mut sum, mut squares) = (0.0, 0.0);
        for (weight, power) in weighted {
            let weight = weight / greatest;
            sum += weight;
            squares += (weight * (power - value)).powi(2);
        }
        let error = squares.sqrt() / sum;
        let [low, high] = [-QUANTILE, QUANTILE].map(|quantile| finite((value + quantile * error).max(0.0)));
        Self { value, error: finite(error), low, high }
    }
}

impl Summary {
    pub(super) fn measure(work: &mut Work) -> Result<Self, Failure> {
        let (metric, estimator) = (work.plan.uniformity, work.plan.estimator);
        let (rows, dims, weighed) = (work.rows(), work.dims(), work.plan.weighed);
        let alignment = alignment(work)?;
        let sets = uniformities(work)?;
        let (floor, least) = match work.plan.scaling {
            Scaling::Raw => {
                (Absent::because("raw points have no floor"), Absent::because("raw points have none"))
            }
            Scaling::Unit if work.row_weights().is_some() => {
                (Ok(metric.floor(dims)), Absent::because("it is not known for weighted rows"))
            }
            Scaling::Unit => (Ok(metric.floor(dims)), Ok(estimator.least(metric, rows, dims))),
        };
        let counted = (work.counted_pairs(), work.counted_rows());
        Ok(Self { alignment, metric, estimator, sets, floor, least, counted, weighed, dims })
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
            Valued::alone(estimator.weighted(u, weights), "it is not known for weighted rows")
        } else if let Some(potentials) = &set.potentials {
            Valued::estimated(estimator.estimate(potentials.estimate(), rows), rows)
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
    let ([x, y], engine) = (&*work.sets, &work.session.engine) else { return Ok(None) };
    let (x, y) = (&x.points, &y.points);
    let value = if let Some(weights) = work.pair_weights() {
        let powers = distances.iter().map(|distance| distance.powf(metric.alpha));
        let weighted: Vec<_> = weights.iter().copied().zip(powers).collect();
        Valued::weighted(engine.weighted_alignment(x, y, weights, metric)?, &weighted)
    } else {
        let mut estimate = metric.estimate(distances);
        if !estimate.value.is_finite() {
            // It knows better, or says what to do.
            estimate.value = engine.alignment(x, y, metric)?;
        }
        Valued::estimated(estimate, distances.len())
    };
    Ok(Some((metric, value)))
}

impl Section for Summary {
    fn json(&self, object: &mut Map<String, Value>) {
        if let Some((metric, value)) = &self.alignment {
            let object = object.entry("alignment").or_insert_with(|| json!({}));
            object["alpha"] = number(metric.alpha);
            object["value"] = number(value.value);
            object["pairs"] = self.counted.0.into();
            put_error(object, value);
        }
        let mut uniformity = json!({
            "t": number(self.metric.t),
            "estimator": self.estimator.name(),
            "pairs": self.estimator.pairs(self.counted.1),
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
    fn name_of(&self, set: &str) -> String {
        if self.sets.len() == 1 { "uniformity".into() } else { format!("uniformity of {set}") }
    }

    fn values(&self) -> String {
        let mut rows = Vec::new();
        let row = |what: String, parameter: String, value: &Valued, pairs: u64| {
            let cells = [cell(&value.error), cell(&value.low), cell(&value.high), count(pairs)];
            let mut row = vec![what, parameter, decimal(value.value)];
            row.extend(cells);
            row
        };
        if let Some((metric, value)) = &self.alignment {
            rows.push(row(
                "alignment".into(),
                format!("alpha = {}", plain(metric.alpha)),
                value,
                self.counted.0 as u64,
            ));
        }
        let (t, pairs) = (format!("t = {}", plain(self.metric.t)), self.estimator.pairs(self.counted.1));
        for (name, value) in &self.sets {
            let what = self.name_of(name);
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
            vec![what, cell(&self.floor), cell(&self.least), cell(&self.gap(value)), score, dims]
        };
        let mut rows: Vec<_> = self
            .sets
            .iter()
            .map(|(name, value)| {
                let dims = self.effective_dims(value.value).map_or("-".into(), digits);
                row(self.name_of(name), value.value, dims)
            })
            .collect();
        rows.extend(self.mean().map(|mean| row("their mean".into(), mean, String::new())));
        let dims: Vec<_> = self.sets.iter().map(|(_, value)| self.effective_dims(value.value)).collect();
        let missing = [("the floor", &self.floor), ("the least value", &self.least)].into_iter();
        let missing =
            missing.chain(dims.iter().filter(|_| self.floor.is_ok()).map(|d| ("effective dims", d)));
        columns(&["", "floor", "least", "above floor", "score", "effective dims"], 1, &rows)
            + &reasons(missing)
    }

    fn notes(&self) -> String {
        let mean = match self.estimator {
            Estimator::U => "the pairs i < j of one set, without the diagonal (U-statistic)",
            Estimator::V => "all ordered pairs of one set, each point with itself too (V-statistic)",
        };
        let floor = if self.floor.is_err() {
            String::new()
        } else {
            let below = match (self.estimator, &self.least) {
                (_, Err(_)) => "",
                (Estimator::U, _) => {
                    "Least: no set of so many points is below it. It may be below the floor: no point is paired with itself.\n"
                }
                (Estimator::V, _) => "Least: no set of so many points is below it.\n",
            };
            format!(
                "Floor: the value of points spread evenly over the whole sphere, the least of any distribution.\n{below}\
                 Score: 0 where all points are equal, 1 at the floor. Effective dims: the sphere whose floor is the value.\n"
            )
        };
        let mean_of = if self.weighed == Weighed::RowsAndPairs { "weighted mean" } else { "mean" };
        let alignment = match self.weighed {
            Weighed::Nothing => "",
            Weighed::Pairs | Weighed::RowsAndPairs => {
                "Alignment: weighted mean over the positive pairs, its interval by the normal distribution.\n"
            }
        };
        let intervals = if self.sets.iter().any(|(_, value)| value.error.is_ok()) {
            "Intervals: by the jackknife, of rows drawn independently.\n"
        } else {
            ""
        };
        format!("{alignment}Uniformity: log {mean_of} over {mean}.\n{floor}{intervals}")
    }
}
