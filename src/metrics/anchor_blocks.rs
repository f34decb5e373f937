//! The contrastive loss's sums of certain rows over certain candidates, of which estimates are made.

use std::ops::Range;

use super::{
    block_sums::{PairBlock, check_apart, check_range},
    check::{positive, row_by_row},
    contrastive::Contrastive,
};
use crate::{
    backend::Backend,
    error::{Error, Result},
    kernel::Kernel,
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
};

/// A request for log Σⱼ exp(⟨xᵢ, yⱼ⟩/τ) of every row i of each of some blocks, over the columns j of the block.
///
/// Its value has a list for each block, with one number for each of its rows.
#[derive(Clone, Copy, Debug)]
pub struct AnchorBlockSumsOver<'a> {
    x: &'a Points,
    y: &'a Points,
    blocks: &'a [PairBlock],
    tau: f64,
}

const BLOCKS: &str = "the sums of the contrastive loss's anchors over blocks";

impl Contrastive {
    /// The log sums of rows of x (n, d) over rows of y (n, d), block by block, from which an estimate is made: τ is this metric's, and
    /// its candidates are not used. Row i of both is a positive pair, or x and y are the same points, and pairs i ≠ j count: the rows
    /// of a block are the same on both sides, or do not overlap. −∞ where a row is in no pair. Blocks that follow each other are
    /// faster where they have the same rows.
    pub fn log_sums_of_blocks<'a>(
        self,
        x: &'a Points,
        y: &'a Points,
        blocks: &'a [PairBlock],
    ) -> AnchorBlockSumsOver<'a> {
        AnchorBlockSumsOver { x, y, blocks, tau: self.tau }
    }
}

impl AnchorBlockSumsOver<'_> {
    fn check(&self) -> Result<Kernel> {
        row_by_row(BLOCKS, self.x, self.y)?;
        for (number, PairBlock { rows, cols }) in self.blocks.iter().enumerate() {
            check_range(number, "rows", rows, self.x.rows())?;
            check_range(number, "cols", cols, self.y.rows())?;
            if rows != cols {
                check_apart(number, rows, cols)?;
            }
        }
        Ok(Kernel::logit(positive("tau", self.tau)?))
    }
}

impl Sealed for AnchorBlockSumsOver<'_> {}

impl Metric for AnchorBlockSumsOver<'_> {
    type Value = Vec<Vec<f64>>;

    fn pairs(&self) -> u64 {
        let pairs = |PairBlock { rows, cols }: &PairBlock| {
            let others = if rows == cols { cols.len().saturating_sub(1) } else { cols.len() };
            rows.len() as u64 * others as u64
        };
        self.blocks.iter().map(pairs).sum()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<Vec<f64>>> {
        Box::pin(async move {
            let kernel = self.check()?;
            let mut sums = Vec::with_capacity(self.blocks.len());
            let mut anchors: Option<(&Range<usize>, Points)> = None;
            for PairBlock { rows, cols } in self.blocks {
                let x = match anchors.take() {
                    Some((same, x)) if same == rows => x,
                    _ => part(on.backend, self.x, rows).await?,
                };
                let y = part(on.backend, self.y, cols).await?;
                let pairs = if rows == cols { Pairs::Unpaired(&x, &y) } else { Pairs::Across(&x, &y) };
                sums.push(of_block(on, pairs, kernel).await?);
                anchors = Some((rows, x));
            }
            Ok(sums)
        })
    }
}

/// The log sums of the rows on the left.
async fn of_block(on: &Run<'_>, pairs: Pairs<'_>, kernel: Kernel) -> Result<Vec<f64>> {
    if pairs.count() == 0 {
        return Ok(vec![f64::NEG_INFINITY; pairs.sides().0.rows()]);
    }
    let sums = on.backend.row_log_sums(pairs, &[kernel], None, on.watch).await?.into_iter().next();
    Ok(sums.ok_or_else(|| Error::missing("the sums of a block"))?.x)
}

/// These rows as points of their own.
async fn part(backend: &dyn Backend, points: &Points, rows: &Range<usize>) -> Result<Points> {
    if *rows == (0..points.rows()) {
        return Ok(points.clone());
    }
    backend.gather(points, &rows.clone().collect::<Vec<_>>()).await
}
