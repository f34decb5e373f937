//! Whether a value could be that of uniform points by chance.

use super::{
    Gaussian,
    floor::{Density, beta, rise},
    gamma::upper_tail,
};
use crate::log_sum::{LogSumExp, log_add};

/// How a value compares with those of independent points of the uniform distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Significance {
    /// How many standard deviations the mean potential e^U lies above that of uniform points, on average; below 0 where the
    /// points are more even than uniform points are by chance.
    pub z: f64,
    /// The share of sets of uniform points that are as uneven or more so, one-sided: near 0 for points that clump,
    /// and near 1 for points that keep their distance.
    pub p_value: f64,
}

impl Gaussian {
    /// How likely this value, over the pairs i < j of n points in `dims` dimensions, is to come of independent uniform
    /// points. NaN for fewer than two points, no dimensions, and for a t out of its range or so far beyond √dims (in the
    /// thousands) that chance alone decides.
    pub(crate) fn significance(self, value: f64, n: usize, dims: usize) -> Significance {
        if n < 2 || dims == 0 || !self.is_valid() || value.is_nan() {
            return Significance { z: f64::NAN, p_value: f64::NAN };
        }
        let n = n as f64;
        let pairs = (n * (n - 1.0) / 2.0).ln();
        let Moments { variance, third, triangle } = Moments::new(dims as f64, self.t);
        let total = log_add(third, (2.0 * (n - 2.0)).ln() + triangle);
        let skewness = (total - (pairs + 3.0 * variance) / 2.0).exp();
        let above = Difference::of(value - self.floor(dims));
        let z = above.sign * (above.log + (pairs - variance) / 2.0).exp();
        Significance { z, p_value: upper_tail(z, skewness) }
    }
}

/// Logs of the moments of w/m − 1 for uniform points, where w = exp(−t‖x−y‖²) and m is its mean.
pub(crate) struct Moments {
    /// E(w/m−1)²
    pub(crate) variance: f64,
    /// E(w/m−1)³
    pub(crate) third: f64,
    /// E(w/m−1)(w′/m−1)(w″/m−1) over the sides of a triangle.
    pub(crate) triangle: f64,
}

impl Moments {
    pub(crate) fn new(dims: f64, t: f64) -> Self {
        let mean = rise(dims, t);
        let (mut weight, mut variance) = (LogSumExp::EMPTY, LogSumExp::EMPTY);
        let (mut third, mut triangle) = (Signed::default(), Signed::default());
        for Node { log, cosine, opposite } in nodes(dims, t) {
            // w/m − 1, and the mean of w′w″/m² − 1 over the third point, of sides to two points whose sum has the length
            // 2√opposite: the mean over z of exp(2t⟨z, x+y⟩).
            let side = Difference::of(2.0 * t * cosine - mean);
            let path = Difference::of(rise(dims, 2.0 * t * opposite.sqrt()) - 2.0 * mean);
            weight = weight.combine(LogSumExp::from_exponent(log));
            if side.sign != 0.0 {
                variance = variance.combine(LogSumExp::from_exponent(log + 2.0 * side.log));
                third.add(side.sign, log + 3.0 * side.log);
            }
            if side.sign * path.sign != 0.0 {
                triangle.add(side.sign * path.sign, log + side.log + path.log);
            }
        }
        let mean = |sum: f64| sum - weight.log();
        Self { variance: mean(variance.log()), third: mean(third.log()), triangle: mean(triangle.log()) }
    }
}

/// Pairs of uniform points that stand for all.
struct Node {
    /// The log of how often they occur, but for a factor.
    log: f64,
    cosine: f64,
    /// A quarter of the squared distance of one to the antipode of the other, (1 + cosine)/2.
    opposite: f64,
}

fn nodes(dims: f64, t: f64) -> Vec<Node> {
    if dims == 1.0 {
        return [-1.0, 1.0].map(|cosine| Node { log: 0.0, cosine, opposite: (1.0 + cosine) / 2.0 }).into();
    }
    let density = Density::new(dims);
    let node = |s: f64| Node { log: density.exponent(0.0, s), cosine: -(s / 2.0).tanh(), opposite: beta(-s) };
    let nodes: Vec<_> = density.nodes_between(0.0, 3.0 * t).map(node).take(MOST).collect();
    // Without some of them the moments would be wrong; without any they are NaN.
    if nodes.len() < MOST { nodes } else { Vec::new() }
}

/// More nodes than this take too long, and are more than moments need that have anything to say.
const MOST: usize = 1 << 15;

/// eˣ − 1, as the log of its magnitude and its sign.
struct Difference {
    log: f64,
    sign: f64,
}

impl Difference {
    fn of(x: f64) -> Self {
        let log = (-(-x.abs()).exp_m1()).ln();
        Self { log: log + x.max(0.0), sign: if x == 0.0 { 0.0 } else { x.signum() } }
    }
}

/// A sum of exponentials of either sign.
struct Signed {
    positive: LogSumExp,
    negative: LogSumExp,
}

impl Default for Signed {
    fn default() -> Self {
        Self { positive: LogSumExp::EMPTY, negative: LogSumExp::EMPTY }
    }
}

impl Signed {
    fn add(&mut self, sign: f64, log: f64) {
        let sum = if sign > 0.0 { &mut self.positive } else { &mut self.negative };
        *sum = sum.combine(LogSumExp::from_exponent(log));
    }

    /// The log of a sum that is positive but for rounding.
    fn log(&self) -> f64 {
        let (positive, negative) = (self.positive.log(), self.negative.log());
        if negative < positive {
            positive + (-(negative - positive).exp()).ln_1p()
        } else {
            f64::NEG_INFINITY
        }
    }
}
