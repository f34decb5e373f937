//! List of the pairs that lie close.

use pulp::Simd;

use crate::{
    backend::FoundPairs,
    cpu::{
        block::{
            formula::{Cosine, Difference, Formula},
            pack::{DIMS_PER_PARTIAL_SUM, Scratch},
            similarities::Similarities,
        },
        pairs::PairSet,
        reduce::paired::sum_over_dims,
        schedule::for_each_block,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::Result,
    points::Scaling,
    progress::Watch,
    schedule::Block,
};

/// Error bound of −‖x−y‖²: in f32, the partial sums of products and their sum round by a bit each; in f64 it is next to 0.
fn error_bound<F: Formula>(dims: usize, square: f64) -> f64 {
    if F::FIXED_SHIFT {
        2.0 * (DIMS_PER_PARTIAL_SUM + dims / DIMS_PER_PARTIAL_SUM + 16) as f64 * f64::from(f32::EPSILON)
    } else {
        1e-9 * square
    }
}

/// Pairs whose squared distance is at most `square`: all counted, the first `limit` by name.
pub(crate) fn close_pairs(
    isa: Isa,
    pairs: PairSet<'_>,
    square: f64,
    limit: usize,
    watch: &Watch<'_>,
) -> Result<FoundPairs> {
    match pairs.scaling() {
        Scaling::Unit => close_pairs_by::<Cosine>(isa, pairs, square, limit, watch),
        Scaling::Raw => close_pairs_by::<Difference>(isa, pairs, square, limit, watch),
    }
}

fn close_pairs_by<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    square: f64,
    limit: usize,
    watch: &Watch<'_>,
) -> Result<FoundPairs> {
    let mut all = FoundPairs::default();
    let one = |block: &Block, scratch: &mut Scratch<F::Real>| {
        let mut found = FoundPairs::default();
        found.pairs = isa.run(Candidates::<F> { pairs, block, square, scratch });
        found.count = found.pairs.len() as u64;
        keep_first(&mut found.pairs, limit);
        found.pairs.shrink_to_fit();
        found
    };
    for_each_block(pairs, watch, one, |_, mut found| {
        all.count += found.count;
        all.pairs.append(&mut found.pairs);
        keep_first(&mut all.pairs, limit);
    })?;
    Ok(all)
}

/// Keeps the first pairs, in order.
fn keep_first(pairs: &mut Vec<(usize, usize, f64)>, limit: usize) {
    pairs.sort_unstable_by_key(|&(i, j, _)| (i, j));
    pairs.truncate(limit);
}

/// Close pairs of a block: candidates by the formula, which may be some too many, confirmed by differences.
struct Candidates<'a, F: Formula> {
    pairs: PairSet<'a>,
    block: &'a Block,
    square: f64,
    scratch: &'a mut Scratch<F::Real>,
}

impl<F: Formula> Job for Candidates<'_, F> {
    type Output = Vec<(usize, usize, f64)>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output {
        let Self { pairs, block, square, scratch } = self;
        let Scratch { packed, table, .. } = scratch;
        // With this rate and t = 1, exponents are −‖x−y‖².
        let similarities = Similarities::<F>::new(F::RATE);
        let table = similarities.table::<S, SIDE>(simd, pairs, block, packed, table);
        let least = -(square + error_bound::<F>(pairs.dims(), square)) / F::exp_rate(F::RATE);
        // No pair is as far away as one that does not count.
        let least = F::Real::nearest(least.max(0.5 * F::Real::excluded().into()));
        let mut found = Vec::new();
        let lanes = F::Real::lanes::<S>();
        for j in 0..block.cols.len() {
            for (start, row) in table.row(j, lanes) {
                for (v, chunk) in row.chunks_exact(lanes).enumerate() {
                    let greatest = F::Real::lane_max(simd, F::Real::vectors::<S>(chunk)[0]);
                    if greatest.into() < least.into() {
                        continue;
                    }
                    for (lane, _) in chunk.iter().enumerate().filter(|&(_, &e)| e.into() >= least.into()) {
                        let (i, j) = (block.rows.start + start + v * lanes + lane, block.cols.start + j);
                        let (x, y) = (pairs.left().view(i), pairs.right().view(j));
                        let apart = sum_over_dims(x, y, |x, y| (x - y) * (x - y));
                        if apart <= square {
                            found.push((i, j, apart));
                        }
                    }
                }
            }
        }
        found
    }
}
