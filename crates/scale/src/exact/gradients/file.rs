//! The file of a gradient, written panel by panel.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use unisphere::Error as EngineError;
use unisphere_io::npy_header;

use crate::{
    error::{Error, Result},
    exact::fingerprint::{Hash, hash_of},
    journal::sync_folder_of,
    panels::Panels,
};

/// A `.npy` file of f32, of which some panels are there. Its header comes last: what is not complete is no matrix to any reader.
#[derive(Debug)]
pub(super) struct GradientFile {
    path: PathBuf,
    file: File,
    panels: Panels,
    dims: usize,
    /// The sum of the squares of every panel that is there.
    squares: Vec<Option<f64>>,
}

impl GradientFile {
    /// That a path names no file, or one that is empty.
    pub(super) fn check(path: &Path) -> Result<()> {
        match fs::metadata(path) {
            Ok(there) if !there.is_file() => Err(Self::is_no_file(path)),
            Ok(there) if there.len() > 0 => Err(Self::is_there(path)),
            _ => Ok(()),
        }
    }

    fn is_no_file(path: &Path) -> Error {
        Error::Output {
            path: path.into(),
            problem: "a folder, a pipe or a device, and no file; name another".into(),
        }
    }

    fn is_there(path: &Path) -> Error {
        let problem = "is there already, and no journal says that this run has begun it; name another file, or remove it";
        Error::Output { path: path.into(), problem: problem.into() }
    }

    /// A new file, or one that is empty.
    pub(super) fn created(path: &Path, shape: (Panels, usize)) -> Result<Self> {
        let open = || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            let metadata = file.metadata()?;
            if metadata.len() == 0 && metadata.is_file() {
                sync_folder_of(path)?;
                return Ok(Some(file));
            }
            Ok(None)
        };
        Self::check(path)?;
        let Some(file) = open().map_err(|source| Error::Unwritten { path: path.into(), source })? else {
            return Err(Self::is_there(path));
        };
        Ok(Self::new(path, file, shape))
    }

    /// One that an earlier run has begun.
    pub(super) fn resumed(path: &Path, shape: (Panels, usize)) -> Result<Self> {
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => Ok(Self::new(path, file, shape)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let problem = "is gone, and the journal says that a run has begun it; put it back, or remove the journal";
                Err(Error::Output { path: path.into(), problem: problem.into() })
            }
            Err(source) => Err(Error::Unwritten { path: path.into(), source }),
        }
    }

    fn new(path: &Path, file: File, (panels, dims): (Panels, usize)) -> Self {
        Self { path: path.into(), file, panels, dims, squares: vec![None; panels.count()] }
    }

    /// Panels that are not there.
    pub(super) fn missing(&self) -> Vec<usize> {
        (0..self.squares.len()).filter(|&panel| self.squares[panel].is_none()).collect()
    }

    /// Takes over a panel that an earlier run has written, if it is what that has recorded.
    pub(super) fn recover(&mut self, panel: usize, hash: Hash) -> Result<()> {
        let read = self.read(panel);
        let values = match read {
            Ok(values) if hash_of(&values) == hash => values,
            Err(source) if source.kind() != ErrorKind::UnexpectedEof => return Err(self.failed(source)),
            _ => {
                let rows = self.panels.range(panel);
                let problem = format!(
                    "rows {} to {} are not what the journal says that a run has written; put the file back, or remove both to \
                     begin again",
                    rows.start,
                    rows.end.saturating_sub(1)
                );
                return Err(Error::Output { path: self.path.clone(), problem });
            }
        };
        self.squares[panel] = Some(squares(&values));
        Ok(())
    }

    /// Writes a panel, each number rounded to f32, and returns its hash. It need not be on the disk yet.
    pub(super) fn write(&mut self, panel: usize, values: &[f64]) -> Result<Hash> {
        let values: Vec<_> = values.iter().map(|&value| value as f32).collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(EngineError::Overflow { metric: "the gradient" }.into());
        }
        let bytes: Vec<_> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let written = self.seek(panel).and_then(|()| self.file.write_all(&bytes));
        written.map_err(|source| self.failed(source))?;
        self.squares[panel] = Some(squares(&values));
        Ok(hash_of(&values))
    }

    /// Waits until all panels are on the disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|source| self.failed(source))
    }

    /// Makes the file a matrix, and returns the norm of its values.
    pub(super) fn finish(mut self) -> Result<f64> {
        let header = self.header();
        let finish = |file: &mut File| {
            file.sync_data()?;
            file.rewind()?;
            file.write_all(&header)?;
            file.sync_all()
        };
        finish(&mut self.file).map_err(|source| self.failed(source))?;
        Ok(self.squares.iter().flatten().sum::<f64>().sqrt())
    }

    fn header(&self) -> Vec<u8> {
        npy_header("<f4", self.panels.rows, self.dims)
    }

    fn seek(&mut self, panel: usize) -> io::Result<()> {
        let before = self.panels.range(panel).start as u64 * self.dims as u64;
        let start = self.header().len() as u64 + before * size_of::<f32>() as u64;
        self.file.seek(SeekFrom::Start(start)).map(drop)
    }

    fn read(&mut self, panel: usize) -> io::Result<Vec<f32>> {
        self.seek(panel)?;
        let mut bytes = vec![0; self.panels.len(panel) * self.dims * size_of::<f32>()];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Unwritten { path: self.path.clone(), source }
    }
}

fn squares(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value).powi(2)).sum()
}
