//! Rows of a set by range.

use std::{fmt::Debug, ops::Range, path::Path, sync::Arc};

use half::f16;
use unisphere::{Embeddings, Scaling};

use crate::{Error, Fault, Result, memory, table};

/// The most values that are in memory at once where rows are only looked at, or one row: 4 MiB.
pub(crate) const LOOK: usize = 1 << 20;

/// A set of points that is read by ranges of rows, so that it may be larger than memory: one file or several. Several
/// threads may read it at once. Rows and dimensions are counted from 0.
///
/// ```no_run
/// use unisphere::Scaling;
/// use unisphere_io::Source;
///
/// fn halves(set: &dyn Source) -> unisphere_io::Result<()> {
///     let middle = set.rows() / 2;
///     let first = set.embeddings_in(0..middle, Scaling::Unit)?; // (rows / 2, dims)
///     drop(first);
///     let second = set.embeddings_in(middle..set.rows(), Scaling::Unit)?;
///     # drop(second);
///     Ok(())
/// }
/// ```
pub trait Source: Debug + Send + Sync {
    /// What the caller named: a file, or the pattern that files match.
    fn path(&self) -> &Path;

    /// How many points.
    fn rows(&self) -> usize;

    /// Of how many dimensions.
    fn dims(&self) -> usize;

    /// The file that a row is in, and its row there, for messages. A row behind the last one is in the last file.
    fn place(&self, row: usize) -> (&Path, usize);

    /// Whether every value is stored in half precision (IEEE binary16), so that an f16 holds what [`read`](Self::read) gives.
    fn is_half(&self) -> bool {
        false
    }

    /// Rows that one call should read at least: fewer take as long. 1 for most; several threads should not read fewer of others each, but
    /// one thread all, as [`read`](Self::read) has threads of its own.
    fn rows_at_once(&self) -> usize {
        1
    }

    /// Reads rows as they are stored, unchecked and unscaled, each value rounded to the nearest f32, which is infinite
    /// beyond the range of f32. `into` holds rows × dims values, row-major. Large ranges are read by several threads of
    /// rayon's pool. After an error, `into` holds anything.
    ///
    /// # Errors
    ///
    /// [`Fault::NoSuchRows`] and [`Fault::Buffer`] for a range and a length that do not fit, [`Fault::Changed`] for a file
    /// that shrank since it was opened, and [`Fault::Io`].
    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()>;

    /// Reads rows of a source [in half precision](Self::is_half) as they are stored, unchecked and unscaled. Values of others are
    /// rounded to the nearest f16.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    fn read_half(&self, rows: Range<usize>, into: &mut [f16]) -> Result<()> {
        table::narrowed(into, |fault| error(self, fault), |values| self.read(rows, values))
    }

    /// One value as it is stored: exactly, but for integers beyond 2⁵³, of which it is the nearest f64.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    fn stored(&self, row: usize, dim: usize) -> Result<f64>;

    /// Reads all points, (rows, dims), and checks them. They own their memory.
    ///
    /// # Errors
    ///
    /// Those of [`embeddings_in`](Self::embeddings_in).
    fn embeddings(&self, scaling: Scaling) -> Result<Embeddings<'static>> {
        self.embeddings_in(0..self.rows(), scaling)
    }

    /// Reads some of the points, and checks them. Errors name the file and its own row.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read); [`Fault::Overflow`] and [`Fault::Content`] for values that cannot be measured;
    /// [`Fault::Memory`].
    fn embeddings_in(&self, rows: Range<usize>, scaling: Scaling) -> Result<Embeddings<'static>> {
        let values = read(self, rows.clone())?;
        checked(self, values, rows.len(), scaling, |row| rows.start + row)
    }

    /// Reads all points but for some rows, given in ascending order. Errors name the file and its own row.
    ///
    /// # Errors
    ///
    /// Those of [`embeddings_in`](Self::embeddings_in).
    fn embeddings_without(&self, without: &[usize], scaling: Scaling) -> Result<Embeddings<'static>> {
        let mut values = read(self, 0..self.rows())?;
        let left = remove(&mut values, self.rows(), self.dims(), without);
        checked(self, values, left, scaling, |row| {
            without.iter().fold(row, |row, &removed| row + usize::from(removed <= row))
        })
    }

    /// The rows that hold nothing but zeros, in ascending order. It needs memory for 4 MiB of them, or for one row.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), and [`Fault::Memory`].
    fn zero_rows(&self) -> Result<Vec<usize>> {
        let (rows, dims) = (self.rows(), self.dims());
        let step = (LOOK / dims.max(1)).clamp(1, rows.max(1));
        let mut values = memory::zeros(step, dims).map_err(|fault| error(self, fault))?;
        let mut zero = Vec::new();
        for start in (0..rows).step_by(step) {
            let range = start..rows.min(start + step);
            let values = &mut values[..range.len() * dims];
            self.read(range.clone(), values)?;
            let bytes = (zero.len() + range.len()) as u128 * size_of::<usize>() as u128;
            zero.try_reserve(range.len()).map_err(|_| error(self, Fault::Memory { bytes }))?;
            let rows = range.zip(values.chunks_exact(dims));
            zero.extend(rows.filter(|(_, point)| point.iter().all(|&v| v == 0.0)).map(|(row, _)| row));
        }
        Ok(zero)
    }
}

fn error(source: &(impl Source + ?Sized), fault: Fault) -> Error {
    Error { path: source.path().into(), fault }
}

/// The values of some rows, in memory of their own.
fn read(source: &(impl Source + ?Sized), rows: Range<usize>) -> Result<Vec<f32>> {
    let (count, dims) = (rows.len(), source.dims());
    let read = || {
        // A range that is not there would ask for any memory.
        table::check_range(&rows, source.rows(), dims, count.saturating_mul(dims))?;
        memory::zeros(count, dims)
    };
    let mut values = read().map_err(|fault| error(source, fault))?;
    source.read(rows, &mut values)?;
    Ok(values)
}

/// Points of values that were read; `row_of` is the row in the set of each of their rows.
fn checked(
    source: &(impl Source + ?Sized),
    values: Vec<f32>,
    rows: usize,
    scaling: Scaling,
    row_of: impl Fn(usize) -> usize,
) -> Result<Embeddings<'static>> {
    use unisphere::Error::{NotFinite, RowLength, TooLarge, ZeroRow};
    let points = Embeddings::with_scaling(values, rows, source.dims(), scaling);
    points.map_err(|mut content| {
        let (NotFinite { row, .. } | RowLength { row, .. } | TooLarge { row, .. } | ZeroRow { row }) =
            &mut content
        else {
            return error(source, Fault::Content(content));
        };
        let in_set = row_of(*row);
        let (path, in_file) = source.place(in_set);
        *row = in_file;
        let path = path.into();
        let NotFinite { dim, .. } = content else { return Error { path, fault: Fault::Content(content) } };
        // A value that is finite in the file is not what the points say of it.
        match source.stored(in_set, dim) {
            Ok(value) if value.is_finite() => {
                Error { path, fault: Fault::Overflow { row: in_file, dim, value } }
            }
            Ok(_) => Error { path, fault: Fault::Content(content) },
            Err(error) => error,
        }
    })
}

/// Removes rows, and returns how many are left.
fn remove(values: &mut Vec<f32>, rows: usize, dims: usize, without: &[usize]) -> usize {
    let mut left = 0;
    for row in (0..rows).filter(|row| without.binary_search(row).is_err()) {
        if left < row {
            values.copy_within(row * dims..(row + 1) * dims, left * dims);
        }
        left += 1;
    }
    values.truncate(left * dims);
    left
}

/// What points to a source is one.
macro_rules! pointer {
    ($($pointer:ty),*) => {$(
        impl<S: Source + ?Sized> Source for $pointer {
            fn path(&self) -> &Path {
                (**self).path()
            }

            fn rows(&self) -> usize {
                (**self).rows()
            }

            fn dims(&self) -> usize {
                (**self).dims()
            }

            fn place(&self, row: usize) -> (&Path, usize) {
                (**self).place(row)
            }

            fn is_half(&self) -> bool {
                (**self).is_half()
            }

            fn rows_at_once(&self) -> usize {
                (**self).rows_at_once()
            }

            fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
                (**self).read(rows, into)
            }

            fn read_half(&self, rows: Range<usize>, into: &mut [f16]) -> Result<()> {
                (**self).read_half(rows, into)
            }

            fn stored(&self, row: usize, dim: usize) -> Result<f64> {
                (**self).stored(row, dim)
            }
        }
    )*};
}

pointer!(&S, Box<S>, Arc<S>);
