//! The sum of exp(−t‖x−y‖²) over a set of pairs, block by block of two panels.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        block::{operands::Operands, pass::Pass},
        device::{
            context::Context,
            stream::{Collector, Stream, Sums, TileSum, Tiles},
        },
        kernel::{exponent::PairExponent, params::PairParams},
        reduce::groups::sums_of_groups,
    },
    log_sum::LogSumExp,
    pairs::Pairs,
    progress::Watch,
};

/// The sum over all pairs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Total {
    exponent: PairExponent,
    pub(crate) sum: LogSumExp,
}

impl Total {
    pub(crate) fn of(exponent: PairExponent) -> Self {
        Self { exponent, sum: LogSumExp::EMPTY }
    }
}

impl Collector for Total {
    type Destination = ();

    fn add(&mut self, (): (), _: usize, tile: TileSum) {
        let sum = LogSumExp { max: self.exponent.exponent(tile.pivot), sum: tile.sum.into() };
        self.sum = self.sum.combine(sum);
    }
}

impl Pass<'_> {
    /// The sum over all pairs.
    pub(crate) fn log_sum(&self, watch: &Watch<'_>) -> Result<LogSumExp> {
        self.context.scoped("summing potentials", || {
            let sum = self.sum(watch)?;
            match self.pair_exponent.refined(sum, self.count) {
                Some(pair_exponent) => {
                    let finer = Self { pair_exponent, ..*self };
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
        let total = Total::of(self.pair_exponent);
        let mut stream = Stream::collecting(total, self.context, self.x.stored, Some(watch))?;
        let sums = stream.sums();
        // Each tile finds its own pivot, unless one is known to serve all.
        let pivot = self.pair_exponent.pivot();
        let common = self.pair_exponent.params(pivot.unwrap_or(0.0));
        let operands = Operands::of(self, pivot.is_none())?;
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
            stream.tiles(tiles, |first_tile, first_sum| PairParams {
                first_tile,
                first_sum,
                ..self.block_params(&block, common)
            })?;
        }
        self.pair_exponent.settled(stream.finish()?.sum, self.count)
    }
}

/// Σ exp(−t‖x−y‖²) for every t, in one pass.
pub(crate) fn log_sums(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let (x, y) = pairs.sides();
    let steepest = ts.iter().copied().fold(0.0, f64::max);
    let first = PairExponent::new(x.scaling(), x.rows() as u64 * y.rows() as u64, steepest);
    let sums = sums_of_groups(context, pairs, first, ts, (&[], 1), watch)?;
    let sums = match ts.iter().zip(&sums).find_map(|(&t, &sum)| first.with(t).refined(sum, pairs.count())) {
        Some(refined) => sums_of_groups(context, pairs, refined, ts, (&[], 1), &watch.silent())?,
        None => sums,
    };
    ts.iter().zip(sums).map(|(&t, sum)| first.with(t).settled(sum, pairs.count())).collect()
}
