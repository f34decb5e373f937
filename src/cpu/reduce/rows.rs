//! Sums of exponentials per row, each in the arithmetic that is exact enough for it.

use crate::{
    cpu::{
        accuracy::{Arithmetic, Evidence, PairExponent, climb, has_narrow_row, shared_shift, with_formula},
        block::{
            cache::SimilarityCache,
            formula::{Cosine, Formula, Gram},
        },
        pairs::PairSet,
        reduce::{
            dominant_rows,
            row_sums::{LogWeights, RowSums, SharedShift, row_sums, shared_shift_row_sums},
            total::PartialSum,
        },
        simd::isa::Isa,
    },
    error::Result,
    kernel::{Kernel, Map},
    progress::Watch,
    weights::{PointWeights, RowLogSums},
};

/// Row log sums log Σⱼ wⱼ exp(eᵢⱼ) of every point.
pub(crate) fn row_log_sums(
    isa: Isa,
    pairs: PairSet<'_>,
    kernel: Kernel,
    weights: Option<PointWeights<'_>>,
    watch: &Watch,
) -> Result<RowLogSums> {
    let exponent = PairExponent::of(kernel, pairs);
    let logs = weights.map(|w| [w.x, w.y].map(|w| w.iter().map(|w| w.ln()).collect::<Vec<_>>()));
    let logs = logs.as_ref().map(|[x, y]| [&**x, &**y]);
    let mut passes = watch.passes();
    let gaussian = kernel.map == Map::Gaussian;
    climb(exponent.arithmetic, |arithmetic| {
        let watch = passes.next();
        let mut sums = with_formula!(arithmetic, F => rows::<F>(isa, pairs, exponent, logs, watch))?;
        let narrow = gaussian && has_narrow_row(pairs, &sums, weights, exponent.t);
        if gaussian && arithmetic == Arithmetic::Cosine && !narrow {
            dominant_rows::sum_again(isa, pairs, exponent.t, weights, &mut sums, watch)?;
        }
        Ok((sums, Evidence { narrow, ..Evidence::default() }))
    })
}

/// Row log sums by one formula.
pub(crate) fn rows<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    exponent: PairExponent,
    weights: LogWeights<'_>,
    watch: &Watch,
) -> Result<RowLogSums> {
    if weights.is_none()
        && let Some(sums) = shared_shift_rows::<F>(isa, pairs, &[exponent], None, watch)?.pop()
    {
        return Ok(sums);
    }
    Ok(logs::<F>(row_sums::<F>(isa, pairs, F::RATE * exponent.t, weights, watch)?, exponent))
}

/// Row log sums for every exponent, from the same products, where all exponents are so small that rows can share a shift;
/// nothing elsewhere. Similarities may be stored in a cache.
pub(crate) fn shared_shift_rows<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    exponents: &[PairExponent],
    cache: Option<&SimilarityCache<F::Real>>,
    watch: &Watch,
) -> Result<Vec<RowLogSums>> {
    let shared = |exponent: &PairExponent| {
        let rate = F::RATE * exponent.t;
        shared_shift::<F>(rate).map(|shift| SharedShift { rate, shift })
    };
    let Some(shifts) = exponents.iter().map(shared).collect::<Option<Vec<_>>>() else {
        return Ok(Vec::new());
    };
    let sums = shared_shift_row_sums::<F>(isa, pairs, &shifts, cache, watch)?;
    Ok(sums.into_iter().zip(exponents).map(|(sums, &exponent)| logs::<F>(sums, exponent)).collect())
}

/// Row log sums log Σⱼ exp(⟨x, y⟩/τ) of every point for every τ, from as few products as their precision allows.
pub(crate) fn row_log_sums_of_logits(
    isa: Isa,
    pairs: PairSet<'_>,
    taus: &[f64],
    watch: &Watch,
) -> Result<Vec<RowLogSums>> {
    let exponents: Vec<_> = taus.iter().map(|&tau| PairExponent::of(Kernel::logit(tau), pairs)).collect();
    let mut sums: Vec<Option<RowLogSums>> = vec![None; taus.len()];
    let mut passes = watch.passes();
    for arithmetic in [Arithmetic::Cosine, Arithmetic::Gram] {
        let places: Vec<_> =
            (0..exponents.len()).filter(|&i| exponents[i].arithmetic == arithmetic).collect();
        if places.is_empty() {
            continue;
        }
        let exponents: Vec<_> = places.iter().map(|&i| exponents[i]).collect();
        let found = match arithmetic {
            Arithmetic::Cosine => shared_shift_rows::<Cosine>(isa, pairs, &exponents, None, passes.next()),
            _ => shared_shift_rows::<Gram<false>>(isa, pairs, &exponents, None, passes.next()),
        };
        places.into_iter().zip(found?).for_each(|(i, found)| sums[i] = Some(found));
    }
    for (sum, &tau) in sums.iter_mut().zip(taus) {
        if sum.is_none() {
            *sum = Some(row_log_sums(isa, pairs, Kernel::logit(tau), None, passes.next())?);
        }
    }
    Ok(sums.into_iter().flatten().collect())
}

fn logs<F: Formula>(RowSums { x, y }: RowSums, exponent: PairExponent) -> RowLogSums {
    let rate = F::RATE * exponent.t;
    let logs = |sums: Vec<PartialSum>| {
        let log = |sum: PartialSum| match sum.sum {
            0.0 => f64::NEG_INFINITY,
            _ => F::exp_rate(rate) * sum.shift + sum.sum.ln() + exponent.offset,
        };
        sums.into_iter().map(log).collect()
    };
    RowLogSums { x: logs(x), y: y.map(logs) }
}
