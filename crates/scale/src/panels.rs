//! Panels: runs of rows, of which blocks of pairs are made.

use std::ops::Range;

use unisphere::unordered_pairs;

/// Rows of a set, cut into panels of one size; the last one may be shorter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panels {
    pub(crate) rows: usize,
    pub(crate) panel_rows: usize,
}

impl Panels {
    pub(crate) fn count(self) -> usize {
        self.rows.div_ceil(self.panel_rows)
    }

    pub(crate) fn range(self, panel: usize) -> Range<usize> {
        let start = panel * self.panel_rows;
        start..self.rows.min(start + self.panel_rows)
    }

    pub(crate) fn len(self, panel: usize) -> usize {
        self.range(panel).len()
    }

    /// Pairs of two panels; those i < j of one with itself.
    pub(crate) fn pairs(self, p: usize, q: usize) -> u64 {
        if p == q { unordered_pairs(self.len(p)) } else { self.len(p) as u64 * self.len(q) as u64 }
    }

    pub(crate) fn of(self, row: usize) -> usize {
        row / self.panel_rows
    }
}
