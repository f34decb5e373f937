//! Sums of exponentials over rectangles of each block's similarities: of whole rows, of groups, or of all for several t.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use super::{
    context::{Context, TILE},
    params::RectangleParams,
    potential::{Line, Potential},
    runs::Runs,
    shaders::Kernel,
    stream::{Stream, TileSum, Tiles},
    table::{READ, Table},
};
use crate::{
    error::Result,
    kernel::Exponent,
    log_sum::LogSumExp,
    pairs::Pairs,
    points::Points,
    progress::Watch,
    schedule::{Block, panels, unordered},
};

/// Columns of a rectangle, of which a workgroup sums one, where nothing else says so.
const ACROSS: usize = 256;

/// Where the rectangles of a block begin, from top to bottom or from left to right, and where the last ends.
pub(super) struct Cuts {
    at: Vec<u32>,
    buffer: wgpu::Buffer,
}

impl Cuts {
    pub(super) fn new(context: &Context, at: Vec<u32>) -> Result<Self> {
        Ok(Self { buffer: context.filled("cuts of a block", &at)?, at })
    }

    /// One after every row.
    pub(super) fn every(context: &Context, rows: usize) -> Result<Self> {
        Self::new(context, (0..=rows as u32).collect())
    }

    /// Cuts at most `step` apart, and at every one of `ends` that lies within the rows, for every panel.
    fn panels(
        context: &Context,
        (rows, panel_rows): (usize, usize),
        step: usize,
        ends: &[usize],
    ) -> Result<Vec<Self>> {
        let cuts = panels(rows, panel_rows).map(|panel| {
            let inside = |end: &&usize| panel.contains(end);
            let mut at: Vec<_> =
                panel.clone().step_by(step).chain(ends.iter().filter(inside).copied()).collect();
            at.push(panel.end);
            at.sort_unstable();
            at.dedup();
            Self::new(context, at.into_iter().map(|at| (at - panel.start) as u32).collect())
        });
        cuts.collect()
    }

    /// The buffer, and how many parts there are.
    fn all(&self) -> (&wgpu::Buffer, usize) {
        self.first(self.at.len() - 1)
    }

    /// The first parts alone.
    pub(super) fn first(&self, parts: usize) -> (&wgpu::Buffer, usize) {
        (&self.buffer, parts)
    }
}

/// The kernel that sums rectangles, for one factor of exponents or several.
pub(super) struct Rectangles {
    scales: wgpu::Buffer,
    count: u32,
}

impl Rectangles {
    pub(super) fn new(context: &Context, potentials: &[Potential]) -> Result<Self> {
        let scales = potentials.iter().flat_map(|potential| {
            let [high, low, least] = potential.scale();
            [high, low, least, 0.0]
        });
        let scales = context.filled("factors of exponents", &scales.collect::<Vec<_>>())?;
        Ok(Self { scales, count: potentials.len() as u32 })
    }

    /// Sums every rectangle between cuts of rows and of columns, row by row.
    pub(super) fn sum(
        &self,
        stream: &mut Stream<'_>,
        table: &Table<'_>,
        (block, diagonal): (&Block, u32),
        ((rows, down), cols): ((&wgpu::Buffer, usize), &Cuts),
        masses: &wgpu::Buffer,
        pairs: u64,
    ) -> Result<()> {
        let (cols, across) = cols.all();
        let sums = stream.sums();
        let area = (block.rows.len() * block.cols.len()) as f64;
        let tiles = Tiles {
            kernel: Kernel::RectangleSums,
            buffers: &[&table.buffer, rows, cols, masses, &self.scales, &sums],
            count: (down * across) as u32,
            sums: self.count,
            cost: READ * f64::from(1 + self.count) / 2.0 * (area / (down * across) as f64).max(64.0),
            pairs,
        };
        stream.tiles(tiles, |first_tile, first_sum| RectangleParams {
            stride: table.quads(),
            diagonal,
            across: across as u32,
            scales: self.count,
            first_tile,
            first_sum,
            zero: 0,
        })
    }
}

impl Line {
    /// The sum of exponentials that a tile's is.
    pub(super) fn log_sum(self, tile: TileSum) -> LogSumExp {
        if tile.sum == 0.0 {
            return LogSumExp::EMPTY;
        }
        LogSumExp { max: self.at(tile.pivot), sum: tile.sum.into() }
    }
}

/// Σ exp(−t‖x−y‖²) for every t, in one sweep.
pub(super) fn log_sums(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let (x, y) = pairs.sides();
    let steepest = ts.iter().copied().fold(0.0, f64::max);
    let first = Potential::new(x.scaling(), x.rows() as u64 * y.rows() as u64, steepest);
    let sums = sums_of_groups(context, pairs, first, ts, (&[], 1), watch)?;
    let sums = match ts.iter().zip(&sums).find_map(|(&t, &sum)| first.with(t).refined(sum, pairs.count())) {
        Some(refined) => sums_of_groups(context, pairs, refined, ts, (&[], 1), &watch.silent())?,
        None => sums,
    };
    ts.iter().zip(sums).map(|(&t, sum)| first.with(t).settled(sum, pairs.count())).collect()
}

/// Σ exp(−t‖x−y‖²) over the pairs within each group and of each two, the points of a group side by side up to its end.
pub(super) fn group_log_sums(
    context: &Arc<Context>,
    x: &Points,
    ends: &[usize],
    t: f64,
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let groups = ends.len();
    let size = |group: usize| ends[group] - group.checked_sub(1).map_or(0, |before| ends[before]);
    let least = (0..groups).map(size).filter(|&size| size > 0).min().unwrap_or(0) as u64;
    let exponent = Exponent::Gaussian { t };
    let potential = Potential::of_rows(exponent, x.scaling(), least * least)?;
    let sum = |potential, watch: &Watch<'_>| {
        sums_of_groups(context, Pairs::Within(x), potential, &[t], (ends, groups), watch)
    };
    let mut sums = sum(potential, watch)?;
    let count = |i: usize, j: usize| match i == j {
        true => unordered(size(i)),
        false => size(i) as u64 * size(j) as u64,
    };
    let upper = || (0..groups).flat_map(|i| (i..groups).map(move |j| (i, j)));
    let refined = upper().find_map(|(i, j)| {
        let sum = sums[i * groups + j];
        (sum.sum > 0.0).then(|| potential.refined(sum, count(i, j))).flatten()
    });
    if let Some(refined) = refined {
        sums = sum(refined, &watch.silent())?;
    }
    for (i, j) in upper() {
        sums[j * groups + i] = sums[i * groups + j];
    }
    Ok(sums)
}

/// The sums for every t between every two groups of rows, the first of which is not below the second; or between all
/// rows, where there are no ends.
fn sums_of_groups(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    potential: Potential,
    ts: &[f64],
    (ends, groups): (&[usize], usize),
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    context.scoped("summing groups", || {
        let potentials: Vec<_> = ts.iter().map(|&t| potential.with(t)).collect();
        let origin = potential.line(Exponent::Gaussian { t: potential.t() }).origin;
        let line =
            |potential: &Potential| potential.line_from(Exponent::Gaussian { t: potential.t() }, origin);
        let lines: Vec<_> = potentials.iter().map(line).collect();
        let table = Table::new(context, pairs, potential, origin)?;
        let sweep = &table.sweep;
        let panel_rows = sweep.x.panel_rows;
        let down = Cuts::panels(context, (sweep.left.rows(), panel_rows), TILE, ends)?;
        let across = Cuts::panels(context, (sweep.right.rows(), panel_rows), ACROSS, ends)?;
        let ones = context.filled("masses of points", &vec![1.0f32; panel_rows])?;

        // Which group the rows after each cut belong to.
        let group = |row: usize| ends.partition_point(|&end| end <= row);
        let of = |start: usize, cuts: &Cuts| -> Rc<[usize]> {
            let parts = cuts.at.split_last().map_or(&[][..], |(_, parts)| parts);
            parts.iter().map(|&at| group(start + at as usize)).collect()
        };
        let runs = Runs::new();
        let sums = RefCell::new(vec![LogSumExp::EMPTY; groups * groups * ts.len()]);
        let mut stream = Stream::with_each(context, sweep.x.stored, Some(watch), |tile| {
            if let Some(((rows, cols), number)) = runs.next() {
                let (rows, cols): (Rc<[usize]>, Rc<[usize]>) = (rows, cols);
                let (rectangle, k) = (number / ts.len(), number % ts.len());
                let (i, j) = (rows[rectangle / cols.len()], cols[rectangle % cols.len()]);
                let sum = &mut sums.borrow_mut()[(i * groups + j) * ts.len() + k];
                *sum = sum.combine(lines[k].log_sum(tile));
            }
        })?;
        let rectangles = Rectangles::new(context, &potentials)?;
        for block in sweep.blocks() {
            let diagonal = sweep.diagonal(&block);
            table.fill(&mut stream, &block, diagonal)?;
            let (row, col) = sweep.panel_numbers(&block);
            let (down, across) = (&down[row], &across[col]);
            let of = (of(block.rows.start, down), of(block.cols.start, across));
            let count = of.0.len() * of.1.len() * ts.len();
            runs.expect(of, count);
            let pairs = sweep.pairs_of(&block);
            rectangles.sum(&mut stream, &table, (&block, diagonal), (down.all(), across), &ones, pairs)?;
        }
        stream.finish()?;
        Ok(sums.into_inner())
    })
}
