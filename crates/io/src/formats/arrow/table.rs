//! Points of one column, by ranges of rows.

use std::{
    fmt,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use arrow_array::ArrayRef;
use arrow_ipc::reader::FileDecoder;
use rayon::prelude::*;

use super::{
    NAME, damaged, fault,
    lists::{self, Numbers},
    messages::{Batch, Messages},
};
use crate::{
    Fault,
    dtype::Scalar,
    formats::fence::fenced,
    memory::MIN_VALUES_FOR_THREADS,
    stored::Stored,
    table::{Table, check_place, check_range},
};

/// The points of a file.
pub(super) struct Batches {
    stored: Stored,
    decoder: FileDecoder,
    numbers: Numbers,
    batches: Vec<Batch>,
    /// The row of the file behind the last one of each batch.
    ends: Vec<usize>,
    dims: usize,
    /// The batch that was decoded last, and its column.
    last: Mutex<Option<(usize, ArrayRef)>>,
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batches({} × {} in {} record batches)", self.rows(), self.dims, self.ends.len())
    }
}

/// Rows of one batch, and where they go.
struct Piece<'a> {
    batch: usize,
    rows: Range<usize>,
    into: &'a mut [f32],
}

impl Batches {
    /// The width of the first row is that of all.
    pub(super) fn new(
        stored: Stored,
        messages: Messages,
        column: usize,
        numbers: Numbers,
    ) -> Result<Self, Fault> {
        let (decoder, batches) = (messages.decoder(column), messages.batches);
        let mut ends = Vec::with_capacity(batches.len());
        let mut rows = 0usize;
        for batch in &batches {
            rows = rows.checked_add(batch.rows).ok_or_else(|| damaged("an impossible number of rows"))?;
            ends.push(rows);
        }
        if rows == 0 {
            return Err(Fault::Empty { rows: 0, dims: 0 });
        }
        let mut table = Self { stored, decoder, numbers, batches, ends, dims: 0, last: Mutex::new(None) };
        let first = table.ends.partition_point(|&end| end == 0);
        table.dims = lists::width(&table.column(first)?)?;
        // A set of many files would keep a batch of each.
        table.last = Mutex::new(None);
        Ok(table)
    }

    /// The column of a batch.
    fn column(&self, batch: usize) -> Result<ArrayRef, Fault> {
        let kept = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, column)) = kept.filter(|(last, _)| *last == batch) {
            return Ok(column);
        }
        let (block, bytes) = self.batches[batch].read(&self.stored)?;
        let decoded = self.decoder.read_record_batch(&block, &bytes).map_err(fault)?;
        let decoded = decoded.filter(|decoded| decoded.num_rows() == self.batches[batch].rows);
        let column = decoded.and_then(|decoded| decoded.columns().first().cloned());
        let column = column.ok_or_else(|| damaged("a record batch that contradicts its header"))?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((batch, ArrayRef::clone(&column)));
        Ok(column)
    }

    /// The batch that a row is in, and the rows of the file that it has.
    fn batch_of(&self, row: usize) -> (usize, Range<usize>) {
        let batch = self.ends.partition_point(|&end| end <= row);
        (batch, batch.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[batch])
    }

    fn pieces<'a>(&self, rows: Range<usize>, mut into: &'a mut [f32]) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let mut row = rows.start;
        while row < rows.end {
            let (batch, of_batch) = self.batch_of(row);
            let end = rows.end.min(of_batch.end);
            let (values, rest) = std::mem::take(&mut into).split_at_mut((end - row) * self.dims);
            into = rest;
            pieces.push(Piece { batch, rows: row - of_batch.start..end - of_batch.start, into: values });
            row = end;
        }
        pieces
    }

    /// What `work` makes of the column of a batch. Faults name rows of the file.
    fn with_column<T>(
        &self,
        batch: usize,
        work: impl FnOnce(&ArrayRef) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let result = fenced(NAME, || work(&self.column(batch)?));
        result.map_err(|mut fault| {
            if let Fault::NullRow { row } | Fault::NullValue { row, .. } | Fault::RowWidth { row, .. } =
                &mut fault
            {
                *row += self.ends[batch] - self.batches[batch].rows;
            }
            fault
        })
    }
}

impl Table for Batches {
    fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn dtype(&self) -> String {
        self.numbers.name().into()
    }

    fn scalar(&self) -> Option<Scalar> {
        Some(self.numbers.scalar())
    }

    fn bytes(&self) -> u64 {
        self.batches.iter().map(|batch| batch.bytes as u64).sum()
    }

    fn bytes_in_memory(&self) -> u64 {
        self.stored.bytes_in_memory()
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims, into.len())?;
        let many = into.len() >= MIN_VALUES_FOR_THREADS;
        let pieces = self.pieces(rows, into);
        let read = |Piece { batch, rows, into }: Piece<'_>| {
            self.with_column(batch, |column| lists::read(column, rows, self.dims, into))
        };
        if many { pieces.into_par_iter().try_for_each(read) } else { pieces.into_iter().try_for_each(read) }
    }

    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims, into.len())?;
        let (mut row, mut into) = (rows.start, into);
        while row < rows.end {
            let (batch, of_batch) = self.batch_of(row);
            let end = rows.end.min(of_batch.end);
            let (values, rest) = into.split_at_mut((end - row) * self.dims);
            let range = row - of_batch.start..end - of_batch.start;
            self.with_column(batch, |column| lists::read_wide(column, range, self.dims, values))?;
            (row, into) = (end, rest);
        }
        Ok(())
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        check_place(row, dim, self.rows(), self.dims)?;
        let (batch, rows) = self.batch_of(row);
        self.with_column(batch, |column| lists::stored(column, row - rows.start, dim, self.dims))
    }
}
