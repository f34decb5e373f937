//! A table of the rows, for other programs.

use unisphere::Potentials;

use crate::{data::SetName, work::Work};

/// A table of the rows: a column each for their numbers, how crowded they are in x and y, and the distances of pairs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RowTable {
    /// Its columns, all of one length.
    pub columns: Vec<RowColumn>,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RowColumn {
    /// `row`, `potential_x`, `potential_y` or `distance`.
    pub name: &'static str,
    /// A value for each row.
    pub values: Vec<f64>,
}

impl RowTable {
    /// The table of rows with these numbers, one for each potential and distance.
    pub fn new<'a>(
        numbers: impl IntoIterator<Item = usize>,
        potentials: impl IntoIterator<Item = (SetName, &'a Potentials)>,
        distances: Option<&[f64]>,
    ) -> Self {
        let column = |name, values: &[f64]| RowColumn { name, values: values.to_vec() };
        let numbers = numbers.into_iter().map(|row| row as f64).collect();
        let mut columns = vec![RowColumn { name: "row", values: numbers }];
        columns.extend(potentials.into_iter().map(|(set, potentials)| {
            let name = match set {
                SetName::X => "potential_x",
                SetName::Y => "potential_y",
            };
            column(name, potentials.logs())
        }));
        columns.extend(distances.map(|distances| column("distance", distances)));
        Self { columns }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// The values row by row.
    pub fn row_major(&self) -> Vec<f64> {
        let row = |i: usize| self.columns.iter().map(move |column| column.values[i]);
        (0..self.rows()).flat_map(row).collect()
    }
}

pub(crate) fn table(work: &Work<'_>) -> Option<RowTable> {
    if !work.plan.rows {
        return None;
    }
    let numbers = work.row_numbers.iter().copied();
    let potentials = work.sets.iter().filter_map(|set| Some((set.name, set.potentials.as_ref()?)));
    Some(RowTable::new(numbers, potentials, work.distances.as_deref()))
}
