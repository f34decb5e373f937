//! Sums of exponentials over every row and every column of each block's similarities.

use std::{ops::Range, sync::Arc};

use crate::{
    error::{Error, Result},
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
            exponent::{Line, PairExponent},
            params::{ColumnParams, CountedPairs},
            table::Shader,
        },
    },
    kernel::Exponent,
    log_sum::LogSumExp,
    pairs::Pairs,
    progress::Watch,
    schedule::{Block, panels},
    weights::{PointWeights, RowLogSums},
};

/// Columns that a workgroup of `shaders/column_sums.wgsl` works on.
pub(crate) const COLUMNS: usize = 16;

/// log Σⱼ mⱼ exp(eᵢⱼ) for every point of either set.
pub(crate) fn row_log_sums(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    exponent: Exponent,
    masses: Option<PointWeights<'_>>,
    watch: &Watch<'_>,
) -> Result<RowLogSums> {
    let (x, y) = pairs.sides();
    let pair_exponent = PairExponent::of_rows(exponent, x.scaling(), x.rows() as u64 * y.rows() as u64)?;
    let sums = together(context, pairs, &[(exponent, pair_exponent)], masses, watch)?.pop();
    sums.ok_or_else(|| Error::missing("the sum of each row"))
}

/// log Σⱼ exp(⟨x, y⟩/τ) for every point of either set and every τ, from as few tables as their precision allows.
pub(crate) fn row_log_sums_of_logits(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    taus: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<RowLogSums>> {
    let (x, y) = pairs.sides();
    let of_tau = |&tau: &f64| {
        let exponent = Exponent::Logit { tau };
        Ok((exponent, PairExponent::of_rows(exponent, x.scaling(), x.rows() as u64 * y.rows() as u64)?))
    };
    let each = taus.iter().map(of_tau).collect::<Result<Vec<_>>>()?;
    let mut sums: Vec<Option<RowLogSums>> = vec![None; taus.len()];
    let mut passes = watch.passes();
    while let Some(first) = sums.iter().position(Option::is_none) {
        let alike = |&i: &usize| each[i].1.similarity() == each[first].1.similarity();
        let places: Vec<_> = (first..taus.len()).filter(alike).collect();
        let exponents: Vec<_> = places.iter().map(|&i| each[i]).collect();
        let found = together(context, pairs, &exponents, None, passes.next())?;
        places.into_iter().zip(found).for_each(|(i, found)| sums[i] = Some(found));
    }
    Ok(sums.into_iter().flatten().collect())
}

/// For each of some exponents, which have one table of similarities, what it leaves of it.
fn together(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    exponents: &[(Exponent, PairExponent)],
    masses: Option<PointWeights<'_>>,
    watch: &Watch<'_>,
) -> Result<Vec<RowLogSums>> {
    let (x, y) = pairs.sides();
    let Some(&(exponent, first)) = exponents.first() else { return Ok(Vec::new()) };
    let pair_exponents: Vec<_> = exponents.iter().map(|&(_, pair_exponent)| pair_exponent).collect();
    context.scoped("summing rows", || {
        let origin = first.line(exponent).origin;
        let lines: Vec<_> = exponents
            .iter()
            .map(|&(exponent, pair_exponent)| pair_exponent.line_from(exponent, origin))
            .collect();
        let table = SimilarityTable::new(context, pairs, first, origin)?;
        let (pass, within) = (&table.pass, table.pass.one_set());
        let own = Panels::new(context, masses.map(|m| m.x), x.rows(), pass.x.panel_rows)?;
        let others = match within {
            true => None,
            false => Some(Panels::new(context, masses.map(|m| m.y), y.rows(), pass.y.panel_rows)?),
        };
        let others = others.as_ref().unwrap_or(&own);

        let of_sets = [x.rows(), if within { 0 } else { y.rows() }].map(|n| vec![LogSumExp::EMPTY; n]);
        let results = RowSums { sums: vec![of_sets; lines.len()], lines };
        let mut stream = Stream::collecting(results, context, pass.x.stored, Some(watch))?;
        let rectangles = GroupBlocks::new(context, &pair_exponents)?;
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
            table.fill(&mut stream, &block, counted)?;
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
            let to = Rows { side: 0, first: block.rows.start, kernel: 0, kernels: pair_exponents.len() };
            rectangles.sum(&mut stream, &table, of, to)?;
            if block.diagonal {
                continue;
            }
            for (kernel, &pair_exponent) in pair_exponents.iter().enumerate() {
                let to = Rows { side: usize::from(!within), first: block.cols.start, kernel, kernels: 1 };
                let of = Columns {
                    block: &block,
                    counted,
                    pair_exponent,
                    weights: &own.buffers[row],
                    // Pairs count once.
                    pairs: if kernel == 0 { pairs } else { 0 },
                };
                sum_columns(&mut stream, &table, of, to)?;
            }
        }
        let sums = stream.finish()?.sums;
        let logs =
            |sums: Vec<LogSumExp>, log: f64| sums.into_iter().map(|sum| sum.log() + log).collect::<Vec<_>>();
        let result = |[x, y]: [Vec<LogSumExp>; 2]| RowLogSums {
            x: logs(x, others.log),
            y: (!within).then(|| logs(y, own.log)),
        };
        Ok(sums.into_iter().map(result).collect())
    })
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
    pair_exponent: PairExponent,
    weights: &'a wgpu::Buffer,
    pairs: u64,
}

fn sum_columns(
    stream: &mut Stream<'_, RowSums>,
    table: &SimilarityTable<'_>,
    of: Columns<'_>,
    to: Rows,
) -> Result<()> {
    let Columns { block, counted, pair_exponent, weights, pairs } = of;
    let (rows, cols) = (block.rows.len(), block.cols.len());
    let [scale_high, scale_low, scale_least] = pair_exponent.scale();
    let sums = stream.sums();
    let tiles = Tiles {
        shader: Shader::ColumnSums,
        buffers: &[&table.buffer, weights, &sums],
        count: cols.div_ceil(COLUMNS) as u32,
        sums: Some(Sums { per_tile: COLUMNS as u32, to }),
        cost: READ_COST * (rows * COLUMNS) as f64,
        pairs,
    };
    stream.tiles(tiles, |first_tile, first_sum| ColumnParams {
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
}

/// The masses of a set's points, panel by panel.
struct Panels {
    buffers: Vec<wgpu::Buffer>,
    /// The log of the largest, of which the others are parts: those below 1e-37 of it count for nothing.
    log: f64,
}

impl Panels {
    fn new(context: &Context, masses: Option<&[f64]>, rows: usize, panel_rows: usize) -> Result<Self> {
        let most = masses.map_or(1.0, |masses| masses.iter().copied().fold(0.0, f64::max));
        let part = |rows: Range<usize>| -> Vec<f32> {
            match masses {
                Some(masses) if most > 0.0 => masses[rows].iter().map(|m| (m / most) as f32).collect(),
                Some(_) => vec![0.0; rows.len()],
                None => vec![1.0; rows.len()],
            }
        };
        let buffers = panels(rows, panel_rows).map(|rows| context.filled("masses of points", &part(rows)));
        Ok(Self { buffers: buffers.collect::<Result<_>>()?, log: most.ln() })
    }
}
