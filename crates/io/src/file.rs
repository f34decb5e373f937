//! The two doors: a file, and bytes in memory.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use unisphere::{Embeddings, Scaling};

use crate::{
    Dtype, Error, Fault, Result, Source,
    header::Header,
    stored::{Budget, Opened, Stored},
    values,
};

/// An open `.npy` file whose header is sound and agrees with the file's length. Several threads may read it at once.
///
/// A pipe is a file too: `/dev/stdin`, what a shell makes of `<(zcat points.npy.gz)`, and a named one. It has no length,
/// and gives its bytes once. So all of them are read when it is opened, and its values are kept as they are stored for as
/// long as this lives. Memory for them grows with what arrives, by an eighth of it or 1 MiB at a time, whatever the
/// header claims. The pipe must end where they do.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    /// Its values begin at byte 0 where they are in memory.
    header: Header,
    stored: Stored,
}

impl File {
    /// Opens a file and checks everything but its values.
    ///
    /// A pipe is read to its end, and this waits until its writer closes it. A named one that has no writer is waited for
    /// too, even where it was read before; any other that was read is empty.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of a path, of a format, of a header and of a pipe, with the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_in(path.as_ref(), Budget::UNLIMITED)
    }

    /// The same, but refuses a pipe of more than `max_bytes` of values, before they are read. A regular file is not
    /// kept in memory, and may be of any size.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and [`Fault::PipeLimit`].
    pub fn open_within(path: impl AsRef<Path>, max_bytes: u64) -> Result<Self> {
        Self::open_in(path.as_ref(), Budget { kept: 0, limit: max_bytes })
    }

    pub(crate) fn open_in(path: &Path, budget: Budget) -> Result<Self> {
        let open = || {
            let (header, stored) = match Opened::at(path)? {
                Opened::File { mut file, length } => {
                    (Header::read(&mut file, Some(length))?, Stored::File(file))
                }
                Opened::Pipe(mut pipe) => {
                    let header = Header::read(&mut pipe, None)?;
                    let values = budget.read(&mut pipe, header.start, header.bytes())?;
                    (Header { start: 0, ..header }, Stored::Memory(values))
                }
            };
            Ok(Self { path: path.into(), header, stored })
        };
        open().map_err(|fault| Error { path: path.into(), fault })
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

    /// Bytes that are kept in memory: those of a pipe's values, and none of a regular file.
    pub fn bytes_in_memory(&self) -> u64 {
        match self.stored {
            Stored::File(_) => 0,
            Stored::Memory(_) => self.header.bytes(),
        }
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
        values::read(&self.stored, &self.header, rows, into).map_err(|fault| self.error(fault))
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64> {
        values::stored(&self.stored, &self.header, row, dim).map_err(|fault| self.error(fault))
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
    let header = Header::read(&mut { bytes }, Some(bytes.len() as u64))?;
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
