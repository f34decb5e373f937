//! Points of columns of numbers, a dimension each.
//!
//! A page has the values of one column, so that a row needs a page of each. Large ranges are read a few columns at a time, each to
//! memory of its own, from which they are put in rows. Small ranges are those of a segment of neighbouring rows, which is kept.

use std::{
    fmt,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;

use super::table::Points;
use crate::{
    Fault,
    dtype::{Scalar, excerpt},
    memory::{MIN_VALUES_FOR_THREADS, zeros},
    table::{Notes, Table, check_place, check_range},
};

/// Columns that are read at once, and rows of each: 4 MiB of f32.
const COLUMNS_AT_ONCE: usize = 16;
const ROWS_AT_ONCE: usize = 64 << 10;

/// Values of a segment that is kept, or those of one row: 16 MiB of f32.
const SEGMENT: usize = 4 << 20;

/// The points of a file.
pub(super) struct Wide {
    names: Vec<String>,
    /// At least one. Each is points of one dimension.
    columns: Vec<Points>,
    notes: Notes,
    near: Kept<f32>,
    near_wide: Kept<f64>,
}

/// The rows that were read last, and their values.
type Kept<T> = Mutex<Option<(Range<usize>, Vec<T>)>>;

impl fmt::Debug for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wide({} × {})", self.rows(), self.dims())
    }
}

/// What a value is read as.
trait Value: Copy + Default + Send + Sync {
    /// Reads rows of a column.
    fn read(column: &Points, rows: Range<usize>, into: &mut [Self]) -> Result<(), Fault>;
    /// The segment of a file that is kept.
    fn kept(wide: &Wide) -> &Kept<Self>;
}

impl Value for f32 {
    fn read(column: &Points, rows: Range<usize>, into: &mut [Self]) -> Result<(), Fault> {
        column.read_here(rows, into)
    }

    fn kept(wide: &Wide) -> &Kept<Self> {
        &wide.near
    }
}

impl Value for f64 {
    fn read(column: &Points, rows: Range<usize>, into: &mut [Self]) -> Result<(), Fault> {
        column.read_wide(rows, into)
    }

    fn kept(wide: &Wide) -> &Kept<Self> {
        &wide.near_wide
    }
}

impl Wide {
    pub(super) fn new(columns: Vec<(String, Points)>) -> Self {
        let (names, columns) = columns.into_iter().unzip();
        Self { names, columns, notes: Notes::default(), near: Mutex::default(), near_wide: Mutex::default() }
    }

    pub(super) fn with_notes(self, notes: Notes) -> Self {
        Self { notes, ..self }
    }

    /// The same fault, with the name of the column.
    fn named(&self, column: usize, fault: Fault) -> Fault {
        match fault {
            Fault::NullRow { row } | Fault::NullValue { row, .. } => {
                Fault::NullCell { row, column: excerpt(self.names[column].as_bytes()) }
            }
            other => other,
        }
    }

    fn read_rows<T: Value>(&self, rows: Range<usize>, into: &mut [T]) -> Result<(), Fault> {
        let dims = self.dims();
        check_range(&rows, self.rows(), dims, into.len())?;
        let segment = self.rows_at_once();
        if rows.len() > segment / 2 {
            return self.read_many(rows, into);
        }
        let (mut row, mut into) = (rows.start, into);
        while row < rows.end {
            let start = row - row % segment;
            let end = rows.end.min(start + segment);
            let (values, rest) = into.split_at_mut((end - row) * dims);
            self.read_near(start..self.rows().min(start + segment), row..end, values)?;
            (row, into) = (end, rest);
        }
        Ok(())
    }

    /// Reads many rows, by several threads.
    fn read_many<T: Value>(&self, rows: Range<usize>, into: &mut [T]) -> Result<(), Fault> {
        let dims = self.dims();
        let mut scratch = zeros::<T>(COLUMNS_AT_ONCE.min(dims), ROWS_AT_ONCE.min(rows.len()))?;
        let parts = rows.clone().step_by(ROWS_AT_ONCE).zip(into.chunks_mut(ROWS_AT_ONCE * dims));
        for (start, into) in parts {
            let count = into.len() / dims;
            for first in (0..dims).step_by(COLUMNS_AT_ONCE) {
                let of = first..dims.min(first + COLUMNS_AT_ONCE);
                let scratch = &mut scratch[..of.len() * count];
                let read = |(column, into): (usize, &mut [T])| {
                    let read = T::read(&self.columns[column], start..start + count, into);
                    read.map_err(|fault| self.named(column, fault))
                };
                let columns = of.clone().into_par_iter().zip(scratch.par_chunks_mut(count));
                // The fault of the first column that has one.
                columns.map(read).collect::<Vec<_>>().into_iter().collect::<Result<(), _>>()?;
                let few = (MIN_VALUES_FOR_THREADS / 16 / dims).max(1);
                into.par_chunks_mut(few * dims).enumerate().for_each(|(part, points)| {
                    put(scratch, count, part * few, points, dims, first);
                });
            }
        }
        Ok(())
    }

    /// Reads some rows of a segment. No other thread is waited for while the segment is held, as that may be one that waits for it.
    fn read_near<T: Value>(
        &self,
        segment: Range<usize>,
        rows: Range<usize>,
        into: &mut [T],
    ) -> Result<(), Fault> {
        let dims = self.dims();
        let mut kept = T::kept(self).lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|(held, _)| *held != segment) {
            *kept = None;
            let mut values = zeros::<T>(segment.len(), dims)?;
            let mut of_column = zeros::<T>(segment.len(), 1)?;
            for (column, points) in self.columns.iter().enumerate() {
                let read = T::read(points, segment.clone(), &mut of_column);
                read.map_err(|fault| self.named(column, fault))?;
                put(&of_column, segment.len(), 0, &mut values, dims, column);
            }
            *kept = Some((segment.clone(), values));
        }
        if let Some((_, values)) = &*kept {
            let start = (rows.start - segment.start) * dims;
            into.copy_from_slice(&values[start..start + into.len()]);
        }
        // A set of many files would keep a segment of each.
        if rows.end == self.rows() {
            *kept = None;
        }
        Ok(())
    }
}

/// Puts values of columns, `count` of each, in the places that they have in points from a row on. `first` is the dimension of the first.
fn put<T: Copy>(columns: &[T], count: usize, row: usize, points: &mut [T], dims: usize, first: usize) {
    for (place, point) in points.chunks_exact_mut(dims).enumerate() {
        for (value, column) in point[first..].iter_mut().zip(columns.chunks_exact(count)) {
            *value = column[row + place];
        }
    }
}

impl Table for Wide {
    fn rows(&self) -> usize {
        self.columns[0].rows()
    }

    fn dims(&self) -> usize {
        self.columns.len()
    }

    fn dtype(&self) -> String {
        let first = self.columns[0].numbers().name;
        let is_all = self.columns.iter().all(|column| column.numbers().name == first);
        if is_all { format!("columns of {first}") } else { "columns of several types".into() }
    }

    fn scalar(&self) -> Option<Scalar> {
        Scalar::of_all(self.columns.iter().map(|column| column.numbers().scalar))
    }

    fn notes(&self) -> Notes {
        self.notes.clone()
    }

    fn bytes(&self) -> u64 {
        self.columns.iter().map(Table::bytes).fold(0, u64::saturating_add)
    }

    fn bytes_in_memory(&self) -> u64 {
        self.columns[0].bytes_in_memory()
    }

    fn bytes_of_reading(&self) -> u64 {
        // A segment and a column of it; both are kept for each of two types of values where they are read as such.
        let rows = self.rows_at_once().min(self.rows());
        let value = if self.is_wide() { size_of::<f64>() + size_of::<f32>() } else { size_of::<f32>() };
        (rows * (self.dims() + 1) * value) as u64
    }

    fn forget(&self) {
        *self.near.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.near_wide.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn rows_at_once(&self) -> usize {
        (SEGMENT / self.dims()).max(1)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        self.read_rows(rows, into)
    }

    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        self.read_rows(rows, into)
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        check_place(row, dim, self.rows(), self.dims())?;
        self.columns[dim].stored(row, 0).map_err(|fault| self.named(dim, fault))
    }
}
