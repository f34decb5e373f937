//! Gradient of the log of a sum over all pairs.

use crate::{
    accuracy::NARROW,
    cpu::{
        accuracy::{Arithmetic, Evidence, climb, max_f32_share, mean_squared_distance, with_formula},
        block::formula::Formula,
        gradient::{
            accumulate::accumulate,
            finish::{Finished, finish},
            weights::ExponentialWeights,
        },
        pairs::PairSet,
        reduce::total::{PartialSum, log_sums, partial_sums},
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
    watch: &Watch,
) -> Result<(LogSumExp, Gradients)> {
    let centre = pairs.centre();
    let mut passes = watch.passes();
    let narrow = mean_squared_distance(&centre) <= NARROW;
    let first = Arithmetic::gaussian(pairs, t).or_finer(Evidence { narrow, ..Evidence::default() });
    let done = climb(first, |arithmetic| {
        let watch = passes.next();
        let done = with_formula!(distances: arithmetic, F => {
            log_sum_with_grad_by::<F>(isa, pairs, &centre, t, scale, watch)
        })?;
        let evidence = Evidence { cancels: done.cancels, ..Evidence::default() };
        Ok((done, evidence))
    })?;
    let (sum, gradients) = done.result;
    // The weights are as exact as the gradient promises. The value promises more.
    let sum = if done.dominated { log_sums(isa, pairs, &[t], passes.next())?[0] } else { sum };
    Ok((sum, gradients))
}

/// Sum with its gradient, and the evidence whether f32 is enough for it.
struct Done {
    result: (LogSumExp, Gradients),
    /// Whether so much cancels in the gradient that only f64 tells what is left.
    cancels: bool,
    /// Whether one row makes more of the sum than the rounding of f32 allows.
    dominated: bool,
}

fn log_sum_with_grad_by<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    centre: &[f64],
    t: f64,
    scale: f64,
    watch: &Watch,
) -> Result<Done> {
    // Weights relative to the greatest, which a pass over the values finds where it can be far down.
    let shift = if F::FIXED_SHIFT {
        F::UPPER_BOUND
    } else {
        partial_sums::<F>(isa, pairs, &[t], &watch.silent())?[0].shift
    };
    let weights = ExponentialWeights::<F>::new(F::RATE * t, shift);
    let centre: Vec<_> = centre.iter().map(|&v| F::Real::nearest(v)).collect();
    let sums = accumulate(isa, pairs, &weights, &centre, &|pairs| watch.advance(pairs))?;
    let (x, y) = (pairs.left(), pairs.second());
    let most = max_f32_share(t) * sums.sum;
    let dominated = F::IS_F32 && sums.on_x.total.iter().any(|&total| total > most);
    let slope = 2.0 * t * scale / sums.sum;
    let x = finish(x, sums.on_x, &centre, slope, None)?;
    let y = y.zip(sums.on_y).map(|(y, on_y)| finish(y, on_y, &centre, slope, None)).transpose()?;
    let cancels = [Some(&x), y.as_ref()].into_iter().flatten().any(Finished::cancels);
    let by_log_scale = 0.5 * slope * (x.along + y.as_ref().map_or(0.0, |y| y.along));
    let gradients = Gradients { x: x.gradient, y: y.map(|y| y.gradient), by_log_scale };
    Ok(Done { result: (PartialSum { shift, sum: sums.sum }.log_sum::<F>(t), gradients), cancels, dominated })
}
