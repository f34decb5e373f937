//! The Gaussian potential exp(−t‖x−y‖²) as the shaders compute it: exp(κs) of a similarity s.

use std::f64::consts::LOG2_E;

use super::{params::PairParams, shaders::Similarity, tiling::Tiling};
use crate::{
    accuracy::narrow,
    error::{Error, Result},
    kernel::Exponent,
    log_sum::LogSumExp,
    points::Scaling,
};

/// Up to so many pairs, rounding has little to average over, and each product is split.
const FEW: u64 = 512 * 512;
/// Beyond this t a handful of close pairs may make the sum, and rounding of their cosines the result.
const STEEP: f64 = 5.0;
/// The same of cosines from short sums, for sums of a row, in which there is less to average over: τ = 0.07 is below.
const STEEP_ROW: f64 = 7.5;
/// Beyond this t only the closest pairs have exponents that count beside each other.
const STEEPER: f64 = 50.0;
/// Unit rows have exponents from −4t to 0; so far down, f32 weights need no shift and lose nothing.
const DEEPEST: f64 = 40.0;

/// The factors of an exponent that f32 can hold and multiply.
const LEAST: f64 = 1e-37;
const GREATEST: f64 = 1e30;

/// exp(−t‖x−y‖²) over a set of pairs; or exp(⟨x, y⟩/τ), which of unit rows is the same with t = 1/(2τ) but for a factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Potential {
    similarity: Similarity,
    /// Of dot products of raw rows, 1/τ.
    t: f64,
}

/// Whether pairs are so few.
pub(super) fn few(count: u64) -> bool {
    count <= FEW
}

/// How exponents follow from a table of similarities: κ(s − origin) + offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// What similarities in a table are relative to: those that weigh most have the most digits then.
    pub(super) origin: f32,
    pub(super) slope: f64,
    pub(super) offset: f64,
}

impl Line {
    pub(super) fn at(self, similarity: f32) -> f64 {
        self.slope * f64::from(similarity) + self.offset
    }
}

impl Potential {
    /// The potential of parameter t between `count` pairs of points.
    pub(super) fn new(scaling: Scaling, count: u64, t: f64) -> Self {
        let similarity = match scaling {
            Scaling::Raw => Similarity::Difference,
            Scaling::Unit if few(count) || t > STEEP => Similarity::SplitCosine,
            Scaling::Unit => Similarity::Cosine,
        };
        Self { similarity, t }
    }

    /// Similarities by direct difference, whatever the points.
    pub(super) fn by_differences() -> Self {
        Self { similarity: Similarity::Difference, t: 1.0 }
    }

    /// What is raised to the power of e for sums of single rows or groups, the smallest over so many pairs.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] where f32 cannot hold it.
    pub(super) fn of_rows(exponent: Exponent, scaling: Scaling, count: u64) -> Result<Self> {
        let (name, value, t) = match exponent {
            Exponent::Gaussian { t } => ("t", t, t),
            Exponent::Logit { tau } if scaling == Scaling::Raw => ("tau", tau, 1.0 / tau),
            Exponent::Logit { tau } => ("tau", tau, 0.5 / tau),
        };
        let similarity = match (scaling, exponent) {
            (Scaling::Raw, Exponent::Gaussian { .. }) => Similarity::Difference,
            (Scaling::Raw, Exponent::Logit { .. }) => Similarity::Product,
            (Scaling::Unit, _) if few(count) || t > STEEP_ROW => Similarity::SplitCosine,
            (Scaling::Unit, _) => Similarity::FineCosine,
        };
        let potential = Self { similarity, t };
        if potential.raw() && !(LEAST..=GREATEST).contains(&potential.rate()) {
            let expected = "between 1e-29 and 1e29 for raw points on a GPU; rescale them, or use the CPU";
            return Err(Error::Parameter { name, value, expected });
        }
        Ok(potential)
    }

    /// The same similarities with another t.
    pub(super) fn with(self, t: f64) -> Self {
        Self { t, ..self }
    }

    /// How the exponents follow from a table.
    pub(super) fn line(self, exponent: Exponent) -> Line {
        // Between the closest and those at a right angle, or at the closest, where no others weigh.
        let origin = match exponent {
            _ if self.raw() => 0.0,
            Exponent::Gaussian { t } if t > STEEPER => 1.0,
            _ => 0.5,
        };
        self.line_from(exponent, origin)
    }

    /// The same where similarities are relative to this.
    pub(super) fn line_from(self, exponent: Exponent, origin: f32) -> Line {
        let slope = self.slope();
        let top = if matches!(exponent, Exponent::Gaussian { .. }) && !self.raw() { 1.0 } else { 0.0 };
        Line { origin, slope, offset: slope * (f64::from(origin) - top) }
    }

    /// The same potential with products split, where a sum without shows that the set is too narrow for it.
    pub(super) fn refined(self, sum: LogSumExp, count: u64) -> Option<Self> {
        let coarse = matches!(self.similarity, Similarity::Cosine | Similarity::FineCosine);
        (coarse && narrow(sum, count, self.t)).then_some(Self { similarity: Similarity::SplitCosine, ..self })
    }

    /// The sum, or an error where t shows in it and f32 cannot hold t. Beyond [`LEAST`] and [`GREATEST`] exponents are
    /// 0 or −∞ as a rule, and it does not show: all weights are 1, or 1 and 0.
    pub(super) fn settled(self, sum: LogSumExp, count: u64) -> Result<LogSumExp> {
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

    /// κ.
    pub(super) fn slope(self) -> f64 {
        self.t * if self.raw() { 1.0 } else { 2.0 }
    }

    /// κ·log₂e.
    fn rate(self) -> f64 {
        LOG2_E * self.slope()
    }

    /// By what Σ w(y − x), or Σ wy, is to be multiplied for the gradient of Σ we.
    pub(super) fn pull(self) -> f64 {
        self.t * if self.similarity == Similarity::Product { 1.0 } else { 2.0 }
    }

    pub(super) fn similarity(self) -> Similarity {
        self.similarity
    }

    pub(super) fn t(self) -> f64 {
        self.t
    }

    fn raw(self) -> bool {
        matches!(self.similarity, Similarity::Difference | Similarity::Product)
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
    pub(super) fn pivot_of(self, sum: LogSumExp) -> Result<f32> {
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
        let [scale_high, scale_low, scale_least] = self.scale();
        PairParams { pivot, scale_high, scale_low, scale_least, ..bytemuck::Zeroable::zeroed() }
    }

    /// The parts of a `Scale`: see `shaders/shared/exp.wgsl`.
    pub(super) fn scale(self) -> [f32; 3] {
        // Unit rows are 2 apart at most: beyond these bounds only exponents of 0 and of −∞ are left.
        let scale = self.rate().clamp(LEAST, GREATEST);
        let high = f32::from_bits((scale as f32).to_bits() & 0xffff_f000);
        [high, (scale - f64::from(high)) as f32, (-125.0 / scale).max(-3e38) as f32]
    }
}
