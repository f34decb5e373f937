//! Sums of exponentials over every row and every column of each block's similarities.

use std::{ops::Range, sync::Arc};

use crate::{
    error::Result,
    gpu::{
        block::{
            segments::{GroupBlocks, Rectangles, Segments},
            similarities::{READ_COST, SimilarityTable},
        },
        device::{
            context::Context,
            stream::{Collector, Stream, Sums, TileSum, Tiles},
        },
        kernel::{
            accuracy::{self, Climb, Evidence, Reduction},
            exponent::{Line, PairExponent},
            params::{ColumnParams, CountedPairs},
            table::Shader,
        },
    },
    kernel::Kernel,
    log_sum::LogSumExp,
    pairs::Pairs,
    points::Points,
    progress::Watch,
    schedule::{Block, panels},
    weights::{PointWeights, RowLogSums},
};

/// Columns that a workgroup of `shaders/column_sums.wgsl` works on.
pub(crate) const COLUMNS: usize = 16;

/// log Σⱼ wⱼ k(xᵢ, yⱼ) for every point of either set and every kernel, from as few tables as their accuracy allows.
pub(crate) async fn row_log_sums(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    kernels: &[Kernel],
    weights: Option<PointWeights<'_>>,
    watch: &Watch,
) -> Result<Vec<RowLogSums>> {
    let scaling = pairs.sides().0.scaling();
    let exponent = |&kernel: &Kernel| {
        PairExponent::of_rows(accuracy::first(pairs, kernel, Reduction::Rows), kernel, scaling)
    };
    let exponents = kernels.iter().map(exponent).collect::<Result<Vec<_>>>()?;
    let totals = Totals::new(pairs, weights);
    let table = |exponent: &PairExponent| (exponent.arithmetic, exponent.line().origin);
    let mut sums: Vec<Option<RowLogSums>> = vec![None; kernels.len()];
    let mut passes = watch.passes();
    while let Some(first) = sums.iter().position(Option::is_none) {
        let alike = |&i: &usize| table(&exponents[i]) == table(&exponents[first]);
        let places: Vec<_> = (first..kernels.len()).filter(alike).collect();
        let alike: Vec<_> = places.iter().map(|&i| exponents[i]).collect();
        // Rows of the first set, and then of the second, kernel by kernel.
        let rows = totals.weights.len();
        let evidence = |at: usize, &log: &f64| {
            let exponent = alike[at / rows];
            Evidence {
                log_mean: log - totals.weights[at % rows].ln() - exponent.top(),
                t: exponent.t(),
                tile_share: 0.0,
                dropped: false,
            }
        };
        let mut climb = Climb::new(exponents[first].arithmetic, passes.next());
        while let Some((by, watch)) = climb.step() {
            let exponents: Vec<_> = alike.iter().map(|exponent| exponent.by(by)).collect();
            let sums = together(context, pairs, &exponents, weights, &totals, watch).await?;
            climb.judge(sums, evidence);
        }
        let mut found = climb.finish().into_iter().map(|found| found.result);
        for place in places {
            let x = found.by_ref().take(totals.left).collect();
            let y: Vec<_> = found.by_ref().take(rows - totals.left).collect();
            sums[place] = Some(RowLogSums { x, y: (!matches!(pairs, Pairs::Within(_))).then_some(y) });
        }
    }
    Ok(sums.into_iter().flatten().collect())
}

/// For each of some exponents, which have one table of similarities, the log sums of the rows of both sets.
async fn together(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    exponents: &[PairExponent],
    weights: Option<PointWeights<'_>>,
    totals: &Totals,
    watch: &Watch,
) -> Result<Vec<f64>> {
    let (x, y) = pairs.sides();
    let Some(first) = exponents.first() else { return Ok(Vec::new()) };
    context
        .scoped("summing rows", async {
            let origin = first.line().origin;
            let lines: Vec<_> = exponents.iter().map(|exponent| exponent.line_from(origin)).collect();
            let table = SimilarityTable::new(context, pairs, *first, origin).await?;
            let (pass, within) = (&table.pass, table.pass.one_set());
            let own = Panels::new(context, weights.map(|weights| weights.x), x.rows(), pass.x.panel_rows)?;
            let others = match within {
                true => None,
                false => {
                    Some(Panels::new(context, weights.map(|weights| weights.y), y.rows(), pass.y.panel_rows)?)
                }
            };
            let others = others.as_ref().unwrap_or(&own);

            let of_sets = [x.rows(), if within { 0 } else { y.rows() }].map(|n| vec![LogSumExp::EMPTY; n]);
            let results = RowSums { sums: vec![of_sets; lines.len()], lines };
            let mut stream = Stream::collecting(results, context, pass.x.stored, Some(watch))?;
            let rectangles = GroupBlocks::new(context, exponents)?;
            let every_row = Segments::every(context, pass.x.panel_rows)?;
            let whole = panels(y.rows(), pass.y.panel_rows)
                .map(|cols| Segments::new(context, vec![0, cols.len() as u32]))
                .collect::<Result<Vec<_>>>()?;
            for block in pass.blocks() {
                // A row has pairs on either side of the diagonal.
                let counted = match pass.counted(&block) {
                    CountedPairs::AboveDiagonal => CountedPairs::OffDiagonal,
                    counted => counted,
                };
                table.fill(&mut stream, &block, counted).await?;
                let (row, col) = pass.panel_numbers(&block);
                let pairs = pass.pairs_of(&block);
                let of = Rectangles {
                    block: &block,
                    counted,
                    rows: every_row.first(block.rows.len()),
                    cols: whole[col].all(),
                    weights: &others.buffers[col],
                    pairs: if block.diagonal { pairs } else { 0 },
                };
                let to = Rows { side: 0, first: block.rows.start, kernel: 0, kernels: exponents.len() };
                rectangles.sum(&mut stream, &table, of, to).await?;
                if block.diagonal {
                    continue;
                }
                for (kernel, &exponent) in exponents.iter().enumerate() {
                    let to = Rows { side: usize::from(!within), first: block.cols.start, kernel, kernels: 1 };
                    let of = Columns {
                        block: &block,
                        counted,
                        exponent,
                        weights: &own.buffers[row],
                        // Pairs count once.
                        pairs: if kernel == 0 { pairs } else { 0 },
                    };
                    sum_columns(&mut stream, &table, of, to).await?;
                }
            }
            let RowSums { sums, lines } = stream.finish().await?;
            let mut logs = Vec::new();
            for (line, [of_x, of_y]) in lines.into_iter().zip(sums) {
                let (of_x, of_y) =
                    (of_x.into_iter().map(|sum| (sum, others)), of_y.into_iter().map(|sum| (sum, &own)));
                for ((sum, weights), total) in of_x.chain(of_y).zip(&totals.weights) {
                    logs.push(line.with_ones(sum, total / weights.largest).log() + weights.largest.ln());
                }
            }
            Ok(logs)
        })
        .await
}

/// The weights of all points that each row has pairs with, rows of the first set first.
struct Totals {
    left: usize,
    weights: Vec<f64>,
}

impl Totals {
    fn new(pairs: Pairs<'_>, weights: Option<PointWeights<'_>>) -> Self {
        let (x, y) = pairs.sides();
        let all = |weights: Option<&[f64]>, points: &Points| {
            weights.map_or_else(|| vec![1.0; points.rows()], <[f64]>::to_vec)
        };
        let (of_x, of_y) = (all(weights.map(|w| w.x), x), all(weights.map(|w| w.y), y));
        let totals = match pairs {
            Pairs::Within(_) => all_but_own(&of_x),
            Pairs::Unpaired(..) => [all_but_own(&of_y), all_but_own(&of_x)].concat(),
            Pairs::Across(..) => {
                [vec![of_y.iter().sum(); x.rows()], vec![of_x.iter().sum(); y.rows()]].concat()
            }
        };
        Self { left: x.rows(), weights: totals }
    }
}

/// For each of some weights, the sum of the others, with no difference that could cancel.
fn all_but_own(weights: &[f64]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(weights.len());
    let mut after = 0.0;
    for weight in weights.iter().rev() {
        sums.push(after);
        after += weight;
    }
    sums.reverse();
    let mut before = 0.0;
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += before;
        before += weight;
    }
    sums
}

/// Sums of every row of either set, for every kernel.
struct RowSums {
    lines: Vec<Line>,
    sums: Vec<[Vec<LogSumExp>; 2]>,
}

/// Rows of one set from `first` on, each with its sums for some kernels.
#[derive(Clone, Copy)]
struct Rows {
    side: usize,
    first: usize,
    kernel: usize,
    kernels: usize,
}

impl Collector for RowSums {
    type Destination = Rows;

    fn add(&mut self, to: Rows, number: usize, tile: TileSum) {
        let (row, kernel) = (to.first + number / to.kernels, to.kernel + number % to.kernels);
        // Columns are filled up to whole workgroups.
        if let Some(sum) = self.sums[kernel][to.side].get_mut(row) {
            *sum = sum.combine(self.lines[kernel].log_sum(tile));
        }
    }
}

/// Columns of a block, and the weights of its rows.
struct Columns<'a> {
    block: &'a Block,
    counted: CountedPairs,
    exponent: PairExponent,
    weights: &'a wgpu::Buffer,
    pairs: u64,
}

async fn sum_columns(
    stream: &mut Stream<'_, RowSums>,
    table: &SimilarityTable<'_>,
    of: Columns<'_>,
    to: Rows,
) -> Result<()> {
    let Columns { block, counted, exponent, weights, pairs } = of;
    let (rows, cols) = (block.rows.len(), block.cols.len());
    let [scale_high, scale_low, scale_least] = exponent.scale();
    let sums = stream.sums();
    let tiles = Tiles {
        shader: Shader::ColumnSums { less_one: exponent.arithmetic.less_one },
        buffers: &[&table.buffer, weights, &sums],
        count: cols.div_ceil(COLUMNS) as u32,
        sums: Some(Sums { per_tile: COLUMNS as u32, to }),
        cost: READ_COST * (rows * COLUMNS) as f64,
        pairs,
    };
    stream
        .tiles(tiles, |first_tile, first_sum| ColumnParams {
            rows: rows as u32,
            cols: cols as u32,
            stride: table.quads(),
            diagonal: counted.code(),
            first_tile,
            first_sum,
            scale_high,
            scale_low,
            scale_least,
            zero: 0,
        })
        .await
}

/// The weights of a set's points, panel by panel.
struct Panels {
    buffers: Vec<wgpu::Buffer>,
    /// The largest, of which the others are parts: those below 1e-37 of it count for nothing.
    largest: f64,
}

impl Panels {
    fn new(context: &Context, weights: Option<&[f64]>, rows: usize, panel_rows: usize) -> Result<Self> {
        let most = weights.map_or(1.0, |weights| weights.iter().copied().fold(0.0, f64::max));
        let part = |rows: Range<usize>| -> Vec<f32> {
            match weights {
                Some(weights) if most > 0.0 => weights[rows].iter().map(|m| (m / most) as f32).collect(),
                Some(_) => vec![0.0; rows.len()],
                None => vec![1.0; rows.len()],
            }
        };
        let buffers = panels(rows, panel_rows).map(|rows| context.filled("weights of points", &part(rows)));
        Ok(Self { buffers: buffers.collect::<Result<_>>()?, largest: most })
    }
}
