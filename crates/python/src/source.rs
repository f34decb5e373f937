//! Sets that are arrays or files, and how files are read.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use pyo3::prelude::*;
use unisphere::{Embeddings, Scaling};
use unisphere_cli::{LargeSet, Located, Of, ReadingOptions, check_together, warn_of_guess};
use unisphere_io::{Error, Extent, Fault as FaultOfFile, File};

use crate::{
    fault::{Fault, Given, invalid},
    rows::Rows,
};

/// A set: an array, or a file.
#[derive(FromPyObject)]
pub enum Source {
    /// Rows in memory.
    Array(Rows),
    /// The path of a file of rows.
    Path(PathBuf),
}

/// A set that is open: its shape is known.
pub(crate) enum Opened {
    Array(Rows),
    File(File),
}

impl Source {
    /// Where it came from, as reports tell it.
    pub(crate) fn told(&self, reading: &ReadingOptions, set: Of) -> String {
        match self {
            Self::Array(_) => "array".into(),
            Self::Path(path) => reading.told(path, set),
        }
    }

    /// The same of a set that no options are of.
    pub(crate) fn place(&self) -> String {
        self.told(&ReadingOptions::default(), Of::Y)
    }

    pub(crate) fn given(&self) -> Given {
        match self {
            Self::Array(_) => Given::Arrays,
            Self::Path(_) => Given::Files,
        }
    }

    /// The same, opened as options say it.
    pub(crate) fn open(self, name: &'static str, reading: &ReadingOptions, set: Of) -> Result<Opened, Fault> {
        match self {
            Self::Array(rows) => Ok(Opened::Array(rows)),
            Self::Path(path) => {
                let file = File::open_with(path, &reading.reading(set));
                file.map(Opened::File).map_err(|error| of_file(name, &error))
            }
        }
    }

    /// The set for work that reads it in pieces; `name` is that of an array.
    pub(crate) fn large(self, name: impl Into<PathBuf>) -> LargeSet {
        match self {
            Self::Array(rows) => LargeSet::Rows(Box::new(Named { rows, name: name.into() })),
            Self::Path(path) => LargeSet::Path(path),
        }
    }
}

impl Opened {
    /// That what options say of files means something to one of them at least. Warns of what was guessed.
    pub(crate) fn check_together<'a>(sets: impl Iterator<Item = &'a Self> + Clone) -> Result<(), Fault> {
        let files = sets.filter_map(|set| match set {
            Self::File(file) => Some(file),
            Self::Array(_) => None,
        });
        check_together(files.clone()).map_err(|error| Fault::File(error.to_string()))?;
        files.for_each(|file| warn_of_guess([file]));
        Ok(())
    }

    /// Its points but for some rows, checked.
    pub(crate) fn embeddings(
        &self,
        name: &'static str,
        without: &[usize],
        scaling: Scaling,
    ) -> Result<Embeddings<'_>, Fault> {
        match self {
            Self::Array(rows) if without.is_empty() => rows.embeddings(name, scaling),
            Self::Array(rows) => {
                let dims = rows.shape().1;
                let kept = (0..rows.shape().0).filter(|row| without.binary_search(row).is_err());
                let values: Vec<f32> =
                    kept.flat_map(|row| &rows.values()[row * dims..(row + 1) * dims]).copied().collect();
                let count = rows.shape().0 - without.len();
                let points = Embeddings::with_scaling(values, count, dims, scaling);
                points.map_err(|error| Fault::Engine(name, error))
            }
            Self::File(file) => {
                file.embeddings_without(without, scaling).map_err(|error| of_file(name, &error))
            }
        }
    }

    /// Rows that hold nothing but zeros, in order.
    pub(crate) fn zero_rows(&self, name: &'static str) -> Result<Vec<usize>, Fault> {
        match self {
            Self::Array(rows) => {
                let points = rows.values().chunks_exact(rows.shape().1.max(1)).enumerate();
                Ok(points.filter(|(_, point)| point.iter().all(|&v| v == 0.0)).map(|(row, _)| row).collect())
            }
            Self::File(file) => file.zero_rows().map_err(|error| of_file(name, &error)),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Array(rows) => rows.shape().0,
            Self::File(file) => file.rows(),
        }
    }
}

impl Located for Opened {
    fn dims(&self) -> usize {
        match self {
            Self::Array(rows) => rows.shape().1,
            Self::File(file) => file.dims(),
        }
    }

    fn is_wide(&self) -> bool {
        matches!(self, Self::File(file) if file.is_wide())
    }

    fn extent(&self) -> unisphere_io::Result<Option<Extent>> {
        match self {
            Self::File(file) => file.extent(),
            Self::Array(_) => Ok(None),
        }
    }

    fn about(self, origin: &Arc<[f64]>) -> unisphere_io::Result<Self> {
        Ok(match self {
            Self::File(file) => Self::File(file.about(origin)?),
            array @ Self::Array(_) => array,
        })
    }
}

fn of_file(name: &'static str, error: &Error) -> Fault {
    Fault::File(format!("{name}: {error}"))
}

/// An array that is read by ranges of rows, under the name of its argument.
#[derive(Debug)]
struct Named {
    rows: Rows,
    name: PathBuf,
}

impl Named {
    fn error(&self, fault: FaultOfFile) -> Error {
        Error { path: self.name.clone(), fault }
    }
}

impl unisphere_io::Source for Named {
    fn path(&self) -> &Path {
        &self.name
    }

    fn rows(&self) -> usize {
        self.rows.shape().0
    }

    fn dims(&self) -> usize {
        self.rows.shape().1
    }

    fn place(&self, row: usize) -> (&Path, usize) {
        (&self.name, row)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> unisphere_io::Result<()> {
        let (all, dims) = self.rows.shape();
        let Range { start, end } = rows;
        if start > end || end > all {
            return Err(self.error(FaultOfFile::NoSuchRows { start, end, rows: all }));
        }
        if into.len() != (end - start) * dims {
            return Err(self.error(FaultOfFile::Buffer { values: into.len(), rows: end - start, dims }));
        }
        into.copy_from_slice(&self.rows.values()[start * dims..end * dims]);
        Ok(())
    }

    fn stored(&self, row: usize, dim: usize) -> unisphere_io::Result<f64> {
        let (rows, dims) = self.rows.shape();
        let value = (dim < dims).then(|| self.rows.values().get(row * dims + dim)).flatten();
        let missing = || self.error(FaultOfFile::NoSuchRows { start: row, end: row.saturating_add(1), rows });
        value.map(|&value| f64::from(value)).ok_or_else(missing)
    }
}

/// How files are read, of options that Python's half has checked, as JSON.
pub(crate) fn reading(options: &str) -> PyResult<ReadingOptions> {
    ReadingOptions::parsed(options)
        .ok_or_else(|| invalid(format!("how files are read is unknown: {options}")))
}

/// The second set: that of x's own file, where two names are given and no y.
pub(crate) fn second(
    x: &Source,
    y: Option<Source>,
    reading: &ReadingOptions,
) -> Result<Option<Source>, Fault> {
    match (x, y) {
        (Source::Path(x), None) => {
            let own = reading.file_of_y(x, None);
            let own = own.map_err(|failure| Fault::Program(failure, Given::Files))?;
            Ok(own.map(|path| Source::Path(path.into())))
        }
        (_, y) => Ok(y),
    }
}
