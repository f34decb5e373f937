//! The worst rows, to be looked at first: the most crowded ones, and pairs that lie far apart.

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

pub(crate) fn rank(work: &Work<'_>) -> Option<WorstRows> {
    let top = work.plan.top?;
    let numbered = |(row, value): (usize, f64)| RankedRow { row: work.row_numbers[row], value };
    let crowded = work.sets.iter().filter_map(|set| {
        let rows = set.potentials.as_ref()?.most_crowded(top);
        Some(SetRows { set: set.name, rows: rows.into_iter().map(numbered).collect() })
    });
    let farthest = |distances: &[f64]| {
        let pairs = distances.iter().copied().enumerate().filter(|(row, _)| work.counts(*row));
        greatest(pairs.collect(), top).into_iter().map(numbered).collect()
    };
    Some(WorstRows { crowded: crowded.collect(), apart: work.distances.as_deref().map(farthest) })
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
