//! Arrow IPC: one column of lists of numbers, a point each. Files (`.arrow`, `.feather`) and streams, which data sets of
//! Hugging Face are.
//!
//! Both are messages one after another, and a file has a footer too, which is not needed. A record batch is decoded whole;
//! the last one is kept, so that neighbouring ranges decode it once.

mod lists;
mod messages;
mod scalars;
mod table;

use std::path::Path;

use arrow_schema::ArrowError;

use crate::{
    Fault, Reading,
    formats::{
        Format, Input, NameOption,
        columns::{Candidate, choose},
        fence::fenced,
    },
    scalars::Scalars,
    table::Table,
};

/// What messages call it.
const NAME: &str = "Arrow";

const MAGIC: &[u8] = b"ARROW1";

/// What every message begins with, and so a stream.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Version 1 of Feather, which is no Arrow file.
const FEATHER_1: &[u8] = b"FEA1";

/// Arrow files and streams.
pub(crate) struct Arrow;

impl Format for Arrow {
    fn recognises(&self, head: &[u8], _path: &Path) -> bool {
        [MAGIC, &CONTINUATION, FEATHER_1].iter().any(|magic| head.starts_with(magic))
    }

    fn name_option(&self) -> Option<NameOption> {
        Some(NameOption::Column)
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let (stored, length) = input.whole()?;
        fenced(NAME, || {
            let messages = messages::Messages::read(&stored, length)?;
            let candidates = messages.schema.fields().iter().enumerate().map(|(index, field)| Candidate {
                name: field.name().clone(),
                value: lists::numbers(field.data_type()).map(|numbers| (index, numbers)),
            });
            let (index, numbers) = choose(&candidates.collect::<Vec<_>>(), reading.column.as_deref())?;
            Ok(Box::new(table::Batches::new(stored, messages, index, numbers)?) as Box<dyn Table>)
        })
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        let (stored, length) = input.whole()?;
        Ok(Box::new(fenced(NAME, || scalars::Values::open(stored, length, column))?))
    }
}

/// What an error of the decoder says of the file.
fn fault(error: ArrowError) -> Fault {
    match error {
        ArrowError::IoError(_, error) => error.into(),
        error => damaged(&error.to_string()),
    }
}

fn damaged(problem: &str) -> Fault {
    // The messages of the decoder are sentences.
    const LONGEST: usize = 100;
    let problem = problem.get(..LONGEST).unwrap_or(problem);
    Fault::Damaged { format: NAME, problem: problem.as_bytes().escape_ascii().to_string() }
}
