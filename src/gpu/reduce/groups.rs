//! Sums of exponentials by group: within each, or of each two, the points of a group side by side.

use std::{ops::Range, sync::Arc};

use crate::{
    backend::GroupPairs,
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
        kernel::{
            accuracy::{self, Climb, Reduction, Total},
            exponent::{Line, PairExponent},
        },
    },
    kernel::Kernel,
    log_sum::LogSumExp,
    memory::filled,
    pairs::Pairs,
    points::Points,
    progress::Watch,
    schedule::{Block, panels, unordered},
};

/// Rows of small groups that are summed together, and apart from others, where each group counts alone.
const MIN_CHUNK_ROWS: usize = 64;

/// Groups of rows: where each ends, and the pairs of them that are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups<'a> {
    pub(crate) ends: &'a [usize],
    pub(crate) which: GroupPairs,
}

impl Groups<'_> {
    /// All rows as one.
    const ONE: Self = Self { ends: &[], which: GroupPairs::All };

    fn count(self) -> usize {
        self.ends.len().max(1)
    }

    /// The group of a row.
    fn of(self, row: usize) -> usize {
        self.ends.partition_point(|&end| end <= row)
    }

    fn rows(self, group: usize) -> Range<usize> {
        group.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[group]
    }

    fn size(self, group: usize) -> usize {
        self.rows(group).len()
    }

    /// The number of sums.
    fn sums(self) -> usize {
        match self.which {
            GroupPairs::Within => self.count(),
            GroupPairs::All => self.count() * self.count(),
        }
    }

    /// The place of the sum of two groups, if it is asked for.
    fn place(self, i: usize, j: usize) -> Option<usize> {
        match self.which {
            GroupPairs::Within => (i == j).then_some(i),
            GroupPairs::All => Some(i * self.count() + j),
        }
    }

    /// The pairs of the sum at a place; none below the diagonal, which is as above.
    fn pairs(self, place: usize) -> u64 {
        let (i, j) = match self.which {
            GroupPairs::Within => (place, place),
            GroupPairs::All => (place / self.count(), place % self.count()),
        };
        match i == j {
            true => unordered(self.size(i)),
            false if i < j => self.size(i) as u64 * self.size(j) as u64,
            false => 0,
        }
    }
}

/// Σ exp(−t‖x−y‖²) over the pairs within each group, or of each two.
pub(crate) async fn group_log_sums(
    context: &Arc<Context>,
    x: &Points,
    groups: Groups<'_>,
    kernel: Kernel,
    watch: &Watch,
) -> Result<Vec<LogSumExp>> {
    let (pairs, scaling) = (Pairs::Within(x), x.scaling());
    let sizes = (0..groups.ends.len()).map(|group| groups.size(group) as u64);
    let smallest = sizes.filter(|&size| size > 0).min().unwrap_or(0);
    let first = accuracy::first(pairs, kernel, Reduction::Groups { smallest });
    let exponent = PairExponent::of_rows(first, kernel, scaling)?;
    let mut climb = Climb::new(first, watch);
    while let Some((by, watch)) = climb.step() {
        let sums = sums_of_groups(context, pairs, &[exponent.by(by)], groups, watch).await?;
        climb.judge(sums, |place, total| total.evidence(groups.pairs(place), exponent.t()));
    }
    let mut sums: Vec<_> = climb.finish().into_iter().map(|found| found.result.sum).collect();
    if groups.which == GroupPairs::All {
        let count = groups.count();
        for i in 0..count {
            for j in 0..i {
                sums[i * count + j] = sums[j * count + i];
            }
        }
    }
    Ok(sums)
}

/// The sums over all pairs for every exponent, from one table of similarities.
pub(crate) async fn sums_of_all(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    exponents: &[PairExponent],
    watch: &Watch,
) -> Result<Vec<Total>> {
    sums_of_groups(context, pairs, exponents, Groups::ONE, watch).await
}

/// The sums for every exponent of every two groups asked for, the first of which is not below the second.
async fn sums_of_groups(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    exponents: &[PairExponent],
    groups: Groups<'_>,
    watch: &Watch,
) -> Result<Vec<Total>> {
    let slope = |exponent: &&PairExponent| exponent.slope();
    let steepest = exponents.iter().max_by(|a, b| slope(a).total_cmp(&slope(b)));
    let Some(&steepest) = steepest else { return Ok(Vec::new()) };
    context
        .scoped("summing groups", async {
            let origin = steepest.line().origin;
            let lines: Vec<_> = exponents.iter().map(|exponent| exponent.line_from(origin)).collect();
            let table = SimilarityTable::new(context, pairs, steepest, origin).await?;
            let pass = &table.pass;
            let blocks: Vec<_> = pass.blocks().collect();
            let plan = match groups.which {
                GroupPairs::All => Plan::of_all(context, &table, groups, &blocks)?,
                GroupPairs::Within => Plan::within(context, groups, &blocks)?,
            };
            let ones = context.filled("weights of points", &vec![1.0f32; pass.x.panel_rows])?;
            let results = GroupSums {
                groups,
                rows: plan.down.iter().map(|part| part.groups.clone()).collect(),
                cols: plan.across.iter().map(|part| part.groups.clone()).collect(),
                sums: filled(Total::EMPTY, groups.sums(), lines.len(), || {
                    format!("the sums of {} groups", groups.ends.len())
                })?,
                lines,
            };
            let mut stream = Stream::collecting(results, context, pass.x.stored, Some(watch))?;
            let rectangles = GroupBlocks::new(context, exponents)?;
            let mut done = 0;
            for (block, parts) in blocks.iter().zip(&plan.parts) {
                let counted = pass.counted(block);
                done += pass.pairs_of(block);
                if !parts.is_empty() {
                    table.fill(&mut stream, block, counted).await?;
                }
                for &part in parts {
                    let (rows, cols) = (&plan.down[part.down].segments, &plan.across[part.across].segments);
                    let (rows, cols, pairs) = (rows.all(), cols.all(), std::mem::take(&mut done));
                    let of = Rectangles { block, counted, rows, cols, weights: &ones, pairs };
                    rectangles.sum(&mut stream, &table, of, part).await?;
                }
            }
            let GroupSums { mut sums, lines, .. } = stream.finish().await?;
            let count =
                |place: usize| if groups.ends.is_empty() { pairs.count() } else { groups.pairs(place) };
            for (number, total) in sums.iter_mut().enumerate() {
                let (place, k) = (number / lines.len(), number % lines.len());
                total.sum = lines[k].with_ones(total.sum, count(place) as f64);
            }
            Ok(sums)
        })
        .await
}

/// Segments side by side, and the group of each.
struct Part {
    segments: Segments,
    groups: Vec<usize>,
}

impl Part {
    /// The rows of a panel that begins at `start`, cut at most `step` apart and where groups end.
    fn new(
        context: &Context,
        groups: Groups<'_>,
        start: usize,
        rows: Range<usize>,
        step: usize,
    ) -> Result<Self> {
        let first = groups.ends.partition_point(|&end| end <= rows.start);
        let ends = groups.ends[first..].iter().copied().take_while(|&end| end < rows.end);
        let mut at: Vec<_> = rows.clone().step_by(step).chain(ends).collect();
        at.sort_unstable();
        at.dedup();
        let of = at.iter().map(|&row| groups.of(row)).collect();
        at.push(rows.end);
        let at = at.into_iter().map(|at| (at - start) as u32).collect();
        Ok(Self { segments: Segments::new(context, at)?, groups: of })
    }
}

/// Numbers of the two parts of a plan whose rectangles are summed.
#[derive(Clone, Copy)]
struct Crossing {
    down: usize,
    across: usize,
}

/// The rectangles of every block.
struct Plan {
    down: Vec<Part>,
    across: Vec<Part>,
    parts: Vec<Vec<Crossing>>,
}

impl Plan {
    /// All rows of each block with all of its columns.
    fn of_all(
        context: &Context,
        table: &SimilarityTable<'_>,
        groups: Groups<'_>,
        blocks: &[Block],
    ) -> Result<Self> {
        let pass = &table.pass;
        let side = |rows: usize, step: usize| {
            panels(rows, pass.x.panel_rows)
                .map(|panel| Part::new(context, groups, panel.start, panel, step))
                .collect::<Result<Vec<_>>>()
        };
        let crossing = |block: &Block| {
            let (down, across) = pass.panel_numbers(block);
            vec![Crossing { down, across }]
        };
        Ok(Self {
            down: side(pass.left.rows(), TILE)?,
            across: side(pass.right.rows(), MAX_SEGMENT_COLUMNS)?,
            parts: blocks.iter().map(crossing).collect(),
        })
    }

    /// The rows of each group with its own, small groups by the chunk.
    fn within(context: &Context, groups: Groups<'_>, blocks: &[Block]) -> Result<Self> {
        let mut plan = Self { down: Vec::new(), across: Vec::new(), parts: Vec::new() };
        for block in blocks {
            let (rows, cols) = (&block.rows, &block.cols);
            let mut parts = Vec::new();
            let mut first = rows.start.max(groups.rows(groups.of(cols.start)).start);
            while first < rows.end {
                // Beside the diagonal, rows and columns share one group at most.
                let mut last = groups.rows(groups.of(first)).end;
                while block.diagonal && last < rows.end && last - first < MIN_CHUNK_ROWS {
                    last = groups.rows(groups.of(last)).end;
                }
                let of_cols = first.max(cols.start)..last.min(cols.end);
                if of_cols.is_empty() {
                    break;
                }
                let of_rows = first..last.min(rows.end);
                parts.push(Crossing { down: plan.down.len(), across: plan.across.len() });
                plan.down.push(Part::new(context, groups, rows.start, of_rows, TILE)?);
                plan.across.push(Part::new(context, groups, cols.start, of_cols, MAX_SEGMENT_COLUMNS)?);
                first = last;
            }
            plan.parts.push(parts);
        }
        Ok(plan)
    }
}

/// Sums for every two groups and every factor of exponents, group by group.
struct GroupSums<'a> {
    groups: Groups<'a>,
    /// Groups of the segments of every part on the left, and on the right.
    rows: Vec<Vec<usize>>,
    cols: Vec<Vec<usize>>,
    lines: Vec<Line>,
    sums: Vec<Total>,
}

impl Collector for GroupSums<'_> {
    type Destination = Crossing;

    fn add(&mut self, to: Crossing, number: usize, tile: TileSum) {
        let (rows, cols, count) = (&self.rows[to.down], &self.cols[to.across], self.lines.len());
        let (rectangle, k) = (number / count, number % count);
        let (i, j) = (rows[rectangle / cols.len()], cols[rectangle % cols.len()]);
        if let Some(place) = self.groups.place(i, j) {
            self.sums[place * count + k].add(self.lines[k].log_sum(tile));
        }
    }
}
