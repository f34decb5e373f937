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
    let (during, at_end) = progress(pairs, function, watch);
    let value = match by_means(context, pairs, function, None, &during).await? {
        Some((sums, _)) => sums.value,
        None => {
            let square = unit_square(context, pairs, function, &watch.silent()).await?;
            sums(context, pairs, function, square, &during).await?.value
        }
    };
    watch.advance(at_end)?;
    Ok(value)
}

/// The watch over a function's sum, and the pairs that count at its end: those of one class, where a pass goes through all.
pub(crate) fn progress(pairs: Pairs<'_>, function: PairFunction<'_>, watch: &Watch) -> (Watch, u64) {
    match function {
        PairFunction::InClass { classes, .. } => {
            (watch.silent(), classes.pairs(matches!(pairs, Pairs::Within(_))).into_iter().sum())
        }
        PairFunction::Softplus { .. } | PairFunction::GaussianLoss { .. } => (watch.clone(), 0),
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
    let counts = classes.pairs(matches!(pairs, Pairs::Within(_)));
    let weight: f64 =
        counts.into_iter().zip(classes.weights).map(|(count, weight)| weight.abs() * count as f64).sum();
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
            let map = PairMap::new(&table, function, square)?;
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
