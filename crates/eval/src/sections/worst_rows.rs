//! The worst rows, to be looked at first: the most crowded ones, and pairs that lie far apart.

use unisphere::Potentials;

use crate::{data::SetName, error::Result, rows::listed, work::Work};

/// The most crowded rows, and the pairs that lie farthest apart.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WorstRows {
    /// The most crowded rows of each set, by log mean exp(−t‖x−x′‖²) over the other rows, without weights.
    pub crowded: Vec<SetRows>,
    /// Whether rows have weights, so that those of weight 0 are left out of these.
    pub weighted: bool,
    /// The pairs that count with the greatest ‖x−y‖: whose weight is not 0, and whose score is high enough, where there are two sets.
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
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](unisphere::Error::OutOfMemory) where the system gives none for so many rows.
    pub fn new<'a>(
        top: usize,
        potentials: impl IntoIterator<Item = (SetName, &'a Potentials)>,
        distances: Option<&[f64]>,
    ) -> Result<Self> {
        let pairs = |distances: &[f64]| listed(distances.len(), distances.iter().copied().enumerate());
        Ok(Self::numbered(top, potentials, None, distances.map(pairs).transpose()?, |row| row))
    }

    /// The same with numbers of their own for rows, of pairs with their distances. Rows of weight 0 are left out, where rows have weights.
    fn numbered<'a>(
        top: usize,
        potentials: impl IntoIterator<Item = (SetName, &'a Potentials)>,
        weights: Option<&[f64]>,
        pairs: Option<Vec<(usize, f64)>>,
        number: impl Fn(usize) -> usize,
    ) -> Self {
        let ranked = |rows: Vec<(usize, f64)>| {
            rows.into_iter().map(|(row, value)| RankedRow { row: number(row), value }).collect()
        };
        let without = weights.map_or(0, |weights| weights.iter().filter(|&&weight| weight == 0.0).count());
        let crowded = |potentials: &Potentials| {
            let mut rows = potentials.most_crowded(top.saturating_add(without));
            rows.retain(|(row, _)| weights.is_none_or(|weights| weights[*row] > 0.0));
            rows.truncate(top);
            ranked(rows)
        };
        let crowded = potentials.into_iter().map(|(set, of)| SetRows { set, rows: crowded(of) }).collect();
        Self { crowded, weighted: weights.is_some(), apart: pairs.map(|pairs| ranked(greatest(pairs, top))) }
    }
}

pub(crate) fn rank(work: &Work<'_>) -> Result<Option<WorstRows>> {
    let Some(top) = work.plan.top else { return Ok(None) };
    let potentials = work.sets.iter().filter_map(|set| Some((set.name, set.potentials.as_ref()?)));
    let counted = |distances: &Vec<f64>| {
        let pairs = distances.iter().copied().enumerate().filter(|(row, _)| work.counts(*row));
        listed(distances.len(), pairs)
    };
    let pairs = work.distances.as_ref().map(counted).transpose()?;
    Ok(Some(WorstRows::numbered(top, potentials, work.row_weights(), pairs, |row| work.number(row))))
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
