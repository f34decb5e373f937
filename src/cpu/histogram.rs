//! How cosines are spread.

use std::mem;

use pulp::Simd;

use super::{
    closeness::Closeness,
    kernel::{Cosine, Kernel},
    level::{Job, Level},
    pack::Scratch,
    sets::Sets,
    sweep::sweep,
};
use crate::{error::Result, progress::Watch, schedule::Block};

/// How many pairs have a cosine in each of so many equal parts of [−1, 1].
pub(super) fn cosines(level: Level, sets: Sets<'_>, bins: usize, watch: &Watch<'_>) -> Result<Vec<u64>> {
    let mut total = vec![0; bins];
    if bins == 0 {
        return Ok(total);
    }
    let one = |block: &Block, scratch: &mut Scratch<f32>| level.run(Count { sets, block, bins, scratch });
    sweep(sets, watch, one, |_, counts| {
        total.iter_mut().zip(counts).for_each(|(total, count)| *total += u64::from(count));
    })?;
    Ok(total)
}

struct Count<'a> {
    sets: Sets<'a>,
    block: &'a Block,
    bins: usize,
    scratch: &'a mut Scratch<f32>,
}

impl Job for Count<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Vec<u32> {
        let Self { sets, block, bins, scratch } = self;
        let mut memory = mem::take(&mut scratch.weights);
        let closeness = Closeness::<Cosine>::new(Cosine::RATE);
        let table = closeness.table::<S, SIDE>(simd, sets, block, scratch, &mut memory);
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
        scratch.weights = memory;
        counts.remove(0);
        counts
    }
}
