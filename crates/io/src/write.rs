//! A matrix of f64 to a `.npy` file.

use std::{
    fs, io,
    io::{BufWriter, Write as _},
    path::Path,
    process,
};

use crate::{Error, Fault, Result};

/// Writes `values.len() / columns` rows of so many columns, row-major, as little-endian f64. The file appears under
/// its name complete or not at all.
///
/// # Errors
///
/// [`Fault::Write`].
pub fn write(path: impl AsRef<Path>, values: &[f64], columns: usize) -> Result<()> {
    let path = path.as_ref();
    let written = fill_beside(path, values, columns);
    written.map_err(|error| Error { path: path.into(), fault: Fault::Write(error) })
}

fn fill_beside(path: &Path, values: &[f64], columns: usize) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", process::id()));
    let part = path.with_file_name(name);
    let file = fs::File::options().write(true).create_new(true).open(&part)?;
    let filled = fill(file, values, columns).and_then(|()| fs::rename(&part, path));
    if filled.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&part);
    }
    filled
}

fn fill(file: fs::File, values: &[f64], columns: usize) -> io::Result<()> {
    let rows = values.len() / columns.max(1);
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // As numpy does: values begin at a multiple of 64 bytes.
    let width = (10 + header.len() + 1).next_multiple_of(64) - 11;
    let mut file = BufWriter::new(file);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(width as u16 + 1).to_le_bytes())?;
    writeln!(file, "{header:<width$}")?;
    for value in values {
        file.write_all(&value.to_le_bytes())?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}
