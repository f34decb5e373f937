//! Sums of exponentials over certain blocks of pairs, each in the arithmetic that is exact enough for it.

use crate::{
    accuracy::narrow,
    cpu::{
        accuracy::{Arithmetic, Evidence, climb_together, max_f32_share, with_formula},
        block::formula::Formula,
        pairs::PairSet,
        reduce::total::{BlockSum, TileSums},
        schedule::for_each_of,
        simd::isa::Isa,
    },
    error::Result,
    log_sum::LogSumExp,
    progress::Watch,
    schedule::Block,
};

/// Σ exp(−t‖x−y‖²) over each block.
pub(crate) fn log_sums(
    isa: Isa,
    pairs: PairSet<'_>,
    blocks: &[Block],
    t: f64,
    watch: &Watch,
) -> Result<Vec<LogSumExp>> {
    let first = vec![Arithmetic::gaussian(pairs, t); blocks.len()];
    let mut passes = watch.passes();
    climb_together(&first, |arithmetic, places| {
        let watch = passes.next();
        with_formula!(distances: arithmetic, F => log_sums_by::<F>(isa, pairs, blocks, places, t, watch))
    })
}

/// Sums of the blocks at certain places by one formula. Each block is judged alone: few of many go to finer arithmetic.
fn log_sums_by<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    blocks: &[Block],
    places: &[usize],
    t: f64,
    watch: &Watch,
) -> Result<Vec<(LogSumExp, Evidence)>> {
    let rates = [F::RATE * t];
    let mut sums = Vec::with_capacity(places.len());
    for_each_of(
        places.iter().map(|&place| blocks[place].clone()),
        watch,
        |block| pairs.count_in(block),
        |block, scratch| isa.run(BlockSum::<F> { pairs, block, rates: &rates, packed: &mut scratch.packed }),
        |block, of_rates: Vec<TileSums>| {
            for TileSums { sum, largest } in of_rates {
                let log_sum = sum.log_sum::<F>(t);
                let evidence = Evidence {
                    narrow: narrow(log_sum, pairs.count_in(block), t),
                    dominated: largest > max_f32_share(t) * sum.sum,
                    ..Evidence::default()
                };
                sums.push((log_sum, evidence));
            }
        },
    )?;
    Ok(sums)
}
