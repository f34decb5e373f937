//! The Gaussian potential exp(−t‖x−y‖²) as the shaders compute it: exp(κs) of a similarity s.

use std::f64::consts::LOG2_E;

use super::{params::PairParams, shaders::Similarity, tiling::Tiling};
use crate::{Error, LogSum, Result, Scaling, backend::narrow};

/// Up to so many pairs, rounding has little to average over, and each product is split.
const FEW: u64 = 512 * 512;
/// Beyond this t a handful of close pairs may make the sum, and rounding of their cosines the result.
const STEEP: f64 = 5.0;
/// Unit rows have exponents from −4t to 0; so far down, f32 weights need no shift and lose nothing.
const DEEPEST: f64 = 40.0;

/// The factors of an exponent that f32 can hold and multiply.
const LEAST: f64 = 1e-37;
const GREATEST: f64 = 1e30;

/// exp(−t‖x−y‖²) over a set of pairs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Potential {
    similarity: Similarity,
    t: f64,
}

impl Potential {
    /// The potential of parameter t between `count` pairs of points.
    pub(super) fn new(scaling: Scaling, count: u64, t: f64) -> Self {
        let similarity = match scaling {
            Scaling::Raw => Similarity::Difference,
            Scaling::Unit if count <= FEW || t > STEEP => Similarity::SplitCosine,
            Scaling::Unit => Similarity::Cosine,
        };
        Self { similarity, t }
    }

    /// The same potential with products split, where a sum without shows that the set is too narrow for it.
    pub(super) fn refined(self, sum: LogSum, count: u64) -> Option<Self> {
        let coarse = self.similarity == Similarity::Cosine && narrow(sum, count, self.t);
        coarse.then_some(Self { similarity: Similarity::SplitCosine, ..self })
    }

    /// The sum, or an error where t shows in it and f32 cannot hold t. Beyond [`LEAST`] and [`GREATEST`] exponents are
    /// 0 or −∞ as a rule, and it does not show: all weights are 1, or 1 and 0.
    pub(super) fn settled(self, sum: LogSum, count: u64) -> Result<LogSum> {
        let rate = self.rate();
        let told = rate < LEAST && sum.sum / (count as f64) < 1.0 - 1e-7
            || rate > GREATEST && sum.sum.fract() != 0.0;
        if self.raw() && told {
            let expected =
                "between 1e-37 and 1e29 for raw points like these on a GPU; rescale them, or use the CPU";
            return Err(Error::Parameter { name: "t", value: self.t, expected });
        }
        Ok(sum)
    }

    /// κ·log₂e.
    fn rate(self) -> f64 {
        self.t * LOG2_E * if self.raw() { 1.0 } else { 2.0 }
    }

    pub(super) fn similarity(self) -> Similarity {
        self.similarity
    }

    pub(super) fn t(self) -> f64 {
        self.t
    }

    fn raw(self) -> bool {
        self.similarity == Similarity::Difference
    }

    /// −t‖x−y‖² of a similarity.
    pub(super) fn exponent(self, similarity: f32) -> f64 {
        let s = f64::from(similarity);
        self.t * if self.raw() { s } else { 2.0 * (s - 1.0) }
    }

    /// The similarity that weights are relative to, if it is known without a sum.
    pub(super) fn pivot(self) -> Option<f32> {
        (!self.raw() && 4.0 * self.t <= DEEPEST).then_some(1.0)
    }

    /// The largest similarity in a sum.
    pub(super) fn pivot_of(self, sum: LogSum) -> Result<f32> {
        if !sum.max.is_finite() {
            return Err(Error::Overflow { metric: "uniformity" });
        }
        let s = sum.max / self.t;
        Ok((if self.raw() { s } else { 1.0 + s / 2.0 }) as f32)
    }

    /// Multiply-adds that a tile takes.
    pub(super) fn cost(self, tiling: Tiling, dims: usize) -> f64 {
        let products = if self.similarity == Similarity::SplitCosine { 3.0 } else { 1.0 };
        (tiling.rows() * tiling.cols() * dims) as f64 * products
    }

    /// The parameters that do not depend on the block.
    pub(super) fn params(self, pivot: f32) -> PairParams {
        // Unit rows are 2 apart at most: beyond these bounds only exponents of 0 and of −∞ are left.
        let scale = self.rate().clamp(LEAST, GREATEST);
        let high = f32::from_bits((scale as f32).to_bits() & 0xffff_f000);
        PairParams {
            pivot,
            scale_high: high,
            scale_low: (scale - f64::from(high)) as f32,
            scale_least: (-125.0 / scale).max(-3e38) as f32,
            ..bytemuck::Zeroable::zeroed()
        }
    }
}
