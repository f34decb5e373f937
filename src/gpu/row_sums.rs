//! Sums of exponentials over every row and every column of each block's similarities.

use std::{cell::RefCell, ops::Range, sync::Arc};

use super::{
    context::Context,
    params::ColumnParams,
    potential::Potential,
    rectangles::{Cuts, Rectangles},
    runs::Runs,
    shaders::Kernel,
    stream::{Stream, Tiles},
    table::{READ, Table},
};
use crate::{
    LogSum, Result,
    backend::{Exponent, Masses, Pairs, RowLogSums},
    pairs::{Block, panels},
    progress::Watch,
};

/// Columns that a workgroup of `shaders/column_sums.wgsl` works on.
pub(super) const COLUMNS: usize = 16;

/// log Σⱼ mⱼ exp(eᵢⱼ) for every point of either set.
pub(super) fn row_log_sums(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    exponent: Exponent,
    masses: Option<Masses<'_>>,
    watch: &Watch<'_>,
) -> Result<RowLogSums> {
    let (x, y) = pairs.sides();
    let potential = Potential::of_rows(exponent, x.scaling(), x.rows() as u64 * y.rows() as u64)?;
    context.scoped("summing rows", || {
        let line = potential.line(exponent);
        let table = Table::new(context, pairs, potential, line.origin)?;
        let (sweep, within) = (&table.sweep, table.sweep.within);
        let own = Panels::new(context, masses.map(|m| m.x), x.rows(), sweep.x.panel_rows)?;
        let others = match within {
            true => None,
            false => Some(Panels::new(context, masses.map(|m| m.y), y.rows(), sweep.y.panel_rows)?),
        };
        let others = others.as_ref().unwrap_or(&own);

        let runs = Runs::<(usize, usize)>::new();
        let sums =
            [x.rows(), if within { 0 } else { y.rows() }].map(|n| RefCell::new(vec![LogSum::EMPTY; n]));
        let mut stream = Stream::with_each(context, sweep.x.stored, Some(watch), |tile| {
            if let Some(((side, start), number)) = runs.next() {
                // Columns are filled up to whole workgroups.
                if let Some(sum) = sums[side].borrow_mut().get_mut(start + number) {
                    *sum = sum.combine(line.log_sum(tile));
                }
            }
        })?;
        let rectangles = Rectangles::new(context, &[potential])?;
        let every_row = Cuts::every(context, sweep.x.panel_rows)?;
        let whole = panels(y.rows(), sweep.y.panel_rows)
            .map(|cols| Cuts::new(context, vec![0, cols.len() as u32]))
            .collect::<Result<Vec<_>>>()?;
        for block in sweep.blocks() {
            // A row has pairs on either side of the diagonal.
            let diagonal = if block.diagonal { 2 } else { sweep.diagonal(&block) };
            table.fill(&mut stream, &block, diagonal)?;
            let (row, col) = sweep.panel_numbers(&block);
            runs.expect((0, block.rows.start), block.rows.len());
            let cuts = (every_row.first(block.rows.len()), &whole[col]);
            let pairs = sweep.pairs_of(&block);
            let by_rows = if block.diagonal { pairs } else { 0 };
            rectangles.sum(&mut stream, &table, (&block, diagonal), cuts, &others.buffers[col], by_rows)?;
            if !block.diagonal {
                let columns = block.cols.len().next_multiple_of(COLUMNS);
                runs.expect((usize::from(!within), block.cols.start), columns);
                sum_columns(&mut stream, &table, &block, &own.buffers[row], diagonal, pairs)?;
            }
        }
        stream.finish()?;
        let [x_sums, y_sums] = sums.map(RefCell::into_inner);
        let logs =
            |sums: Vec<LogSum>, log: f64| sums.into_iter().map(|sum| sum.log() + log).collect::<Vec<_>>();
        let y = (!within).then(|| logs(y_sums, own.log));
        Ok(RowLogSums { x: logs(x_sums, others.log), y })
    })
}

fn sum_columns(
    stream: &mut Stream<'_>,
    table: &Table<'_>,
    block: &Block,
    masses: &wgpu::Buffer,
    diagonal: u32,
    pairs: u64,
) -> Result<()> {
    let (rows, cols) = (block.rows.len(), block.cols.len());
    let [scale_high, scale_low, scale_least] = table.sweep.potential.scale();
    let sums = stream.sums();
    let tiles = Tiles {
        kernel: Kernel::ColumnSums,
        buffers: &[&table.buffer, masses, &sums],
        count: cols.div_ceil(COLUMNS) as u32,
        sums: COLUMNS as u32,
        cost: READ * (rows * COLUMNS) as f64,
        pairs,
    };
    stream.tiles(tiles, |first_tile, first_sum| ColumnParams {
        rows: rows as u32,
        cols: cols as u32,
        stride: table.quads(),
        diagonal,
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
