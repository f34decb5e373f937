//! The label of every row, whose groups are measured: read for a report, and named by a plan for its parts.

use std::path::Path;

use serde_json::{Value, json};
use unisphere_io::{Labels, Source, printable};

use super::files::{check_groups, check_one_a_row, open_column};
use crate::{exit::Failure, interrupt, reading::told_column, set_files::SetFiles};

/// The file of the labels as a plan names it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PlannedLabels {
    file: SetFiles,
    /// Its column or key, where it has several.
    column: Option<String>,
    /// Tells the labels and their names from others.
    hash: String,
}

impl PlannedLabels {
    /// Labels that were not read yet.
    pub(super) fn named(path: &Path, column: Option<&String>) -> Result<Self, Failure> {
        let file = SetFiles::of_path(path).absolute()?;
        Ok(Self { file, column: column.cloned(), hash: String::new() })
    }

    /// Reads the labels of a set that a plan is made for.
    pub(super) fn read_first(self, x: &dyn Source) -> Result<(Self, Labels), Failure> {
        let labels = read(self.path(), self.column.as_deref(), x)?;
        Ok((Self { hash: hash(&labels), ..self }, labels))
    }

    /// The column that they are in a file of points.
    pub(super) fn column_in(&self, points: &SetFiles) -> Option<&str> {
        self.column.as_deref().filter(|_| self.file == *points)
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// What a report calls them.
    pub(super) fn told(&self) -> String {
        told_column(self.path(), self.column.as_ref())
    }

    /// Reads the labels that the plan was made with.
    pub(super) fn read(&self) -> Result<Labels, Failure> {
        let column = open_column(self.path(), self.column.as_deref(), "label")?;
        let labels = interrupt::leaving_at_once(|| column.labels())??;
        if hash(&labels) == self.hash {
            return Ok(labels);
        }
        let name = printable(self.path());
        Err(Failure::Input(format!(
            "{name} has other labels than the plan was made with\nput the file back, or make a new plan"
        )))
    }

    pub(super) fn to_json(&self) -> Result<Value, Failure> {
        Ok(json!({"path": self.file.to_json()?, "column": self.column, "hash": self.hash}))
    }

    pub(super) fn from_json(object: &Value) -> Option<Self> {
        let text = |key: &str| object[key].as_str().map(str::to_owned);
        let column = match &object["column"] {
            Value::Null => None,
            _ => Some(text("column")?),
        };
        Some(Self { file: SetFiles::from_json(&object["path"])?, column, hash: text("hash")? })
    }
}

/// The label of every row of a set.
pub(super) fn read(path: &Path, column: Option<&str>, x: &dyn Source) -> Result<Labels, Failure> {
    let labels = open_column(path, column, "label")?;
    check_one_a_row(&labels, "label", x)?;
    check_groups(&labels)?;
    Ok(interrupt::leaving_at_once(|| labels.labels())??)
}

/// Memory that labels take.
pub(super) fn bytes(labels: &Labels) -> u64 {
    let of_name = |name: &String| size_of::<String>() + name.len();
    let names = labels.names.iter().flatten().map(of_name).sum::<usize>();
    (size_of_val(labels.of_rows.as_slice()) + names) as u64
}

fn hash(labels: &Labels) -> String {
    let mut hasher = blake3::Hasher::new();
    for label in &labels.of_rows {
        hasher.update(&label.to_le_bytes());
    }
    for name in labels.names.iter().flatten() {
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}
