//! Some columns of a file, batch by batch.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileDecoder;

use super::{
    NAME, damaged, fault,
    messages::{Batch, Messages},
};
use crate::{Fault, formats::fence::fenced, stored::Stored};

/// Columns of a file.
pub(super) struct Batches {
    stored: Arc<Stored>,
    decoder: FileDecoder,
    batches: Vec<Batch>,
    /// The row of the file behind the last one of each batch.
    ends: Vec<usize>,
    /// The batch that was decoded last.
    last: Mutex<Option<(usize, RecordBatch)>>,
}

/// Rows of one batch, and where they go.
pub(super) struct Piece<'a, T> {
    pub(super) batch: usize,
    pub(super) rows: Range<usize>,
    pub(super) into: &'a mut [T],
}

impl Batches {
    /// Of these columns, in the order of the file.
    pub(super) fn new(stored: Arc<Stored>, messages: &Messages, columns: Vec<usize>) -> Result<Self, Fault> {
        let (decoder, batches) = (messages.decoder(columns), messages.batches.clone());
        let mut ends = Vec::with_capacity(batches.len());
        let mut rows = 0usize;
        for batch in &batches {
            rows = rows.checked_add(batch.rows).ok_or_else(|| damaged("an impossible number of rows"))?;
            ends.push(rows);
        }
        if rows == 0 {
            return Err(Fault::Empty { rows: 0, dims: 0 });
        }
        Ok(Self { stored, decoder, batches, ends, last: Mutex::new(None) })
    }

    pub(super) fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    pub(super) fn count(&self) -> usize {
        self.batches.len()
    }

    /// Bytes of all columns of the file, as they are stored.
    pub(super) fn bytes(&self) -> u64 {
        self.batches.iter().map(|batch| batch.bytes as u64).sum()
    }

    pub(super) fn bytes_in_memory(&self) -> u64 {
        self.stored.bytes_in_memory()
    }

    /// Keeps no batch: a set of many files would keep one of each.
    pub(super) fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The columns of a batch.
    fn decoded(&self, batch: usize) -> Result<RecordBatch, Fault> {
        let kept = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, columns)) = kept.filter(|(last, _)| *last == batch) {
            return Ok(columns);
        }
        let (block, bytes) = self.batches[batch].read(&self.stored)?;
        let decoded = self.decoder.read_record_batch(&block, &bytes).map_err(fault)?;
        let decoded = decoded.filter(|decoded| decoded.num_rows() == self.batches[batch].rows);
        let decoded = decoded.filter(|decoded| decoded.num_columns() > 0);
        let decoded = decoded.ok_or_else(|| damaged("a record batch that contradicts its header"))?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((batch, decoded.clone()));
        Ok(decoded)
    }

    /// The batch that a row is in, and the rows of the file that it has.
    pub(super) fn batch_of(&self, row: usize) -> (usize, Range<usize>) {
        let batch = self.ends.partition_point(|&end| end <= row);
        (batch, batch.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[batch])
    }

    /// The pieces of a range of rows of `dims` values.
    pub(super) fn pieces<'a, T>(
        &self,
        rows: Range<usize>,
        dims: usize,
        mut into: &'a mut [T],
    ) -> Vec<Piece<'a, T>> {
        let mut pieces = Vec::new();
        let mut row = rows.start;
        while row < rows.end {
            let (batch, of_batch) = self.batch_of(row);
            let end = rows.end.min(of_batch.end);
            let (values, rest) = std::mem::take(&mut into).split_at_mut((end - row) * dims);
            into = rest;
            pieces.push(Piece { batch, rows: row - of_batch.start..end - of_batch.start, into: values });
            row = end;
        }
        pieces
    }

    /// What `work` makes of the columns of a batch. Faults name rows of the file.
    pub(super) fn with<T>(
        &self,
        batch: usize,
        work: impl FnOnce(&RecordBatch) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let result = fenced(NAME, || work(&self.decoded(batch)?));
        result.map_err(|mut fault| {
            if let Fault::NullRow { row }
            | Fault::NullValue { row, .. }
            | Fault::NullCell { row, .. }
            | Fault::RowWidth { row, .. } = &mut fault
            {
                *row += self.ends[batch] - self.batches[batch].rows;
            }
            fault
        })
    }
}
