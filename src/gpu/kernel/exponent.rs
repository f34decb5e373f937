//! The exponent of a kernel as the shaders compute it: κs of a similarity s.

use std::f64::consts::LOG2_E;

use crate::{
    error::{Error, Result},
    gpu::kernel::{
        accuracy::Arithmetic,
        params::PairParams,
        rate::{self, MAX_RATE, MIN_RATE, fits, gaussian_scale},
        table::Similarity,
        tiling::Tiling,
    },
    kernel::{Kernel, Map},
    log_sum::LogSumExp,
    points::Scaling,
};

/// Largest t for which tables hold cosines less ½: beyond, only those near 1 have exponents that count beside each other.
const MAX_T_FOR_MIDDLE_ORIGIN: f64 = 50.0;
/// Range of exponents, from −4t to 0 of unit rows, in which f32 weights need no shift and lose nothing.
const MAX_RANGE_WITHOUT_SHIFT: f64 = 40.0;

/// The exponent of a kernel over similarities of one kind. Of unit rows, exp(⟨x, y⟩/τ) is exp(−t‖x−y‖²) with t = 1/(2τ) but
/// for a factor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairExponent {
    pub(crate) arithmetic: Arithmetic,
    kernel: Kernel,
    /// Of dot products of raw rows, 1/τ.
    t: f64,
    /// The exponent of equal unit rows, 0 of raw ones.
    top: f64,
}

/// The exponents that follow from a table of similarities: κ(s − origin) + offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// The similarity that those in a table are relative to: those that weigh most have the most digits then.
    pub(crate) origin: f32,
    pub(crate) slope: f64,
    pub(crate) offset: f64,
    /// Sums are of exp(κ(s − origin)) − 1.
    pub(crate) less_one: bool,
}

impl Line {
    pub(crate) fn at(self, similarity: f32) -> f64 {
        self.slope * f64::from(similarity) + self.offset
    }
}

impl PairExponent {
    pub(crate) fn new(arithmetic: Arithmetic, kernel: Kernel, scaling: Scaling) -> Self {
        let top = match (kernel.map, scaling) {
            (Map::Logit, Scaling::Unit) => 1.0 / kernel.scale,
            _ => 0.0,
        };
        Self { arithmetic, kernel, t: gaussian_scale(kernel, scaling), top }
    }

    /// The same for sums of single rows or groups, all of which f32 has to hold.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] where f32 cannot.
    pub(crate) fn of_rows(arithmetic: Arithmetic, kernel: Kernel, scaling: Scaling) -> Result<Self> {
        match kernel.map {
            // The maps that the shaders have. Any other is to be refused here, where all of their sums come by.
            Map::Gaussian | Map::Logit => {}
        }
        let exponent = Self::new(arithmetic, kernel, scaling);
        if scaling == Scaling::Raw && !fits(exponent.t) {
            let name = if kernel.map == Map::Gaussian { "t" } else { "tau" };
            let expected = "between 1e-29 and 1e29 for raw points on a GPU; rescale them, or use the CPU";
            return Err(Error::Parameter { name, value: kernel.scale, expected });
        }
        Ok(exponent)
    }

    /// The same kernel by another arithmetic.
    pub(crate) fn by(self, arithmetic: Arithmetic) -> Self {
        Self { arithmetic, ..self }
    }

    /// The exponents that follow from a table.
    pub(crate) fn line(self) -> Line {
        // Between the closest and those at a right angle, or at the closest, where no others weigh.
        let origin = match self.kernel.map {
            _ if !self.of_cosines() => 0.0,
            Map::Gaussian if self.t > MAX_T_FOR_MIDDLE_ORIGIN => 1.0,
            _ => 0.5,
        };
        self.line_from(origin)
    }

    /// The same where similarities are relative to this.
    pub(crate) fn line_from(self, origin: f32) -> Line {
        let (slope, less_one) = (self.slope(), self.arithmetic.less_one);
        // Of equal rows, cosines are 1 and differences 0.
        let equal = match self.kernel.map {
            Map::Gaussian if self.of_cosines() => 1.0,
            _ => 0.0,
        };
        let top = if self.of_cosines() { 0.0 } else { self.top };
        Line { origin, slope, offset: slope * (f64::from(origin) - equal) + top, less_one }
    }

    /// The exponent of equal points.
    pub(crate) fn top(self) -> f64 {
        self.top
    }

    /// κ.
    pub(crate) fn slope(self) -> f64 {
        self.t * if self.of_cosines() { 2.0 } else { 1.0 }
    }

    /// κ·log₂e.
    fn rate(self) -> f64 {
        LOG2_E * self.slope()
    }

    /// The factor of Σ w(y − x), or Σ wy, in the gradient of Σ we.
    pub(crate) fn gradient_factor(self) -> f64 {
        self.t * if self.similarity() == Similarity::Product { 1.0 } else { 2.0 }
    }

    pub(crate) fn similarity(self) -> Similarity {
        self.arithmetic.similarity
    }

    pub(crate) fn t(self) -> f64 {
        self.t
    }

    fn of_cosines(self) -> bool {
        !matches!(self.similarity(), Similarity::Difference | Similarity::Product)
    }

    /// −t‖x−y‖² of a similarity.
    pub(crate) fn exponent(self, similarity: f32) -> f64 {
        let s = f64::from(similarity);
        self.t * if self.of_cosines() { 2.0 * (s - 1.0) } else { s }
    }

    /// The similarity that weights are relative to, if it is known without a sum.
    pub(crate) fn pivot(self) -> Option<f32> {
        let flat = 4.0 * self.t <= MAX_RANGE_WITHOUT_SHIFT;
        match self.of_cosines() {
            true => flat.then_some(1.0),
            // The first pass has shown that distances are near 0.
            false => self.arithmetic.less_one.then_some(0.0),
        }
    }

    /// The largest similarity in a sum.
    pub(crate) fn pivot_of(self, sum: LogSumExp) -> Result<f32> {
        if !sum.max.is_finite() {
            return Err(Error::Overflow { metric: "uniformity" });
        }
        let s = sum.max / self.t;
        Ok((if self.of_cosines() { 1.0 + s / 2.0 } else { s }) as f32)
    }

    /// The sum, or an error where t shows in it and f32 cannot hold t. Beyond [`MIN_RATE`] and [`MAX_RATE`] exponents are
    /// 0 or −∞ as a rule, and it does not show: all weights are 1, or 1 and 0.
    pub(crate) fn settled(self, sum: LogSumExp, count: u64) -> Result<LogSumExp> {
        let rate = self.rate();
        let told = rate < MIN_RATE && sum.sum / (count as f64) < 1.0 - 1e-7
            || rate > MAX_RATE && sum.sum.fract() != 0.0;
        if !self.of_cosines() && !self.arithmetic.less_one && told {
            let expected =
                "between 1e-37 and 1e29 for raw points like these on a GPU; rescale them, or use the CPU";
            return Err(Error::Parameter { name: "t", value: self.t, expected });
        }
        Ok(sum)
    }

    /// Multiply-adds that a tile takes.
    pub(crate) fn cost(self, tiling: Tiling, dims: usize) -> f64 {
        let products = if self.similarity() == Similarity::SplitCosine { 3.0 } else { 1.0 };
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
        rate::parts(self.rate().clamp(MIN_RATE, MAX_RATE))
    }
}
