//! Accuracy: which formula, in which precision, is exact enough for a sum over pairs.

use crate::{
    accuracy::NARROW,
    cpu::{block::formula::Formula, pairs::PairSet, points::MAX_ROWS_FOR_F64},
    kernel::{Kernel, Map},
    points::Scaling,
    weights::RowLogSums,
};

/// Arithmetic of a sum: a formula by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// Many unit rows, in single precision.
    Cosine,
    /// Few unit rows.
    FewGram,
    /// Unit rows otherwise.
    Gram,
    /// Any points and any t.
    Difference,
    /// Logits of raw points.
    Dot,
}

/// Different rows on either side, and pairs of them, up to which f32 is not used: its rounding has little to average over.
const MIN_VARIED_ROWS_FOR_F32: usize = 32;
pub(crate) const MIN_VARIED_PAIRS_FOR_F32: usize = MAX_ROWS_FOR_F64 * MAX_ROWS_FOR_F64;

/// Largest t of Gaussian sums by cosines in f32. Up to here no single cosine's rounding, about 5e-8, shows in a uniformity,
/// and exponents, −4t at the least, need no shift.
pub(crate) const MAX_T_FOR_F32_COSINES: f64 = 10.0;

/// Largest t, which is 1 / 2τ, of logits in f32: rounding averages out over the rows of a softmax.
const MAX_T_FOR_F32_LOGITS: f64 = 20.0;

/// Largest t of Gram products in f64: exponents of unit rows, −4t at the least, need no shift there.
const MAX_T_FOR_GRAM: f64 = 150.0;

impl Arithmetic {
    /// Arithmetic for sums of exp(−t‖x−y‖²).
    pub(crate) fn gaussian(pairs: PairSet<'_>, t: f64) -> Self {
        Self::with_limit(pairs, t, MAX_T_FOR_F32_COSINES)
    }

    /// Arithmetic for sums of exp(⟨x, y⟩/τ).
    pub(crate) fn logit(pairs: PairSet<'_>, tau: f64) -> Self {
        match pairs.scaling() {
            Scaling::Raw => Self::Dot,
            Scaling::Unit => Self::with_limit(pairs, 0.5 / tau, MAX_T_FOR_F32_LOGITS),
        }
    }

    fn with_limit(pairs: PairSet<'_>, t: f64, max_t_for_f32: f64) -> Self {
        if pairs.scaling() == Scaling::Raw || t > MAX_T_FOR_GRAM {
            Self::Difference
        } else if pairs.few() {
            Self::FewGram
        } else if t <= max_t_for_f32 && is_varied(pairs) {
            Self::Cosine
        } else {
            Self::Gram
        }
    }
}

fn is_varied(pairs: PairSet<'_>) -> bool {
    let (x, y) = (pairs.left().varied(), pairs.right().varied());
    x.min(y) > MIN_VARIED_ROWS_FOR_F32 as f64 && x * y > MIN_VARIED_PAIRS_FOR_F32 as f64
}

/// Exponent of a pair as formulas have it.
#[derive(Clone, Copy)]
pub(crate) struct PairExponent {
    /// Factor of −‖x−y‖²; of ⟨x, y⟩ for logits of raw points.
    pub(crate) t: f64,
    /// Constant that is added.
    pub(crate) offset: f64,
    pub(crate) arithmetic: Arithmetic,
}

impl PairExponent {
    pub(crate) fn of(kernel: Kernel, pairs: PairSet<'_>) -> Self {
        let Kernel { map, scale } = kernel;
        match map {
            Map::Gaussian => Self { t: scale, offset: 0.0, arithmetic: Arithmetic::gaussian(pairs, scale) },
            Map::Logit => {
                let tau = scale;
                let arithmetic = Arithmetic::logit(pairs, tau);
                match arithmetic {
                    Arithmetic::Dot => Self { t: 1.0 / tau, offset: 0.0, arithmetic },
                    // Of unit rows, ⟨x, y⟩ = 1 − ½‖x−y‖².
                    _ => Self { t: 0.5 / tau, offset: 1.0 / tau, arithmetic },
                }
            }
        }
    }

    /// Whether single precision may hold the gradient, given the centre of all points.
    pub(crate) fn may_be_single(self, centre: &[f64]) -> bool {
        matches!(self.arithmetic, Arithmetic::Cosine | Arithmetic::Gram)
            && mean_squared_distance(centre) > NARROW
    }
}

/// Mean squared distance of unit rows, given their centre.
pub(crate) fn mean_squared_distance(centre: &[f64]) -> f64 {
    2.0 * (1.0 - centre.iter().map(|v| v * v).sum::<f64>())
}

/// Whether some point has all others so near that cosines in f32 say too little of it.
pub(crate) fn has_narrow_row(sums: &RowLogSums, [of_x, of_y]: [f64; 2], t: f64) -> bool {
    let near = |rows: &[f64], others: f64| {
        let greatest = rows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        greatest - others.ln() > -t * NARROW
    };
    near(&sums.x, of_y) || sums.y.as_ref().is_some_and(|y| near(y, of_x))
}

/// Similarity next to which no exponential of this rate is too large or too small for the precision.
pub(crate) fn shared_shift<F: Formula>(rate: f64) -> Option<f64> {
    // Of unit rows, the similarity is at most the upper bound, and 4 / RATE below it at the least.
    let least = -4.0 / F::RATE * rate;
    match F::FIXED_SHIFT {
        true if least >= F::MIN_UNSHIFTED_EXPONENT => Some(F::UPPER_BOUND),
        true if least >= 2.0 * F::MIN_UNSHIFTED_EXPONENT => Some(F::UPPER_BOUND - 2.0 / F::RATE),
        _ => None,
    }
}
