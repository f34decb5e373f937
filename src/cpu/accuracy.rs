//! Accuracy ladder: which formula, in which precision, is exact enough for a sum over pairs.
//!
//! An operation asks for the first [`Arithmetic`], computes, and brings [`Evidence`] of what came out; the ladder decides
//! whether that stands or finer arithmetic is tried. No other module of this backend decides.

use crate::{
    accuracy::NARROW,
    cpu::{block::formula::Formula, pairs::PairSet, points::MAX_ROWS_FOR_F64},
    error::Result,
    kernel::{Kernel, Map},
    points::Scaling,
    weights::{PointWeights, RowLogSums},
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

/// Evidence of how a result came about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    /// Whether the set, or a row or a group of it, is so narrow that cosines in f32 say too little of its distances.
    pub(crate) narrow: bool,
    /// Whether one pair makes so much of a sum that its rounding in f32 is not averaged.
    pub(crate) dominated: bool,
    /// Whether so much cancels in a gradient that only f64 tells what is left.
    pub(crate) cancels: bool,
}

impl Arithmetic {
    /// This arithmetic, or a finer one where evidence asks for it before anything is computed.
    pub(crate) fn or_finer(self, evidence: Evidence) -> Self {
        self.next(evidence).unwrap_or(self)
    }

    /// Finer arithmetic that the evidence asks for; `None` where the result stands.
    fn next(self, evidence: Evidence) -> Option<Self> {
        match self {
            Self::Cosine if evidence.narrow || evidence.cancels => Some(Self::Difference),
            Self::Cosine if evidence.dominated => Some(Self::Gram),
            _ => None,
        }
    }
}

/// Result in the first arithmetic, from `first` on, whose evidence lets it stand.
pub(crate) fn climb<T>(
    first: Arithmetic,
    mut run: impl FnMut(Arithmetic) -> Result<(T, Evidence)>,
) -> Result<T> {
    let mut arithmetic = first;
    loop {
        let (result, evidence) = run(arithmetic)?;
        match arithmetic.next(evidence) {
            Some(finer) => arithmetic = finer,
            None => return Ok(result),
        }
    }
}

/// The same for several results at once: those in one arithmetic share a pass, in which `run` computes the results of
/// certain places.
pub(crate) fn climb_together<T>(
    first: &[Arithmetic],
    mut run: impl FnMut(Arithmetic, &[usize]) -> Result<Vec<(T, Evidence)>>,
) -> Result<Vec<T>> {
    let mut arithmetic = first.to_vec();
    let mut results: Vec<Option<T>> = first.iter().map(|_| None).collect();
    // What leaves one arithmetic goes to a later one.
    for pass in
        [Arithmetic::FewGram, Arithmetic::Cosine, Arithmetic::Gram, Arithmetic::Difference, Arithmetic::Dot]
    {
        let places: Vec<_> = (0..arithmetic.len()).filter(|&place| arithmetic[place] == pass).collect();
        if places.is_empty() {
            continue;
        }
        let found = run(pass, &places)?;
        for (place, (result, evidence)) in places.into_iter().zip(found) {
            match pass.next(evidence) {
                Some(finer) => arithmetic[place] = finer,
                None => results[place] = Some(result),
            }
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// Runs an expression with the formula of an arithmetic as the type `$formula`. Sums of exp(−t‖x−y‖²) take no inner products
/// of raw points, so that `Dot` stands for `Difference` there.
macro_rules! with_formula {
    (distances: $arithmetic:expr, $formula:ident => $run:expr) => {
        match $arithmetic {
            Arithmetic::Dot => {
                type $formula = $crate::cpu::block::formula::Difference;
                $run
            }
            other => with_formula!(@each other, $formula => $run, unreachable!("handled above")),
        }
    };
    ($arithmetic:expr, $formula:ident => $run:expr) => {
        with_formula!(@each $arithmetic, $formula => $run, {
            type $formula = $crate::cpu::block::formula::Dot;
            $run
        })
    };
    (@each $arithmetic:expr, $formula:ident => $run:expr, $dot:expr) => {
        match $arithmetic {
            Arithmetic::Cosine => {
                type $formula = $crate::cpu::block::formula::Cosine;
                $run
            }
            Arithmetic::FewGram => {
                type $formula = $crate::cpu::block::formula::Gram<true>;
                $run
            }
            Arithmetic::Gram => {
                type $formula = $crate::cpu::block::formula::Gram<false>;
                $run
            }
            Arithmetic::Difference => {
                type $formula = $crate::cpu::block::formula::Difference;
                $run
            }
            Arithmetic::Dot => $dot,
        }
    };
}
pub(crate) use with_formula;

/// Largest error of a cosine in f32: its rounding, of long rows too.
const MAX_F32_COSINE_ERROR: f64 = 3e-7;

/// Share of a sum of exp(−t‖x−y‖²) that pairs side by side may have where each is rounded as cosines in f32 are: the
/// exponential is off by 2t times the error of the cosine, and half of the error that is promised may come of that.
pub(crate) fn max_f32_share(t: f64) -> f64 {
    let promised = if t <= MAX_T_OF_BEST_PROMISE { 1e-6 } else { 3e-6 };
    0.5 * promised / (2.0 * t * MAX_F32_COSINE_ERROR)
}

/// Largest t at which uniformity is promised to 1e-6, and not to 3e-6.
const MAX_T_OF_BEST_PROMISE: f64 = 5.0;

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

/// Whether some row has all others so near that cosines in f32 say too little of it.
pub(crate) fn has_narrow_row(
    pairs: PairSet<'_>,
    sums: &RowLogSums,
    weights: Option<PointWeights<'_>>,
    t: f64,
) -> bool {
    let side = |sums: &[f64], others: usize, weights: Option<(&[f64], &[f64])>| {
        let total: f64 = weights.map_or(others as f64, |(_, others)| others.iter().sum());
        // A row is no partner of its own, nor of its positive.
        let own = |row: usize| match weights {
            _ if matches!(pairs, PairSet::Across(..)) => 0.0,
            None => 1.0,
            Some((_, others)) => others[row],
        };
        sums.iter().enumerate().any(|(row, sum)| sum - (total - own(row)).ln() > -t * NARROW)
    };
    let (x, y) = (pairs.left().len(), pairs.right().len());
    side(&sums.x, y, weights.map(|w| (w.x, w.y)))
        || sums.y.as_ref().is_some_and(|sums| side(sums, x, weights.map(|w| (w.y, w.x))))
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
