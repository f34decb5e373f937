//! The gradient of log Σ exp(−t‖x−y‖²): each block's weights to scratch, then two products of them, one for either
//! side; the one sum over all pairs divides at the end.
//!
//! The products are with the points: what a point's own would add has no part tangent to the sphere. Where so much of
//! them drops out that their rounding would show, as in tight clusters, and of raw points they are with differences of
//! points, at twice the work.

use crate::{
    error::{Error, Result},
    gpu::{
        block::{operands::Operands, pass::Pass},
        device::stream::{Stream, Sums, Tiles},
        gradient::finish::Sides,
        kernel::{
            accuracy::{Climb, Climbed, Evidence, Products, Total},
            params::PairParams,
        },
        points::matrix::GpuMatrix,
        reduce::total::TotalOfTiles,
    },
    log_sum::LogSumExp,
    progress::Watch,
    weights::Gradients,
};

/// A sum over all pairs with its gradients, by one arithmetic.
struct Pulled {
    total: Total,
    gradients: Gradients,
    /// Little of the weighted sums was left.
    dropped: bool,
}

impl Pass<'_> {
    /// The sum over all pairs, and the gradient of `weight` times its log.
    pub(crate) async fn log_sum_with_grad(
        &self,
        weight: f64,
        watch: &Watch,
    ) -> Result<(LogSumExp, Gradients)> {
        self.context
            .scoped("differentiating potentials", async {
                let evidence = |_, pulled: &Pulled| Evidence {
                    dropped: pulled.dropped,
                    ..pulled.total.evidence(self.count, self.exponent.t())
                };
                let mut climb = Climb::new(self.exponent.arithmetic, watch);
                while let Some((by, watch)) = climb.step() {
                    let pulled = self.by(by).pulled(weight, watch).await?;
                    climb.judge(vec![pulled], evidence);
                }
                let found = climb.finish().pop();
                let Climbed { result: Pulled { total, gradients, .. }, by } =
                    found.ok_or_else(|| Error::missing("the sum over all pairs"))?;
                self.note(by);
                let sum = match by.less_one {
                    true => self
                        .sums_less_one(by, &watch.silent())
                        .await?
                        .first()
                        .map_or(total.sum, |total| total.sum),
                    false => total.sum,
                };
                Ok((sum, gradients))
            })
            .await
    }

    /// The sum and the gradients by the arithmetic of the pass.
    async fn pulled(&self, weight: f64, watch: &Watch) -> Result<Pulled> {
        let products = self.exponent.arithmetic.products;
        let pivot = match self.exponent.pivot() {
            Some(pivot) => pivot,
            None => self.exponent.pivot_of(self.log_sum(&watch.silent()).await?)?,
        };
        let sides = Sides::zeros(self)?;
        let total = self.sums_of_blocks(products, pivot, sides.both(), watch).await?;
        let sum = self.exponent.settled(total.sum, self.count)?;
        let scale = 2.0 * self.exponent.t() * weight / sum.sum;
        let dropped = sides.finish(self, scale).await?;
        let by_log_scale = 0.5 * scale * dropped.along_differences(products, sum.sum);
        // Each pair has weighed on both of its points.
        let dropped = dropped.too_much(2.0 * sum.sum);
        Ok(Pulled { total, gradients: sides.into_gradients(self, by_log_scale), dropped })
    }

    async fn sums_of_blocks(
        &self,
        products: Products,
        pivot: f32,
        gradients: (&GpuMatrix, &GpuMatrix),
        watch: &Watch,
    ) -> Result<Total> {
        let total = TotalOfTiles { exponent: self.exponent, total: Total::EMPTY };
        let mut stream = Stream::collecting(total, self.context, self.x.stored, Some(watch))?;
        let sums = stream.sums();
        let operands = Operands::of(self, false).await?;
        // Whole tiles of the kernels on either end; all are powers of two.
        let (rows, cols) = operands.tile();
        let side = |rows: usize, tile: usize| {
            self.x.panel_rows.min(rows).next_multiple_of(tile.max(self.tiling.rows()))
        };
        let stride = side(self.right.rows(), cols);
        let largest = side(self.left.rows(), rows) * stride;
        let weights = self.context.storage("the weights of a block", 4 * largest as u64)?;
        let common = PairParams { stride: stride as u32 / 4, ..self.exponent.params(pivot) };
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
            stream
                .tiles(tiles, |first_tile, first_sum| PairParams {
                    first_tile,
                    first_sum,
                    ..self.block_params(&block, common)
                })
                .await?;
            self.add_products(&mut stream, products, &block, (&weights, stride), gradients).await?;
        }
        Ok(stream.finish().await?.total)
    }
}
