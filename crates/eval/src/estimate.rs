//! A value with its standard error and its interval, each as far as known.

use unisphere::Estimate;

use crate::maybe::{Absent, Maybe, finite};

/// A value, its standard error and its 95 % interval.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// The standard deviation of such values from sample to sample.
    pub standard_error: Maybe<f64>,
    /// The lower end of the 95 % interval.
    pub low: Maybe<f64>,
    /// The upper end.
    pub high: Maybe<f64>,
}

impl Measured {
    /// A value of `rows` rows, with its estimated error.
    pub fn estimated(estimate: Estimate, rows: usize) -> Self {
        let known = |number: f64| match finite(estimate.standard_error) {
            Err(_) if rows < 3 => Err(Absent::because("it takes three rows or more")),
            error => error.and_then(|_| finite(number)),
        };
        Self {
            value: estimate.value,
            standard_error: known(estimate.standard_error),
            low: known(estimate.low),
            high: known(estimate.high),
        }
    }

    /// A value whose error is not known.
    pub fn alone(value: f64, reason: Absent) -> Self {
        Self { value, standard_error: Err(reason), low: Err(reason), high: Err(reason) }
    }

    /// A value with its standard error as one of a sample of rows, and no interval, for this reason.
    pub fn with_error(value: f64, standard_error: f64, reason: Absent) -> Self {
        Self { value, standard_error: finite(standard_error), low: Err(reason), high: Err(reason) }
    }

    /// The weighted mean of powers of distances: its error as if weights were given and distances drawn, and an interval
    /// by the normal distribution.
    pub(crate) fn weighted_mean(value: f64, terms: &[WeightedPower]) -> Self {
        let greatest = terms.iter().map(|term| term.weight).fold(0.0, f64::max);
        if terms.iter().filter(|term| term.weight > 0.0).count() < 2 {
            return Self::alone(value, Absent::because("it takes two pairs of positive weight or more"));
        }
        let (mut sum, mut squares) = (0.0, 0.0);
        for term in terms {
            let weight = term.weight / greatest;
            sum += weight;
            squares += (weight * (term.power - value)).powi(2);
        }
        let error = squares.sqrt() / sum;
        let end = |quantile: f64| finite((value + quantile * error).max(0.0));
        Self {
            value,
            standard_error: finite(error),
            low: end(-Estimate::NORMAL_QUANTILE_97_5),
            high: end(Estimate::NORMAL_QUANTILE_97_5),
        }
    }
}

/// The power of one pair's distance, and the pair's weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeightedPower {
    pub(crate) weight: f64,
    pub(crate) power: f64,
}
