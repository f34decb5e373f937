//! Sums of exponentials between groups of points that lie side by side.

use std::ops::Range;

use pulp::Simd;

use crate::{
    accuracy::narrow,
    backend::GroupPairs,
    cpu::{
        accuracy::{Arithmetic, Evidence, MIN_VARIED_PAIRS_FOR_F32, climb, max_f32_share, with_formula},
        block::{formula::Formula, pack::Scratch, similarities::Similarities},
        pairs::PairSet,
        points::Rows,
        reduce::total::PartialSum,
        schedule::for_each_of,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::Result,
    log_sum::LogSumExp,
    memory::{filled, listed},
    progress::Watch,
    schedule::{Block, unordered},
};

/// Largest t for groups of few pairs in f32: the rounding of a single cosine does not show in its exponential.
const MAX_T_FOR_F32_SMALL_GROUPS: f64 = 2.0;

/// Σ exp(−t‖x−y‖²) within each group and between every two, row by row of a k × k matrix.
pub(crate) fn log_sums(
    isa: Isa,
    x: &Rows,
    ends: &[usize],
    t: f64,
    which: GroupPairs,
    watch: &Watch,
) -> Result<Vec<LogSumExp>> {
    let starts = std::iter::once(&0).chain(ends);
    let least = ends.iter().zip(starts).map(|(end, start)| end - start).min().unwrap_or(0);
    let many = least.saturating_mul(least) > MIN_VARIED_PAIRS_FOR_F32 || t <= MAX_T_FOR_F32_SMALL_GROUPS;
    let few = Evidence { dominated: !many, ..Evidence::default() };
    let first = Arithmetic::gaussian(PairSet::Within(x), t).or_finer(few);
    let mut passes = watch.passes();
    climb(first, |arithmetic| {
        let watch = passes.next();
        let sums =
            with_formula!(distances: arithmetic, F => log_sums_by::<F>(isa, x, ends, t, which, watch))?;
        let evidence = evidence(ends, t, which, &sums);
        Ok((sums, evidence))
    })
}

/// Evidence of the sums of groups: whether one is narrow, and whether its closest pair dominates one. Sums are relative to
/// their closest pair.
fn evidence(ends: &[usize], t: f64, which: GroupPairs, sums: &[LogSumExp]) -> Evidence {
    let k = ends.len();
    let size = |group: usize| (ends[group] - if group == 0 { 0 } else { ends[group - 1] }) as u64;
    let count = |g: usize, h: usize| if g == h { unordered(size(g) as usize) } else { size(g) * size(h) };
    let cells = || sums.iter().enumerate().filter(|(_, sum)| sum.sum > 0.0);
    Evidence {
        narrow: cells().any(|(at, &sum)| {
            let (g, h) = if which == GroupPairs::All { (at / k, at % k) } else { (at, at) };
            narrow(sum, count(g, h), t)
        }),
        dominated: cells().any(|(_, sum)| sum.sum * max_f32_share(t) < 1.0),
        ..Evidence::default()
    }
}

fn log_sums_by<F: Formula>(
    isa: Isa,
    x: &Rows,
    ends: &[usize],
    t: f64,
    which: GroupPairs,
    watch: &Watch,
) -> Result<Vec<LogSumExp>> {
    let (pairs, k, rate) = (PairSet::Within(x), ends.len(), F::RATE * t);
    let width = if which == GroupPairs::All { k } else { 1 };
    let what = || format!("the sums of {k} groups");
    let mut sums = filled(PartialSum::EMPTY, k, width, what)?;
    let one = |block: &Block, scratch: &mut Scratch<F::Real>| {
        isa.run(GroupSums::<F> { pairs, block, ends, which, rate, scratch })
    };
    let group_of = |row: usize| ends.partition_point(|&end| end <= row);
    let counted = |block: &Block| match which {
        GroupPairs::All => pairs.count_in(block),
        GroupPairs::Within => pairs_within(ends, block),
    };
    // Groups lie side by side: a block off the diagonal has pairs within one if its last row and its first column have.
    let blocks = pairs.blocks().filter(|block| {
        which == GroupPairs::All
            || block.diagonal
            || group_of(block.rows.end - 1) == group_of(block.cols.start)
    });
    for_each_of(blocks, watch, counted, one, |_, cells| {
        for Cell { left, right, sum } in cells {
            let at = if which == GroupPairs::All { left * k + right } else { left };
            sums[at] = sums[at].join(sum, F::exp_rate(rate));
        }
    })?;
    let log_sum_exp = |PartialSum { shift, sum }| {
        if sum == 0.0 { LogSumExp::EMPTY } else { LogSumExp { max: F::exp_rate(rate) * shift, sum } }
    };
    if which == GroupPairs::Within {
        return listed(sums.into_iter().map(log_sum_exp), what);
    }
    let log_sum = |at: usize| {
        let (g, h) = (at / k, at % k);
        log_sum_exp(sums[g.min(h) * k + g.max(h)])
    };
    listed((0..k * k).map(log_sum), what)
}

/// Number of pairs of a block within one group.
fn pairs_within(ends: &[usize], block: &Block) -> u64 {
    let (lefts, rights) = (by_group(ends, &block.rows), by_group(ends, &block.cols));
    let count = |left: &GroupRows| match rights.iter().find(|right| right.group == left.group) {
        Some(_) if block.diagonal => unordered(left.rows.len()),
        Some(right) => left.rows.len() as u64 * right.rows.len() as u64,
        None => 0,
    };
    lefts.iter().map(count).sum()
}

/// Sum over the pairs of a block that run between two groups.
struct Cell {
    left: usize,
    right: usize,
    sum: PartialSum,
}

struct GroupSums<'a, F: Formula> {
    pairs: PairSet<'a>,
    block: &'a Block,
    ends: &'a [usize],
    which: GroupPairs,
    rate: f64,
    scratch: &'a mut Scratch<F::Real>,
}

/// Rows of a panel that lie in one group, counted from the start of the panel.
struct GroupRows {
    group: usize,
    rows: Range<usize>,
}

/// Rows of a panel by group.
fn by_group(ends: &[usize], panel: &Range<usize>) -> Vec<GroupRows> {
    let first = ends.partition_point(|&end| end <= panel.start);
    let mut start = panel.start;
    let mut parts = Vec::new();
    for (group, &end) in ends.iter().enumerate().skip(first) {
        let end = end.min(panel.end);
        if start < end {
            parts.push(GroupRows { group, rows: start - panel.start..end - panel.start });
        }
        start = start.max(end);
        if start >= panel.end {
            break;
        }
    }
    parts
}

/// Vectors in a partial sum in the precision of the formula.
const VECTORS_PER_PARTIAL_SUM: usize = 256;

impl<F: Formula> Job for GroupSums<'_, F> {
    type Output = Vec<Cell>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output {
        let Self { pairs, block, ends, which, rate, scratch } = self;
        let Scratch { packed, table, .. } = scratch;
        let table = Similarities::<F>::new(rate).table::<S, SIDE>(simd, pairs, block, packed, table);
        let (lefts, rights) = (by_group(ends, &block.rows), by_group(ends, &block.cols));
        let exp = F::exp_for(F::exp_rate(rate));
        let excluded = F::Real::excluded();
        let least = F::Real::nearest(F::MIN_EXPONENT / F::exp_rate(rate));
        let mut cells = Vec::new();
        let mut buffer: Vec<F::Real> = Vec::new();
        for of_right in &rights {
            for of_left in &lefts {
                if which == GroupPairs::Within && of_left.group != of_right.group {
                    continue;
                }
                buffer.clear();
                for j in of_right.rows.clone() {
                    for (start, row) in table.row(j, 1) {
                        let from = of_left.rows.start.max(start);
                        let to = of_left.rows.end.min(start + row.len());
                        if from < to {
                            buffer.extend_from_slice(&row[from - start..to - start]);
                        }
                    }
                }
                // Whole vectors.
                buffer.resize(buffer.len().next_multiple_of(F::Real::lanes::<S>()), excluded);
                let vectors = || F::Real::vectors::<S>(&buffer).iter().copied();
                let splat = |value| F::Real::splat(simd, value);
                let peak = F::Real::lane_max(
                    simd,
                    vectors().fold(splat(excluded), |max, v| F::Real::max(simd, max, v)),
                );
                if peak.into() <= 0.25 * excluded.into() {
                    continue;
                }
                let mut sum = 0.0;
                for chunk in F::Real::vectors::<S>(&buffer).chunks(VECTORS_PER_PARTIAL_SUM) {
                    let mut partial = splat(F::Real::default());
                    for &e in chunk {
                        let z = F::Real::minus(simd, e, splat(peak));
                        let term = F::exp(simd, exp, F::Real::max(simd, z, splat(least)));
                        partial = F::Real::plus(simd, partial, term);
                    }
                    sum += F::Real::lane_sum(simd, partial).into();
                }
                let sum = PartialSum { shift: peak.into(), sum };
                cells.push(Cell { left: of_left.group, right: of_right.group, sum });
            }
        }
        cells
    }
}
