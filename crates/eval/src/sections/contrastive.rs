//! The contrastive loss at several temperatures, its parts, and the uniformity of its negatives.

use unisphere::{Candidates, ContrastiveValue, Points, Scaling, Uniformity, unordered_pairs};

use super::sweep::{PairSweep, SweepRow};
use crate::{
    error::Result,
    maybe::{Absent, Maybe},
    work::Work,
};

/// The contrastive loss at several temperatures.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ContrastiveTable {
    /// The candidates: what competes with a positive.
    pub candidates: Candidates,
    /// The number of anchors.
    pub anchors: u64,
    /// Rows of the queue, where there is one.
    pub queue: Option<usize>,
    /// A row for each temperature, in the order in which they were given.
    pub rows: Vec<ContrastiveRow>,
}

/// The contrastive loss at one temperature.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ContrastiveRow {
    /// The temperature.
    pub tau: f64,
    /// The loss and its parts.
    pub value: ContrastiveValue,
    /// Uniformity at the t that goes with it; None of points that are read in pieces.
    pub matching: Option<MatchingUniformity>,
}

/// Uniformity at t = 1/(2τ), without the diagonal, whatever the estimator.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MatchingUniformity {
    /// The t.
    pub t: f64,
    /// Uniformity of x.
    pub x: Maybe<f64>,
    /// Uniformity of y.
    pub y: Maybe<f64>,
    /// Their mean.
    pub mean: Maybe<f64>,
    /// Over all pairs of one point of x and one of y.
    pub cross: Maybe<f64>,
    /// Over anchors and their negatives.
    pub negatives: Maybe<f64>,
}

impl ContrastiveTable {
    /// The losses at these temperatures without a queue, of so many anchors, and without uniformity at the t that go with them.
    pub fn new(
        candidates: Candidates,
        anchors: u64,
        values: impl IntoIterator<Item = (f64, ContrastiveValue)>,
    ) -> Self {
        let row = |(tau, value)| ContrastiveRow { tau, value, matching: None };
        Self { candidates, anchors, queue: None, rows: values.into_iter().map(row).collect() }
    }
}

pub(crate) fn measure(work: &mut Work<'_>, matching: &[SweepRow]) -> Result<Option<Maybe<ContrastiveTable>>> {
    let ([x, y], Some(first)) = (&*work.sets, work.plan.contrastive.first()) else { return Ok(None) };
    if work.pair_weights().is_some() {
        let reason = Absent::because("the contrastive loss is measured without weights only");
        return Ok(Some(Err(reason)));
    }
    if work.plan.min_score.is_some() {
        return Ok(Some(Err(Absent::because(
            "it takes every pair as a positive, and by their scores only some are",
        ))));
    }
    let (candidates, anchors) = (first.candidates, first.anchors(x.points.rows()));
    let tau: Vec<_> = work.plan.contrastive.iter().map(|metric| metric.tau).collect();
    let values = work.session.contrastives(&x.points, &y.points, work.queue.as_ref(), candidates, &tau)?;
    let row = |((&tau, value), row): ((&f64, ContrastiveValue), &SweepRow)| {
        let matching = matching_uniformity(work, candidates, row, row.pair.as_ref()?);
        Some(ContrastiveRow { tau, value, matching: Some(matching) })
    };
    let rows = tau.iter().zip(values).zip(matching).filter_map(row).collect();
    let queue = work.queue.as_ref().map(Points::rows);
    Ok(Some(Ok(ContrastiveTable { candidates, anchors, queue, rows })))
}

fn matching_uniformity(
    work: &Work<'_>,
    candidates: Candidates,
    row: &SweepRow,
    pair: &PairSweep,
) -> MatchingUniformity {
    let of = |set: usize| pair.within.map(|both| both[set]);
    MatchingUniformity {
        t: row.t,
        x: of(0),
        y: of(1),
        mean: pair.within.map(|[x, y]| (x + y) / 2.0),
        cross: pair.cross,
        negatives: negatives(work, candidates, pair),
    }
}

/// Log mean exp(−t‖x−x′‖²) over anchors and their negatives.
fn negatives(work: &Work<'_>, candidates: Candidates, pair: &PairSweep) -> Maybe<f64> {
    if work.plan.scaling == Scaling::Raw {
        return Err(Absent::because("exp(x.y/tau) of raw points is no function of their distance"));
    }
    if work.queue.is_some() {
        return Err(Absent::because("it is not measured for negatives that come from the queue"));
    }
    let unpaired = pair.unpaired?;
    if candidates != Candidates::Views {
        return Ok(unpaired);
    }
    let [x, y] = pair.within?;
    // Ordered, half of them across.
    let pairs = 2 * unordered_pairs(work.rows());
    Ok(Uniformity::pooled_value(&[(x, pairs), (y, pairs), (unpaired, 2 * pairs)]))
}
