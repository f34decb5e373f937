//! Sums over certain blocks of pairs, of which estimates are made.

use std::ops::Range;

use super::{
    pair_sets::{Across, PairSet, Within},
    uniformity::Uniformity,
};
use crate::{
    error::{Error, Result},
    kernel::Kernel,
    log_sum::LogSumExp,
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
    schedule::Block,
};

/// The pairs of some rows on the left with some on the right: of one set with itself where both are the same, of which the
/// pairs i < j count then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairBlock {
    /// The rows on the left.
    pub rows: Range<usize>,
    /// The rows on the right.
    pub cols: Range<usize>,
}

/// A request for Σ exp(−t‖x−y‖²) over each of some blocks of pairs. `P` is the set of pairs that they are of.
#[derive(Clone, Copy, Debug)]
pub struct BlockSumsOver<'a, P> {
    pairs: P,
    blocks: &'a [PairBlock],
    t: f64,
}

impl Uniformity {
    /// The sums Σ exp(−t‖xᵢ−xⱼ‖²) over blocks of the pairs i < j of x (n, d), one for each block, from which an estimate or a
    /// value is made. The rows of a block are the same on both sides, or do not overlap.
    pub fn blocks_within<'a>(self, x: &'a Points, blocks: &'a [PairBlock]) -> BlockSumsOver<'a, Within<'a>> {
        BlockSumsOver { pairs: Within(x), blocks, t: self.t }
    }

    /// The sums over blocks of all pairs of x (n, d) with y (m, d), one for each block.
    pub fn blocks_across<'a>(
        self,
        x: &'a Points,
        y: &'a Points,
        blocks: &'a [PairBlock],
    ) -> BlockSumsOver<'a, Across<'a>> {
        BlockSumsOver { pairs: Across(x, y), blocks, t: self.t }
    }
}

impl<'a, P: PairSet<'a>> BlockSumsOver<'a, P> {
    /// The blocks as the schedule has them.
    fn scheduled(&self) -> Result<Vec<Block>> {
        let pairs = self.pairs.pairs();
        let within = matches!(pairs, Pairs::Within(_));
        let (left, right) = pairs.sides();
        let one = |(number, PairBlock { rows, cols }): (usize, &PairBlock)| {
            let problem = |what: &str| Error::Block { number, problem: what.to_owned() };
            for (side, of, there) in [("rows", rows, left.rows()), ("cols", cols, right.rows())] {
                if of.start >= of.end || of.end > there {
                    let of =
                        format!("{side} are {of:?}, which is no part of the {there} rows that there are");
                    return Err(problem(&of));
                }
            }
            let diagonal = within && rows == cols;
            if within && !diagonal && rows.start < cols.end && cols.start < rows.end {
                return Err(problem("rows and cols overlap and are not the same"));
            }
            Ok(Block { rows: rows.clone(), cols: cols.clone(), diagonal })
        };
        self.blocks.iter().enumerate().map(one).collect()
    }
}

impl<P> Sealed for BlockSumsOver<'_, P> {}

impl<'a, P: PairSet<'a>> Metric for BlockSumsOver<'a, P> {
    type Value = Vec<LogSumExp>;

    fn pairs(&self) -> u64 {
        self.scheduled().map_or(0, |blocks| blocks.iter().map(Block::pairs).sum())
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<LogSumExp>> {
        Box::pin(async move {
            let pairs = self.pairs.pairs();
            let kernel = Kernel::gaussian(Uniformity { t: self.t }.check(pairs)?);
            let blocks = self.scheduled()?;
            on.backend.block_log_sums(pairs, &blocks, kernel, on.watch).await
        })
    }
}
