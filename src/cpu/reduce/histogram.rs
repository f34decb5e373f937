//! Histogram of the cosines of all pairs.

use pulp::Simd;

use crate::{
    cpu::{
        block::{
            formula::{Cosine, Formula},
            pack::Scratch,
            similarities::Similarities,
        },
        pairs::PairSet,
        schedule::for_each_block,
        simd::isa::{Isa, Job},
    },
    error::Result,
    progress::Watch,
    schedule::Block,
};

/// Number of pairs with a cosine in each of `bins` equal parts of [−1, 1].
pub(crate) fn cosines(isa: Isa, pairs: PairSet<'_>, bins: usize, watch: &Watch) -> Result<Vec<u64>> {
    let mut total = vec![0; bins];
    if bins == 0 {
        return Ok(total);
    }
    let one = |block: &Block, scratch: &mut Scratch<f32>| isa.run(Count { pairs, block, bins, scratch });
    for_each_block(pairs, watch, one, |_, counts| {
        total.iter_mut().zip(counts).for_each(|(total, count)| *total += u64::from(count));
    })?;
    Ok(total)
}

struct Count<'a> {
    pairs: PairSet<'a>,
    block: &'a Block,
    bins: usize,
    scratch: &'a mut Scratch<f32>,
}

impl Job for Count<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Vec<u32> {
        let Self { pairs, block, bins, scratch } = self;
        let Scratch { packed, table, .. } = scratch;
        let similarities = Similarities::<Cosine>::new(Cosine::RATE);
        let table = similarities.table::<S, SIDE>(simd, pairs, block, packed, table);
        // One more in front, for pairs that do not count.
        let mut counts = vec![0; bins + 1];
        let half = bins as f32 / 2.0;
        for j in 0..block.cols.len() {
            for (_, row) in table.row(j, 1) {
                for &below in row {
                    // `below` is the cosine less 1.
                    let bin = ((below + 2.0) * half).max(0.0) as usize;
                    let place = if below < -4.0 { 0 } else { bin.min(bins - 1) + 1 };
                    counts[place] += 1;
                }
            }
        }
        counts.remove(0);
        counts
    }
}
