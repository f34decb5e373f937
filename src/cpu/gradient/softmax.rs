//! Row log sums together with the gradient of their logs, in single precision where that is exact enough.

use crate::{
    cpu::{
        accuracy::{Arithmetic, PairExponent},
        block::{
            cache::SimilarityCache,
            formula::{Cosine, Formula, Gram},
        },
        gradient::{
            factors::CachedWeights,
            fused_softmax::{fits, fused_softmax},
            weighted::{CentredSums, MIN_F32_TOTAL, Target, factor_weights, in_double},
            weights::{ExponentialWeights, RoundedWeights},
        },
        pairs::PairSet,
        reduce::rows::{row_log_sums, rows, shared_shift_rows},
        simd::isa::Isa,
    },
    error::{Error, Result},
    kernel::Kernel,
    log_sum::log_add,
    progress::Watch,
    weights::{ExtraTerms, Gradients, RowLogSums, RowScalings},
};

/// Softmax over the rows of a set of pairs: `scale` · Σᵢ log(exp(extraᵢ) + Σⱼ exp(eᵢⱼ)). The scale is not negative.
#[derive(Clone, Copy)]
pub(crate) struct Softmax<'a> {
    pub(crate) pairs: PairSet<'a>,
    pub(crate) exponent: PairExponent,
    pub(crate) extra: ExtraTerms<'a>,
    pub(crate) scale: f64,
}

impl Softmax<'_> {
    fn scalings(self, sums: &RowLogSums) -> RowScalings {
        self.extra.scalings(sums, self.scale, self.pairs.right().len())
    }
}

/// Row log sums of points that have an extra term, and the gradient of the softmax over them.
pub(crate) fn row_log_sums_with_grad(
    isa: Isa,
    pairs: PairSet<'_>,
    kernel: Kernel,
    extra: ExtraTerms<'_>,
    scale: f64,
    watch: &Watch,
) -> Result<(RowLogSums, Gradients)> {
    let exponent = PairExponent::of(kernel, pairs);
    // Weights have logs; a gradient's sign is put on at the end.
    let (scale, sign) = (scale.abs(), scale.signum());
    let softmax = Softmax { pairs, exponent, extra, scale };
    let centre = pairs.centre();
    let single = || centre.iter().map(|&v| v as f32).collect();
    let mut passes = watch.passes();
    let (sums, weighted) = match exponent.arithmetic {
        _ if pairs.second().is_none() || !exponent.may_be_single(&centre) => (None, None),
        Arithmetic::Cosine if extra.y.is_none() && fits(pairs) => {
            let (sums, weighted) = fused(isa, softmax, single(), passes.next())?;
            (Some(sums), Some(weighted))
        }
        Arithmetic::Cosine => {
            let cache = SimilarityCache::new(pairs);
            let (sums, weights) = sums_then_weights::<Cosine>(isa, softmax, &cache, watch)?;
            let weighted =
                weights.map(|weights| CentredSums::new(isa, pairs, &weights, single(), passes.next()));
            (Some(sums), weighted.transpose()?)
        }
        _ => {
            let cache = SimilarityCache::new(pairs);
            let (sums, weights) = sums_then_weights::<Gram<false>>(isa, softmax, &cache, watch)?;
            let weights = weights.map(RoundedWeights);
            let weighted =
                weights.map(|weights| CentredSums::new(isa, pairs, &weights, single(), passes.next()));
            (Some(sums), weighted.transpose()?)
        }
    };
    let exact = weighted.filter(|weighted| weighted.is_exact(pairs, exponent));
    let sums = match (sums, &exact, exponent.arithmetic) {
        // What cancels takes weights that add up to 1 in more digits than sums in single precision have.
        (_, None, Arithmetic::Cosine) => rows::<Gram<false>>(isa, pairs, exponent, None, &watch.silent())?,
        (Some(sums), ..) => sums,
        (None, ..) => row_log_sums(isa, pairs, kernel, None, &watch.silent())?,
    };
    let gradients = match exact {
        Some(weighted) => weighted.finish(pairs, exponent, sign, None)?,
        None => {
            let scalings = softmax.scalings(&sums);
            in_double(
                isa,
                pairs,
                exponent,
                (scalings.pair_weights(), sign),
                centre,
                Target::All(None),
                passes.next(),
            )?
        }
    };
    let y = sums.y.filter(|_| extra.y.is_some());
    Ok((RowLogSums { y, ..sums }, gradients))
}

/// Softmax of the first set alone, from weights that are computed once.
fn fused(
    isa: Isa,
    Softmax { pairs, exponent, extra, scale }: Softmax<'_>,
    centre: Vec<f32>,
    watch: &Watch,
) -> Result<(RowLogSums, CentredSums<f32>)> {
    let rate = Cosine::RATE * exponent.t;
    // Exponents to both sides of 0.
    let shift = Cosine::UPPER_BOUND - 2.0 / Cosine::RATE;
    let base = exponent.offset + rate * (shift - Cosine::UPPER_BOUND);
    let weights = ExponentialWeights::<Cosine>::new(rate, shift);
    let divisor = |row: usize, sum: f64| log_add(extra.x[row] - base, sum.ln()).exp() / scale;
    let done = fused_softmax(isa, pairs, &weights, &centre, divisor, watch)?;
    let sums = done.sums.into_iter().map(|sum| base + sum.ln()).collect();
    Ok((RowLogSums { x: sums, y: None }, CentredSums { centre, on_x: done.on_x, on_y: Some(done.on_y) }))
}

/// Sums of whole rows and columns, which come before the weight of any pair, and then the weights, where they are not
/// beneath single precision; of both sets, or of the first.
pub(crate) fn sums_then_weights<'a, F: Formula>(
    isa: Isa,
    softmax: Softmax<'_>,
    cache: &'a SimilarityCache<F::Real>,
    watch: &Watch,
) -> Result<(RowLogSums, Option<CachedWeights<'a, F>>)> {
    let Softmax { pairs, exponent, .. } = softmax;
    let sums = shared_shift_rows::<F>(isa, pairs, &[exponent], Some(cache), &watch.silent())?.pop();
    let sums = sums.ok_or_else(|| Error::missing("the sum of each row"))?;
    let scalings = softmax.scalings(&sums);
    let greatest = sums.x.iter().zip(&scalings.p).map(|(sum, p)| sum + p).fold(f64::NEG_INFINITY, f64::max);
    let weights = || CachedWeights { cache, weights: factor_weights(exponent, scalings.pair_weights()) };
    let weights = (greatest > MIN_F32_TOTAL.ln()).then(weights);
    Ok((sums, weights))
}
