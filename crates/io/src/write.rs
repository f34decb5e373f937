//! Matrices to `.npy` files.

use std::{
    fs, io,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process,
};

use crate::{Error, Fault, Result};

/// Writes `values.len() / columns` rows of so many columns, row-major, as little-endian f64. The file appears under
/// its name complete or not at all.
///
/// # Errors
///
/// [`Fault::Write`], [`Fault::Irregular`].
pub fn write(path: impl AsRef<Path>, values: &[f64], columns: usize) -> Result<()> {
    Writer::create(path)?.write(values, columns)
}

/// A file to be: it lies beside its place until it is complete, and is gone if it never is.
#[derive(Debug)]
pub struct Writer {
    /// As the caller named it.
    path: PathBuf,
    /// Where it will be: what a symbolic link points to.
    target: PathBuf,
    part: PathBuf,
    file: fs::File,
}

impl Writer {
    /// Begins a file, so that a place that cannot be written is found before there is anything to write.
    ///
    /// # Errors
    ///
    /// [`Fault::Write`], and [`Fault::Irregular`] where a directory, a pipe or a device is.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let create = || {
            let target = target(path).map_err(Fault::Write)?;
            if target.metadata().is_ok_and(|there| !there.is_file()) {
                return Err(Fault::Irregular);
            }
            let mut name = target.file_name().unwrap_or_default().to_os_string();
            name.push(format!(".{}.part", process::id()));
            let part = target.with_file_name(name);
            let file = fs::File::options().write(true).create_new(true).open(&part).map_err(Fault::Write)?;
            Ok(Self { path: path.into(), target, part, file })
        };
        create().map_err(|fault| Error { path: path.into(), fault })
    }

    /// Writes what [`write`](write()) does, and puts the file in its place.
    ///
    /// # Errors
    ///
    /// [`Fault::Write`].
    pub fn write(self, values: &[f64], columns: usize) -> Result<()> {
        let filled = fill(&self.file, values, columns).and_then(|()| fs::rename(&self.part, &self.target));
        filled.map_err(|error| Error { path: self.path.clone(), fault: Fault::Write(error) })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Nothing is there once it has its name, and the first error is the one to tell.
        let _ = fs::remove_file(&self.part);
    }
}

fn target(path: &Path) -> io::Result<PathBuf> {
    if path.is_symlink() { path.canonicalize() } else { Ok(path.into()) }
}

/// The header of a `.npy` file of rows × columns values, row-major, of a dtype that numpy writes so: "<f4" or "<f8". The values
/// come right after it.
pub fn npy_header(dtype: &str, rows: usize, columns: usize) -> Vec<u8> {
    let fields = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // As numpy does: values begin at a multiple of 64 bytes.
    let width = (10 + fields.len() + 1).next_multiple_of(64) - 11;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((width as u16 + 1).to_le_bytes());
    header.extend(format!("{fields:<width$}\n").bytes());
    header
}

fn fill(file: &fs::File, values: &[f64], columns: usize) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    file.write_all(&npy_header("<f8", values.len() / columns.max(1), columns))?;
    for value in values {
        file.write_all(&value.to_le_bytes())?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}
