//! Which kernel is exact enough for which sum.

use super::{
    kernel::{Cosine, STEEPEST_GRAM},
    points::FEW,
    sets::Sets,
};
use crate::points::Scaling;

/// The kernels, by what they are for: see [`super::kernel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exact {
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

/// With so few different rows on either side, or so few pairs of them, the rounding of f32 has little to average over.
const FEW_ROWS: usize = 32;
pub(super) const FEW_PAIRS: usize = FEW * FEW;

/// A t, which is 1 / 2τ, up to which logits of many rows are taken in f32: rounding averages out over the rows of a
/// softmax.
const STEEPEST_LOGIT: f64 = 20.0;

impl Exact {
    /// For sums of exp(−t‖x−y‖²).
    pub(super) fn gaussian(sets: Sets<'_>, t: f64) -> Self {
        Self::by(sets, (t, Cosine::STEEPEST))
    }

    /// For sums of exp(⟨x, y⟩/τ).
    pub(super) fn logit(sets: Sets<'_>, tau: f64) -> Self {
        match sets.scaling() {
            Scaling::Raw => Self::Dot,
            Scaling::Unit => Self::by(sets, (0.5 / tau, STEEPEST_LOGIT)),
        }
    }

    fn by(sets: Sets<'_>, (t, steepest): (f64, f64)) -> Self {
        if sets.scaling() == Scaling::Raw || t > STEEPEST_GRAM {
            Self::Difference
        } else if sets.few() {
            Self::FewGram
        } else if t <= steepest && many(sets) {
            Self::Cosine
        } else {
            Self::Gram
        }
    }
}

fn many(sets: Sets<'_>) -> bool {
    let (x, y) = (sets.x.varied(), sets.right().varied());
    x.min(y) > FEW_ROWS as f64 && x * y > FEW_PAIRS as f64
}
