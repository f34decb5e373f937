//! The gradient of Σ wᵢⱼeᵢⱼ, where the weights are exponentials with factors for each point and stay as they are: each
//! block's similarities to scratch, there to weights, then two products of them, one for either side.

use std::sync::Arc;

use crate::{
    error::{Error, Result},
    gpu::{
        block::similarities::{READ_COST, SimilarityTable},
        device::{
            context::{Context, TILE},
            stream::{Collector, Stream, Sums, TileSum, Tiles},
        },
        gradient::finish::Sides,
        kernel::{
            accuracy::{self, Climb, Evidence, Products, Reduction},
            exponent::{Line, PairExponent},
            params::{RowParams, WeighParams},
            table::{Shader, Similarity},
        },
        points::matrix::GpuMatrix,
    },
    kernel::Kernel,
    pairs::Pairs,
    points::Matrix,
    precision::Storage,
    progress::Watch,
    schedule::{Block, panels},
    weights::{Gradients, PairWeights},
};

/// Columns that a workgroup of `shaders/weigh.wgsl` works on.
pub(crate) const COLUMNS: usize = 256;
/// Logs of the largest weight between which f32 holds it and those that count beside it: exponentials end at 2^12.5.
const LOG_WEIGHTS_IN_F32: std::ops::RangeInclusive<f64> = -40.0..=8.0;

/// The gradient of a sum of exponents, each times its weight and `scale`.
pub(crate) struct WeightedSum<'a> {
    pub(crate) kernel: Kernel,
    pub(crate) weights: PairWeights<'a>,
    pub(crate) scale: f64,
}

/// The gradient of `scale` · Σ wᵢⱼeᵢⱼ, added to `into` where given.
pub(crate) async fn weighted_grad(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    sum: WeightedSum<'_>,
    into: Option<Gradients>,
    watch: &Watch,
) -> Result<Gradients> {
    let WeightedSum { kernel, weights, scale } = sum;
    let first = accuracy::first(pairs, kernel, Reduction::Weights);
    let exponent = PairExponent::of_rows(first, kernel, pairs.sides().0.scaling())?;
    let part = context
        .scoped("differentiating weighted sums", async {
            let line = exponent.line();
            let table = SimilarityTable::new(context, pairs, exponent, line.origin).await?;
            let weights = Weights { context, table: &table, line, weights, scale };
            let evidence = |_, pulled: &Pulled| Evidence {
                // Weights tell nothing of a mean.
                log_mean: f64::NEG_INFINITY,
                t: exponent.t(),
                tile_share: 0.0,
                dropped: pulled.dropped,
            };
            let mut shift = 0.0;
            let mut climb = Climb::new(first, watch);
            while let Some((by, watch)) = climb.step() {
                let pulled = weights.pulled(by.products, &mut shift, watch).await?;
                climb.judge(vec![pulled], evidence);
            }
            let part = climb.finish().pop();
            let part = part.ok_or_else(|| Error::missing("the gradient of a weighted sum"))?.result.gradients;
            Ok(part)
        })
        .await?;
    added(context, part, into).await
}

/// Gradients by one arithmetic.
struct Pulled {
    gradients: Gradients,
    /// Little of the weighted sums was left.
    dropped: bool,
}

/// A gradient, added to a sum where there is one.
pub(crate) async fn added(
    context: &Arc<Context>,
    part: Gradients,
    into: Option<Gradients>,
) -> Result<Gradients> {
    let Some(sum) = into else { return Ok(part) };
    context
        .scoped("adding gradients", async {
            add(context, &part.x, &sum.x).await?;
            if let (Some(part), Some(sum)) = (&part.y, &sum.y) {
                add(context, part, sum).await?;
            }
            Ok(())
        })
        .await?;
    Ok(Gradients { by_log_scale: sum.by_log_scale + part.by_log_scale, ..sum })
}

/// sum += part, row by row.
async fn add(context: &Arc<Context>, part: &Matrix, sum: &Matrix) -> Result<()> {
    let dims = part.shape().1;
    let (part, sum) = (GpuMatrix::of(part, context)?, GpuMatrix::of(sum, context)?);
    let mut stream = Stream::new(context, Storage::F32)?;
    let params = RowParams { dims: dims as u32 };
    for (part, sum) in part.shards.iter().zip(&sum.shards) {
        debug_assert_eq!(part.rows, sum.rows);
        let rows = part.rows.len();
        stream
            .dispatch(Shader::Add, &params, &[&part.values, &sum.values], rows, (rows * dims) as f64)
            .await?;
    }
    stream.finish().await.map(drop)
}

/// The largest of some weights, and their sum.
struct WeightSums {
    slope: f64,
    log_of_largest: f64,
    total: f64,
}

impl Collector for WeightSums {
    type Destination = ();

    fn add(&mut self, (): (), _: usize, tile: TileSum) {
        if tile.sum > 0.0 {
            self.log_of_largest = self.log_of_largest.max(self.slope * f64::from(tile.pivot));
            self.total += f64::from(tile.sum);
        }
    }
}

/// The weights of a pass.
#[derive(Clone, Copy)]
struct Weights<'a> {
    context: &'a Arc<Context>,
    table: &'a SimilarityTable<'a>,
    line: Line,
    weights: PairWeights<'a>,
    scale: f64,
}

impl Weights<'_> {
    /// The gradient by products with points or with differences, weights being relative to exp(`shift`), which f32 may ask
    /// to change once.
    async fn pulled(&self, products: Products, shift: &mut f64, watch: &Watch) -> Result<Pulled> {
        let pass = &self.table.pass;
        let mut passes = watch.passes();
        loop {
            let sides = Sides::zeros(pass)?;
            let sums = self.sums_of_blocks(products, *shift, sides.both(), passes.next()).await?;
            let largest = sums.log_of_largest;
            if !LOG_WEIGHTS_IN_F32.contains(&largest) && largest.is_finite() {
                if *shift != 0.0 {
                    return Err(Error::Overflow { metric: "a weight" });
                }
                *shift = largest;
                continue;
            }
            let scale = pass.exponent.gradient_factor() * shift.exp() * self.scale;
            let dropped = sides.finish(pass, scale).await?;
            let of_raw = pass.exponent.similarity() == Similarity::Product;
            let by_log_scale = match of_raw {
                true => 0.5 * scale * dropped.along(),
                false => 0.5 * scale * dropped.along_differences(products, sums.total),
            };
            return Ok(Pulled {
                gradients: sides.into_gradients(pass, by_log_scale),
                // Each pair has weighed on both of its points.
                dropped: !of_raw && dropped.too_much(2.0 * sums.total),
            });
        }
    }

    /// Adds up the products, and the weights.
    async fn sums_of_blocks(
        &self,
        products: Products,
        shift: f64,
        gradients: (&GpuMatrix, &GpuMatrix),
        watch: &Watch,
    ) -> Result<WeightSums> {
        let (table, pass) = (self.table, &self.table.pass);
        let (p, q) = self.factors(shift)?;
        let q = q.as_ref().unwrap_or(&p);
        let weights = WeightSums { slope: self.line.slope, log_of_largest: f64::NEG_INFINITY, total: 0.0 };
        let mut stream = Stream::collecting(weights, self.context, pass.x.stored, Some(watch))?;
        for block in pass.blocks() {
            table.fill(&mut stream, &block, pass.counted(&block)).await?;
            let (row, col) = pass.panel_numbers(&block);
            self.weigh(&mut stream, &block, &p[row], &q[col]).await?;
            pass.add_products(&mut stream, products, &block, (&table.buffer, table.stride), gradients)
                .await?;
        }
        stream.finish().await
    }

    async fn weigh(
        &self,
        stream: &mut Stream<'_, WeightSums>,
        block: &Block,
        p: &wgpu::Buffer,
        q: &wgpu::Buffer,
    ) -> Result<()> {
        let (rows, cols) = (block.rows.len(), block.cols.len());
        let [scale_high, scale_low, scale_least] = self.table.pass.exponent.scale();
        let sums = stream.sums();
        let tiles = Tiles {
            shader: Shader::Weigh,
            buffers: &[&self.table.buffer, p, q, &sums],
            count: (rows.div_ceil(TILE) * cols.div_ceil(COLUMNS)) as u32,
            sums: Some(Sums { per_tile: 1, to: () }),
            cost: READ_COST * (TILE * COLUMNS) as f64,
            pairs: 0,
        };
        stream
            .tiles(tiles, |first_tile, first_sum| WeighParams {
                rows: rows as u32,
                cols: cols as u32,
                stride: self.table.quads(),
                diagonal: self.table.pass.counted(block).code(),
                sum: matches!(self.weights, PairWeights::Sum { .. }).into(),
                first_tile,
                first_sum,
                scale_high,
                scale_low,
                scale_least,
                zero: 0,
            })
            .await
    }

    /// The factors of the points on either side, panel by panel; of one set, those on the left are both.
    fn factors(&self, shift: f64) -> Result<(Vec<wgpu::Buffer>, Option<Vec<wgpu::Buffer>>)> {
        let pass = &self.table.pass;
        let offset = self.line.offset - shift;
        let panel_rows = pass.x.panel_rows;
        let of = |logs: &[f64], plus: f64| -> Result<Vec<wgpu::Buffer>> {
            let factors: Vec<[f32; 2]> =
                logs.iter().map(|&log| factor(log + plus, self.line.slope)).collect();
            let parts = panels(factors.len(), panel_rows);
            parts.map(|rows| self.context.filled("factors of points", &factors[rows])).collect()
        };
        match self.weights {
            PairWeights::Sum { p, q } => {
                Ok((of(p, offset)?, (!pass.one_set()).then(|| of(q, offset)).transpose()?))
            }
            // Where both lean far to opposite sides, they would leave few digits: what is common to all goes to neither.
            PairWeights::Product { p, q } if !pass.one_set() => {
                let most = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let most = if most.is_finite() { most } else { 0.0 };
                Ok((of(p, offset + most)?, Some(of(q, -most)?)))
            }
            PairWeights::Product { p, .. } => Ok((of(p, offset / 2.0)?, None)),
        }
    }
}

/// exp(`log`) as f·exp(−κa), a rounded and f what that takes: see `shaders/weigh.wgsl`.
fn factor(log: f64, slope: f64) -> [f32; 2] {
    if log == f64::NEG_INFINITY {
        return [0.0, 0.0];
    }
    let a = (-log / slope) as f32;
    [a, (log + slope * f64::from(a)).exp() as f32]
}
