//! What is told of single rows: the worst of them, and a file of all.

use std::path::PathBuf;

use unisphere_eval::{
    SetName,
    sections::{RowTable, WorstRows},
};
use unisphere_scale::Rows;

use crate::{exit::Failure, export::RowsFile};

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// The number of rows and pairs to be listed.
    pub(crate) top: Option<usize>,
    /// The file of a table of all rows.
    pub(crate) file: Option<PathBuf>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    pub(super) worst_rows: Option<WorstRows>,
    file: Option<(PathBuf, RowTable)>,
}

impl Listing {
    /// Whether anything is asked for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.top.is_some() || self.file.is_some()
    }

    /// Ranks the rows, and writes the file.
    pub(super) fn list(&self, rows: Option<&Rows>) -> Result<Listed, Failure> {
        let Some(rows) = rows else { return Ok(Listed::default()) };
        let distances = rows.distances.as_deref();
        let potentials = || {
            let of_y = rows.y.as_ref().map(|potentials| (SetName::Y, potentials));
            std::iter::once((SetName::X, &rows.x)).chain(of_y)
        };
        let mut listed = Listed {
            worst_rows: self.top.map(|top| WorstRows::new(top, potentials(), distances)),
            file: None,
        };
        if let Some(path) = &self.file {
            let table = RowTable::new(0..rows.x.logs().len(), potentials(), distances);
            unisphere_io::write(path, &table.row_major(), table.columns.len())?;
            listed.file = Some((path.clone(), table));
        }
        Ok(listed)
    }
}

impl Listed {
    /// The file that was written.
    pub(super) fn rows_file(&self) -> Option<RowsFile<'_>> {
        self.file.as_ref().map(|(path, table)| RowsFile { path, table })
    }
}
