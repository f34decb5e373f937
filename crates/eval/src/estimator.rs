//! The U- and the V-statistic: the mean over pairs without the diagonal, and with it.

use unisphere::{Estimate, Uniformity, unordered_pairs};

/// The pairs of one set over which the mean runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Estimator {
    /// Unordered pairs i < j.
    #[default]
    U,
    /// All ordered pairs, i = j included.
    V,
}

impl Estimator {
    /// Its name in formulas and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::U => "U",
            Self::V => "V",
        }
    }

    /// The number of pairs of n points over which the mean runs.
    pub fn pairs(self, n: usize) -> u64 {
        match self {
            Self::U => unordered_pairs(n),
            Self::V => (n as u64).saturating_mul(n as u64),
        }
    }

    /// The value of n points from the U-statistic.
    pub fn value(self, u: f64, n: usize) -> f64 {
        match self {
            Self::U => u,
            Self::V => Uniformity::v_from_u(u, n),
        }
    }

    /// The U-statistic of n points from the value.
    pub fn u(self, value: f64, n: usize) -> f64 {
        match self {
            Self::U => value,
            Self::V => Uniformity::u_from_v(value, n),
        }
    }

    /// A value that no set of n points can be below.
    pub fn least(self, metric: Uniformity, n: usize, dims: usize) -> f64 {
        match self {
            Self::U => metric.least_u(n, dims),
            Self::V => metric.least_v(n, dims),
        }
    }

    /// The value of weighted points from their U-statistic: in the V-statistic, point i counts wᵢ² with itself.
    pub fn weighted(self, u: f64, weights: &[f64]) -> f64 {
        if self == Self::U {
            return u;
        }
        let greatest = weights.iter().copied().fold(0.0, f64::max);
        let (mut sum, mut squares) = (0.0, 0.0);
        for weight in weights.iter().map(|weight| weight / greatest) {
            sum += weight;
            squares += weight * weight;
        }
        let own = squares / (sum * sum);
        ((1.0 - own) * u.exp_m1()).ln_1p()
    }

    /// The estimate of the value from that of the U-statistic, of which V is a monotone function.
    pub fn estimate(self, u: Estimate, n: usize) -> Estimate {
        let value = self.value(u.value, n);
        let slope = match self {
            Self::U => 1.0,
            Self::V => (1.0 - 1.0 / n as f64) * (u.value - value).exp(),
        };
        Estimate {
            value,
            standard_error: slope * u.standard_error,
            low: self.value(u.low, n),
            high: self.value(u.high, n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_are_none() {
        for u in [-7.0, -0.3, 0.0] {
            let (weighted, plain) = (Estimator::V.weighted(u, &[3.0; 9]), Estimator::V.value(u, 9));
            assert!((weighted - plain).abs() < 1e-14, "{weighted} for {plain}");
        }
    }

    /// Two points at weights 1 and 3: 3 of 8 ordered pairs' weight lies on each side of the diagonal's 10.
    #[test]
    fn weights_of_the_diagonal() {
        let expected = ((10.0 + 6.0 * (-2.0f64).exp()) / 16.0).ln();
        assert!((Estimator::V.weighted(-2.0, &[1.0, 3.0]) - expected).abs() < 1e-14);
    }

    #[test]
    fn an_interval_moves_with_the_value() {
        let u = Estimate { value: -3.0, standard_error: 0.01, low: -3.02, high: -2.98 };
        let v = Estimator::V.estimate(u, 50);
        assert!(v.low < v.value && v.value < v.high && v.value > u.value && v.standard_error < 0.01);
        let step = Estimator::V.value(-3.0 + 1e-6, 50) - Estimator::V.value(-3.0, 50);
        assert!((v.standard_error - 0.01 * step / 1e-6).abs() < 1e-7);
    }
}
