//! `.fvecs`, `.bvecs` and `.ivecs`, of faiss and of its sets: row after row, with the row's dimensions before each.

use std::path::Path;

use super::{Format, Input, endings};
use crate::{
    Fault, Reading,
    dtype::{Dtype, Scalar},
    grid::{COUNT_BYTES, Grid, GridOf},
    read_at::ReadAt,
    table::Table,
};

/// Rows of one scalar, and the ending that says which.
pub(crate) struct Vecs {
    ending: &'static str,
    scalar: Scalar,
}

/// Vectors of f32.
pub(crate) const FVECS: Vecs = Vecs { ending: "fvecs", scalar: Scalar::F32 };

/// Vectors of u8.
pub(crate) const BVECS: Vecs = Vecs { ending: "bvecs", scalar: Scalar::U8 };

/// Vectors of i32.
pub(crate) const IVECS: Vecs = Vecs { ending: "ivecs", scalar: Scalar::I32 };

impl Format for Vecs {
    fn recognises(&self, _head: &[u8], path: &Path) -> bool {
        endings::is(path, self.ending)
    }

    fn takes_dtype(&self) -> bool {
        true
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let dtype = Dtype::little(self.scalar).told(reading.dtype)?;
        let (stored, length) = input.whole()?;
        let mut count = [0; COUNT_BYTES];
        if length < COUNT_BYTES as u64 {
            return Err(Fault::HeaderCut { length });
        }
        stored.read_exact_at(&mut count, 0)?;
        // A count has a sign, and none is negative.
        let Some(dims) = u32::try_from(i32::from_le_bytes(count)).ok().filter(|&dims| dims > 0) else {
            return Err(Fault::RowCount { found: i32::from_le_bytes(count) });
        };
        let row = COUNT_BYTES as u64 + u64::from(dims) * dtype.size() as u64;
        if length % row != 0 {
            return Err(Fault::RowCut { length, row, dims });
        }
        let (Ok(rows), Ok(dims)) = (usize::try_from(length / row), usize::try_from(dims)) else {
            return Err(Fault::Huge { rows: length / row, dims: dims.into() });
        };
        Ok(Box::new(GridOf { grid: Grid::of_counted_rows(dtype, rows, dims), stored }))
    }
}
