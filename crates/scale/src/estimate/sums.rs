//! Sums over blocks of two panels, of points that a device holds.

use unisphere::{Engine, LogSumExp, PairBlock, Points, Uniformity};

use crate::{error::Result, panels::Panels};

/// Points of one set or two, panels of which are summed.
pub(crate) trait BlockSums {
    /// Σ k(x, y) over each of some blocks: all pairs of a panel on the left with another one on the right.
    fn sums(&self, blocks: &[(usize, usize)]) -> Result<Vec<f64>>;

    /// Blocks that are best summed at a time.
    fn blocks_at_once(&self) -> usize;

    /// Kernels that are summed for each pair of a block.
    fn kernels(&self) -> u64 {
        1
    }
}

/// Points that a device holds: one set, or two.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) t: f64,
    pub(crate) left: (&'a Points, Panels),
    pub(crate) right: Option<(&'a Points, Panels)>,
}

/// Blocks that are summed at a time, which bounds the memory of a stage.
const BLOCKS_AT_ONCE: usize = 1 << 16;

impl BlockSums for Held<'_> {
    fn sums(&self, blocks: &[(usize, usize)]) -> Result<Vec<f64>> {
        let (left, rows) = self.left;
        let (right, cols) = self.right.unwrap_or(self.left);
        let block = |&(p, q): &(usize, usize)| PairBlock { rows: rows.range(p), cols: cols.range(q) };
        let blocks: Vec<_> = blocks.iter().map(block).collect();
        let metric = Uniformity::new(self.t);
        let sums = match self.right {
            None => self.engine.value(metric.blocks_within(left, &blocks))?,
            Some(_) => self.engine.value(metric.blocks_across(left, right, &blocks))?,
        };
        Ok(sums.into_iter().map(value).collect())
    }

    fn blocks_at_once(&self) -> usize {
        BLOCKS_AT_ONCE
    }
}

/// Σ k(x, y) over the pairs i < j within each panel of points on a device.
pub(crate) fn within(engine: &Engine, t: f64, points: &Points, panels: Panels) -> Result<Vec<f64>> {
    let diagonal = |panel| PairBlock { rows: panels.range(panel), cols: panels.range(panel) };
    let blocks: Vec<_> = (0..panels.count()).map(diagonal).collect();
    let sums = engine.value(Uniformity::new(t).blocks_within(points, &blocks))?;
    Ok(sums.into_iter().map(value).collect())
}

pub(crate) fn value(sum: LogSumExp) -> f64 {
    sum.log().exp()
}
