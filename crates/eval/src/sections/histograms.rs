//! Histograms: of the distances of positive pairs, and of the cosines of all pairs.

use unisphere::Scaling;

use crate::{
    data::SetName,
    error::Result,
    maybe::{Absent, Maybe},
    work::Work,
};

const NO_COSINES: Absent = Absent::because("raw points have no cosines");
/// Parts of the finer histograms in each part of the others. As a power of two it changes no rounding: their sums are the counts
/// that the others have by themselves.
const FINE_PARTS: usize = 8;

/// The histograms of distances and cosines.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Histograms {
    /// The distances of positive pairs that count: whose weight is not 0, and whose score is high enough, where there are two sets.
    pub distances: Option<Histogram>,
    /// The cosines of all pairs i < j of each set.
    pub cosines: Vec<SetCosines>,
}

/// The cosines of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetCosines {
    /// The set.
    pub set: SetName,
    /// The histogram.
    pub histogram: Maybe<Histogram>,
}

/// Counts in equal parts from low to high.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Histogram {
    /// The lower end of the first part.
    pub low: f64,
    /// The upper end of the last part.
    pub high: f64,
    /// The count of each part.
    pub counts: Vec<u64>,
}

impl Histograms {
    /// Parts of a histogram, as many as a line of bars has.
    pub const BINS: usize = 50;
    /// Parts of the finer histograms of cosines that figures show.
    pub const FINE_BINS: usize = Self::BINS * FINE_PARTS;

    /// The histograms of the distances of positive pairs, where there are any, and of the cosines of each set, which are counted in
    /// [`BINS`](Self::BINS) parts of [−1, 1] or a multiple of them, joined here; None of raw points.
    pub fn new(
        distances: Option<&[f64]>,
        scaling: Scaling,
        cosines: impl IntoIterator<Item = (SetName, Option<Vec<u64>>)>,
    ) -> Self {
        let greatest = |distances: &[f64]| match scaling {
            Scaling::Unit => 2.0,
            Scaling::Raw => match distances.iter().copied().fold(0.0, f64::max) {
                // It takes some width to have parts.
                0.0 => 1.0,
                greatest => greatest,
            },
        };
        let of_set = |(set, counts): (SetName, Option<Vec<u64>>)| {
            let joined = |fine: Vec<u64>| -> Vec<u64> {
                fine.chunks((fine.len() / Self::BINS).max(1)).map(|parts| parts.iter().sum()).collect()
            };
            let histogram = counts.map(|counts| Histogram::of_cosines(joined(counts))).ok_or(NO_COSINES);
            SetCosines { set, histogram }
        };
        Self {
            distances: distances.map(|distances| Histogram::of(distances, greatest(distances))),
            cosines: cosines.into_iter().map(of_set).collect(),
        }
    }
}

/// The histograms of the report, and the finer ones of the cosines of each set where figures are wanted: one pass over the pairs
/// makes both.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) histograms: Option<Histograms>,
    pub(crate) fine_cosines: Vec<Maybe<Histogram>>,
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Counted> {
    if !work.plan.full {
        return Ok(Counted::default());
    }
    let distances = work.counted_distances()?;
    let fineness = if work.plan.figures { FINE_PARTS } else { 1 };
    let (mut cosines, mut fine_cosines) = (Vec::new(), Vec::new());
    for set in &work.sets {
        let fine = match work.plan.scaling {
            Scaling::Raw => None,
            Scaling::Unit => {
                let bins = Histograms::BINS * fineness;
                Some(work.session.cosine_histogram(set.name, &set.points, bins)?)
            }
        };
        cosines.push((set.name, fine.clone()));
        fine_cosines.push(fine.map(Histogram::of_cosines).ok_or(NO_COSINES));
    }
    let histograms = Some(Histograms::new(distances.as_deref(), work.plan.scaling, cosines));
    Ok(Counted { histograms, fine_cosines })
}

impl Histogram {
    /// The histogram of cosines that were counted in equal parts of [−1, 1].
    pub fn of_cosines(counts: Vec<u64>) -> Self {
        Self { low: -1.0, high: 1.0, counts }
    }

    /// The histogram of values from 0 to `high`.
    fn of(values: &[f64], high: f64) -> Self {
        Self::between(0.0, high, Histograms::BINS, values.iter().copied())
    }

    /// The histogram of values from `low` to `high`, in so many parts.
    pub(crate) fn between(low: f64, high: f64, parts: usize, values: impl Iterator<Item = f64>) -> Self {
        let mut counts = vec![0; parts];
        for value in values {
            counts[(((value - low) / (high - low) * parts as f64) as usize).min(parts - 1)] += 1;
        }
        Self { low, high, counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_belong_to_the_parts_beside_them() {
        let histogram = Histogram::of(&[0.0, 0.039, 0.041, 1.0, 1.999, 2.0, 2.1], 2.0);
        let full: Vec<_> = histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0).collect();
        assert_eq!(full, [(0, &2), (1, &1), (25, &1), (49, &3)]);
        assert_eq!(histogram.counts.len(), Histograms::BINS);
    }
}
