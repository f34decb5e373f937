//! Products of a block's weights with the points of either side, or with differences of points, added to the gradients.

use crate::{
    error::Result,
    gpu::{
        block::pass::Pass,
        device::{
            context::TILE,
            stream::{Collector, Stream, Tiles},
        },
        kernel::{
            accuracy::Products,
            params::{WeightedDifferencesParams, WeightedSumsParams},
            table::Shader,
        },
        points::matrix::GpuMatrix,
    },
    schedule::Block,
};

impl Pass<'_> {
    /// Adds the products of a block's weights to the gradients of either side.
    pub(crate) async fn add_products(
        &self,
        stream: &mut Stream<'_, impl Collector>,
        products: Products,
        block: &Block,
        weights: (&wgpu::Buffer, usize),
        gradients: (&GpuMatrix, &GpuMatrix),
    ) -> Result<()> {
        match products {
            Products::Points => self.sums(stream, block, weights, gradients).await,
            Products::Differences => self.differences(stream, block, weights, gradients).await,
        }
    }

    /// Adds the weights times the points on the other side to the gradients of either.
    async fn sums(
        &self,
        stream: &mut Stream<'_, impl Collector>,
        block: &Block,
        (weights, stride): (&wgpu::Buffer, usize),
        (gx, gy): (&GpuMatrix, &GpuMatrix),
    ) -> Result<()> {
        let (x, y) = self.panels(block);
        let tiling = self.tiling.for_columns(self.dims);
        let (rows, cols) = (block.rows.len(), block.cols.len());
        let of_x = [weights, &y.values, self.shard(gx, block.rows.start)];
        let of_y = [weights, &x.values, self.shard(gy, block.cols.start)];
        for (rows, depth, transposed, buffers, pairs) in
            [(rows, cols, false, of_x, 0), (cols, rows, true, of_y, self.pairs_of(block))]
        {
            let params = WeightedSumsParams {
                rows: rows as u32,
                depth: depth as u32,
                dims: self.dims as u32,
                stride: stride as u32 / 4,
                transposed: transposed.into(),
                first_tile: 0,
            };
            let tiles = Tiles {
                shader: Shader::WeightedSums(tiling),
                buffers: &buffers,
                count: tiling.grid(rows, self.dims),
                sums: None,
                cost: (tiling.rows() * tiling.cols() * depth) as f64,
                pairs,
            };
            stream.tiles(tiles, |first_tile, _| WeightedSumsParams { first_tile, ..params }).await?;
        }
        Ok(())
    }

    /// Adds the weights times differences of points to the gradients of either side.
    async fn differences(
        &self,
        stream: &mut Stream<'_, impl Collector>,
        block: &Block,
        (weights, stride): (&wgpu::Buffer, usize),
        (gx, gy): (&GpuMatrix, &GpuMatrix),
    ) -> Result<()> {
        let (x, y) = self.panels(block);
        let (rows, cols) = (block.rows.len() as u32, block.cols.len() as u32);
        let params = WeightedDifferencesParams {
            rows,
            depth: cols,
            dims: self.dims as u32,
            weight_row: stride as u32,
            weight_col: 1,
            ..bytemuck::Zeroable::zeroed()
        };
        let transposed = WeightedDifferencesParams {
            rows: cols,
            depth: rows,
            weight_row: 1,
            weight_col: stride as u32,
            ..params
        };
        let (gx, gy) = (self.shard(gx, block.rows.start), self.shard(gy, block.cols.start));
        add_weighted_differences(stream, params, [weights, &x.values, &y.values, gx], 0).await?;
        add_weighted_differences(
            stream,
            transposed,
            [weights, &y.values, &x.values, gy],
            self.pairs_of(block),
        )
        .await
    }

    fn shard<'m>(&self, matrix: &'m GpuMatrix, start: usize) -> &'m wgpu::Buffer {
        &matrix.shards[start / self.x.panel_rows].values
    }
}

/// sums += weights · differences: see `shaders/weighted_differences.wgsl`.
pub(crate) async fn add_weighted_differences(
    stream: &mut Stream<'_, impl Collector>,
    params: WeightedDifferencesParams,
    buffers: [&wgpu::Buffer; 4],
    pairs: u64,
) -> Result<()> {
    // The kernel runs without bounds checks.
    debug_assert!(params.rows > 0 && params.depth > 0 && params.dims > 0, "sums over nothing");
    debug_assert!(
        params.first_row.is_multiple_of(4) && params.first_point.is_multiple_of(4),
        "points by fours"
    );
    let tiles = Tiles {
        shader: Shader::WeightedDifferences,
        buffers: &buffers,
        count: params.rows.div_ceil(TILE as u32) * params.dims.div_ceil(TILE as u32),
        sums: None,
        cost: (TILE * TILE) as f64 * f64::from(params.depth),
        pairs,
    };
    stream.tiles(tiles, |first_tile, _| WeightedDifferencesParams { first_tile, ..params }).await
}
