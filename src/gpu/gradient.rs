//! The gradient of log Σ exp(−t‖x−y‖²): each block's weights to scratch, then two products of them, one for either
//! side; the one sum over all pairs divides at the end.
//!
//! The products are with the points: what a point's own would add has no part tangent to the sphere. Where so much of
//! them drops out that their rounding would show, as in tight clusters, and of raw points they are with differences of
//! points, at twice the work.

use std::sync::Arc;

use super::{
    context::{Context, TILE},
    log_sum::Sweep,
    matrix::GpuMatrix,
    operands::Operands,
    params::{FinishGradParams, PairParams, WeightedDifferencesParams, WeightedSumsParams},
    points::{GpuPoints, Panel},
    shaders::{Kernel, Similarity},
    stream::{Stream, Tiles},
};
use crate::{
    error::Result,
    log_sum::LogSumExp,
    points::{Points, Scaling},
    progress::Watch,
    schedule::Block,
    weights::Gradients,
};

/// What the weights of a block are multiplied with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Products {
    Points,
    Differences,
}

impl Sweep<'_> {
    /// The sum over all pairs, and the gradient of `weight` times its log.
    pub(super) fn log_sum_with_grad(&self, weight: f64, watch: &Watch<'_>) -> Result<(LogSumExp, Gradients)> {
        let products = match self.potential.similarity() {
            Similarity::Cosine | Similarity::FineCosine | Similarity::Product => Products::Points,
            Similarity::SplitCosine | Similarity::Difference => Products::Differences,
        };
        self.by(products, weight, watch)
    }

    fn by(&self, products: Products, weight: f64, watch: &Watch<'_>) -> Result<(LogSumExp, Gradients)> {
        let pivot = match self.potential.pivot() {
            Some(pivot) => pivot,
            None => self.potential.pivot_of(self.log_sum(&watch.silent())?)?,
        };
        self.context.scoped("differentiating potentials", || {
            let gx = self.zeros(self.left.rows())?;
            let gy = (!self.within).then(|| self.zeros(self.right.rows())).transpose()?;
            let sum = self.sums_of_blocks(products, pivot, (&gx, gy.as_ref().unwrap_or(&gx)), watch)?;
            if let Some(potential) = self.potential.refined(sum, self.count) {
                drop((gx, gy));
                return Self { potential, ..*self }.by(Products::Differences, weight, &watch.silent());
            }
            let scale = 2.0 * self.potential.t() * weight / sum.sum;
            let mut dropped = finish(self.context, self.left, &gx, scale)?;
            if let Some(gy) = &gy {
                dropped = dropped.and(finish(self.context, self.right, gy, scale)?);
            }
            // Each pair has weighed on both of its points.
            if products == Products::Points && dropped.too_much(2.0 * sum.sum) {
                drop((gx, gy));
                return self.by(Products::Differences, weight, &watch.silent());
            }
            self.note();
            let y = gy.map(|gy| gy.into_matrix(self.right.rows()));
            Ok((sum, Gradients { x: gx.into_matrix(self.left.rows()), y }))
        })
    }

    fn zeros(&self, rows: usize) -> Result<GpuMatrix> {
        GpuMatrix::zeros(self.context, rows, self.dims, self.x.panel_rows)
    }

    fn sums_of_blocks(
        &self,
        products: Products,
        pivot: f32,
        gradients: (&GpuMatrix, &GpuMatrix),
        watch: &Watch<'_>,
    ) -> Result<LogSumExp> {
        let mut stream =
            Stream::with_sums(self.context, self.x.stored, Some(watch), |s| self.potential.exponent(s))?;
        let sums = stream.sums();
        let operands = Operands::of(self, false)?;
        // Whole tiles of the kernels on either end; all are powers of two.
        let (rows, cols) = operands.tile();
        let side = |rows: usize, tile: usize| {
            self.x.panel_rows.min(rows).next_multiple_of(tile.max(self.tiling.rows()))
        };
        let stride = side(self.right.rows(), cols);
        let largest = side(self.left.rows(), rows) * stride;
        let weights = self.context.storage("the weights of a block", 4 * largest as u64)?;
        let common = PairParams { stride: stride as u32 / 4, ..self.potential.params(pivot) };
        for block in self.blocks() {
            let [x, y, x_excess, y_excess] = operands.sides(self, &block);
            let tiles = Tiles {
                kernel: operands.weights(),
                buffers: &[x, y, x_excess, y_excess, &sums, &weights],
                count: operands.grid(&block),
                sums: 1,
                cost: operands.cost(self),
                pairs: 0,
            };
            stream.tiles(tiles, |first_tile, first_sum| PairParams {
                first_tile,
                first_sum,
                ..self.block_params(&block, common)
            })?;
            self.add_products(&mut stream, products, &block, (&weights, stride), gradients)?;
        }
        self.potential.settled(stream.finish()?, self.count)
    }

    /// Adds the products of a block's weights to the gradients of either side.
    pub(super) fn add_products(
        &self,
        stream: &mut Stream<'_>,
        products: Products,
        block: &Block,
        weights: (&wgpu::Buffer, usize),
        gradients: (&GpuMatrix, &GpuMatrix),
    ) -> Result<()> {
        match products {
            Products::Points => self.sums(stream, block, weights, gradients),
            Products::Differences => self.differences(stream, block, weights, gradients),
        }
    }

    /// Adds the weights times the points on the other side to the gradients of either.
    fn sums(
        &self,
        stream: &mut Stream<'_>,
        block: &Block,
        (weights, stride): (&wgpu::Buffer, usize),
        (gx, gy): (&GpuMatrix, &GpuMatrix),
    ) -> Result<()> {
        let (x, y) = self.panels(block);
        let tiling = self.tiling.for_columns(self.dims);
        let mut add = |rows: usize, depth: usize, transposed: bool, buffers: [&wgpu::Buffer; 3], pairs| {
            let params = WeightedSumsParams {
                rows: rows as u32,
                depth: depth as u32,
                dims: self.dims as u32,
                stride: stride as u32 / 4,
                transposed: transposed.into(),
                first_tile: 0,
            };
            let tiles = Tiles {
                kernel: Kernel::WeightedSums(tiling),
                buffers: &buffers,
                count: tiling.grid(rows, self.dims),
                sums: 0,
                cost: (tiling.rows() * tiling.cols() * depth) as f64,
                pairs,
            };
            stream.tiles(tiles, |first_tile, _| WeightedSumsParams { first_tile, ..params })
        };
        let (rows, cols) = (block.rows.len(), block.cols.len());
        add(rows, cols, false, [weights, &y.values, self.shard(gx, block.rows.start)], 0)?;
        add(cols, rows, true, [weights, &x.values, self.shard(gy, block.cols.start)], self.pairs_of(block))
    }

    /// Adds the weights times differences of points to the gradients of either side.
    fn differences(
        &self,
        stream: &mut Stream<'_>,
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
        add_weighted_differences(stream, params, [weights, &x.values, &y.values, gx], 0)?;
        add_weighted_differences(
            stream,
            transposed,
            [weights, &y.values, &x.values, gy],
            self.pairs_of(block),
        )
    }

    fn shard<'m>(&self, matrix: &'m GpuMatrix, start: usize) -> &'m wgpu::Buffer {
        &matrix.shards[start / self.x.panel_rows].values
    }
}

/// sums += weights · differences: see `shaders/weighted_differences.wgsl`.
pub(super) fn add_weighted_differences(
    stream: &mut Stream<'_>,
    params: WeightedDifferencesParams,
    buffers: [&wgpu::Buffer; 4],
    pairs: u64,
) -> Result<()> {
    let tiles = Tiles {
        kernel: Kernel::WeightedDifferences,
        buffers: &buffers,
        count: params.rows.div_ceil(TILE as u32) * params.dims.div_ceil(TILE as u32),
        sums: 0,
        cost: (TILE * TILE) as f64 * f64::from(params.depth),
        pairs,
    };
    stream.tiles(tiles, |first_tile, _| WeightedDifferencesParams { first_tile, ..params })
}

/// What of the weighted sums G was along their points x, over all rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dropped {
    /// Σ‖G‖²
    squares: f64,
    /// Σ‖(I − xxᵀ)G‖²
    tangent: f64,
    /// Σ‖G‖
    lengths: f64,
    /// Σ x·G
    along: f64,
}

impl Dropped {
    /// The share of the weighted sums below which their rounding, about 1e-7, would show in the fifth digit of what is
    /// left.
    const LEAST: f64 = 0.05;

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            squares: self.squares + other.squares,
            tangent: self.tangent + other.tangent,
            lengths: self.lengths + other.lengths,
            along: self.along + other.along,
        }
    }

    /// Whether the gradient is better made of differences, `weights` being the sum of all rows' weights. It is not
    /// where little is left and yet points are far apart, as near the optimum: Σ w‖x−y‖ ≥ ½ Σ w‖x−y‖² = Σ w − Σ x·G.
    pub(super) fn too_much(self, weights: f64) -> bool {
        let close = weights - self.along < Self::LEAST * self.lengths;
        close && self.tangent < Self::LEAST.powi(2) * self.squares
    }
}

/// Weighted sums to gradients for the rows as given, in place.
pub(super) fn finish(
    context: &Arc<Context>,
    points: &Points,
    gradient: &GpuMatrix,
    scale: f64,
) -> Result<Dropped> {
    let (dims, unit) = (points.dims(), points.scaling() == Scaling::Unit);
    let points = GpuPoints::of(points, context)?;
    let mut stream = Stream::new(context, points.stored)?;
    // Finite, whatever t is.
    let params = FinishGradParams { dims: dims as u32, scale: scale.clamp(-1e30, 1e30) as f32 };
    let mut dropped = Vec::new();
    for shard in &gradient.shards {
        let Panel { values, inverse_lengths, rows, .. } =
            &points.panels[shard.rows.start / points.panel_rows];
        debug_assert_eq!(*rows, shard.rows);
        let part = context.storage("what dropped out", 16 * rows.len() as u64)?;
        let buffers = [values, inverse_lengths, &shard.values, &part];
        let kernel = Kernel::FinishGrad { unit };
        stream.dispatch(kernel, &params, &buffers, rows.len(), (rows.len() * dims) as f64)?;
        dropped.push((part, 4 * rows.len()));
    }
    stream.finish()?;
    if !unit {
        return Ok(Dropped::default());
    }
    let rows = context.read(dropped.iter().map(|(part, count)| (part, *count)))?;
    let one = |row: &[f32]| {
        let [square, tangent, along] = [0, 1, 2].map(|i| f64::from(row[i]));
        Dropped { squares: square, tangent, lengths: square.sqrt(), along }
    };
    Ok(rows.chunks_exact(4).map(one).fold(Dropped::default(), Dropped::and))
}
