//! What a value of uniformity means: between which ends it lies, and where between them.

use super::{
    Gaussian,
    floor::{floor, rise},
};
use crate::log_sum::log_add;

impl Gaussian {
    /// How much of the way to the floor has been gone: value / [`floor`](Self::floor)(dims), from 0, where all points
    /// are equal, to 1, where they are as even as the uniform distribution or more so. NaN where the floor is.
    pub(crate) fn score(self, value: f64, dims: usize) -> f64 {
        (value / self.floor(dims)).clamp(0.0, 1.0)
    }

    /// The dimensions d ≥ 1 of the sphere whose uniform distribution has this value: `floor(d) = value`, for real d. None
    /// outside of (−2t, floor(1)], where there is no such sphere.
    pub(crate) fn effective_dims(self, value: f64) -> Option<f64> {
        let height = value + 2.0 * self.t;
        if !(self.is_valid() && height > 0.0 && value <= self.floor(1)) {
            return None;
        }
        // No more than this, as 0 < log ₀F₁(; d/2; t²) < 2t²/d.
        let (mut low, mut high) = (1.0, (2.0 * self.t * (self.t / height)).max(1.0));
        let above =
            |dims| if self.t <= 1.0 { rise(dims, self.t) > height } else { floor(dims, self.t) > value };
        loop {
            let middle = f64::sqrt(low * high);
            if !(low < middle && middle < high) {
                return middle.is_finite().then_some(middle);
            }
            *if above(middle) { &mut low } else { &mut high } = middle;
        }
    }

    /// The mean over all ordered pairs, with those of each point and itself, from the mean without: the V-statistic from
    /// the U-statistic of the same n points, e^V = ((n−1) e^U + 1)/n. NaN for no points.
    pub(crate) fn v_from_u(u: f64, n: usize) -> f64 {
        match n {
            0 => f64::NAN,
            _ if u.is_nan() => u,
            // Either form keeps its digits at its end.
            _ if u > -1.0 => (u.exp_m1() * (1.0 - 1.0 / n as f64)).ln_1p(),
            _ => log_add(u + (n as f64 - 1.0).ln(), 0.0) - (n as f64).ln(),
        }
    }

    /// The U-statistic from the V-statistic of the same n points, e^U = (n e^V − 1)/(n−1). No n points have a V below
    /// −log n: −∞ from there on. NaN for fewer than two points.
    pub(crate) fn u_from_v(v: f64, n: usize) -> f64 {
        if n < 2 || v.is_nan() {
            return f64::NAN;
        }
        let n = n as f64;
        let excess = v + n.ln();
        if excess <= 0.0 {
            f64::NEG_INFINITY
        } else if v > -0.5 {
            (v.exp_m1() * (n / (n - 1.0))).ln_1p()
        } else {
            // log(n e^V − 1), where neither overflows.
            excess + (-(-excess).exp_m1()).ln() - (n - 1.0).ln()
        }
    }

    /// A value that no n points in `dims` dimensions can be below, over the pairs i < j. NaN for fewer than two points, no
    /// dimensions, and for a t out of its range.
    pub(crate) fn least_u(self, n: usize, dims: usize) -> f64 {
        if n < 2 || dims == 0 || !self.is_valid() {
            return f64::NAN;
        }
        let cosines = Cosines::of(n as f64, dims as f64);
        let bound = cosines.log_mean(self.t);
        // Enough points could be spread more evenly than the uniform distribution is at third degree.
        if n - 1 <= dims { bound } else { bound.max(Self::u_from_v(self.floor(dims), n)) }
    }

    /// The same over all ordered pairs, with those of each point and itself: never below the floor.
    pub(crate) fn least_v(self, n: usize, dims: usize) -> f64 {
        match n {
            1 if dims > 0 && self.is_valid() => 0.0,
            _ => Self::v_from_u(self.least_u(n, dims), n),
        }
    }
}

/// Two cosines and how often each occurs: among n points, the cosines of all pairs have no lower mean of any
/// exponential.
///
/// Where cosines had the moments −1/(n−1), (n/d − 1)/(n−1) and −1/(n−1), the least that their first three can be, a mean
/// of exp(2tc) would be no less than that over the two values with just these moments (its Hermite interpolation
/// there lies below it). Up to d+1 points the first moment alone decides, by Jensen's inequality.
struct Cosines {
    values: [f64; 2],
    shares: [f64; 2],
}

impl Cosines {
    fn of(n: f64, d: f64) -> Self {
        let mean = -1.0 / (n - 1.0);
        if n <= d + 1.0 {
            return Self { values: [mean; 2], shares: [0.5; 2] };
        }
        // c² + pc + q vanishes on average, and so does c³ + pc² + qc.
        let p = (d - 1.0) / (n - d - 1.0);
        let q = (p - (n / d - 1.0)) / (n - 1.0);
        let low = -(p + (p * p - 4.0 * q).max(0.0).sqrt()) / 2.0;
        let high = q / low;
        let share = ((mean - low) / (high - low)).clamp(0.0, 1.0);
        Self { values: [low, high], shares: [1.0 - share, share] }
    }

    /// log mean exp(−t(2 − 2c)).
    fn log_mean(&self, t: f64) -> f64 {
        let [low, high] = [0, 1].map(|i| self.shares[i].ln() - 2.0 * t * (1.0 - self.values[i]));
        log_add(low, high)
    }
}
