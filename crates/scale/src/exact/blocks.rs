//! Blocks of an evaluation: two panels each, numbered in one order that depends on the sets alone. The blocks of a strip, one left
//! panel with several right ones, share a number.

use std::ops::Range;

use unisphere::{Candidates, unordered_pairs};

use super::units::GroupUnits;
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
    /// The pairs i ≠ j of two panels of x and y with the same rows, of which `Across` has those with i = j too.
    Unpaired,
    /// Row i of x with row i of y, each by itself.
    Products,
    /// Every row of the first set, the anchors, with all rows of the second but the one of its own number.
    Anchors(SetName, SetName),
    /// Row i of x with row i of y, each by itself: their distances.
    Distances,
    /// Every row of a set with all others of it.
    Potentials(SetName),
    /// The pairs i < j of one set, counted.
    Counts(SetName),
}

impl Sum {
    /// Sets of the left panels and of the right ones.
    pub(crate) fn sides(self) -> [SetName; 2] {
        match self {
            Self::Within(set) | Self::Potentials(set) | Self::Counts(set) => [set; 2],
            Self::Alignment | Self::Across | Self::Unpaired | Self::Products | Self::Distances => {
                [SetName::X, SetName::Y]
            }
            Self::Anchors(left, right) => [left, right],
        }
    }

    /// Whether its blocks have many numbers each, such as one for every row, and are summed in strips.
    pub(crate) fn is_in_strips(self) -> bool {
        !matches!(self, Self::Alignment | Self::Within(_) | Self::Across | Self::Unpaired)
    }

    /// Whether it is over the pairs i < j of one set: a left panel meets itself and those behind it.
    pub(crate) fn is_unordered(self) -> bool {
        matches!(self, Self::Within(_) | Self::Counts(_))
    }

    /// Whether a left panel meets the right one of its own number alone.
    pub(crate) fn is_paired(self) -> bool {
        matches!(self, Self::Alignment | Self::Unpaired | Self::Products | Self::Distances)
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
        self.sum.is_unordered() && self.left == self.right
    }
}

/// What is asked for of two sets beside the alignment and uniformity of each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// Cross uniformity.
    pub(crate) across: bool,
    /// The squared discrepancy, which takes the pairs across too.
    pub(crate) mmd: bool,
    /// What is summed in strips.
    pub(crate) strips: Strips,
}

/// What has many numbers, and is summed in strips: one left panel with so many right ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strips {
    /// Which rows are anchors of the contrastive loss, and what they meet.
    pub(crate) candidates: Candidates,
    /// Log sums of an anchor: none without the contrastive loss.
    pub(crate) taus: usize,
    /// Whether potentials are summed, and the distances of positive pairs kept.
    pub(crate) potentials: bool,
    /// Whether the distances of positive pairs are kept, with potentials or without.
    pub(crate) distances: bool,
    /// Numbers that the pairs of a set are counted in: none where they are not.
    pub(crate) counts: usize,
    /// Right panels of a strip, but for the last one of a left panel, which may have fewer.
    pub(crate) panels: usize,
}

impl Strips {
    /// The sums that the anchors of a set are in, for each set that has any.
    fn anchors(self) -> &'static [&'static [Sum]] {
        use SetName::{X, Y};
        match self.candidates {
            _ if self.taus == 0 => &[],
            Candidates::OneWay => &[&[Sum::Anchors(X, Y)]],
            Candidates::Views => {
                &[&[Sum::Anchors(X, Y), Sum::Anchors(X, X)], &[Sum::Anchors(Y, X), Sum::Anchors(Y, Y)]]
            }
            _ => &[&[Sum::Anchors(X, Y)], &[Sum::Anchors(Y, X)]],
        }
    }
}

/// A strip, or one panel of positive pairs: a left panel, and the right ones that it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strip {
    pub(crate) sum: Sum,
    pub(crate) left: usize,
    pub(crate) rights: Range<usize>,
}

/// All blocks of an evaluation: sum after sum, and in each of them left panel after left panel. Sums in strips come
/// last, and behind all blocks the units of groups.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    sums: Vec<Sum>,
    x: Panels,
    y: Panels,
    strips: Strips,
    groups: Option<GroupUnits>,
}

impl Layout {
    /// The sums of x alone; with y, those of both sets, and what is wanted besides.
    pub(crate) fn new(x: Panels, y: Option<Panels>, wanted: Wanted) -> Self {
        let mut sums = Vec::new();
        let are_paired = y.is_some_and(|y| y.rows == x.rows);
        if are_paired {
            sums.push(Sum::Alignment);
        }
        sums.push(Sum::Within(SetName::X));
        if y.is_some() {
            sums.push(Sum::Within(SetName::Y));
            if wanted.across || wanted.mmd {
                sums.push(Sum::Across);
            }
        }
        if are_paired && wanted.mmd {
            sums.push(Sum::Unpaired);
        }
        let mut strips = wanted.strips;
        if !are_paired {
            strips.taus = 0;
        }
        if strips.taus > 0 {
            sums.push(Sum::Products);
            sums.extend(strips.anchors().iter().copied().flatten());
        }
        if strips.potentials || strips.distances {
            sums.extend(are_paired.then_some(Sum::Distances));
        }
        if strips.potentials {
            sums.push(Sum::Potentials(SetName::X));
            sums.extend(y.map(|_| Sum::Potentials(SetName::Y)));
        }
        if strips.counts > 0 {
            sums.push(Sum::Counts(SetName::X));
            sums.extend(y.map(|_| Sum::Counts(SetName::Y)));
        }
        Self { sums, x, y: y.unwrap_or(x), strips, groups: None }
    }

    /// With the units of groups behind the blocks.
    pub(super) fn with_groups(self, groups: GroupUnits) -> Self {
        Self { groups: Some(groups), ..self }
    }

    pub(super) fn groups(&self) -> Option<&GroupUnits> {
        self.groups.as_ref()
    }

    /// The pairs i < j of one set alone.
    pub(crate) fn within(x: Panels) -> Self {
        Self::new(x, None, Wanted::default())
    }

    /// All pairs of two sets alone.
    pub(crate) fn across(x: Panels, y: Panels) -> Self {
        Self { sums: vec![Sum::Across], x, y, strips: Strips::default(), groups: None }
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

    /// How many numbers there are, those of groups among them.
    pub(crate) fn all(&self) -> usize {
        self.count() + self.groups.as_ref().map_or(0, GroupUnits::count)
    }

    /// How many numbers blocks have.
    pub(crate) fn count(&self) -> usize {
        self.sums.iter().map(|&sum| self.count_of(sum)).sum()
    }

    /// How many of the numbers, the first ones, are of blocks with one result for all pairs.
    pub(crate) fn totals(&self) -> usize {
        self.sums.iter().filter(|sum| !sum.is_in_strips()).map(|&sum| self.count_of(sum)).sum()
    }

    fn count_of(&self, sum: Sum) -> usize {
        let [left, right] = sum.sides().map(|set| self.panels(set).count());
        match sum {
            _ if sum.is_paired() => left,
            Sum::Within(_) => left * (left + 1) / 2,
            Sum::Across => left * right,
            Sum::Counts(_) => self.strips_before(sum, left),
            _ => left * self.strips_of(sum),
        }
    }

    /// Strips of the first left panels of a sum over i < j, of which each meets itself and those behind it.
    fn strips_before(&self, sum: Sum, lefts: usize) -> usize {
        let (count, length) = (self.panels(sum.sides()[0]).count(), self.strip_panels(sum));
        // Of 1 to n panels, in strips of one length each.
        let up_to = |n: usize| {
            let (whole, rest) = (n / length, n % length);
            length * whole * (whole + 1) / 2 + rest * (whole + 1)
        };
        up_to(count) - up_to(count - lefts)
    }

    /// Strips of a left panel.
    fn strips_of(&self, sum: Sum) -> usize {
        self.panels(sum.sides()[1]).count().div_ceil(self.strip_panels(sum))
    }

    /// Right panels of a strip.
    fn strip_panels(&self, sum: Sum) -> usize {
        if sum.is_paired() { 1 } else { self.strips.panels.max(1) }
    }

    /// Right panels that a left one has blocks with.
    pub(crate) fn rights(&self, sum: Sum, left: usize) -> Range<usize> {
        let count = self.panels(sum.sides()[1]).count();
        match sum {
            _ if sum.is_paired() => left..left + 1,
            _ if sum.is_unordered() => left..count,
            _ => 0..count,
        }
    }

    /// Place of a block in the order, which is that of its strip where it is in one.
    pub(crate) fn number(&self, block: Block) -> usize {
        let Block { sum, left, right } = block;
        let before = self.numbers(sum).start;
        let count = self.panels(sum.sides()[1]).count();
        before
            + match sum {
                _ if sum.is_paired() => left,
                Sum::Within(_) => left * (2 * count + 1 - left) / 2 + right - left,
                Sum::Across => left * count + right,
                Sum::Counts(_) => self.strips_before(sum, left) + (right - left) / self.strip_panels(sum),
                _ => left * self.strips_of(sum) + right / self.strip_panels(sum),
            }
    }

    /// The strip of a number; none of the first numbers, whose blocks have one result.
    pub(crate) fn strip(&self, number: usize) -> Option<Strip> {
        let by_row = self.sums.iter().filter(|sum| sum.is_in_strips());
        let sum = *by_row.into_iter().find(|&&sum| self.numbers(sum).contains(&number))?;
        let place = number - self.numbers(sum).start;
        if sum.is_paired() {
            return Some(Strip { sum, left: place, rights: place..place + 1 });
        }
        let (left, strip) = if sum.is_unordered() {
            let lefts: Vec<_> = (0..self.panels(sum.sides()[0]).count()).collect();
            let left = lefts.partition_point(|&left| self.strips_before(sum, left + 1) <= place);
            (left, place - self.strips_before(sum, left))
        } else {
            (place / self.strips_of(sum), place % self.strips_of(sum))
        };
        let (rights, panels) = (self.rights(sum, left), self.strip_panels(sum));
        let first = rights.start + strip * panels;
        let end = rights.end.min(first + panels);
        Some(Strip { sum, left, rights: first..end })
    }

    /// Numbers that a strip's result has: one for every row of its left panel, for an anchor one for every temperature, or the
    /// counts.
    pub(crate) fn values(&self, strip: &Strip) -> usize {
        let rows = self.panels(strip.sum.sides()[0]).len(strip.left);
        match strip.sum {
            Sum::Counts(_) => self.strips.counts,
            Sum::Anchors(..) => rows * self.strips.taus,
            _ => rows,
        }
    }

    /// The sums that the anchors of a set are in, for each set that has any.
    pub(crate) fn anchors(&self) -> &'static [&'static [Sum]] {
        self.strips.anchors()
    }

    /// Negatives of an anchor: the other rows of each set that it meets.
    pub(crate) fn negatives(&self) -> u64 {
        let of_one_set = self.x.rows.saturating_sub(1) as u64;
        self.anchors().first().map_or(0, |sums| sums.len() as u64) * of_one_set
    }

    /// Numbers of a sum: none where that is not computed.
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

    /// Blocks of all sums, in order.
    pub(crate) fn all_blocks(&self) -> impl Iterator<Item = Block> + '_ {
        self.sums.iter().flat_map(|&sum| self.blocks(sum))
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
            Sum::Alignment | Sum::Products | Sum::Distances => rows as u64,
            Sum::Unpaired | Sum::Anchors(..) | Sum::Potentials(_) if block.left == block.right => {
                rows as u64 * cols.saturating_sub(1) as u64
            }
            _ if block.is_diagonal() => unordered_pairs(rows),
            _ => rows as u64 * cols as u64,
        }
    }

    /// Numbers of each of several parts, which have about as many pairs each.
    pub(crate) fn parts(&self, parts: usize) -> Vec<Range<usize>> {
        let mut pairs = vec![0; self.count()];
        self.all_blocks().for_each(|block| pairs[self.number(block)] += u128::from(self.pairs(block)));
        let of_groups = self.groups.iter().flat_map(GroupUnits::pairs);
        pairs.extend(of_groups.map(u128::from));
        let total: u128 = pairs.iter().sum();
        // A number belongs to the part in which the last of its pairs lies.
        let mut before = 0;
        let part_of = |pairs: &u128| {
            before += pairs;
            (before.saturating_sub(1) * parts as u128 / total.max(1)) as usize
        };
        let of: Vec<_> = pairs.iter().map(part_of).collect();
        let end = |part| of.partition_point(|&other| other < part);
        (0..parts).map(|part| end(part)..end(part + 1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts() -> Vec<Layout> {
        let panels = |rows| Panels { rows, panel_rows: 4 };
        let all = |candidates| Wanted {
            across: true,
            mmd: true,
            strips: Strips { candidates, taus: 2, potentials: true, distances: false, counts: 5, panels: 2 },
        };
        let labels: Vec<_> = (0..17).map(|row| row / 6).collect();
        let groups = GroupUnits::new(&labels, 2, 4, true).unwrap();
        let paired = Strips { distances: true, ..Strips::default() };
        let wanted = Wanted { strips: paired, ..Wanted::default() };
        let grouped = Layout::new(panels(17), Some(panels(17)), wanted).with_groups(groups);
        vec![
            Layout::new(panels(3), None, Wanted::default()),
            Layout::new(panels(17), None, all(Candidates::OneWay)),
            Layout::new(panels(17), Some(panels(17)), Wanted { across: true, ..Wanted::default() }),
            Layout::new(panels(17), Some(panels(17)), all(Candidates::OneWay)),
            Layout::new(panels(23), Some(panels(23)), all(Candidates::BothWays)),
            Layout::new(panels(24), Some(panels(24)), all(Candidates::Views)),
            Layout::new(panels(9), Some(panels(30)), all(Candidates::BothWays)),
            grouped,
        ]
    }

    #[test]
    fn every_block_has_its_number_and_every_pair_its_block() {
        for layout in layouts() {
            let totals: Vec<_> = layout.all_blocks().filter(|block| !block.sum.is_in_strips()).collect();
            assert_eq!(totals.len(), layout.totals());
            for (number, &block) in totals.iter().enumerate() {
                assert_eq!((layout.number(block), layout.strip(number)), (number, None), "{block:?}");
            }
            for &sum in layout.sums() {
                let pairs: u64 = layout.blocks(sum).map(|block| layout.pairs(block)).sum();
                let [left, right] = sum.sides().map(|set| layout.panels(set).rows);
                let all = match sum {
                    Sum::Alignment | Sum::Products | Sum::Distances => left as u64,
                    Sum::Within(_) | Sum::Counts(_) => unordered_pairs(left),
                    Sum::Across => (left * right) as u64,
                    Sum::Anchors(..) | Sum::Potentials(_) => (left * (right - 1)) as u64,
                    // Panels of four rows, and the rest.
                    Sum::Unpaired => (left / 4 * 12 + (left % 4) * (left % 4).saturating_sub(1)) as u64,
                };
                assert_eq!(pairs, all, "{sum:?}");
            }
        }
    }

    #[test]
    fn every_strip_has_its_blocks() {
        for layout in layouts() {
            let mut blocks = layout.all_blocks().filter(|block| block.sum.is_in_strips());
            for number in layout.totals()..layout.count() {
                let strip = layout.strip(number).unwrap();
                for right in strip.rights.clone() {
                    let block = Block { sum: strip.sum, left: strip.left, right };
                    assert_eq!((blocks.next(), layout.number(block)), (Some(block), number));
                }
            }
            assert_eq!((blocks.next(), layout.strip(layout.count())), (None, None));
        }
    }

    #[test]
    fn parts_hold_every_block_once() {
        for layout in layouts() {
            for parts in [1, 2, 3, 7, 100] {
                let ranges = layout.parts(parts);
                assert_eq!((ranges[0].start, ranges[parts - 1].end), (0, layout.all()));
                assert!(ranges.windows(2).all(|two| two[0].end == two[1].start), "{ranges:?}");
            }
        }
    }
}
