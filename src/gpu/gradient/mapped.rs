//! The gradient of a sum over pairs of a function that is no exponential: its slopes are the weights.

use std::sync::Arc;

use crate::{
    error::{Error, Result},
    function::{FunctionSums, PairFunction},
    gpu::{
        block::{
            map::{MapSums, PairMap, exponent},
            similarities::SimilarityTable,
        },
        device::{context::Context, stream::Stream},
        gradient::{finish::Sides, weighted::added},
        kernel::{
            accuracy::{Climb, Evidence, Products},
            table::Similarity,
        },
        reduce::{
            classes::by_means,
            mapped::{progress, unit_square},
        },
    },
    pairs::Pairs,
    progress::Watch,
    weights::Gradients,
};

/// A sum with its gradients by one arithmetic.
struct Summed {
    sums: FunctionSums,
    gradients: Gradients,
    /// Little of the weighted sums was left.
    dropped: bool,
}

/// Σ f(x, y) over the pairs, and the gradient of `scale` times that, added to `into` where given.
pub(crate) async fn function_gradient(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    function: PairFunction<'_>,
    scale: f64,
    into: Option<Gradients>,
    watch: &Watch,
) -> Result<(FunctionSums, Gradients)> {
    let (during, at_end) = progress(pairs, function, watch);
    let by_means = by_means(context, pairs, function, Some(scale), &during).await?;
    let (sums, part) = match by_means {
        Some((sums, Some(part))) => (sums, part),
        _ => by_pairs(context, pairs, function, scale, &during).await?,
    };
    watch.advance(at_end)?;
    Ok((sums, added(context, part, into).await?))
}

/// The same from all pairs.
async fn by_pairs(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    function: PairFunction<'_>,
    scale: f64,
    watch: &Watch,
) -> Result<(FunctionSums, Gradients)> {
    let exponent = exponent(pairs, function)?;
    let square = unit_square(context, pairs, function, &watch.silent()).await?;
    context
        .scoped("differentiating a function of pairs", async {
            let table = SimilarityTable::new(context, pairs, exponent, 0.0).await?;
            let map = PairMap::new(&table, function, square)?;
            let evidence = |_, summed: &Summed| Evidence {
                // Slopes tell nothing of a mean.
                log_mean: f64::NEG_INFINITY,
                t: exponent.t(),
                tile_share: 0.0,
                dropped: summed.dropped,
            };
            let mut climb = Climb::new(exponent.arithmetic, watch);
            while let Some((by, watch)) = climb.step() {
                let summed = summed(context, &table, &map, by.products, scale, watch).await?;
                climb.judge(vec![summed], evidence);
            }
            let found = climb.finish().pop();
            let found = found.ok_or_else(|| Error::missing("the gradient of a function of pairs"))?.result;
            Ok((found.sums, found.gradients))
        })
        .await
}

/// The sum and the gradients, by products with points or with differences.
async fn summed(
    context: &Arc<Context>,
    table: &SimilarityTable<'_>,
    map: &PairMap<'_>,
    products: Products,
    scale: f64,
    watch: &Watch,
) -> Result<Summed> {
    let pass = &table.pass;
    let sides = Sides::zeros(pass)?;
    let mut stream = Stream::collecting(MapSums::default(), context, pass.x.stored, Some(watch))?;
    for block in pass.blocks() {
        table.fill(&mut stream, &block, pass.counted(&block)).await?;
        map.apply(&mut stream, &block, 0).await?;
        pass.add_products(&mut stream, products, &block, (&table.buffer, table.stride), sides.both()).await?;
    }
    let sums = map.sums(stream.finish().await?)?;
    let dropped = sides.finish(pass, map.slope_factor() * scale).await?;
    let of_raw = pass.exponent.similarity() == Similarity::Product;
    Ok(Summed {
        // A function has its derivatives beside it.
        gradients: sides.into_gradients(pass, 0.0),
        // Each pair has weighed on both of its points.
        dropped: !of_raw && dropped.too_much(2.0 * sums.by_bias),
        sums,
    })
}
