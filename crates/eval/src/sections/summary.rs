//! The summary: alignment, and uniformity of each set, with what to compare them with.

use unisphere::{Alignment, Precision, Scaling, Uniformity};

use crate::{
    data::SetName,
    error::Result,
    estimate::{Measured, WeightedPower},
    estimator::Estimator,
    maybe::{Absent, Maybe},
    rows::listed,
    work::Work,
};

/// Why no error is known of one positive pair.
const ONE_PAIR: Absent = Absent::because("it takes two positive pairs or more");
/// Why no error is known where rows have weights.
const WEIGHTED: Absent = Absent::because("it is not known for weighted rows");

/// Alignment, and uniformity of each set, with what to compare them with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Alignment, where there are two sets.
    pub alignment: Option<AlignmentSummary>,
    /// The uniformity that was measured: its t.
    pub metric: Uniformity,
    /// The pairs of one set over which the mean runs.
    pub estimator: Estimator,
    /// Pairs within one set; those of positive weight.
    pub pairs: u64,
    /// Uniformity of x, and of y where there is one.
    pub sets: Vec<SetUniformity>,
    /// The mean of both uniformities, where there are two sets.
    pub mean: Option<Calibration>,
    /// The value of the uniform distribution on the sphere, the least of any distribution.
    pub floor: Maybe<f64>,
    /// A value that no set of so many points can be below.
    pub least: Maybe<f64>,
}

/// Alignment of the positive pairs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AlignmentSummary {
    /// The alignment that was measured: its power.
    pub metric: Alignment,
    /// The value; the weighted mean where pairs have weights.
    pub measured: Measured,
    /// Positive pairs: those of positive weight, and those whose score is high enough.
    pub pairs: usize,
}

/// Uniformity of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetUniformity {
    /// The set.
    pub set: SetName,
    /// The value.
    pub measured: Measured,
    /// The value beside its floor.
    pub calibration: Calibration,
    /// The dimensions of the sphere whose floor is the value.
    pub effective_dims: Maybe<f64>,
}

/// A value of uniformity beside its floor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Calibration {
    /// The value.
    pub value: f64,
    /// Its height above the floor.
    pub gap: Maybe<f64>,
    /// 0 where all points are equal, 1 at the floor.
    pub score: Maybe<f64>,
}

impl AlignmentSummary {
    /// Alignment over so many positive pairs.
    pub fn new(metric: Alignment, measured: Measured, pairs: usize) -> Self {
        Self { metric, measured, pairs }
    }
}

impl Summary {
    /// The summary of values over all rows, so many of so many dimensions, without weights: each uniformity is the U-statistic.
    pub fn new(
        metric: Uniformity,
        [rows, dims]: [usize; 2],
        scaling: Scaling,
        alignment: Option<AlignmentSummary>,
        values: Vec<(SetName, Measured)>,
    ) -> Self {
        let estimator = Estimator::U;
        let (floor, least) = compared_with(metric, estimator, [rows, dims], scaling);
        let pairs = estimator.pairs(rows);
        Self::calibrated(alignment, metric, estimator, pairs, dims, [floor, least], values)
    }

    fn calibrated(
        alignment: Option<AlignmentSummary>,
        metric: Uniformity,
        estimator: Estimator,
        pairs: u64,
        dims: usize,
        [floor, least]: [Maybe<f64>; 2],
        values: Vec<(SetName, Measured)>,
    ) -> Self {
        let mean = match values.as_slice() {
            [(_, x), (_, y)] => Some(Calibration::new((x.value + y.value) / 2.0, metric, dims, floor)),
            _ => None,
        };
        let of_set = |(set, measured): (SetName, Measured)| {
            let none = Absent::because("the uniform distribution on a sphere never has this value");
            let effective_dims = floor.and_then(|_| metric.effective_dims(measured.value).ok_or(none));
            let calibration = Calibration::new(measured.value, metric, dims, floor);
            SetUniformity { set, measured, calibration, effective_dims }
        };
        let sets = values.into_iter().map(of_set).collect();
        Self { alignment, metric, estimator, pairs, sets, mean, floor, least }
    }
}

/// The floor, and the least value of so many points.
fn compared_with(
    metric: Uniformity,
    estimator: Estimator,
    [rows, dims]: [usize; 2],
    scaling: Scaling,
) -> (Maybe<f64>, Maybe<f64>) {
    match scaling {
        Scaling::Raw => {
            (Err(Absent::because("raw points have no floor")), Err(Absent::because("raw points have none")))
        }
        Scaling::Unit => (Ok(metric.floor(dims)), Ok(estimator.least(metric, rows, dims))),
    }
}

impl Calibration {
    fn new(value: f64, metric: Uniformity, dims: usize, floor: Maybe<f64>) -> Self {
        // Zero has one sign.
        let score = floor.map(|_| metric.score(value, dims) + 0.0);
        Self { value, gap: floor.map(|floor| value - floor), score }
    }
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Summary> {
    let (metric, estimator) = (work.plan.uniformity, work.plan.estimator);
    let (rows, dims) = (work.rows(), work.dims());
    let alignment = alignment(work)?;
    let values = uniformities(work)?;
    let (floor, least) = compared_with(metric, estimator, [rows, dims], work.plan.scaling);
    let least = if work.row_weights().is_some() { least.and(Err(WEIGHTED)) } else { least };
    let pairs = estimator.pairs(work.counted_rows());
    Ok(Summary::calibrated(alignment, metric, estimator, pairs, dims, [floor, least], values))
}

/// Uniformity of each set: from potentials, which tell its uncertainty too, where rows have no weights and products are in
/// f32. Potentials are sums in single precision, whatever precision was asked for.
fn uniformities(work: &mut Work<'_>) -> Result<Vec<(SetName, Measured)>> {
    let (metric, estimator, rows) = (work.plan.uniformity, work.plan.estimator, work.rows());
    let weights = work.row_weights().map(<[f64]>::to_vec);
    let single = work.session.engine().precision() == Precision::F32;
    let needed = work.plan.full || work.plan.top.is_some() || work.plan.rows;
    if needed || weights.is_none() && single {
        work.find_potentials()?;
    }
    let mut values = Vec::new();
    for set in &work.sets {
        let value = if let Some(weights) = &weights {
            let u = work.session.weighted_uniformity(set.name, &set.points, weights, metric)?;
            Measured::alone(estimator.weighted(u, weights), WEIGHTED)
        } else if let Some(potentials) = &set.potentials {
            Measured::estimated(estimator.estimate(potentials.estimate(), rows), rows)
        } else {
            let u = work.session.uniformity(set.name, &set.points, metric)?;
            Measured::alone(estimator.value(u, rows), Absent::because("it takes the precision f32"))
        };
        values.push((set.name, value));
    }
    Ok(values)
}

fn alignment(work: &mut Work<'_>) -> Result<Option<AlignmentSummary>> {
    let (metric, pairs) = (work.plan.alignment, work.counted_pairs());
    if work.plan.min_score.is_some() {
        return of_positives(work, metric);
    }
    let (Some(distances), [x, y]) = (&work.distances, &*work.sets) else { return Ok(None) };
    let (x, y) = (&x.points, &y.points);
    let weights = work.pair_weights().map(<[f64]>::to_vec);
    let measured = if let Some(weights) = weights {
        let powers = distances.iter().map(|distance| distance.powf(metric.alpha));
        let terms: Vec<_> =
            weights.iter().zip(powers).map(|(&weight, power)| WeightedPower { weight, power }).collect();
        let value = work.session.weighted_alignment(x, y, &weights, metric)?;
        Measured::weighted_mean(value, &terms)
    } else {
        let mut estimate = metric.estimate(distances);
        if !estimate.value.is_finite() {
            // The engine may hold the value, or says what to do.
            estimate.value = work.session.alignment(x, y, metric)?;
        }
        Measured::estimated(estimate, distances.len())
    };
    Ok(Some(AlignmentSummary { metric, measured, pairs }))
}

/// Alignment of those pairs whose score makes them positives.
fn of_positives(work: &mut Work<'_>, metric: Alignment) -> Result<Option<AlignmentSummary>> {
    let (Some(distances), [x, y]) = (work.counted_distances()?, &*work.sets) else { return Ok(None) };
    let pairs = distances.len();
    let mut estimate = metric.estimate(&distances);
    if !estimate.value.is_finite() {
        // The engine may hold the value, or says what to do.
        let weights = listed(work.rows(), (0..work.rows()).map(|row| f64::from(u8::from(work.counts(row)))))?;
        estimate.value = work.session.weighted_alignment(&x.points, &y.points, &weights, metric)?;
    }
    let measured = match pairs {
        1 => Measured::alone(estimate.value, ONE_PAIR),
        _ => Measured::estimated(estimate, pairs),
    };
    Ok(Some(AlignmentSummary { metric, measured, pairs }))
}
