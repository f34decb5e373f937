//! Sums of exponentials over rectangles of each block's similarities: of whole rows, of groups, or of all for several t.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use crate::{
    error::Result,
    gpu::{
        block::{
            runs::Runs,
            segments::{GroupBlocks, MAX_SEGMENT_COLUMNS, Segments},
            similarities::SimilarityTable,
        },
        device::{
            context::{Context, TILE},
            stream::Stream,
        },
        kernel::exponent::PairExponent,
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
        let down = Segments::panels(context, (pass.left.rows(), panel_rows), TILE, ends)?;
        let across = Segments::panels(context, (pass.right.rows(), panel_rows), MAX_SEGMENT_COLUMNS, ends)?;
        let ones = context.filled("masses of points", &vec![1.0f32; panel_rows])?;

        // Which group the rows after each cut belong to.
        let group = |row: usize| ends.partition_point(|&end| end <= row);
        let of = |start: usize, cuts: &Segments| -> Rc<[usize]> {
            let parts = cuts.at.split_last().map_or(&[][..], |(_, parts)| parts);
            parts.iter().map(|&at| group(start + at as usize)).collect()
        };
        let runs = Runs::new();
        let sums = RefCell::new(vec![LogSumExp::EMPTY; groups * groups * ts.len()]);
        let mut stream = Stream::with_each(context, pass.x.stored, Some(watch), |tile| {
            if let Some(((rows, cols), number)) = runs.next() {
                let (rows, cols): (Rc<[usize]>, Rc<[usize]>) = (rows, cols);
                let (rectangle, k) = (number / ts.len(), number % ts.len());
                let (i, j) = (rows[rectangle / cols.len()], cols[rectangle % cols.len()]);
                let sum = &mut sums.borrow_mut()[(i * groups + j) * ts.len() + k];
                *sum = sum.combine(lines[k].log_sum(tile));
            }
        })?;
        let rectangles = GroupBlocks::new(context, &pair_exponents)?;
        for block in pass.blocks() {
            let counted = pass.counted(&block);
            table.fill(&mut stream, &block, counted)?;
            let (row, col) = pass.panel_numbers(&block);
            let (down, across) = (&down[row], &across[col]);
            let of = (of(block.rows.start, down), of(block.cols.start, across));
            let count = of.0.len() * of.1.len() * ts.len();
            runs.expect(of, count);
            let pairs = pass.pairs_of(&block);
            rectangles.sum(&mut stream, &table, (&block, counted), (down.all(), across), &ones, pairs)?;
        }
        stream.finish()?;
        Ok(sums.into_inner())
    })
}
