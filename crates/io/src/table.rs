//! The points of one file, whatever its format.

use std::{fmt::Debug, ops::Range};

use half::{f16, slice::HalfFloatSliceExt};

use crate::{Fault, dtype::Scalar, memory::zeros};

/// What was made of the columns of a table without being told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Notes {
    /// Columns that are left out: "label, __index_level_0__".
    pub(crate) left_out: Option<String>,
    /// A guess of which the caller should know, and what says it otherwise.
    pub(crate) guess: Option<String>,
    /// The names of the dimensions, where the file gives each a name.
    pub(crate) names: Vec<String>,
}

/// The points of one file, read by ranges of rows. Several threads may read it at once.
pub(crate) trait Table: Debug + Send + Sync {
    /// How many points; at least one.
    fn rows(&self) -> usize;

    /// Of how many dimensions; at least one.
    fn dims(&self) -> usize;

    /// How many points one after another are views of the same thing, where the file says it.
    fn views(&self) -> Option<usize> {
        None
    }

    /// How values are stored, as a person writes it: "<f4", "f16", "text".
    fn dtype(&self) -> String;

    /// How each value is stored; none where a value may be of any length, as in text.
    fn scalar(&self) -> Option<Scalar> {
        None
    }

    /// What was made of its columns without being told, when it was opened.
    fn notes(&self) -> Notes {
        Notes::default()
    }

    /// Bytes of all values as they are stored.
    fn bytes(&self) -> u64;

    /// Bytes that are kept in memory for as long as this lives.
    fn bytes_in_memory(&self) -> u64;

    /// The table whose values this one makes others of.
    fn inner(&self) -> Option<&dyn Table> {
        None
    }

    /// Bytes that reading takes at most, beside what is read into.
    fn bytes_of_reading(&self) -> u64 {
        self.inner().map_or(0, Table::bytes_of_reading)
    }

    /// Keeps nothing of what was decoded.
    fn forget(&self) {
        if let Some(inner) = self.inner() {
            inner.forget();
        }
    }

    /// Rows that one call should read at least, as [`Source::rows_at_once`](crate::Source::rows_at_once) has it.
    fn rows_at_once(&self) -> usize {
        self.inner().map_or(1, Table::rows_at_once)
    }

    /// Reads rows, unchecked and unscaled, each value rounded to the nearest f32. `into` holds rows × dims values, row-major.
    ///
    /// # Errors
    ///
    /// Those of [`Source::read`](crate::Source::read).
    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault>;

    /// The same of values that are stored as f16, or are to be rounded to it.
    ///
    /// # Errors
    ///
    /// Those of [`Source::read`](crate::Source::read).
    fn read_half(&self, rows: Range<usize>, into: &mut [f16]) -> Result<(), Fault> {
        narrowed(into, |fault| fault, |values| self.read(rows, values))
    }

    /// Whether values may have more digits than f32 holds.
    fn is_wide(&self) -> bool {
        self.scalar().is_none_or(Scalar::is_wide)
    }

    /// Reads rows as they are stored, each value the nearest f64. `into` holds rows × dims values, row-major.
    ///
    /// # Errors
    ///
    /// Those of [`Source::read`](crate::Source::read).
    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims(), into.len())?;
        let places = rows.flat_map(|row| (0..self.dims()).map(move |dim| (row, dim)));
        places.zip(into).try_for_each(|((row, dim), into)| {
            *into = self.stored(row, dim)?;
            Ok(())
        })
    }

    /// One value as it is stored, the nearest f64.
    ///
    /// # Errors
    ///
    /// Those of [`Source::stored`](crate::Source::stored).
    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault>;
}

/// Gives parts of a range to `read`, one after another, of which threads may read some rows each: all of it, or as many rows as
/// [one call should read](Table::rows_at_once).
pub(crate) fn for_threads<T>(
    table: &(impl Table + ?Sized),
    rows: Range<usize>,
    into: &mut [T],
    read: impl Fn(Range<usize>, &mut [T]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (step, width) = (table.rows_at_once(), into.len() / rows.len().max(1));
    if step <= 1 || rows.len() <= step {
        return read(rows, into);
    }
    let (mut row, mut into) = (rows.start, into);
    while row < rows.end {
        // What is decoded together begins at a multiple of it.
        let end = rows.end.min(row - row % step + step);
        let (part, rest) = into.split_at_mut((end - row) * width);
        read(row..end, part)?;
        (row, into) = (end, rest);
    }
    Ok(())
}

/// Fails unless the rows are among those of a table, and `values` is how many values they have.
pub(crate) fn check_range(rows: &Range<usize>, of: usize, dims: usize, values: usize) -> Result<(), Fault> {
    let Range { start, end } = *rows;
    if start > end || end > of {
        return Err(Fault::NoSuchRows { start, end, rows: of });
    }
    if (end - start).checked_mul(dims) != Some(values) {
        return Err(Fault::Buffer { values, rows: end - start, dims });
    }
    Ok(())
}

/// Fails unless there is such a value.
pub(crate) fn check_place(row: usize, dim: usize, rows: usize, dims: usize) -> Result<(), Fault> {
    if row >= rows || dim >= dims {
        return Err(Fault::NoSuchRows { start: row, end: row.saturating_add(1), rows });
    }
    Ok(())
}

/// Reads values and rounds each to the nearest f16. `error` is that of a reader where there is no memory for them.
pub(crate) fn narrowed<E>(
    into: &mut [f16],
    error: impl FnOnce(Fault) -> E,
    read: impl FnOnce(&mut [f32]) -> Result<(), E>,
) -> Result<(), E> {
    let mut values = zeros(into.len(), 1).map_err(error)?;
    read(&mut values)?;
    into.convert_from_f32_slice(&values);
    Ok(())
}
