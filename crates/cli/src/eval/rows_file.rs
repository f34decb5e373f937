//! A table of the rows, for other programs.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{options::Eval, section::Section, work::Work};
use crate::{exit::Failure, text::plural};

struct Written {
    path: PathBuf,
    columns: Vec<&'static str>,
    rows: usize,
}

/// Writes it, if it was asked for.
pub(super) fn write(work: &Work, options: &Eval) -> Result<Option<Box<dyn Section>>, Failure> {
    let Some(path) = options.rows.clone() else { return Ok(None) };
    let rows: Vec<f64> = work.places.iter().map(|&row| row as f64).collect();
    let mut columns: Vec<(&str, &[f64])> = vec![("row", &rows)];
    for (set, name) in work.sets.iter().zip(["potential_x", "potential_y"]) {
        columns.extend(set.potentials.as_ref().map(|potentials| (name, potentials.logs())));
    }
    columns.extend(work.distances.as_deref().map(|distances| ("distance", distances)));
    let table: Vec<f64> =
        (0..rows.len()).flat_map(|i| columns.iter().map(move |(_, values)| values[i])).collect();
    unisphere_io::write(&path, &table, columns.len())?;
    let columns: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    Ok(Some(Box::new(Written { path, columns, rows: rows.len() })))
}

impl Section for Written {
    fn json(&self, object: &mut Map<String, Value>) {
        let path = self.path.display().to_string();
        object.insert("rows_file".into(), json!({"path": path, "columns": self.columns, "rows": self.rows}));
    }

    fn text(&self) -> String {
        let rows = plural(self.rows as u64, "row");
        format!("{} holds {rows} of f64: {}.\n", self.path.display(), self.columns.join(", "))
    }
}
