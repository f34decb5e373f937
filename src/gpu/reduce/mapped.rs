//! Sums over pairs of a function that is no exponential.

use std::sync::Arc;

use crate::{
    error::Result,
    function::{ClassTerm, FunctionSums, PairFunction},
    gpu::{
        block::{
            map::{MapSums, PairMap, exponent},
            similarities::SimilarityTable,
        },
        device::{context::Context, stream::Stream},
        reduce::classes::by_means,
    },
    pairs::Pairs,
    points::Scaling,
    progress::Watch,
    schedule::unordered,
};

/// The greatest square of two unit rows' distance.
const MAX_UNIT_SQUARE: f64 = 4.0;
/// Units of raw squared distances, or of inner products, in which f32 holds large ones and small ones.
const RAW_UNITS: [f64; 2] = [1.152_921_504_606_847e18, 8.673_617_379_884_035e-19];
/// The mean of squares below which f32 may have lost them, in their unit.
const MIN_MEAN: f64 = 1e-30;

/// Σ f(x, y) over the pairs.
pub(crate) async fn function_sum(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    function: PairFunction<'_>,
    watch: &Watch,
) -> Result<f64> {
    let progress = Progress::of(pairs, function, watch);
    let value = match by_means(context, pairs, function, None, &progress.watch).await? {
        Some((sums, _)) => sums.value,
        None => {
            let square = unit_square(context, pairs, function, &watch.silent()).await?;
            sums(context, pairs, function, square, &progress.watch).await?.value
        }
    };
    progress.finish(watch)?;
    Ok(value)
}

/// Progress of a function's sum. A pass over all pairs for those of one class counts the latter, at its end.
pub(crate) struct Progress {
    pub(crate) watch: Watch,
    at_end: u64,
}

impl Progress {
    pub(crate) fn of(pairs: Pairs<'_>, function: PairFunction<'_>, watch: &Watch) -> Self {
        match function.pairs_in_classes(matches!(pairs, Pairs::Within(_))) {
            Some(at_end) => Self { watch: watch.silent(), at_end },
            None => Self { watch: watch.clone(), at_end: 0 },
        }
    }

    pub(crate) fn finish(self, watch: &Watch) -> Result<()> {
        watch.advance(self.at_end)
    }
}

/// The square of the unit in which f32 holds the powers of these distances: of raw points, their mean square.
pub(crate) async fn unit_square(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    function: PairFunction<'_>,
    watch: &Watch,
) -> Result<f64> {
    let PairFunction::InClass { term, classes } = function else { return Ok(1.0) };
    let [large, small] = match pairs.sides().0.scaling() {
        Scaling::Unit => [MAX_UNIT_SQUARE; 2],
        Scaling::Raw => RAW_UNITS,
    };
    // Roots and squares of unit rows' distances keep their digits in any unit.
    let of_unit = pairs.sides().0.scaling() == Scaling::Unit;
    let squares = match term {
        ClassTerm::Dot => return Ok(large),
        ClassTerm::Distance { alpha } if of_unit && (alpha == 1.0 || alpha == 2.0) => return Ok(large),
        ClassTerm::Distance { .. } => {
            PairFunction::InClass { term: ClassTerm::Distance { alpha: 2.0 }, classes }
        }
    };
    let one_set = matches!(pairs, Pairs::Within(_));
    let weight: f64 = classes
        .rows()
        .iter()
        .zip(classes.weights)
        .map(|(rows, weight)| {
            let count = match one_set {
                true => unordered(rows[0].len()),
                false => rows[0].len() as u64 * rows[1].len() as u64,
            };
            weight.abs() * count as f64
        })
        .sum();
    let mut mean = sums(context, pairs, squares, large, watch).await?.value.abs() / weight;
    if mean <= MIN_MEAN * large {
        mean = sums(context, pairs, squares, small, watch).await?.value.abs() / weight;
    }
    // Points that all coincide have no unit of their own.
    Ok(if mean > 0.0 && mean.is_finite() { mean } else { 1.0 })
}

async fn sums(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    function: PairFunction<'_>,
    square: f64,
    watch: &Watch,
) -> Result<FunctionSums> {
    let exponent = exponent(pairs, function)?;
    context
        .scoped("summing a function of pairs", async {
            let table = SimilarityTable::new(context, pairs, exponent, 0.0).await?;
            let map = PairMap::new(context, &table, function, square)?;
            let pass = &table.pass;
            let mut stream = Stream::collecting(MapSums::default(), context, pass.x.stored, Some(watch))?;
            for block in pass.blocks() {
                table.fill(&mut stream, &block, pass.counted(&block)).await?;
                map.apply(&mut stream, &block, pass.pairs_of(&block)).await?;
            }
            map.sums(stream.finish().await?)
        })
        .await
}
