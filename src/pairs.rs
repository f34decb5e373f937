//! Which pairs are summed, cut into blocks, in one fixed order.

use std::ops::Range;

/// How many pairs i < j there are among `rows` points.
pub fn unordered(rows: usize) -> u64 {
    let n = rows as u64;
    // Of two neighbours one is even: halving it first keeps n = 2³² from overflowing.
    if n % 2 == 0 { (n / 2) * n.saturating_sub(1) } else { n * ((n - 1) / 2) }
}

/// The pairs of `rows` × `cols`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The points on the left.
    pub(crate) rows: Range<usize>,
    /// The points on the right.
    pub(crate) cols: Range<usize>,
    /// Both are the same panel of one set, and only its pairs i < j count.
    pub(crate) diagonal: bool,
}

impl Block {
    /// How many pairs count.
    pub(crate) fn pairs(&self) -> u64 {
        if self.diagonal {
            unordered(self.rows.len())
        } else {
            self.rows.len() as u64 * self.cols.len() as u64
        }
    }
}

/// `n` points cut into panels of `panel` rows, the last one shorter.
pub(crate) fn panels(n: usize, panel: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    (0..n).step_by(panel).map(move |start| start..n.min(start + panel))
}

/// All pairs of `n` points on the left with `m` on the right, row panel by row panel.
pub(crate) fn across(n: usize, m: usize, panel: usize) -> impl Iterator<Item = Block> {
    panels(n, panel).flat_map(move |rows| {
        panels(m, panel).map(move |cols| Block { rows: rows.clone(), cols, diagonal: false })
    })
}

/// The pairs i < j of `n` points, row panel by row panel.
pub(crate) fn within(n: usize, panel: usize) -> impl Iterator<Item = Block> {
    across(n, n, panel).filter(|b| b.rows.start <= b.cols.start).map(|b| {
        let diagonal = b.rows.start == b.cols.start;
        Block { diagonal, ..b }
    })
}
