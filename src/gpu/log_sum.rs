//! Σ exp(−t‖x−y‖²) over a set of pairs, block by block of two panels.

use std::sync::Arc;

use super::{
    context::Context,
    cooperative::Cooperative,
    grades::Grades,
    operands::Operands,
    params::PairParams,
    points::{GpuPoints, Panel},
    potential::Potential,
    shaders::Similarity,
    stream::{Stream, Tiles},
    tiling::Tiling,
};
use crate::{
    error::Result,
    log_sum::LogSumExp,
    pairs::Pairs,
    points::Points,
    progress::Watch,
    schedule::{Block, across, within},
};

/// A pass over the pairs of points on one device.
pub(super) struct Sweep<'a> {
    pub(super) context: &'a Arc<Context>,
    pub(super) left: &'a Points,
    pub(super) right: &'a Points,
    /// `left` and `right` are one set, and its pairs i < j count.
    pub(super) within: bool,
    /// Of two sets, pairs of rows of one number do not count.
    pub(super) distinct: bool,
    pub(super) x: &'a GpuPoints,
    pub(super) y: &'a GpuPoints,
    pub(super) dims: usize,
    /// How many pairs count.
    pub(super) count: u64,
    pub(super) potential: Potential,
    /// Of the kernels over cosines; exact ones have their own.
    pub(super) tiling: Tiling,
    /// What takes their place.
    pub(super) cooperative: Option<Cooperative>,
    /// Where it is noted which of these made the sum.
    pub(super) grades: Option<&'a Grades>,
}

impl<'a> Sweep<'a> {
    /// A pass by cooperative matrices where asked for and sets of this size allow it.
    pub(super) fn new(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        t: f64,
        asked: Option<Cooperative>,
    ) -> Result<Self> {
        let mut sweep = Self::with_tiling(context, pairs, t, Tiling::SMALL)?;
        if sweep.potential.similarity() == Similarity::Cosine {
            let (n, m) = (sweep.left.rows(), sweep.right.rows());
            let panel = sweep.x.panel_rows.min(n.max(m));
            let serves = |asked: &Cooperative| {
                asked.keeps_its_word(n.min(m), sweep.dims)
                    && asked.bytes(panel, sweep.dims) <= context.max_binding()
                    // A workgroup each finds their centre.
                    && sweep.dims <= context.limits.max_compute_workgroups_per_dimension as usize
            };
            sweep.cooperative = asked.filter(serves);
            // By matrices, tiles multiply weights at the most.
            let work = if sweep.cooperative.is_some() { 0.0 } else { sweep.count as f64 * sweep.dims as f64 };
            sweep.tiling = context.tiling(work)?;
        }
        Ok(sweep)
    }

    /// A pass in single precision, in tiles of the caller's choice.
    pub(super) fn with_tiling(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        t: f64,
        tiling: Tiling,
    ) -> Result<Self> {
        let (left, right) = pairs.sides();
        let potential = Potential::new(left.scaling(), left.rows() as u64 * right.rows() as u64, t);
        Self::of(context, pairs, potential, tiling)
    }

    /// A pass over similarities of the caller's choice.
    pub(super) fn of(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        potential: Potential,
        tiling: Tiling,
    ) -> Result<Self> {
        let (left, right) = pairs.sides();
        let (within, distinct) = (matches!(pairs, Pairs::Within(_)), matches!(pairs, Pairs::Unpaired(..)));
        let (x, y) = GpuPoints::both(left, right, context)?;
        Ok(Self {
            context,
            left,
            right,
            within,
            distinct,
            x,
            y,
            dims: left.dims(),
            count: pairs.count(),
            potential,
            tiling,
            cooperative: None,
            grades: None,
        })
    }

    /// The same pass, of which a note is made.
    pub(super) fn noted_in(self, grades: &'a Grades) -> Self {
        Self { grades: Some(grades), ..self }
    }

    /// Notes what a result was made in.
    pub(super) fn note(&self) {
        let coarse = self.potential.similarity() == Similarity::Cosine;
        if let Some(grades) = self.grades {
            grades.note(self.cooperative.filter(|_| coarse));
        }
    }

    /// The sum over all pairs.
    pub(super) fn log_sum(&self, watch: &Watch<'_>) -> Result<LogSumExp> {
        self.context.scoped("summing potentials", || {
            let sum = self.sum(watch)?;
            match self.potential.refined(sum, self.count) {
                Some(potential) => {
                    let finer = Self { potential, ..*self };
                    finer.note();
                    finer.sum(&watch.silent())
                }
                None => {
                    self.note();
                    Ok(sum)
                }
            }
        })
    }

    fn sum(&self, watch: &Watch<'_>) -> Result<LogSumExp> {
        let mut stream =
            Stream::with_sums(self.context, self.x.stored, Some(watch), |s| self.potential.exponent(s))?;
        let sums = stream.sums();
        // Each tile finds its own pivot, unless one is known to serve all.
        let pivot = self.potential.pivot();
        let common = self.potential.params(pivot.unwrap_or(0.0));
        let operands = Operands::of(self, pivot.is_none())?;
        for block in self.blocks() {
            let [x, y, x_excess, y_excess] = operands.sides(self, &block);
            let tiles = Tiles {
                kernel: operands.log_sum(),
                buffers: &[x, y, x_excess, y_excess, &sums],
                count: operands.counted(&block),
                sums: 1,
                cost: operands.cost(self),
                pairs: self.pairs_of(&block),
            };
            stream.tiles(tiles, |first_tile, first_sum| PairParams {
                first_tile,
                first_sum,
                ..self.block_params(&block, common)
            })?;
        }
        self.potential.settled(stream.finish()?, self.count)
    }

    /// The blocks of the pairs: a panel of the left points by one of the right.
    pub(super) fn blocks(&self) -> Box<dyn Iterator<Item = Block>> {
        let (n, m, panel) = (self.left.rows(), self.right.rows(), self.x.panel_rows);
        if self.within { Box::new(within(n, panel)) } else { Box::new(across(n, m, panel)) }
    }

    /// The two panels of a block.
    pub(super) fn panels(&self, block: &Block) -> (&Panel, &Panel) {
        let (row, col) = self.panel_numbers(block);
        (&self.x.panels[row], &self.y.panels[col])
    }

    /// Which panels of either set these are.
    pub(super) fn panel_numbers(&self, block: &Block) -> (usize, usize) {
        (block.rows.start / self.x.panel_rows, block.cols.start / self.y.panel_rows)
    }

    /// Which pairs of a block count: see `shaders/shared/pairs.wgsl`. Both sets of distinct pairs have the same panels.
    pub(super) fn diagonal(&self, block: &Block) -> u32 {
        match () {
            () if block.diagonal => 1,
            () if self.distinct && block.rows.start == block.cols.start => 2,
            () => 0,
        }
    }

    /// How many pairs of a block count.
    pub(super) fn pairs_of(&self, block: &Block) -> u64 {
        block.pairs() - if self.diagonal(block) == 2 { block.rows.len() as u64 } else { 0 }
    }

    pub(super) fn block_params(&self, block: &Block, common: PairParams) -> PairParams {
        PairParams {
            rows: block.rows.len() as u32,
            cols: block.cols.len() as u32,
            dims: self.dims as u32,
            diagonal: self.diagonal(block),
            ..common
        }
    }
}
