//! Blocks of an evaluation: two panels each, numbered in one order that depends on the sets alone.

use std::ops::Range;

use unisphere::unordered_pairs;

use crate::panels::Panels;

/// Sets by their roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum SetName {
    X,
    Y,
}

/// Pairs that one number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sum {
    /// Row i of x with row i of y.
    Alignment,
    /// The pairs i < j of one set.
    Within(SetName),
    /// All pairs of x with y.
    Across,
}

impl Sum {
    /// Sets of the left panels and of the right ones.
    pub(crate) fn sides(self) -> [SetName; 2] {
        match self {
            Self::Within(set) => [set; 2],
            Self::Alignment | Self::Across => [SetName::X, SetName::Y],
        }
    }
}

/// Pairs of two panels, for one of the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) sum: Sum,
    pub(crate) left: usize,
    pub(crate) right: usize,
}

impl Block {
    /// Whether it is a panel with itself, of which the pairs i < j count.
    pub(crate) fn is_diagonal(self) -> bool {
        matches!(self.sum, Sum::Within(_)) && self.left == self.right
    }
}

/// All blocks of an evaluation: sum after sum, and in each of them left panel after left panel.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    sums: Vec<Sum>,
    x: Panels,
    y: Panels,
}

impl Layout {
    /// The sums of x alone; with y, those of both sets, and across them where asked for.
    pub(crate) fn new(x: Panels, y: Option<Panels>, across: bool) -> Self {
        let mut sums = Vec::new();
        if y.is_some_and(|y| y.rows == x.rows) {
            sums.push(Sum::Alignment);
        }
        sums.push(Sum::Within(SetName::X));
        if y.is_some() {
            sums.push(Sum::Within(SetName::Y));
            if across {
                sums.push(Sum::Across);
            }
        }
        Self { sums, x, y: y.unwrap_or(x) }
    }

    /// The pairs i < j of one set alone.
    pub(crate) fn within(x: Panels) -> Self {
        Self::new(x, None, false)
    }

    /// All pairs of two sets alone.
    pub(crate) fn across(x: Panels, y: Panels) -> Self {
        Self { sums: vec![Sum::Across], x, y }
    }

    pub(crate) fn sums(&self) -> &[Sum] {
        &self.sums
    }

    pub(crate) fn panels(&self, set: SetName) -> Panels {
        match set {
            SetName::X => self.x,
            SetName::Y => self.y,
        }
    }

    /// Number of blocks.
    pub(crate) fn count(&self) -> usize {
        self.sums.iter().map(|&sum| self.count_of(sum)).sum()
    }

    fn count_of(&self, sum: Sum) -> usize {
        let [left, right] = sum.sides().map(|set| self.panels(set).count());
        match sum {
            Sum::Alignment => left,
            Sum::Within(_) => left * (left + 1) / 2,
            Sum::Across => left * right,
        }
    }

    /// Right panels that a left one has blocks with.
    pub(crate) fn rights(&self, sum: Sum, left: usize) -> Range<usize> {
        let count = self.panels(sum.sides()[1]).count();
        match sum {
            Sum::Alignment => left..left + 1,
            Sum::Within(_) => left..count,
            Sum::Across => 0..count,
        }
    }

    /// Place of a block in the order.
    pub(crate) fn number(&self, block: Block) -> usize {
        let Block { sum, left, right } = block;
        let before = self.numbers(sum).start;
        let count = self.panels(sum.sides()[1]).count();
        before
            + match sum {
                Sum::Alignment => left,
                Sum::Within(_) => left * (2 * count + 1 - left) / 2 + right - left,
                Sum::Across => left * count + right,
            }
    }

    /// Numbers of the blocks of a sum: none where that is not computed.
    pub(crate) fn numbers(&self, sum: Sum) -> Range<usize> {
        let mut start = 0;
        for &other in &self.sums {
            let end = start + self.count_of(other);
            if other == sum {
                return start..end;
            }
            start = end;
        }
        0..0
    }

    /// Blocks of a sum, in order.
    pub(crate) fn blocks(&self, sum: Sum) -> impl Iterator<Item = Block> + '_ {
        (0..self.panels(sum.sides()[0]).count())
            .flat_map(move |left| self.rights(sum, left).map(move |right| Block { sum, left, right }))
    }

    /// Pairs of a block that count.
    pub(crate) fn pairs(&self, block: Block) -> u64 {
        let [left, right] = block.sum.sides().map(|set| self.panels(set));
        let (rows, cols) = (left.len(block.left), right.len(block.right));
        match block.sum {
            Sum::Alignment => rows as u64,
            _ if block.is_diagonal() => unordered_pairs(rows),
            _ => rows as u64 * cols as u64,
        }
    }

    /// Numbers of the blocks of each of several parts, which have about as many pairs each.
    pub(crate) fn parts(&self, parts: usize) -> Vec<Range<usize>> {
        let blocks = || self.sums.iter().flat_map(|&sum| self.blocks(sum));
        let total: u128 = blocks().map(|block| u128::from(self.pairs(block))).sum();
        // A block belongs to the part in which its last pair lies.
        let mut before = 0;
        let part_of = |block| {
            before += u128::from(self.pairs(block));
            (before.saturating_sub(1) * parts as u128 / total.max(1)) as usize
        };
        let of: Vec<_> = blocks().map(part_of).collect();
        let end = |part| of.partition_point(|&other| other < part);
        (0..parts).map(|part| end(part)..end(part + 1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts() -> Vec<Layout> {
        let panels = |rows| Panels { rows, panel_rows: 4 };
        vec![
            Layout::new(panels(3), None, false),
            Layout::new(panels(17), None, true),
            Layout::new(panels(17), Some(panels(17)), true),
            Layout::new(panels(9), Some(panels(30)), true),
        ]
    }

    #[test]
    fn every_block_has_its_number_and_every_pair_its_block() {
        for layout in layouts() {
            let blocks: Vec<_> = layout.sums().iter().flat_map(|&sum| layout.blocks(sum)).collect();
            assert_eq!(blocks.len(), layout.count());
            for (number, &block) in blocks.iter().enumerate() {
                assert_eq!(layout.number(block), number, "{block:?}");
            }
            for &sum in layout.sums() {
                let pairs: u64 = layout.blocks(sum).map(|block| layout.pairs(block)).sum();
                let [left, right] = sum.sides().map(|set| layout.panels(set).rows);
                let all = match sum {
                    Sum::Alignment => left as u64,
                    Sum::Within(_) => unordered_pairs(left),
                    Sum::Across => (left * right) as u64,
                };
                assert_eq!(pairs, all, "{sum:?}");
            }
        }
    }

    #[test]
    fn parts_hold_every_block_once() {
        for layout in layouts() {
            for parts in [1, 2, 3, 7, 100] {
                let ranges = layout.parts(parts);
                assert_eq!((ranges[0].start, ranges[parts - 1].end), (0, layout.count()));
                assert!(ranges.windows(2).all(|two| two[0].end == two[1].start), "{ranges:?}");
            }
        }
    }
}
