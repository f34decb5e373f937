//! The worst rows, to be looked at first: the most crowded ones, and pairs that lie far apart.

use unisphere::Potentials;

use crate::{data::SetName, work::Work};

/// The most crowded rows, and the pairs that lie farthest apart.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WorstRows {
    /// The most crowded rows of each set, by log mean exp(−t‖x−x′‖²) over the other rows, without weights.
    pub crowded: Vec<SetRows>,
    /// The pairs with the greatest ‖x−y‖ whose weight is not 0, where there are two sets.
    pub apart: Option<Vec<RankedRow>>,
}

/// Rows of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetRows {
    /// The set.
    pub set: SetName,
    /// Greatest value first.
    pub rows: Vec<RankedRow>,
}

/// A row, and the value that it is ranked by.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RankedRow {
    /// The row.
    pub row: usize,
    /// Its value.
    pub value: f64,
}

impl WorstRows {
    /// The `top` most crowded rows of each set by their potentials, and the pairs that lie farthest apart by their distances: or as
    /// many as there are.
    pub fn new<'a>(
        top: usize,
        potentials: impl IntoIterator<Item = (SetName, &'a Potentials)>,
        distances: Option<&[f64]>,
    ) -> Self {
        let pairs = distances.map(|distances| distances.iter().copied().enumerate().collect());
        Self::numbered(top, potentials, pairs, |row| row)
    }

    /// The same with numbers of their own for rows, of pairs with their distances.
    fn numbered<'a>(
        top: usize,
        potentials: impl IntoIterator<Item = (SetName, &'a Potentials)>,
        pairs: Option<Vec<(usize, f64)>>,
        number: impl Fn(usize) -> usize,
    ) -> Self {
        let listed = |rows: Vec<(usize, f64)>| {
            rows.into_iter().map(|(row, value)| RankedRow { row: number(row), value }).collect()
        };
        let crowded = potentials
            .into_iter()
            .map(|(set, potentials)| SetRows { set, rows: listed(potentials.most_crowded(top)) })
            .collect();
        Self { crowded, apart: pairs.map(|pairs| listed(greatest(pairs, top))) }
    }
}

pub(crate) fn rank(work: &Work<'_>) -> Option<WorstRows> {
    let top = work.plan.top?;
    let potentials = work.sets.iter().filter_map(|set| Some((set.name, set.potentials.as_ref()?)));
    let pairs = work.distances.as_ref().map(|distances| {
        distances.iter().copied().enumerate().filter(|(row, _)| work.counts(*row)).collect()
    });
    Some(WorstRows::numbered(top, potentials, pairs, |row| work.row_numbers[row]))
}

/// The rows with the greatest values, the first of equal ones first.
fn greatest(mut rows: Vec<(usize, f64)>, top: usize) -> Vec<(usize, f64)> {
    let order = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if top < rows.len() {
        rows.select_nth_unstable_by(top, order);
        rows.truncate(top);
    }
    rows.sort_unstable_by(order);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_come_first() {
        let rows: Vec<_> = [0.5, 2.0, 1.0, 2.0, 0.0].into_iter().enumerate().collect();
        assert_eq!(greatest(rows.clone(), 3), [(1, 2.0), (3, 2.0), (2, 1.0)]);
        assert_eq!(greatest(rows, 9).len(), 5);
    }
}
