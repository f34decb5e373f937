//! Pairs that lie close.

use std::mem;

use pulp::Simd;

use super::{
    closeness::Closeness,
    float::Float,
    kernel::{Cosine, Difference, Kernel},
    level::{Job, Level},
    pack::Scratch,
    paired::sum_of,
    sets::Sets,
    sweep::sweep,
    tile::SHORT,
};
use crate::{backend::FoundPairs, error::Result, points::Scaling, progress::Watch, schedule::Block};

/// What −‖x−y‖² may be off by: in f32, short sums of products and the sum of those round by a bit each; in f64, by next
/// to nothing.
fn margin<K: Kernel>(dims: usize, square: f64) -> f64 {
    if K::NEAR { 2.0 * (SHORT + dims / SHORT + 16) as f64 * f64::from(f32::EPSILON) } else { 1e-9 * square }
}

/// The pairs whose squared distance is at most `square`; `limit` of them by name.
pub(super) fn close_pairs(
    level: Level,
    sets: Sets<'_>,
    square: f64,
    limit: usize,
    watch: &Watch<'_>,
) -> Result<FoundPairs> {
    match sets.scaling() {
        Scaling::Unit => by::<Cosine>(level, sets, square, limit, watch),
        Scaling::Raw => by::<Difference>(level, sets, square, limit, watch),
    }
}

fn by<K: Kernel>(
    level: Level,
    sets: Sets<'_>,
    square: f64,
    limit: usize,
    watch: &Watch<'_>,
) -> Result<FoundPairs> {
    let mut close = FoundPairs::default();
    let one = |block: &Block, scratch: &mut Scratch<K::Real>| {
        let mut found = FoundPairs::default();
        found.pairs = level.run(Candidates::<K> { sets, block, square, scratch });
        found.count = found.pairs.len() as u64;
        first(&mut found.pairs, limit);
        found.pairs.shrink_to_fit();
        found
    };
    sweep(sets, watch, one, |_, mut found| {
        close.count += found.count;
        close.pairs.append(&mut found.pairs);
        first(&mut close.pairs, limit);
    })?;
    Ok(close)
}

/// Leaves the first pairs, in order.
fn first(pairs: &mut Vec<(usize, usize, f64)>, limit: usize) {
    pairs.sort_unstable_by_key(|&(i, j, _)| (i, j));
    pairs.truncate(limit);
}

/// The pairs of a block that are close: first by the kernel, which may take some too many, then by differences.
struct Candidates<'a, K: Kernel> {
    sets: Sets<'a>,
    block: &'a Block,
    square: f64,
    scratch: &'a mut Scratch<K::Real>,
}

impl<K: Kernel> Job for Candidates<'_, K> {
    type Output = Vec<(usize, usize, f64)>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output {
        let Self { sets, block, square, scratch } = self;
        let mut memory = mem::take(&mut scratch.weights);
        // With this rate and t = 1, exponents are −‖x−y‖².
        let closeness = Closeness::<K>::new(K::RATE);
        let table = closeness.table::<S, SIDE>(simd, sets, block, scratch, &mut memory);
        let least = -(square + margin::<K>(sets.dims(), square)) / K::steepness(K::RATE);
        // No pair is as far away as one that does not count.
        let least = K::Real::nearest(least.max(0.5 * K::Real::none().into()));
        let mut found = Vec::new();
        let lanes = K::Real::lanes::<S>();
        for j in 0..block.cols.len() {
            for (start, row) in table.row(j, lanes) {
                for (v, chunk) in row.chunks_exact(lanes).enumerate() {
                    let greatest = K::Real::lane_max(simd, K::Real::vectors::<S>(chunk)[0]);
                    if greatest.into() < least.into() {
                        continue;
                    }
                    for (lane, _) in chunk.iter().enumerate().filter(|&(_, &e)| e.into() >= least.into()) {
                        let (i, j) = (block.rows.start + start + v * lanes + lane, block.cols.start + j);
                        let apart = sum_of((sets.x, i), (sets.right(), j), |x, y| (x - y) * (x - y));
                        if apart <= square {
                            found.push((i, j, apart));
                        }
                    }
                }
            }
        }
        scratch.weights = memory;
        found
    }
}
