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
    fn within(&self) -> bool {
        matches!(self.pairs.pairs(), Pairs::Within(_))
    }

    /// The blocks as the schedule has them.
    fn scheduled(&self) -> impl Iterator<Item = Block> {
        let within = self.within();
        self.blocks.iter().cloned().map(move |PairBlock { rows, cols }| {
            let diagonal = within && rows == cols;
            Block { rows, cols, diagonal }
        })
    }

    fn check(&self, blocks: &[Block]) -> Result<()> {
        let (left, right) = self.pairs.pairs().sides();
        for (number, Block { rows, cols, diagonal }) in blocks.iter().enumerate() {
            check_range(number, "rows", rows, left.rows())?;
            check_range(number, "cols", cols, right.rows())?;
            if self.within() && !diagonal {
                check_apart(number, rows, cols)?;
            }
        }
        Ok(())
    }
}

/// That one side of a block is a part of the rows that there are.
pub(super) fn check_range(
    number: usize,
    side: &'static str,
    range: &Range<usize>,
    there: usize,
) -> Result<()> {
    if range.start >= range.end || range.end > there {
        let problem = format!("{side} are {range:?}, which is no part of the {there} rows that there are");
        return Err(Error::Block { number, problem });
    }
    Ok(())
}

/// That no row is on both sides of a block.
pub(super) fn check_apart(number: usize, rows: &Range<usize>, cols: &Range<usize>) -> Result<()> {
    if rows.start < cols.end && cols.start < rows.end {
        let problem = "rows and cols overlap and are not the same".into();
        return Err(Error::Block { number, problem });
    }
    Ok(())
}

impl<P> Sealed for BlockSumsOver<'_, P> {}

impl<'a, P: PairSet<'a>> Metric for BlockSumsOver<'a, P> {
    type Value = Vec<LogSumExp>;

    fn pairs(&self) -> u64 {
        self.scheduled().map(|block| block.pairs()).sum()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<LogSumExp>> {
        Box::pin(async move {
            let pairs = self.pairs.pairs();
            let kernel = Kernel::gaussian(Uniformity { t: self.t }.check(pairs)?);
            let blocks: Vec<_> = self.scheduled().collect();
            self.check(&blocks)?;
            on.backend.block_log_sums(pairs, &blocks, kernel, on.watch).await
        })
    }
}
