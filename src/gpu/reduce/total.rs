//! The sum of exp(−t‖x−y‖²) over a set of pairs, block by block of two panels.

use std::sync::Arc;

use crate::{
    error::{Error, Result},
    gpu::{
        block::{operands::Operands, pass::Pass},
        device::{
            context::Context,
            stream::{Collector, Stream, Sums, TileSum, Tiles},
        },
        kernel::{
            accuracy::{self, Arithmetic, Climb, Climbed, Reduction, Total},
            exponent::PairExponent,
            params::PairParams,
        },
        reduce::groups::sums_of_all,
    },
    kernel::Kernel,
    log_sum::LogSumExp,
    pairs::Pairs,
    progress::Watch,
};

/// The sum of tiles whose exponents are relative to equal points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TotalOfTiles {
    pub(crate) exponent: PairExponent,
    pub(crate) total: Total,
}

impl Collector for TotalOfTiles {
    type Destination = ();

    fn add(&mut self, (): (), _: usize, tile: TileSum) {
        self.total.add(LogSumExp { max: self.exponent.exponent(tile.pivot), sum: tile.sum.into() });
    }
}

impl Pass<'_> {
    /// The sum over all pairs.
    pub(crate) async fn log_sum(&self, watch: &Watch) -> Result<LogSumExp> {
        self.context
            .scoped("summing potentials", async {
                let mut climb = Climb::new(self.exponent.arithmetic, watch);
                while let Some((by, watch)) = climb.step() {
                    let sums = match by.less_one {
                        true => self.sums_less_one(by, watch).await?,
                        false => vec![self.by(by).sum(watch).await?],
                    };
                    climb.judge(sums, |_, total| total.evidence(self.count, self.exponent.t()));
                }
                let found = climb.finish().pop();
                let found = found.ok_or_else(|| Error::missing("the sum over all pairs"))?;
                self.note(found.by);
                self.exponent.by(found.by).settled(found.result.sum, self.count)
            })
            .await
    }

    /// The sum by direct differences of exp(e) − 1.
    pub(crate) async fn sums_less_one(&self, by: Arithmetic, watch: &Watch) -> Result<Vec<Total>> {
        sums_of_all(self.context, self.pairs, &[self.exponent.by(by)], watch).await
    }

    /// The sum by the arithmetic of the pass.
    async fn sum(&self, watch: &Watch) -> Result<Total> {
        let total = TotalOfTiles { exponent: self.exponent, total: Total::EMPTY };
        let mut stream = Stream::collecting(total, self.context, self.x.stored, Some(watch))?;
        let sums = stream.sums();
        // Each tile finds its own pivot, unless one is known to serve all.
        let pivot = self.exponent.pivot();
        let common = self.exponent.params(pivot.unwrap_or(0.0));
        let operands = Operands::of(self, pivot.is_none()).await?;
        for block in self.blocks() {
            let [x, y, x_excess, y_excess] = operands.sides(self, &block);
            let tiles = Tiles {
                shader: operands.log_sum(),
                buffers: &[x, y, x_excess, y_excess, &sums],
                count: operands.counted(&block),
                sums: Some(Sums { per_tile: 1, to: () }),
                cost: operands.cost(self),
                pairs: self.pairs_of(&block),
            };
            stream
                .tiles(tiles, |first_tile, first_sum| PairParams {
                    first_tile,
                    first_sum,
                    ..self.block_params(&block, common)
                })
                .await?;
        }
        Ok(stream.finish().await?.total)
    }
}

/// Σ k(x, y) for every Gaussian kernel, from one table of similarities.
pub(crate) async fn log_sums(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    kernels: &[Kernel],
    watch: &Watch,
) -> Result<Vec<LogSumExp>> {
    let (scaling, count) = (pairs.sides().0.scaling(), pairs.count());
    let steepest = kernels.iter().map(|kernel| kernel.scale).fold(0.0, f64::max);
    let first = accuracy::first(pairs, Kernel::gaussian(steepest), Reduction::Total);
    let exponents =
        |by| -> Vec<_> { kernels.iter().map(|&kernel| PairExponent::new(by, kernel, scaling)).collect() };
    let mut climb = Climb::new(first, watch);
    while let Some((by, watch)) = climb.step() {
        let sums = sums_of_all(context, pairs, &exponents(by), watch).await?;
        climb.judge(sums, |i, total| total.evidence(count, kernels[i].scale));
    }
    let settled = |(found, &kernel): (Climbed<Total>, &Kernel)| {
        PairExponent::new(found.by, kernel, scaling).settled(found.result.sum, count)
    };
    climb.finish().into_iter().zip(kernels).map(settled).collect()
}
