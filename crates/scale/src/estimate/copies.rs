//! Copies: rows that are equal, whose pairs have the kernel 1 and are counted rather than sampled.

use unisphere::unordered_pairs;

use crate::panels::Panels;

/// Rows of each panel that have copies, by their class.
#[derive(Debug)]
pub(crate) struct Copies {
    /// Class and how many rows of it, in the order of the classes, for each panel.
    of_panels: Vec<Vec<(usize, u64)>>,
    /// Pairs of copies.
    all: u64,
    /// Those that lie in two panels.
    across: u64,
}

impl Copies {
    /// Copies among rows, given lists of equal ones.
    pub(crate) fn new(panels: Panels, classes: &[Vec<usize>]) -> Self {
        let mut of_panels = vec![Vec::new(); panels.count()];
        let (mut all, mut within) = (0, 0);
        for (class, rows) in classes.iter().enumerate() {
            let mut homes: Vec<_> = rows.iter().map(|&row| panels.of(row)).collect();
            homes.sort_unstable();
            all += unordered_pairs(homes.len());
            for together in homes.chunk_by(|a, b| a == b) {
                within += unordered_pairs(together.len());
                of_panels[together[0]].push((class, together.len() as u64));
            }
        }
        Self { of_panels, all, across: all - within }
    }

    /// Pairs of copies, one in each of two panels.
    pub(crate) fn between(&self, p: usize, q: usize) -> u64 {
        let (mut left, mut right) =
            (self.of_panels[p].iter().peekable(), self.of_panels[q].iter().peekable());
        let mut pairs = 0;
        while let (Some(&&(a, n)), Some(&&(b, m))) = (left.peek(), right.peek()) {
            if a == b {
                pairs += n * m;
            }
            if a <= b {
                left.next();
            }
            if b <= a {
                right.next();
            }
        }
        pairs
    }

    /// Pairs of copies among the pairs of a block, which are those i < j of a panel with itself.
    pub(crate) fn in_block(&self, p: usize, q: usize) -> u64 {
        if p == q {
            self.of_panels[p].iter().map(|&(_, rows)| rows * (rows - 1) / 2).sum()
        } else {
            self.between(p, q)
        }
    }

    /// All pairs of copies.
    pub(crate) fn all(&self) -> u64 {
        self.all
    }

    /// All pairs of copies that lie in two panels.
    pub(crate) fn across(&self) -> u64 {
        self.across
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_counted_by_panels() {
        let panels = Panels { rows: 10, panel_rows: 4 };
        let copies = Copies::new(panels, &[vec![0, 1, 4, 9], vec![2, 5, 6]]);
        assert_eq!(copies.between(0, 1), 2 + 2);
        assert_eq!(copies.between(1, 0), 4);
        assert_eq!(copies.between(0, 2), 2);
        assert_eq!(copies.between(1, 2), 1);
        assert_eq!((copies.in_block(0, 0), copies.in_block(1, 1), copies.in_block(0, 1)), (1, 1, 4));
        assert_eq!((copies.across(), copies.all()), (4 + 2 + 1, 6 + 3));
    }
}
