//! Points of one column of lists, by ranges of rows.

use std::{fmt, ops::Range};

use rayon::prelude::*;

use super::{
    batches::{Batches, Piece},
    lists::{self, Numbers},
};
use crate::{
    Fault,
    dtype::Scalar,
    memory::MIN_VALUES_FOR_THREADS,
    table::{Table, check_place, check_range},
};

/// The points of a file.
pub(super) struct Lists {
    batches: Batches,
    numbers: Numbers,
    dims: usize,
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lists({} × {} in {} record batches)", self.rows(), self.dims, self.batches.count())
    }
}

impl Lists {
    /// The width of the first row is that of all.
    pub(super) fn new(batches: Batches, numbers: Numbers) -> Result<Self, Fault> {
        let (first, _) = batches.batch_of(0);
        let dims = batches.with(first, |columns| lists::width(columns.column(0)))?;
        batches.forget();
        Ok(Self { batches, numbers, dims })
    }
}

impl Table for Lists {
    fn rows(&self) -> usize {
        self.batches.rows()
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
        self.batches.bytes()
    }

    fn bytes_in_memory(&self) -> u64 {
        self.batches.bytes_in_memory()
    }

    fn forget(&self) {
        self.batches.forget();
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims, into.len())?;
        let many = into.len() >= MIN_VALUES_FOR_THREADS;
        let pieces = self.batches.pieces(rows, self.dims, into);
        let read = |Piece { batch, rows, into }: Piece<'_, f32>| {
            self.batches.with(batch, |columns| lists::read(columns.column(0), rows, self.dims, into))
        };
        if many { pieces.into_par_iter().try_for_each(read) } else { pieces.into_iter().try_for_each(read) }
    }

    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims, into.len())?;
        let pieces = self.batches.pieces(rows, self.dims, into);
        pieces.into_iter().try_for_each(|Piece { batch, rows, into }| {
            self.batches.with(batch, |columns| lists::read_wide(columns.column(0), rows, self.dims, into))
        })
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        check_place(row, dim, self.rows(), self.dims)?;
        let (batch, rows) = self.batches.batch_of(row);
        self.batches.with(batch, |columns| lists::stored(columns.column(0), row - rows.start, dim, self.dims))
    }
}
