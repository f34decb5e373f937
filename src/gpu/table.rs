//! The similarities of a block's pairs in scratch, for the kernels that read them: one product serves every row sum,
//! histogram or list.

use std::sync::Arc;

use super::{
    context::{Context, TILE},
    log_sum::Sweep,
    params::PairParams,
    points::Panel,
    potential::Potential,
    shaders::{Kernel, Pairwise},
    stream::{Stream, Tiles},
    tiling::Tiling,
};
use crate::{error::Result, pairs::Pairs, schedule::Block};

/// Multiply-adds that reading a similarity and working on it are worth: it is memory that they wait for.
pub(super) const READ: f64 = 16.0;

/// A sweep whose blocks leave their similarities.
pub(super) struct Table<'a> {
    pub(super) sweep: Sweep<'a>,
    pairwise: Pairwise,
    /// What similarities are relative to.
    origin: f32,
    /// (rows, `stride`), rows of whole tiles: see `shaders/log_sum/table.wgsl`
    pub(super) buffer: wgpu::Buffer,
    pub(super) stride: usize,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        potential: Potential,
        origin: f32,
    ) -> Result<Self> {
        let tiling = context.tiling(pairs.count() as f64 * pairs.sides().0.dims() as f64)?;
        Self::with_tiling(context, pairs, potential, origin, tiling)
    }

    /// The same in tiles of the caller's choice, or in small ones where the similarity does not take them; what is multiplied
    /// with the table comes in them in any case.
    pub(super) fn with_tiling(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        potential: Potential,
        origin: f32,
        tiling: Tiling,
    ) -> Result<Self> {
        let sweep = Sweep::of(context, pairs, potential, tiling)?;
        let own = if potential.similarity().takes(tiling) { tiling } else { Tiling::SMALL };
        let pairwise = Pairwise::of_table(potential.similarity(), own, sweep.dims);
        // Whole tiles of the kernels on either end; all are powers of two.
        let side = |rows: usize, tile: usize| {
            sweep.x.panel_rows.min(rows).next_multiple_of(tile.max(tiling.rows()).max(TILE))
        };
        let stride = side(sweep.right.rows(), own.cols());
        let largest = side(sweep.left.rows(), own.rows()) * stride;
        let buffer = context.storage("the similarities of a block", 4 * largest as u64)?;
        Ok(Self { sweep, pairwise, origin, buffer, stride })
    }

    /// From a row of the table to the next, by fours, as kernels have it.
    pub(super) fn quads(&self) -> u32 {
        self.stride as u32 / 4
    }

    /// Leaves the similarities of a block, of the pairs that count by `diagonal`.
    pub(super) fn fill(&self, stream: &mut Stream<'_>, block: &Block, diagonal: u32) -> Result<()> {
        let sweep = &self.sweep;
        let (x, y): (&Panel, &Panel) = sweep.panels(block);
        let tiling = self.pairwise.tiling;
        let params = PairParams {
            stride: self.quads(),
            pivot: self.origin,
            ..sweep.block_params(block, bytemuck::Zeroable::zeroed())
        };
        let tiles = Tiles {
            kernel: Kernel::Similarities(self.pairwise),
            buffers: &[&x.values, &y.values, &x.excess, &y.excess, &self.buffer],
            count: tiling.grid(block.rows.len(), block.cols.len()),
            sums: 0,
            cost: sweep.potential.cost(tiling, sweep.dims),
            pairs: 0,
        };
        stream.tiles(tiles, |first_tile, _| PairParams { first_tile, diagonal, ..params })
    }
}
