//! A table of the rows, for other programs.

use unisphere::{Potentials, Ranks};

use crate::{data::SetName, error::Result, rows::listed, work::Work};

/// A table of the rows: a column each for their numbers, how crowded they are in x and y, the distances of pairs, and the ranks of
/// partners where retrieval was measured.
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
    /// `row`, `potential_x`, `potential_y`, `distance`, `rank_x_to_y` or `rank_y_to_x`.
    pub name: &'static str,
    /// A value for each row.
    pub values: Vec<f64>,
}

impl RowTable {
    /// The table of rows with these numbers, one for each potential and distance.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](unisphere::Error::OutOfMemory) where the system gives none for so many rows.
    pub fn new<'a>(
        numbers: impl ExactSizeIterator<Item = usize>,
        potentials: impl IntoIterator<Item = (SetName, &'a Potentials)>,
        distances: Option<&[f64]>,
    ) -> Result<Self> {
        let mut columns =
            vec![RowColumn { name: "row", values: listed(numbers.len(), numbers.map(|row| row as f64))? }];
        let mut add = |name, values: &[f64]| -> Result<()> {
            columns.push(RowColumn { name, values: listed(values.len(), values.iter().copied())? });
            Ok(())
        };
        potentials.into_iter().try_for_each(|(set, potentials)| match set {
            SetName::X => add("potential_x", potentials.logs()),
            SetName::Y => add("potential_y", potentials.logs()),
        })?;
        distances.map_or(Ok(()), |distances| add("distance", distances))?;
        Ok(Self { columns })
    }

    /// Adds the rank of every row's partner; the mean of the best and the worst where it ties with other candidates.
    fn add_ranks(&mut self, name: &'static str, ranks: &Ranks) -> Result<()> {
        let ranks = ranks.rows();
        let values = listed(ranks.len(), ranks.iter().map(|rank| rank.mid()))?;
        self.columns.push(RowColumn { name, values });
        Ok(())
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }
}

pub(crate) fn table(work: &Work<'_>) -> Result<Option<RowTable>> {
    if !work.plan.rows {
        return Ok(None);
    }
    let numbers = (0..work.rows()).map(|row| work.number(row));
    let potentials = work.sets.iter().filter_map(|set| Some((set.name, set.potentials.as_ref()?)));
    let mut table = RowTable::new(numbers, potentials, work.distances.as_deref())?;
    if let Some(ranks) = &work.ranks {
        table.add_ranks("rank_x_to_y", &ranks.x_to_y)?;
        table.add_ranks("rank_y_to_x", &ranks.y_to_x)?;
    }
    Ok(Some(table))
}
