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
    let mut passes = watch.passes();
    let square = unit_square(context, pairs, function, &watch.silent()).await?;
    Ok(sums(context, pairs, function, square, passes.next()).await?.value)
}

/// The square of the unit in which f32 holds the powers of these distances: of raw points, their mean square.
pub(crate) async fn unit_square(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    function: PairFunction<'_>,
    watch: &Watch,
) -> Result<f64> {
    let PairFunction::InClass { term, classes } = function else { return Ok(1.0) };
    if pairs.sides().0.scaling() == Scaling::Unit {
        return Ok(MAX_UNIT_SQUARE);
    }
    let [large, small] = RAW_UNITS;
    let squares = match term {
        ClassTerm::Dot => return Ok(large),
        ClassTerm::Distance { .. } => {
            PairFunction::InClass { term: ClassTerm::Distance { alpha: 2.0 }, classes }
        }
    };
    let count = pairs.count() as f64;
    let weight = classes.weights.iter().fold(0.0f64, |most, weight| most.max(weight.abs()));
    let mut mean = sums(context, pairs, squares, large, watch).await?.value / (weight * count);
    if mean <= MIN_MEAN * large {
        mean = sums(context, pairs, squares, small, watch).await?.value / (weight * count);
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
