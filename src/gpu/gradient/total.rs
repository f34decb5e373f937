//! The gradient of log Σ exp(−t‖x−y‖²): each block's weights to scratch, then two products of them, one for either
//! side; the one sum over all pairs divides at the end.
//!
//! The products are with the points: what a point's own would add has no part tangent to the sphere. Where so much of
//! them drops out that their rounding would show, as in tight clusters, and of raw points they are with differences of
//! points, at twice the work.

use crate::{
    error::Result,
    gpu::{
        block::{operands::Operands, pass::Pass},
        device::stream::{Stream, Sums, Tiles},
        gradient::{finish::finish, products::Products},
        kernel::{params::PairParams, table::Similarity},
        points::matrix::GpuMatrix,
        reduce::total::Total,
    },
    log_sum::LogSumExp,
    progress::Watch,
    weights::Gradients,
};

impl Pass<'_> {
    /// The sum over all pairs, and the gradient of `weight` times its log.
    pub(crate) fn log_sum_with_grad(&self, weight: f64, watch: &Watch<'_>) -> Result<(LogSumExp, Gradients)> {
        let products = match self.pair_exponent.similarity() {
            Similarity::Cosine | Similarity::FineCosine | Similarity::Product => Products::Points,
            Similarity::SplitCosine | Similarity::Difference => Products::Differences,
        };
        self.by(products, weight, watch)
    }

    fn by(&self, products: Products, weight: f64, watch: &Watch<'_>) -> Result<(LogSumExp, Gradients)> {
        let pivot = match self.pair_exponent.pivot() {
            Some(pivot) => pivot,
            None => self.pair_exponent.pivot_of(self.log_sum(&watch.silent())?)?,
        };
        self.context.scoped("differentiating potentials", || {
            let gx = self.zeros(self.left.rows())?;
            let gy = (!self.one_set()).then(|| self.zeros(self.right.rows())).transpose()?;
            let sum = self.sums_of_blocks(products, pivot, (&gx, gy.as_ref().unwrap_or(&gx)), watch)?;
            if let Some(pair_exponent) = self.pair_exponent.refined(sum, self.count) {
                drop((gx, gy));
                return Self { pair_exponent, ..*self }.by(Products::Differences, weight, &watch.silent());
            }
            let scale = 2.0 * self.pair_exponent.t() * weight / sum.sum;
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
        let total = Total::of(self.pair_exponent);
        let mut stream = Stream::collecting(total, self.context, self.x.stored, Some(watch))?;
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
        let common = PairParams { stride: stride as u32 / 4, ..self.pair_exponent.params(pivot) };
        for block in self.blocks() {
            let [x, y, x_excess, y_excess] = operands.sides(self, &block);
            let tiles = Tiles {
                shader: operands.weights(),
                buffers: &[x, y, x_excess, y_excess, &sums, &weights],
                count: operands.grid(&block),
                sums: Some(Sums { per_tile: 1, to: () }),
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
        self.pair_exponent.settled(stream.finish()?.sum, self.count)
    }
}
