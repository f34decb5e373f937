//! List of the pairs that lie close.

use pulp::Simd;

use crate::{
    backend::FoundPairs,
    cpu::{
        block::{
            formula::{Cosine, Difference, Formula},
            pack::{Buffer, DIMS_PER_PARTIAL_SUM, Packed, Scratch},
            similarities::Similarities,
        },
        pairs::PairSet,
        reduce::paired::sum_over_dims,
        schedule::try_for_each_block,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::{Error, Result},
    memory::{listed, push},
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
    watch: &Watch,
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
    watch: &Watch,
) -> Result<FoundPairs> {
    let mut all = FoundPairs::default();
    let one = |block: &Block, scratch: &mut Scratch<F::Real>| {
        let Scratch { packed, table, .. } = scratch;
        let memory = Memory { packed, table };
        let mut close = isa.run(BlockPairs::<F> { pairs, block, square, memory })?;
        if F::IS_F32 && close.doubtful.len() as u64 > block.pairs() / PAIRS_PER_DOUBT {
            // One by one, so many would take longer than the whole block in f64.
            let (mut packed, mut table) = (Packed::default(), Buffer::default());
            let memory = Memory { packed: &mut packed, table: &mut table };
            close = isa.run(BlockPairs::<Difference> { pairs, block, square, memory })?;
        }
        close.found(pairs, square, limit)
    };
    try_for_each_block(pairs, watch, one, |_, found| all.take(found, limit))?;
    Ok(all)
}

impl FoundPairs {
    /// Takes those of a block, of which the first are kept.
    fn take(&mut self, mut found: Self, limit: usize) -> Result<()> {
        if self.pairs.try_reserve(found.pairs.len()).is_err() {
            return Err(Error::OutOfMemory { context: CLOSE_PAIRS.into() });
        }
        self.count += found.count;
        self.pairs.append(&mut found.pairs);
        keep_first(&mut self.pairs, limit);
        Ok(())
    }
}

/// What there may be no memory for.
const CLOSE_PAIRS: &str = "the close pairs of a block of pairs; ask for a lesser distance";

/// Pairs of a block of which one may be in doubt before the block is gone through in f64.
const PAIRS_PER_DOUBT: u64 = 64;

/// Keeps the first pairs, in order.
fn keep_first(pairs: &mut Vec<(usize, usize, f64)>, limit: usize) {
    pairs.sort_unstable_by_key(|&(i, j, _)| (i, j));
    pairs.truncate(limit);
}

/// Pairs of a block by what a formula says: closer than asked for beyond its error, or within its error of that.
#[derive(Default)]
struct Close {
    sure: Vec<(usize, usize)>,
    doubtful: Vec<(usize, usize)>,
}

impl Close {
    /// The count, and the first pairs with their squared distances by direct difference.
    fn found(self, pairs: PairSet<'_>, square: f64, limit: usize) -> Result<FoundPairs> {
        let Self { mut sure, doubtful } = self;
        let apart = |&(i, j): &(usize, usize)| {
            sum_over_dims(pairs.left().view(i), pairs.right().view(j), |x, y| (x - y) * (x - y))
        };
        for pair in doubtful.into_iter().filter(|pair| apart(pair) <= square) {
            push(&mut sure, pair, || CLOSE_PAIRS.into())?;
        }
        let count = sure.len() as u64;
        if limit < sure.len() {
            if limit > 0 {
                sure.select_nth_unstable(limit - 1);
            }
            sure.truncate(limit);
        }
        sure.sort_unstable();
        let pairs = listed(sure.iter().map(|pair| (pair.0, pair.1, apart(pair))), || CLOSE_PAIRS.into())?;
        Ok(FoundPairs { count, pairs })
    }
}

/// Memory that a block's similarities take.
struct Memory<'a, T> {
    packed: &'a mut Packed<T>,
    table: &'a mut Buffer<T>,
}

/// Pairs of a block that are close by a formula.
struct BlockPairs<'a, F: Formula> {
    pairs: PairSet<'a>,
    block: &'a Block,
    square: f64,
    memory: Memory<'a, F::Real>,
}

impl<F: Formula> Job for BlockPairs<'_, F> {
    type Output = Result<Close>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Result<Close> {
        let Self { pairs, block, square, memory: Memory { packed, table } } = self;
        // With this rate and t = 1, exponents are −‖x−y‖².
        let similarities = Similarities::<F>::new(F::RATE);
        let table = similarities.table::<S, SIDE>(simd, pairs, block, packed, table);
        let error = error_bound::<F>(pairs.dims(), square);
        let exponent = |square: f64| -square / F::exp_rate(F::RATE);
        // No pair is as far away as one that does not count.
        let least = F::Real::nearest(exponent(square + error).max(0.5 * F::Real::excluded().into()));
        let sure = F::Real::nearest(exponent(square - error)).into();
        let mut close = Close::default();
        let lanes = F::Real::lanes::<S>();
        for j in 0..block.cols.len() {
            for (start, row) in table.row(j, lanes) {
                for (v, chunk) in row.chunks_exact(lanes).enumerate() {
                    let greatest = F::Real::lane_max(simd, F::Real::vectors::<S>(chunk)[0]);
                    if greatest.into() < least.into() {
                        continue;
                    }
                    for (lane, &e) in chunk.iter().enumerate().filter(|&(_, &e)| e.into() >= least.into()) {
                        let pair = (block.rows.start + start + v * lanes + lane, block.cols.start + j);
                        let list = if e.into() > sure { &mut close.sure } else { &mut close.doubtful };
                        push(list, pair, || CLOSE_PAIRS.into())?;
                    }
                }
            }
        }
        Ok(close)
    }
}
