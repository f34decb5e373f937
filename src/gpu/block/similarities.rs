//! The similarities of a block's pairs in scratch, for the kernels that read them: one product serves every row sum,
//! histogram or list.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        block::pass::Pass,
        device::{
            context::{Context, TILE},
            stream::{Collector, Stream, Tiles},
        },
        kernel::{
            exponent::PairExponent,
            params::{CountedPairs, PairParams},
            table::{Pairwise, Shader},
            tiling::Tiling,
        },
        points::panels::Panel,
    },
    pairs::Pairs,
    schedule::Block,
};

/// Multiply-adds that reading a similarity and working on it are worth: it is memory that they wait for.
pub(crate) const READ_COST: f64 = 16.0;

/// A pass whose blocks leave their similarities.
pub(crate) struct SimilarityTable<'a> {
    pub(crate) pass: Pass<'a>,
    pairwise: Pairwise,
    /// What similarities are relative to.
    origin: f32,
    /// (rows, `stride`), rows of whole tiles: see `shaders/log_sum/table.wgsl`
    pub(crate) buffer: wgpu::Buffer,
    pub(crate) stride: usize,
}

impl<'a> SimilarityTable<'a> {
    pub(crate) async fn new(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        exponent: PairExponent,
        origin: f32,
    ) -> Result<Self> {
        let tiling = context.tiling(pairs.count() as f64 * pairs.sides().0.dims() as f64).await?;
        Self::with_tiling(context, pairs, exponent, origin, tiling)
    }

    /// The same in tiles of the caller's choice, or in small ones where the similarity does not take them; what is multiplied
    /// with the table comes in them in any case.
    pub(crate) fn with_tiling(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        exponent: PairExponent,
        origin: f32,
        tiling: Tiling,
    ) -> Result<Self> {
        let pass = Pass::of(context, pairs, exponent, tiling)?;
        let own = if exponent.similarity().takes(tiling) { tiling } else { Tiling::SMALL };
        let pairwise = Pairwise::of_table(exponent.similarity(), own, pass.dims);
        // Whole tiles of the kernels on either end; all are powers of two.
        let side = |rows: usize, tile: usize| {
            pass.x.panel_rows.min(rows).next_multiple_of(tile.max(tiling.rows()).max(TILE))
        };
        let stride = side(pass.right.rows(), own.cols());
        let largest = side(pass.left.rows(), own.rows()) * stride;
        let buffer = context.storage("the similarities of a block", 4 * largest as u64)?;
        Ok(Self { pass, pairwise, origin, buffer, stride })
    }

    /// From a row of the table to the next, by fours, as kernels have it.
    pub(crate) fn quads(&self) -> u32 {
        self.stride as u32 / 4
    }

    /// Leaves the similarities of a block, of the pairs that count.
    pub(crate) async fn fill(
        &self,
        stream: &mut Stream<'_, impl Collector>,
        block: &Block,
        counted: CountedPairs,
    ) -> Result<()> {
        let pass = &self.pass;
        let (x, y): (&Panel, &Panel) = pass.panels(block);
        let tiling = self.pairwise.tiling;
        let params = PairParams {
            stride: self.quads(),
            pivot: self.origin,
            ..pass.block_params(block, bytemuck::Zeroable::zeroed())
        };
        let tiles = Tiles {
            shader: Shader::Similarities(self.pairwise),
            buffers: &[&x.values, &y.values, &x.excess, &y.excess, &self.buffer],
            count: tiling.grid(block.rows.len(), block.cols.len()),
            sums: None,
            cost: pass.exponent.cost(tiling, pass.dims),
            pairs: 0,
        };
        stream
            .tiles(tiles, |first_tile, _| PairParams { first_tile, diagonal: counted.code(), ..params })
            .await
    }
}
