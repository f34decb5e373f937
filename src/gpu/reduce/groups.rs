//! Sums of exponentials over rectangles of each block's similarities: of whole rows, of groups, or of all for several t.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        block::{
            segments::{GroupBlocks, MAX_SEGMENT_COLUMNS, Rectangles, Segments},
            similarities::SimilarityTable,
        },
        device::{
            context::{Context, TILE},
            stream::{Collector, Stream, TileSum},
        },
        kernel::exponent::{Line, PairExponent},
    },
    kernel::Exponent,
    log_sum::LogSumExp,
    pairs::Pairs,
    points::Points,
    progress::Watch,
    schedule::unordered,
};

/// Σ exp(−t‖x−y‖²) over the pairs within each group and of each two, the points of a group side by side up to its end.
pub(crate) fn group_log_sums(
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
    let pair_exponent = PairExponent::of_rows(exponent, x.scaling(), least * least)?;
    let sum = |pair_exponent, watch: &Watch<'_>| {
        sums_of_groups(context, Pairs::Within(x), pair_exponent, &[t], (ends, groups), watch)
    };
    let mut sums = sum(pair_exponent, watch)?;
    let count = |i: usize, j: usize| match i == j {
        true => unordered(size(i)),
        false => size(i) as u64 * size(j) as u64,
    };
    let upper = || (0..groups).flat_map(|i| (i..groups).map(move |j| (i, j)));
    let refined = upper().find_map(|(i, j)| {
        let sum = sums[i * groups + j];
        (sum.sum > 0.0).then(|| pair_exponent.refined(sum, count(i, j))).flatten()
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
pub(crate) fn sums_of_groups(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    pair_exponent: PairExponent,
    ts: &[f64],
    (ends, groups): (&[usize], usize),
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    context.scoped("summing groups", || {
        let pair_exponents: Vec<_> = ts.iter().map(|&t| pair_exponent.with(t)).collect();
        let origin = pair_exponent.line(Exponent::Gaussian { t: pair_exponent.t() }).origin;
        let line = |pair_exponent: &PairExponent| {
            pair_exponent.line_from(Exponent::Gaussian { t: pair_exponent.t() }, origin)
        };
        let lines: Vec<_> = pair_exponents.iter().map(line).collect();
        let table = SimilarityTable::new(context, pairs, pair_exponent, origin)?;
        let pass = &table.pass;
        let panel_rows = pass.x.panel_rows;
        let down = Segments::panels(context, pass.left.rows(), panel_rows, TILE, ends)?;
        let across = Segments::panels(context, pass.right.rows(), panel_rows, MAX_SEGMENT_COLUMNS, ends)?;
        let ones = context.filled("masses of points", &vec![1.0f32; panel_rows])?;

        let of = |number: usize, segments: &Segments| -> Vec<usize> {
            let starts = segments.at.split_last().map_or(&[][..], |(_, starts)| starts);
            let row = |&at: &u32| number * panel_rows + at as usize;
            starts.iter().map(row).map(|row| ends.partition_point(|&end| end <= row)).collect()
        };
        let results = GroupSums {
            groups,
            rows: (0..).zip(&down).map(|(number, segments)| of(number, segments)).collect(),
            cols: (0..).zip(&across).map(|(number, segments)| of(number, segments)).collect(),
            sums: vec![LogSumExp::EMPTY; groups * groups * lines.len()],
            lines,
        };
        let mut stream = Stream::collecting(results, context, pass.x.stored, Some(watch))?;
        let rectangles = GroupBlocks::new(context, &pair_exponents)?;
        for block in pass.blocks() {
            let counted = pass.counted(&block);
            table.fill(&mut stream, &block, counted)?;
            let (row, col) = pass.panel_numbers(&block);
            let of = Rectangles {
                block: &block,
                counted,
                rows: down[row].all(),
                cols: across[col].all(),
                weights: &ones,
                pairs: pass.pairs_of(&block),
            };
            rectangles.sum(&mut stream, &table, of, Panels { row, col })?;
        }
        Ok(stream.finish()?.sums)
    })
}

/// Sums for every two groups and every factor of exponents, group by group.
struct GroupSums {
    groups: usize,
    /// Groups of the segments of every panel of the left points, and of the right ones.
    rows: Vec<Vec<usize>>,
    cols: Vec<Vec<usize>>,
    lines: Vec<Line>,
    sums: Vec<LogSumExp>,
}

/// Numbers of the two panels of a block.
#[derive(Clone, Copy)]
struct Panels {
    row: usize,
    col: usize,
}

impl Collector for GroupSums {
    type Destination = Panels;

    fn add(&mut self, to: Panels, number: usize, tile: TileSum) {
        let (rows, cols, count) = (&self.rows[to.row], &self.cols[to.col], self.lines.len());
        let (rectangle, k) = (number / count, number % count);
        let (i, j) = (rows[rectangle / cols.len()], cols[rectangle % cols.len()]);
        let sum = &mut self.sums[(i * self.groups + j) * count + k];
        *sum = sum.combine(self.lines[k].log_sum(tile));
    }
}
