//! The two doors: a file, and bytes in memory.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use unisphere::{Embeddings, Scaling};

use crate::{Dtype, Error, Fault, Result, Source, header::Header, values};

/// An open `.npy` file whose header is sound and agrees with the file's length. Several threads may read it at once.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    header: Header,
    reader: fs::File,
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
            Ok(Self { path: path.into(), header: Header::read(&mut reader, length)?, reader })
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
        Source::embeddings(self, scaling)
    }

    /// Reads the points but for some rows, given in ascending order. Faults name rows of the file.
    ///
    /// # Errors
    ///
    /// Those of [`embeddings`](Self::embeddings).
    pub fn embeddings_without(&self, rows: &[usize], scaling: Scaling) -> Result<Embeddings<'static>> {
        Source::embeddings_without(self, rows, scaling)
    }

    /// The rows that hold nothing but zeros, in ascending order.
    ///
    /// # Errors
    ///
    /// [`Fault::Changed`], [`Fault::Memory`] and [`Fault::Io`].
    pub fn zero_rows(&self) -> Result<Vec<usize>> {
        Source::zero_rows(self)
    }

    fn error(&self, fault: Fault) -> Error {
        Error { path: self.path.clone(), fault }
    }
}

impl Source for File {
    fn path(&self) -> &Path {
        &self.path
    }

    fn rows(&self) -> usize {
        self.header.rows
    }

    fn dims(&self) -> usize {
        self.header.dims
    }

    fn place(&self, row: usize) -> (&Path, usize) {
        (&self.path, row)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
        values::read(&self.reader, &self.header, rows, into).map_err(|fault| self.error(fault))
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64> {
        values::stored(&self.reader, &self.header, row, dim).map_err(|fault| self.error(fault))
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
    let header = Header::read(&mut { bytes }, bytes.len() as u64)?;
    Bytes { bytes, header }.embeddings(scaling).map_err(|error| error.fault)
}

/// The bytes of a file, which has no path.
#[derive(Debug)]
struct Bytes<'a> {
    bytes: &'a [u8],
    header: Header,
}

impl Source for Bytes<'_> {
    fn path(&self) -> &Path {
        Path::new("")
    }

    fn rows(&self) -> usize {
        self.header.rows
    }

    fn dims(&self) -> usize {
        self.header.dims
    }

    fn place(&self, row: usize) -> (&Path, usize) {
        (self.path(), row)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
        values::read(self.bytes, &self.header, rows, into).map_err(nameless)
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64> {
        values::stored(self.bytes, &self.header, row, dim).map_err(nameless)
    }
}

fn nameless(fault: Fault) -> Error {
    Error { path: PathBuf::new(), fault }
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
