//! The numbers of what groups have: behind those of an evaluation's blocks, set after set, and in each of them group after group.

use std::{fmt, ops::Range};

use unisphere::{Groups, unordered_pairs};

use super::fingerprint::hex;
use crate::{error::Result, panels::Panels};

/// Results that a unit has: a small group's uniformity, and the sum of its distances; a block's log mean; a sum of squares.
pub(super) const RESULTS: usize = 2;

/// Rows by their groups, and the units of work that they make. A group of up to a panel is one unit. A larger one is a set of its
/// own: its blocks of two panels are one unit each, and the squared distances of its pairs one more.
#[derive(Clone)]
pub(super) struct GroupUnits {
    groups: Groups,
    /// Where the units of each group begin among those of a set, and where the last ones end.
    starts: Vec<usize>,
    sets: usize,
    panel_rows: usize,
    /// Whether the squared distances of large groups are asked for.
    has_squares: bool,
    /// The hash of all labels.
    hash: [u8; 32],
}

impl GroupUnits {
    pub(super) fn new(labels: &[i64], sets: usize, panel_rows: usize, has_squares: bool) -> Result<Self> {
        let (groups, hash) = (Groups::new(labels)?, hash_of(labels));
        let mut units = Self { groups, starts: vec![0], sets, panel_rows, has_squares, hash };
        for group in 0..units.count_of_groups() {
            units.starts.push(units.starts[group] + units.count_of(group));
        }
        Ok(units)
    }

    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// How many sets have these groups.
    pub(super) fn sets(&self) -> usize {
        self.sets
    }

    pub(super) fn count_of_groups(&self) -> usize {
        self.groups.count()
    }

    /// Rows of a group, in ascending order.
    pub(super) fn rows(&self, group: usize) -> &[usize] {
        self.groups.rows_of(group)
    }

    /// Panels of a group that is larger than one.
    pub(super) fn panels(&self, group: usize) -> Option<Panels> {
        let rows = self.rows(group).len();
        (rows > self.panel_rows).then_some(Panels { rows, panel_rows: self.panel_rows })
    }

    /// Groups of more than a panel, or else those of two rows up to a panel.
    pub(super) fn sized(&self, large: bool) -> impl Iterator<Item = usize> + '_ {
        let all = 0..self.count_of_groups();
        all.filter(move |&group| self.rows(group).len() > 1 && self.panels(group).is_some() == large)
    }

    fn count_of(&self, group: usize) -> usize {
        match self.panels(group) {
            Some(panels) => panels.count() * (panels.count() + 1) / 2 + usize::from(self.has_squares),
            None => usize::from(self.rows(group).len() > 1),
        }
    }

    fn count_of_set(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// How many units there are.
    pub(super) fn count(&self) -> usize {
        self.sets * self.count_of_set()
    }

    /// The units of a group of the first set or of the second: of a large one the blocks, and then its squared distances where these
    /// are asked for.
    pub(super) fn units(&self, set: usize, group: usize) -> Range<usize> {
        let before = set * self.count_of_set();
        before + self.starts[group]..before + self.starts[group + 1]
    }

    /// The unit of a large group's squared distances.
    pub(super) fn squares(&self, set: usize, group: usize) -> Option<usize> {
        (self.has_squares && self.panels(group).is_some()).then(|| self.units(set, group).end - 1)
    }

    /// Memory that all of it takes, in bytes, with the results of the units.
    pub(super) fn bytes(&self) -> u64 {
        let of_rows = (size_of::<i64>() + size_of::<usize>()) * self.groups.sizes().sum::<usize>();
        // Where its rows end, and where its units begin.
        let of_groups = 2 * size_of::<usize>() * self.count_of_groups();
        (of_rows + of_groups) as u64 + self.bytes_of_results()
    }

    /// Memory of the results, and of the pairs that every unit has.
    pub(super) fn bytes_of_results(&self) -> u64 {
        let of_unit = RESULTS * size_of::<f64>() + size_of::<bool>() + size_of::<u64>();
        (of_unit * self.count()) as u64
    }

    /// Pairs of every unit, in order: those of a pass over the rows of a large group count as its rows.
    pub(super) fn pairs(&self) -> Vec<u64> {
        let of_group = |group: usize| match self.panels(group) {
            Some(panels) => {
                let rights = |left| (left..panels.count()).map(move |right| panels.pairs(left, right));
                let blocks = (0..panels.count()).flat_map(rights);
                blocks.chain(self.has_squares.then_some(panels.rows as u64)).collect()
            }
            None => vec![unordered_pairs(self.rows(group).len()); self.count_of(group)],
        };
        (0..self.sets).flat_map(|_| (0..self.count_of_groups()).flat_map(of_group)).collect()
    }
}

/// What tells these units from others: a plan and a journal are of them alone.
impl fmt::Debug for GroupUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sets, panel_rows, has_squares, hash, .. } = self;
        write!(f, "Groups {sets} {panel_rows} {has_squares} {}", hex(hash))
    }
}

fn hash_of(labels: &[i64]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for label in labels {
        hasher.update(&label.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_its_number_and_every_pair_its_unit() -> Result<()> {
        // Groups of 1, 4, 9 and 2 rows, by panels of 4: none, one, three panels, one.
        let sizes = [1, 4, 9, 2];
        let labels: Vec<i64> =
            (0..).zip(sizes).flat_map(|(label, size)| std::iter::repeat_n(label, size)).collect();
        for (sets, has_squares) in [(1, true), (2, true), (2, false)] {
            let units = GroupUnits::new(&labels, sets, 4, has_squares)?;
            let of_set = 1 + 6 + usize::from(has_squares) + 1;
            assert_eq!((units.count(), units.pairs().len()), (sets * of_set, sets * of_set));
            let mut next = 0;
            for set in 0..sets {
                for (group, rows) in sizes.into_iter().enumerate() {
                    let of_group = units.units(set, group);
                    assert_eq!(of_group.start, next);
                    next = of_group.end;
                    let squares = units.squares(set, group);
                    let pairs: u64 =
                        of_group.filter(|&unit| Some(unit) != squares).map(|unit| units.pairs()[unit]).sum();
                    assert_eq!(pairs, unordered_pairs(rows));
                }
            }
            assert_eq!(next, units.count());
            assert!(units.sized(true).eq([2]) && units.sized(false).eq([1, 3]));
        }
        Ok(())
    }
}
