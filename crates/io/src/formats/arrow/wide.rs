//! Points of columns of numbers, a dimension each.

use std::{fmt, ops::Range};

use arrow_array::{
    Array, PrimitiveArray, RecordBatch,
    types::{
        ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::DataType;
use rayon::prelude::*;

use super::{
    batches::{Batches, Piece},
    damaged,
};
use crate::{
    Fault,
    dtype::{Scalar, excerpt},
    memory::MIN_VALUES_FOR_THREADS,
    table::{Notes, Table, check_place, check_range},
};

/// Values of neighbouring rows that are put in their places column by column: 128 KiB of f32, which a cache holds.
const BLOCK: usize = 32 << 10;

/// The points of a file.
pub(super) struct Wide {
    batches: Batches,
    names: Vec<String>,
    /// One of each name.
    scalars: Vec<Scalar>,
    /// What a person calls them.
    dtype: String,
    notes: Notes,
}

impl fmt::Debug for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wide({} × {} in {} record batches)", self.rows(), self.dims(), self.batches.count())
    }
}

/// What a column of one number a row holds, if it is of a kind that is read.
pub(super) fn scalar(column: &DataType) -> Option<Scalar> {
    Some(match column {
        DataType::Float16 => Scalar::F16,
        DataType::Float32 => Scalar::F32,
        DataType::Float64 => Scalar::F64,
        DataType::Int8 => Scalar::I8,
        DataType::Int16 => Scalar::I16,
        DataType::Int32 => Scalar::I32,
        DataType::Int64 => Scalar::I64,
        DataType::UInt8 => Scalar::U8,
        DataType::UInt16 => Scalar::U16,
        DataType::UInt32 => Scalar::U32,
        DataType::UInt64 => Scalar::U64,
        _ => return None,
    })
}

impl Wide {
    /// Of columns of these names and types.
    pub(super) fn new(batches: Batches, columns: Vec<(String, DataType)>) -> Self {
        let scalars = columns.iter().filter_map(|(_, of)| scalar(of)).collect();
        let dtype = match columns.as_slice() {
            [(_, first), others @ ..] if others.iter().all(|(_, other)| other == first) => {
                format!("columns of {}", first.to_string().to_lowercase())
            }
            _ => "columns of several types".into(),
        };
        let names = columns.into_iter().map(|(name, _)| name).collect();
        Self { batches, names, scalars, dtype, notes: Notes::default() }
    }

    pub(super) fn with_notes(self, notes: Notes) -> Self {
        Self { notes, ..self }
    }

    /// Reads rows of a batch.
    fn read_piece<T: Value>(&self, Piece { batch, rows, into }: Piece<'_, T>) -> Result<(), Fault> {
        let dims = self.dims();
        self.batches.with(batch, |columns| {
            self.check(columns, &rows)?;
            let step = (BLOCK / dims).max(1);
            for (start, into) in rows.clone().step_by(step).zip(into.chunks_mut(step * dims)) {
                for (dim, column) in columns.columns().iter().enumerate() {
                    let values = into[dim..].iter_mut().step_by(dims);
                    T::read(&**column, start, values)
                        .ok_or_else(|| damaged("values that are not what the schema says"))?;
                }
            }
            Ok(())
        })
    }

    /// Fails where a batch lacks a column or some of its rows have a null.
    fn check(&self, columns: &RecordBatch, rows: &Range<usize>) -> Result<(), Fault> {
        if columns.num_columns() != self.dims() {
            return Err(damaged("a record batch without some of its columns"));
        }
        let with_nulls = columns.columns().iter().zip(&self.names).filter_map(|(column, name)| {
            let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0)?;
            Some((rows.clone().find(|&row| nulls.is_null(row))?, name))
        });
        match with_nulls.min_by_key(|(row, _)| *row) {
            Some((row, name)) => Err(Fault::NullCell { row, column: excerpt(name.as_bytes()) }),
            None => Ok(()),
        }
    }

    fn read_rows<T: Value>(&self, rows: Range<usize>, into: &mut [T]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims(), into.len())?;
        let many = into.len() >= MIN_VALUES_FOR_THREADS;
        let is_end = rows.end == self.rows();
        let pieces = self.batches.pieces(rows, self.dims(), into);
        let read = |piece| self.read_piece(piece);
        if many {
            pieces.into_par_iter().try_for_each(read)?;
        } else {
            pieces.into_iter().try_for_each(read)?;
        }
        if is_end {
            self.batches.forget();
        }
        Ok(())
    }
}

/// What a value is read as.
trait Value: Copy + Send {
    /// Reads values of a column from a row on; None where it is of no kind that is read.
    fn read<'a>(column: &dyn Array, row: usize, into: impl Iterator<Item = &'a mut Self>) -> Option<()>
    where
        Self: 'a;
}

/// Puts what `number` makes of values where they belong, if a column is of this type.
fn put<'a, T: ArrowPrimitiveType, V: 'a>(
    column: &dyn Array,
    row: usize,
    into: &mut impl Iterator<Item = &'a mut V>,
    number: impl Fn(T::Native) -> V,
) -> Option<()> {
    let column = column.as_any().downcast_ref::<PrimitiveArray<T>>()?;
    let values = column.values().get(row..)?;
    into.zip(values).for_each(|(into, &value)| *into = number(value));
    Some(())
}

/// Values of all kinds that are read, as numbers of one type; `half` makes one of an f16.
macro_rules! value {
    ($value:ty, $half:expr) => {
        value!(
            $value, $half, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
            UInt16Type, UInt32Type, UInt64Type
        );
    };
    ($value:ty, $half:expr, $($of:ty),*) => {
        impl Value for $value {
            fn read<'a>(
                column: &dyn Array,
                row: usize,
                mut into: impl Iterator<Item = &'a mut Self>,
            ) -> Option<()> {
                let into = &mut into;
                put::<Float16Type, _>(column, row, into, $half)
                    $(.or_else(|| put::<$of, _>(column, row, into, |value| value as $value)))*
            }
        }
    };
}

value!(f32, |value| value.to_f32());
value!(f64, |value| value.to_f64());

impl Table for Wide {
    fn rows(&self) -> usize {
        self.batches.rows()
    }

    fn dims(&self) -> usize {
        self.names.len()
    }

    fn dtype(&self) -> String {
        self.dtype.clone()
    }

    fn scalar(&self) -> Option<Scalar> {
        Scalar::of_all(self.scalars.iter().copied())
    }

    fn notes(&self) -> Notes {
        self.notes.clone()
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
        self.read_rows(rows, into)
    }

    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        self.read_rows(rows, into)
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        check_place(row, dim, self.rows(), self.dims())?;
        let (batch, rows) = self.batches.batch_of(row);
        let mut value = f64::NAN;
        self.batches.with(batch, |columns| {
            let row = row - rows.start;
            self.check(columns, &(row..row + 1))?;
            f64::read(&**columns.column(dim), row, std::iter::once(&mut value))
                .ok_or_else(|| damaged("values that are not what the schema says"))
        })?;
        Ok(value)
    }
}
