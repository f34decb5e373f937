//! The gradient of log Σ exp(−t‖x−y‖²): each block's weights to scratch, then two products of them with the
//! differences of its points, one for either side; the one sum over all pairs divides at the end.

use std::sync::Arc;

use super::{
    context::{Context, TILE},
    log_sum::{Sweep, grid},
    matrix::GpuMatrix,
    params::{FinishGradParams, PairParams, WeightedSumsParams},
    points::{GpuPoints, Panel},
    shaders::Kernel,
    stream::{Stream, Tiles},
};
use crate::{LogSum, Result, Scaling, backend::Gradients, pairs::Block, progress::Watch};

impl Sweep<'_> {
    /// The sum over all pairs, and the gradient of `weight` times its log.
    pub(super) fn log_sum_with_grad(&self, weight: f64, watch: &Watch<'_>) -> Result<(LogSum, Gradients)> {
        let pivot = match self.potential.pivot() {
            Some(pivot) => pivot,
            None => self.potential.pivot_of(self.log_sum(&watch.again())?)?,
        };
        self.context.scoped("differentiating potentials", || {
            let gx = self.zeros(self.left.rows())?;
            let gy = (!self.within).then(|| self.zeros(self.right.rows())).transpose()?;
            let sum = self.sums_of_blocks(pivot, &gx, gy.as_ref().unwrap_or(&gx), watch)?;
            if let Some(potential) = self.potential.refined(sum, self.count) {
                drop((gx, gy));
                return Self { potential, ..*self }.log_sum_with_grad(weight, &watch.again());
            }
            let scale = 2.0 * self.potential.t() * weight / sum.sum;
            let scaling = self.left.scaling();
            finish(self.context, self.x, &gx, self.dims, scaling, scale)?;
            if let Some(gy) = &gy {
                finish(self.context, self.y, gy, self.dims, scaling, scale)?;
            }
            let y = gy.map(|gy| gy.into_matrix(self.right.rows()));
            Ok((sum, Gradients { x: gx.into_matrix(self.left.rows()), y }))
        })
    }

    fn zeros(&self, rows: usize) -> Result<GpuMatrix> {
        GpuMatrix::zeros(self.context, rows, self.dims, self.x.panel_rows)
    }

    fn sums_of_blocks(
        &self,
        pivot: f32,
        gx: &GpuMatrix,
        gy: &GpuMatrix,
        watch: &Watch<'_>,
    ) -> Result<LogSum> {
        let mut stream = Stream::with_sums(self.context, Some(watch), |s| self.potential.exponent(s))?;
        let sums = stream.sums();
        let panel = self.x.panel_rows;
        let largest = panel.min(self.left.rows()) * panel.min(self.right.rows());
        let weights = self.context.storage("the weights of a block", 4 * largest as u64)?;
        let common = self.potential.params(pivot);
        for block in self.blocks() {
            let (x, y) = self.panels(&block);
            let tiles = Tiles {
                kernel: Kernel::Weights(self.potential.similarity()),
                buffers: &[&x.values, &y.values, &x.excess, &y.excess, &sums, &weights],
                count: grid(&block),
                cost: self.potential.tile_cost(self.dims),
                pairs: 0,
            };
            stream.tiles(tiles, |first_tile, first_sum| PairParams {
                first_tile,
                first_sum,
                ..self.block_params(&block, common)
            })?;
            self.products(&mut stream, &block, &weights, gx, gy)?;
        }
        self.potential.settled(stream.finish()?, self.count)
    }

    fn products(
        &self,
        stream: &mut Stream<'_>,
        block: &Block,
        weights: &wgpu::Buffer,
        gx: &GpuMatrix,
        gy: &GpuMatrix,
    ) -> Result<()> {
        let (x, y) = self.panels(block);
        let shard =
            |matrix: &'_ GpuMatrix, start: usize| matrix.shards[start / self.x.panel_rows].values.clone();
        let (rows, cols) = (block.rows.len() as u32, block.cols.len() as u32);
        let params = WeightedSumsParams {
            rows,
            depth: cols,
            dims: self.dims as u32,
            weight_row: cols,
            weight_col: 1,
            ..bytemuck::Zeroable::zeroed()
        };
        let transposed =
            WeightedSumsParams { rows: cols, depth: rows, weight_row: 1, weight_col: cols, ..params };
        let (gx, gy) = (shard(gx, block.rows.start), shard(gy, block.cols.start));
        add_weighted_sums(stream, params, [weights, &x.values, &y.values, &gx], 0)?;
        add_weighted_sums(stream, transposed, [weights, &y.values, &x.values, &gy], block.pairs())
    }
}

/// sums += weights · points: see `shaders/weighted_sums.wgsl`.
pub(super) fn add_weighted_sums(
    stream: &mut Stream<'_>,
    params: WeightedSumsParams,
    buffers: [&wgpu::Buffer; 4],
    pairs: u64,
) -> Result<()> {
    let tiles = Tiles {
        kernel: Kernel::WeightedSums,
        buffers: &buffers,
        count: params.rows.div_ceil(TILE as u32) * params.dims.div_ceil(TILE as u32),
        cost: (TILE * TILE) as f64 * f64::from(params.depth),
        pairs,
    };
    stream.tiles(tiles, |first_tile, _| WeightedSumsParams { first_tile, ..params })
}

/// Weighted sums to gradients for the rows as given, in place.
pub(super) fn finish(
    context: &Arc<Context>,
    points: &GpuPoints,
    gradient: &GpuMatrix,
    dims: usize,
    scaling: Scaling,
    scale: f64,
) -> Result<()> {
    let mut stream = Stream::new(context)?;
    // Finite, whatever t is.
    let params = FinishGradParams { dims: dims as u32, scale: scale.clamp(-1e30, 1e30) as f32 };
    let kernel = Kernel::FinishGrad { unit: scaling == Scaling::Unit };
    for shard in &gradient.shards {
        let Panel { values, inverse_lengths, rows, .. } =
            &points.panels[shard.rows.start / points.panel_rows];
        debug_assert_eq!(*rows, shard.rows);
        let buffers = [values, inverse_lengths, &shard.values];
        stream.dispatch(kernel, &params, &buffers, rows.len(), (rows.len() * dims) as f64)?;
    }
    stream.finish().map(|_| ())
}
