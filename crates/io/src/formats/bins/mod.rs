//! `.fbin`, `.f16bin`, `.u8bin`, `.i8bin` and `.ibin`, of big-ann-benchmarks: rows and dimensions as u32, and all values.

use std::{
    io::{Read, Seek},
    path::Path,
};

use super::{Format, Input, endings, npy::header};
use crate::{
    Fault, Reading,
    dtype::{Dtype, Scalar},
    grid::{Grid, GridOf},
    stored::Stored,
    table::Table,
};

/// Bytes of the rows and of the dimensions.
const HEADER: u64 = 8;

/// A matrix of one scalar, and the ending that says which.
pub(crate) struct Bins {
    ending: &'static str,
    scalar: Scalar,
}

/// A matrix of f32.
pub(crate) const FBIN: Bins = Bins { ending: "fbin", scalar: Scalar::F32 };

/// A matrix of f16.
pub(crate) const F16BIN: Bins = Bins { ending: "f16bin", scalar: Scalar::F16 };

/// A matrix of u8.
pub(crate) const U8BIN: Bins = Bins { ending: "u8bin", scalar: Scalar::U8 };

/// A matrix of i8.
pub(crate) const I8BIN: Bins = Bins { ending: "i8bin", scalar: Scalar::I8 };

/// A matrix of i32.
pub(crate) const IBIN: Bins = Bins { ending: "ibin", scalar: Scalar::I32 };

impl Format for Bins {
    fn recognises(&self, _head: &[u8], path: &Path) -> bool {
        endings::is(path, self.ending)
    }

    fn takes_dtype(&self) -> bool {
        true
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let dtype = Dtype::little(self.scalar).told(reading.dtype)?;
        Ok(Box::new(match input {
            Input::File { mut file, length, .. } => {
                file.rewind()?;
                GridOf { grid: grid(&mut file, dtype, Some(length))?, stored: Stored::File(file) }
            }
            Input::Pipe { head, pipe, budget } => {
                let mut reader = head.as_slice().chain(pipe);
                let grid = grid(&mut reader, dtype, None)?;
                let values = budget.read(&mut reader, grid.start, grid.bytes())?;
                GridOf { grid: grid.at(0), stored: Stored::Memory(values) }
            }
        }))
    }
}

/// Reads a header, and holds it against a file's length. A pipe has none.
fn grid(reader: &mut impl Read, dtype: Dtype, length: Option<u64>) -> Result<Grid, Fault> {
    let mut head = Vec::new();
    reader.take(HEADER).read_to_end(&mut head)?;
    let Some(&[rows, dims]) = head.as_chunks::<4>().0.first_chunk() else {
        return Err(Fault::HeaderCut { length: length.unwrap_or(head.len() as u64) });
    };
    let shape = [rows, dims].map(|count| u32::from_le_bytes(count).into());
    let (rows, dims) = header::points(&shape)?;
    let (rows, dims) = header::held(rows, dims, dtype.size(), HEADER, length)?;
    Ok(Grid::of_rows(dtype, rows, dims, HEADER))
}
