//! The Gaussian potential exp(−t‖x−y‖²) as the shaders compute it: exp(κs) of a similarity s.

use std::f64::consts::LOG2_E;

use crate::{
    error::{Error, Result},
    gpu::kernel::{params::PairParams, table::Similarity, tiling::Tiling},
    kernel::Exponent,
    log_sum::LogSumExp,
};

/// Beyond this t only the closest pairs have exponents that count beside each other.
const MAX_T_FOR_MIDDLE_ORIGIN: f64 = 50.0;
/// Unit rows have exponents from −4t to 0; so far down, f32 weights need no shift and lose nothing.
const MAX_RANGE_WITHOUT_SHIFT: f64 = 40.0;

/// The factors of an exponent that f32 can hold and multiply.
pub(crate) const MIN_RATE: f64 = 1e-37;
pub(crate) const MAX_RATE: f64 = 1e30;

/// exp(−t‖x−y‖²) over a set of pairs; or exp(⟨x, y⟩/τ), which of unit rows is the same with t = 1/(2τ) but for a factor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairExponent {
    pub(crate) similarity: Similarity,
    /// Of dot products of raw rows, 1/τ.
    pub(crate) t: f64,
}

/// How exponents follow from a table of similarities: κ(s − origin) + offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// What similarities in a table are relative to: those that weigh most have the most digits then.
    pub(crate) origin: f32,
    pub(crate) slope: f64,
    pub(crate) offset: f64,
}

impl Line {
    pub(crate) fn at(self, similarity: f32) -> f64 {
        self.slope * f64::from(similarity) + self.offset
    }
}

impl PairExponent {
    /// Similarities by direct difference, whatever the points.
    pub(crate) fn by_differences() -> Self {
        Self { similarity: Similarity::Difference, t: 1.0 }
    }

    /// The same similarities with another t.
    pub(crate) fn with(self, t: f64) -> Self {
        Self { t, ..self }
    }

    /// How the exponents follow from a table.
    pub(crate) fn line(self, exponent: Exponent) -> Line {
        // Between the closest and those at a right angle, or at the closest, where no others weigh.
        let origin = match exponent {
            _ if self.raw() => 0.0,
            Exponent::Gaussian { t } if t > MAX_T_FOR_MIDDLE_ORIGIN => 1.0,
            _ => 0.5,
        };
        self.line_from(exponent, origin)
    }

    /// The same where similarities are relative to this.
    pub(crate) fn line_from(self, exponent: Exponent, origin: f32) -> Line {
        let slope = self.slope();
        let top = if matches!(exponent, Exponent::Gaussian { .. }) && !self.raw() { 1.0 } else { 0.0 };
        Line { origin, slope, offset: slope * (f64::from(origin) - top) }
    }

    /// κ.
    pub(crate) fn slope(self) -> f64 {
        self.t * if self.raw() { 1.0 } else { 2.0 }
    }

    /// κ·log₂e.
    pub(crate) fn rate(self) -> f64 {
        LOG2_E * self.slope()
    }

    /// By what Σ w(y − x), or Σ wy, is to be multiplied for the gradient of Σ we.
    pub(crate) fn pull(self) -> f64 {
        self.t * if self.similarity == Similarity::Product { 1.0 } else { 2.0 }
    }

    pub(crate) fn similarity(self) -> Similarity {
        self.similarity
    }

    pub(crate) fn t(self) -> f64 {
        self.t
    }

    pub(crate) fn raw(self) -> bool {
        matches!(self.similarity, Similarity::Difference | Similarity::Product)
    }

    /// −t‖x−y‖² of a similarity.
    pub(crate) fn exponent(self, similarity: f32) -> f64 {
        let s = f64::from(similarity);
        self.t * if self.raw() { s } else { 2.0 * (s - 1.0) }
    }

    /// The similarity that weights are relative to, if it is known without a sum.
    pub(crate) fn pivot(self) -> Option<f32> {
        (!self.raw() && 4.0 * self.t <= MAX_RANGE_WITHOUT_SHIFT).then_some(1.0)
    }

    /// The largest similarity in a sum.
    pub(crate) fn pivot_of(self, sum: LogSumExp) -> Result<f32> {
        if !sum.max.is_finite() {
            return Err(Error::Overflow { metric: "uniformity" });
        }
        let s = sum.max / self.t;
        Ok((if self.raw() { s } else { 1.0 + s / 2.0 }) as f32)
    }

    /// Multiply-adds that a tile takes.
    pub(crate) fn cost(self, tiling: Tiling, dims: usize) -> f64 {
        let products = if self.similarity == Similarity::SplitCosine { 3.0 } else { 1.0 };
        (tiling.rows() * tiling.cols() * dims) as f64 * products
    }

    /// The parameters that do not depend on the block.
    pub(crate) fn params(self, pivot: f32) -> PairParams {
        let [scale_high, scale_low, scale_least] = self.scale();
        PairParams { pivot, scale_high, scale_low, scale_least, ..bytemuck::Zeroable::zeroed() }
    }

    /// The parts of a `Scale`: see `shaders/shared/exp.wgsl`.
    pub(crate) fn scale(self) -> [f32; 3] {
        // Unit rows are 2 apart at most: beyond these bounds only exponents of 0 and of −∞ are left.
        let scale = self.rate().clamp(MIN_RATE, MAX_RATE);
        let high = f32::from_bits((scale as f32).to_bits() & 0xffff_f000);
        [high, (scale - f64::from(high)) as f32, (-125.0 / scale).max(-3e38) as f32]
    }
}
