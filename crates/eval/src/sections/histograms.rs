//! Histograms: of the distances of positive pairs, and of the cosines of all pairs.

use unisphere::Scaling;

use crate::{
    data::SetName,
    error::Result,
    maybe::{Absent, Maybe},
    work::Work,
};

/// The bins of a histogram, as many as a line of bars has.
const BINS: usize = 50;

/// The histograms of distances and cosines.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Histograms {
    /// The distances of positive pairs whose weight is not 0, where there are two sets.
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

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<Histograms>> {
    if !work.plan.full {
        return Ok(None);
    }
    let greatest = |distances: &[f64]| match work.plan.scaling {
        Scaling::Unit => 2.0,
        Scaling::Raw => match distances.iter().copied().fold(0.0, f64::max) {
            // It takes some width to have parts.
            0.0 => 1.0,
            greatest => greatest,
        },
    };
    let distances = work.distances.as_ref().map(|distances| {
        let rows = distances.iter().enumerate().filter(|(row, _)| work.counts(*row));
        let counted: Vec<_> = rows.map(|(_, &value)| value).collect();
        Histogram::of(&counted, greatest(&counted))
    });
    let mut cosines = Vec::new();
    for set in &work.sets {
        let histogram = match work.plan.scaling {
            Scaling::Raw => Err(Absent::because("raw points have no cosines")),
            Scaling::Unit => {
                let counts = work.session.cosine_histogram(set.name, &set.points, BINS)?;
                Ok(Histogram { low: -1.0, high: 1.0, counts })
            }
        };
        cosines.push(SetCosines { set: set.name, histogram });
    }
    Ok(Some(Histograms { distances, cosines }))
}

impl Histogram {
    /// The histogram of values from 0 to `high`.
    fn of(values: &[f64], high: f64) -> Self {
        let mut counts = vec![0; BINS];
        for value in values {
            counts[((value / high * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        Self { low: 0.0, high, counts }
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
        assert_eq!(histogram.counts.len(), BINS);
    }
}
