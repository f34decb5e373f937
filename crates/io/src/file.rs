//! The two doors: a file, and bytes in memory.

use std::{
    fs,
    io::{Cursor, Read, Seek},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use unisphere::{Embeddings, Scaling};

use crate::{Dtype, Error, Fault, Result, header::Header, values};

/// An open `.npy` file whose header is sound and agrees with the file's length.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    header: Header,
    // Reading moves the file's one cursor: a lock makes `&self` enough.
    reader: Mutex<fs::File>,
}

impl File {
    /// Opens a file and checks everything but its values.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of a path, of a format and of a header, with the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let opened = regular(path).and_then(|(mut reader, length)| {
            Ok(Self { path: path.into(), header: Header::read(&mut reader, length)?, reader: reader.into() })
        });
        opened.map_err(|fault| Error { path: path.into(), fault })
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many points.
    pub fn rows(&self) -> usize {
        self.header.rows
    }

    /// Of how many dimensions.
    pub fn dims(&self) -> usize {
        self.header.dims
    }

    /// How the values are stored.
    pub fn dtype(&self) -> Dtype {
        self.header.dtype
    }

    /// Reads the points, (rows, dims). They own their memory, so an engine on the CPU can
    /// [take it over](unisphere::Engine::upload_owned).
    ///
    /// # Errors
    ///
    /// [`Fault::Overflow`] and [`Fault::Content`] for values that cannot be measured, [`Fault::Changed`] for a
    /// file that shrank since it was opened, [`Fault::Memory`], and [`Fault::Io`].
    pub fn embeddings(&self, scaling: Scaling) -> Result<Embeddings<'static>> {
        self.embeddings_without(&[], scaling)
    }

    /// Reads the points but for some rows, given in ascending order. Faults name rows of the file.
    ///
    /// # Errors
    ///
    /// Those of [`embeddings`](Self::embeddings).
    pub fn embeddings_without(&self, rows: &[usize], scaling: Scaling) -> Result<Embeddings<'static>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        embeddings(&mut *reader, &self.header, rows, scaling)
            .map_err(|fault| Error { path: self.path.clone(), fault })
    }

    /// The rows that hold nothing but zeros, in ascending order.
    ///
    /// # Errors
    ///
    /// [`Fault::Changed`], [`Fault::Memory`] and [`Fault::Io`].
    pub fn zero_rows(&self) -> Result<Vec<usize>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let values = values::read(&mut *reader, &self.header)
            .map_err(|fault| Error { path: self.path.clone(), fault })?;
        let rows = values.chunks_exact(self.header.dims).enumerate();
        Ok(rows.filter(|(_, row)| row.iter().all(|&value| value == 0.0)).map(|(row, _)| row).collect())
    }
}

/// Points from the bytes of a `.npy` file, (rows, dims).
///
/// # Errors
///
/// Those of [`File`], except what only a path can cause.
///
/// ```
/// use unisphere::Scaling;
///
/// let header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}";
/// let length = (header.len() as u16).to_le_bytes();
/// let values = [3.0f32, 4.0].map(f32::to_le_bytes);
/// let bytes = [b"\x93NUMPY\x01\x00", &length[..], header, values.as_flattened()].concat();
///
/// let points = unisphere_io::parse(&bytes, Scaling::Unit)?;
/// assert_eq!((points.rows(), points.values()), (1, [3.0, 4.0].as_slice()));
/// # Ok::<(), unisphere_io::Fault>(())
/// ```
pub fn parse(bytes: &[u8], scaling: Scaling) -> Result<Embeddings<'static>, Fault> {
    let mut reader = Cursor::new(bytes);
    let header = Header::read(&mut reader, bytes.len() as u64)?;
    embeddings(&mut reader, &header, &[], scaling)
}

fn embeddings(
    reader: &mut (impl Read + Seek),
    header: &Header,
    without: &[usize],
    scaling: Scaling,
) -> Result<Embeddings<'static>, Fault> {
    let mut values = values::read(reader, header)?;
    let left = remove(&mut values, header, without);
    let points = Embeddings::with_scaling(values, left, header.dims, scaling);
    points.map_err(|error| {
        let error = of_file(error, without);
        if let unisphere::Error::NotFinite { row, dim } = error
            && let Err(fault) = values::check_overflow(reader, header, row, dim)
        {
            return fault;
        }
        Fault::Content(error)
    })
}

/// Removes rows, and returns how many are left.
fn remove(values: &mut Vec<f32>, header: &Header, rows: &[usize]) -> usize {
    let dims = header.dims;
    let mut left = 0;
    for row in (0..header.rows).filter(|row| rows.binary_search(row).is_err()) {
        if left < row {
            values.copy_within(row * dims..(row + 1) * dims, left * dims);
        }
        left += 1;
    }
    values.truncate(left * dims);
    left
}

/// An error whose row is one of the file, with the rows that were removed.
fn of_file(mut error: unisphere::Error, removed: &[usize]) -> unisphere::Error {
    use unisphere::Error::{NotFinite, RowLength, TooLarge, ZeroRow};
    if let NotFinite { row, .. } | RowLength { row, .. } | TooLarge { row, .. } | ZeroRow { row } = &mut error
    {
        for &removed in removed {
            *row += usize::from(removed <= *row);
        }
    }
    error
}

/// An open regular file and its length in bytes.
pub(crate) fn regular(path: &Path) -> Result<(fs::File, u64), Fault> {
    // Asked before it is opened too: opening a pipe waits for its writer.
    check_regular(&fs::metadata(path)?)?;
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    Ok((file, metadata.len()))
}

fn check_regular(metadata: &fs::Metadata) -> Result<(), Fault> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(if metadata.is_dir() { Fault::Directory } else { Fault::Stream })
}
