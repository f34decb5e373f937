//! Gradient of the log of a sum over all pairs.

use crate::{
    accuracy::NARROW,
    cpu::{
        accuracy::{Arithmetic, mean_squared_distance},
        block::formula::{Cosine, Difference, Formula, Gram},
        gradient::{
            accumulate::accumulate,
            finish::{MIN_F32_REMAINDER, cancels, finish},
            weights::ExponentialWeights,
        },
        pairs::PairSet,
        reduce::total::{PartialSum, partial_sums},
        simd::{float::Float, isa::Isa},
    },
    error::Result,
    log_sum::LogSumExp,
    progress::Watch,
    weights::Gradients,
};

/// S = Σ exp(−t‖x−y‖²), and the gradient of `scale` · log S, in the arithmetic that is exact enough.
pub(crate) fn log_sum_with_grad(
    isa: Isa,
    pairs: PairSet<'_>,
    t: f64,
    scale: f64,
    watch: &Watch<'_>,
) -> Result<(LogSumExp, Gradients)> {
    let centre = pairs.centre();
    let mut passes = watch.passes();
    let mut by = |arithmetic: Arithmetic| {
        let by = match arithmetic {
            Arithmetic::FewGram => log_sum_with_grad_by::<Gram<true>>,
            Arithmetic::Cosine => log_sum_with_grad_by::<Cosine>,
            Arithmetic::Gram => log_sum_with_grad_by::<Gram<false>>,
            Arithmetic::Difference | Arithmetic::Dot => log_sum_with_grad_by::<Difference>,
        };
        by(isa, pairs, &centre, t, scale, passes.next())
    };
    let arithmetic = Arithmetic::gaussian(pairs, t);
    let narrow = arithmetic == Arithmetic::Cosine && mean_squared_distance(&centre) <= NARROW;
    if !narrow {
        let done = by(arithmetic)?;
        if arithmetic != Arithmetic::Cosine || !done.cancels {
            return Ok(done.result);
        }
    }
    Ok(by(Arithmetic::Difference)?.result)
}

/// Sum with its gradient, and the evidence whether f32 is enough for it.
struct Done {
    result: (LogSumExp, Gradients),
    /// Whether so much cancels in the gradient that only f64 tells what is left.
    cancels: bool,
}

fn log_sum_with_grad_by<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    centre: &[f64],
    t: f64,
    scale: f64,
    watch: &Watch<'_>,
) -> Result<Done> {
    // Weights relative to the greatest, which a pass over the values finds where it can be far down.
    let shift = if F::FIXED_SHIFT {
        F::UPPER_BOUND
    } else {
        partial_sums::<F>(isa, pairs, &[t], &watch.silent())?[0].shift
    };
    let weights = ExponentialWeights::<F>::new(F::RATE * t, shift);
    let centre: Vec<_> = centre.iter().map(|&v| F::Real::nearest(v)).collect();
    let sums = accumulate(isa, pairs, &weights, &centre, |pairs| watch.advance(pairs))?;
    let (x, y) = (pairs.left(), pairs.second());
    let of_y = y.zip(sums.on_y.as_ref());
    let cancels = cancels(x, &sums.on_x, &centre, MIN_F32_REMAINDER)
        || of_y.is_some_and(|(y, sums)| cancels(y, sums, &centre, MIN_F32_REMAINDER));
    let slope = 2.0 * t * scale / sums.sum;
    let gradients = Gradients {
        x: finish(x, sums.on_x, &centre, slope, None)?,
        y: y.zip(sums.on_y).map(|(y, on_y)| finish(y, on_y, &centre, slope, None)).transpose()?,
    };
    Ok(Done { result: (PartialSum { shift, sum: sums.sum }.log_sum::<F>(t), gradients), cancels })
}
