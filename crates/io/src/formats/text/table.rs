//! Points of rows of text, by ranges of rows.

use std::{fmt, ops::Range, str::FromStr};

use rayon::prelude::*;

use super::{Cursor, Row, number::number};
use crate::{
    Fault,
    dtype::Scalar,
    memory::MIN_VALUES_FOR_THREADS,
    stored::Stored,
    table::{Notes, Table, check_place, check_range},
};

/// Bytes from a place that is kept to the next one, in files of up to 4 GiB.
const STEP: u64 = 64 << 10;

/// Places that are kept, at most: 1 MiB. Then every other one goes.
const MOST: usize = 64 << 10;

/// A row, and the byte at which it begins.
#[derive(Clone, Copy, Debug)]
struct Place {
    row: usize,
    offset: u64,
}

/// The points of a text.
pub(crate) struct Rows<F> {
    stored: Stored,
    format: F,
    rows: usize,
    dims: usize,
    /// Bytes of all rows.
    bytes: u64,
    /// The first row, and some of the others.
    places: Vec<Place>,
    notes: Notes,
}

impl<F: fmt::Debug> fmt::Debug for Rows<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows({} × {}, {:?})", self.rows, self.dims, self.format)
    }
}

impl<F: Row> Rows<F> {
    /// Counts the rows from a byte on. The width of the first one is that of all.
    pub(crate) fn new(stored: Stored, length: u64, start: u64, format: F) -> Result<Self, Fault> {
        let (mut places, mut rows, mut dims, mut step) = (Vec::<Place>::new(), 0, 0, STEP);
        let mut cursor = Cursor::new(&stored, format.end(), 0, start);
        while let Some((offset, text)) = cursor.next()? {
            if rows == 0 {
                format.numbers(text, 0, &mut |_| {
                    dims += 1;
                    Ok(())
                })?;
            }
            if places.last().is_none_or(|last| offset - last.offset >= step) {
                places.push(Place { row: rows, offset });
            }
            if places.len() > MOST {
                step *= 2;
                let mut index = 0;
                places.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
            }
            rows += 1;
        }
        if rows == 0 || dims == 0 {
            return Err(Fault::Empty { rows: rows as u64, dims: dims as u64 });
        }
        format.check_rows(rows)?;
        let (bytes, notes) = (length - start.min(length), Notes::default());
        Ok(Self { stored, format, rows, dims, bytes, places, notes })
    }

    /// The same, with what was made of its columns.
    pub(crate) fn with_notes(self, notes: Notes) -> Self {
        Self { notes, ..self }
    }

    /// Parses some rows to `into`, which has `dims` values for each.
    fn parse<T: FromStr>(&self, rows: Range<usize>, into: &mut [T]) -> Result<(), Fault> {
        let mut rows_into = into.chunks_exact_mut(self.dims);
        self.each(rows, |row, text| {
            let Some(values) = rows_into.next() else { return Ok(()) };
            let mut dim = 0;
            self.format.numbers(text, row, &mut |text| {
                // Those too many are counted.
                if let Some(value) = values.get_mut(dim) {
                    *value = number(text, row, dim)?;
                }
                dim += 1;
                Ok(())
            })?;
            if dim == self.dims { Ok(()) } else { Err(Fault::RowWidth { row, found: dim, dims: self.dims }) }
        })
    }

    /// Gives the text of rows to `take`.
    fn each(
        &self,
        rows: Range<usize>,
        mut take: impl FnMut(usize, &[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let index = self.places.partition_point(|place| place.row <= rows.start).saturating_sub(1);
        let Some(&Place { row, offset }) = self.places.get(index) else { return Ok(()) };
        let mut cursor = Cursor::new(&self.stored, self.format.end(), row, offset);
        for row in row..rows.end {
            // All rows were there when they were counted.
            let (_, text) = cursor.next()?.ok_or(Fault::Changed)?;
            if row >= rows.start {
                take(row, text)?;
            }
        }
        Ok(())
    }

    /// Ends of the pieces that several threads parse: rows that places are kept of, and the end of the range.
    fn pieces<'a>(&self, rows: Range<usize>, mut into: &'a mut [f32]) -> Vec<(Range<usize>, &'a mut [f32])> {
        let least = (rows.len() / (8 * rayon::current_num_threads())).max(1);
        let mut pieces = Vec::new();
        let mut start = rows.start;
        let inner = self.places.iter().map(|place| place.row).filter(|row| rows.contains(row));
        for end in inner.chain([rows.end]) {
            if end != rows.end && end - start < least {
                continue;
            }
            let (values, rest) = std::mem::take(&mut into).split_at_mut((end - start) * self.dims);
            into = rest;
            pieces.push((start..end, values));
            start = end;
        }
        pieces
    }
}

impl<F: Row> Table for Rows<F> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn dtype(&self) -> String {
        "text".into()
    }

    fn scalar(&self) -> Option<Scalar> {
        None
    }

    fn notes(&self) -> Notes {
        self.notes.clone()
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn bytes_in_memory(&self) -> u64 {
        self.stored.bytes_in_memory()
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        check_range(&rows, self.rows, self.dims, into.len())?;
        if into.len() < MIN_VALUES_FOR_THREADS / 16 {
            return self.parse(rows, into);
        }
        self.pieces(rows, into).into_par_iter().try_for_each(|(rows, into)| self.parse(rows, into))
    }

    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        check_range(&rows, self.rows, self.dims, into.len())?;
        self.parse(rows, into)
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        check_place(row, dim, self.rows, self.dims)?;
        let mut values = vec![f64::NAN; self.dims];
        self.parse(row..row + 1, &mut values)?;
        Ok(values[dim])
    }
}
