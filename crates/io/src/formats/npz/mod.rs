//! NumPy's `.npz`: a zip archive of `.npy` files. Those that are stored as they are are read in place; what is compressed is
//! kept in memory. Both are held against their checksum when the archive is opened.

mod archive;

use std::path::Path;

use super::{Format, Input, NameOption, fence::fenced};
use crate::{
    Fault, Reading,
    formats::npy::Array,
    grid::{Grid, GridOf},
    scalars::Scalars,
    stored::{Budget, Stored},
    table::Table,
};

use archive::Archive;

const NAME: &str = "npz";

/// `.npz`.
pub(crate) struct Npz;

impl Format for Npz {
    fn recognises(&self, head: &[u8], _path: &Path) -> bool {
        head.starts_with(b"PK\x03\x04")
    }

    fn name_option(&self) -> Option<NameOption> {
        Some(NameOption::Member)
    }

    fn takes_dtype(&self) -> bool {
        true
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let budget = input.budget();
        let (stored, length) = input.whole()?;
        // An archive that came by a pipe is in memory beside what is taken out of it.
        let budget = Budget { kept: budget.kept.saturating_add(stored.bytes_in_memory()), ..budget };
        let member = fenced(NAME, || member(&stored, length, budget, reading))?;
        Ok(Box::new(match member {
            Member::InPlace(grid) => GridOf { grid, stored },
            Member::Inflated { grid, values } => GridOf { grid: grid.at(0), stored: Stored::Memory(values) },
        }))
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        let budget = input.budget();
        let (stored, length) = input.whole()?;
        let budget = Budget { kept: budget.kept.saturating_add(stored.bytes_in_memory()), ..budget };
        let (header, values) = fenced(NAME, || Archive::open(&stored, length)?.read_column(column, budget))?;
        let stored = values.map_or(stored, Stored::Memory);
        Ok(Box::new(Array { header, stored }))
    }
}

/// The array that was chosen, and where its values are.
enum Member {
    InPlace(Grid),
    Inflated { grid: Grid, values: Vec<u8> },
}

fn member(stored: &Stored, length: u64, budget: Budget, reading: &Reading) -> Result<Member, Fault> {
    let mut archive = Archive::open(stored, length)?;
    let index = archive.choose(reading)?;
    archive.read(index, budget, reading)
}
