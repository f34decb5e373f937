//! What figures draw of points in two dimensions: some of them as marks, and all of them as counts in the parts of a circle.

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use unisphere::Groups;

/// The rows of a set that are drawn at most.
const MAX_SHOWN_ROWS: usize = 1500;
/// Groups whose angles are counted at most: the largest.
const MAX_GROUPS_OF_ANGLES: usize = 6;
/// Parts of the circle, of five degrees each, and the degrees of half of it.
const ANGLES: usize = 72;
pub(crate) const HALF_TURN: f64 = 180.0;
/// What the draw of rows follows from: the same in every run.
const SEED: u64 = 1;

/// A row that is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ShownRow {
    /// Its coordinates.
    pub at: [f32; 2],
    /// The place of its group in the [`GroupTable`](crate::sections::GroupTable).
    pub group: Option<usize>,
}

/// The angles of one group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupAngles {
    /// The place of the group in the [`GroupTable`](crate::sections::GroupTable).
    pub group: usize,
    /// Counts in the parts of [`SetFigures::angles`](crate::sections::SetFigures::angles).
    pub counts: Vec<u64>,
}

/// The groups of rows by their labels, as figures show them.
#[derive(Clone, Debug)]
pub struct RowGroups<'a> {
    labels: &'a [i64],
    /// The label of each group, in order.
    distinct: Vec<i64>,
    /// The groups whose angles are counted, the largest first.
    largest: Vec<usize>,
}

impl<'a> RowGroups<'a> {
    /// Those of the label of each row.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](unisphere::Error::OutOfMemory).
    pub fn new(labels: &'a [i64]) -> unisphere::Result<Self> {
        let groups = Groups::new(labels)?;
        let largest = largest(&groups.sizes().collect::<Vec<_>>(), MAX_GROUPS_OF_ANGLES);
        Ok(Self { labels, distinct: groups.labels().collect(), largest })
    }

    /// The place of a row's group.
    fn place(&self, row: usize) -> Option<usize> {
        self.distinct.binary_search(self.labels.get(row)?).ok()
    }
}

/// What is drawn of points in two dimensions, which come one after the other: some of them, and how many lie in each part of the circle.
#[derive(Debug)]
pub(crate) struct Drawn<'a> {
    rows: usize,
    /// Rows that have come.
    seen: usize,
    /// Rows that are still to be shown.
    wanted: usize,
    rng: ChaCha8Rng,
    groups: Option<&'a RowGroups<'a>>,
    pub(crate) shown: Vec<ShownRow>,
    /// How many lie in each part of the circle.
    pub(crate) angles: Vec<u64>,
    pub(crate) of_groups: Vec<GroupAngles>,
}

impl<'a> Drawn<'a> {
    pub(crate) fn new(rows: usize, groups: Option<&'a RowGroups<'a>>) -> Self {
        let largest = groups.map_or(&[][..], |groups| &groups.largest);
        let of_group = |&group: &usize| GroupAngles { group, counts: vec![0; ANGLES] };
        Self {
            rows,
            seen: 0,
            wanted: MAX_SHOWN_ROWS,
            rng: ChaCha8Rng::seed_from_u64(SEED),
            groups,
            shown: Vec::new(),
            angles: vec![0; ANGLES],
            of_groups: largest.iter().map(of_group).collect(),
        }
    }

    /// Takes the next row.
    pub(crate) fn add(&mut self, at: [f32; 2]) {
        let group = self.groups.and_then(|groups| groups.place(self.seen));
        // Each row with the probability that is left for it, so that every choice of as many rows is as likely.
        let left = (self.rows - self.seen) as f64;
        if self.rng.random::<f64>() * left < self.wanted as f64 {
            self.wanted -= 1;
            self.shown.push(ShownRow { at, group });
        }
        let part = part_of_circle(at);
        self.angles[part] += 1;
        if let Some(of) = self.of_groups.iter_mut().find(|of| Some(of.group) == group) {
            of.counts[part] += 1;
        }
        self.seen += 1;
    }
}

/// The part of the circle in which a point lies, seen from its centre.
fn part_of_circle([x, y]: [f32; 2]) -> usize {
    let degrees = f64::from(y).atan2(f64::from(x)).to_degrees();
    (((degrees + HALF_TURN) / (2.0 * HALF_TURN) * ANGLES as f64) as usize).min(ANGLES - 1)
}

/// The places of the greatest sizes, so many at most: the greatest first, and of equal ones the first.
pub(crate) fn largest(sizes: &[usize], most: usize) -> Vec<usize> {
    let mut places: Vec<_> = (0..sizes.len()).collect();
    places.sort_by_key(|&place| std::cmp::Reverse(sizes[place]));
    places.truncate(most);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_those_of_a_protractor() {
        let points = [[1.0, 0.01], [-1.0, -0.01], [0.01, -1.0]];
        assert_eq!(points.map(part_of_circle), [36, 0, 18]);
    }
}
