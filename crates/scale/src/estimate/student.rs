//! Student's t: intervals of means that are simulated, not proven.

use statrs::distribution::{ContinuousCDF as _, Normal, StudentsT};

/// Degrees of freedom from which on the normal distribution serves: the quantiles of both agree to five digits.
const FREEDOM_OF_NORMAL: f64 = 1e5;

/// What Student's t with so many degrees of freedom stays below in magnitude with this confidence.
pub(crate) fn quantile(confidence: f64, freedom: f64) -> f64 {
    let below = 0.5 + 0.5 * confidence;
    let found = if freedom < FREEDOM_OF_NORMAL {
        StudentsT::new(0.0, 1.0, freedom).map(|student| student.inverse_cdf(below)).ok()
    } else {
        Normal::new(0.0, 1.0).map(|normal| normal.inverse_cdf(below)).ok()
    };
    // No degree of freedom, no bound.
    found.unwrap_or(f64::INFINITY)
}

/// Count, mean and variance of draws, as they come (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    pub(crate) count: f64,
    pub(crate) mean: f64,
    /// Σ (draw − mean)²
    squares: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, draw: f64) {
        self.count += 1.0;
        let before = draw - self.mean;
        self.mean += before / self.count;
        self.squares += before * (draw - self.mean);
    }

    /// The variance of the distribution that they were drawn from; infinite of less than two.
    pub(crate) fn variance(&self) -> f64 {
        if self.count < 2.0 { f64::INFINITY } else { self.squares / (self.count - 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (confidence, freedom, want) in [
            (0.95, 1.0, 12.7062),
            (0.95, 15.0, 2.13145),
            (0.95, 29.0, 2.04523),
            (0.95, 5e4, 1.96001),
            (0.95, 1e9, 1.95996),
            (0.99, 29.0, 2.75639),
            (0.999, 120.0, 3.37345),
        ] {
            let found = quantile(confidence, freedom);
            assert!((found / want - 1.0).abs() < 1e-5, "{confidence} of {freedom}: {found} and {want}");
        }
        assert_eq!(quantile(0.95, 0.0), f64::INFINITY);
    }

    #[test]
    fn moments_are_those_of_the_draws() {
        let mut moments = Moments::default();
        assert_eq!(moments.variance(), f64::INFINITY);
        [1e6 + 1.0, 1e6 + 2.0, 1e6 + 6.0].iter().for_each(|&draw| moments.add(draw));
        assert_eq!((moments.count, moments.mean, moments.variance()), (3.0, 1e6 + 3.0, 7.0));
    }
}
