//! NumPy's `.npy`: a header of text, and one array.

pub(crate) mod header;
pub(crate) mod literal;
mod scalars;

use std::{
    io::{Read, Seek},
    path::Path,
};

use crate::{
    Fault, Reading,
    formats::{Format, Input, unnamed},
    grid::GridOf,
    scalars::Scalars,
    stored::Stored,
    table::Table,
};

pub(crate) use scalars::{Array, Header, OfBytes};

/// `.npy`, versions 1.0, 2.0 and 3.0.
pub(crate) struct Npy;

impl Format for Npy {
    fn recognises(&self, head: &[u8], _path: &Path) -> bool {
        head.starts_with(header::MAGIC) || header::MAGIC.starts_with(head)
    }

    fn takes_dtype(&self) -> bool {
        true
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        Ok(Box::new(match input {
            Input::File { mut file, length, .. } => {
                file.rewind()?;
                GridOf { grid: header::grid(&mut file, Some(length), reading)?, stored: Stored::File(file) }
            }
            Input::Pipe { head, pipe, budget } => {
                let mut reader = head.as_slice().chain(pipe);
                let grid = header::grid(&mut reader, None, reading)?;
                let values = budget.read(&mut reader, grid.start, grid.bytes())?;
                GridOf { grid: grid.at(0), stored: Stored::Memory(values) }
            }
        }))
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        unnamed(column)?;
        Ok(Box::new(Array::open(input)?))
    }
}
