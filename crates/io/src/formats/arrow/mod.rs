//! Arrow IPC: one column of lists of numbers, a point each; or columns of numbers, a dimension each. Files (`.arrow`, `.feather`) and streams, which data sets of
//! Hugging Face are.
//!
//! Both are messages one after another, and a file has a footer too, which is not needed. A record batch is decoded whole;
//! the last one is kept, so that neighbouring ranges decode it once.

mod batches;
mod lists;
mod messages;
mod scalars;
mod table;
mod wide;

use std::{path::Path, sync::Arc};

use arrow_schema::{ArrowError, DataType};

use crate::{
    Fault, Reading,
    formats::{
        Format, Input, NameOption,
        choice::{Choice, Columns, Kind, PANDAS, Survey, Wanted, without_index},
        fence::fenced,
    },
    scalars::Scalars,
    stored::Stored,
    table::Table,
};

use batches::Batches;
use messages::Messages;
use table::Lists;
use wide::Wide;

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
            let messages = Messages::read(&stored, length)?;
            open(stored, &messages, reading)
        })
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        let (stored, length) = input.whole()?;
        Ok(Box::new(fenced(NAME, || scalars::Values::open(stored, length, column))?))
    }
}

/// Opens the columns that are the points.
fn open(stored: Stored, messages: &Messages, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
    let fields = messages.schema.fields();
    let names: Vec<_> = fields.iter().map(|field| field.name().clone()).collect();
    let kinds: Vec<_> = fields.iter().map(|field| kind(field.data_type())).collect();
    let pandas = messages.schema.metadata().get(PANDAS).map(String::as_str);
    let without = without_index(&names, pandas, reading);
    let wanted = Wanted { name: reading.column.as_deref(), without: &without };
    let columns = Columns { names: &names, kinds: &kinds, are_named: true, are_typed: true };
    let choice = Choice::of(&columns, wanted)?;
    let stored = Arc::new(stored);
    let batches = |columns: Vec<usize>| Batches::new(Arc::clone(&stored), messages, columns);
    if let Choice::List(column) = choice
        && let Some(numbers) = lists::numbers(fields[column].data_type())
    {
        return Ok(Box::new(Lists::new(batches(vec![column])?, numbers)?));
    }
    let wide = |columns: Vec<usize>| {
        let of = columns.iter().map(|&column| (names[column].clone(), fields[column].data_type().clone()));
        let of = of.collect();
        Ok::<_, Fault>(Wide::new(batches(columns)?, of))
    };
    let mut survey = Survey::of(&choice, wanted).of_those(|column| fields[column].data_type().is_integer());
    let surveyed: Vec<_> = survey.columns().collect();
    if !surveyed.is_empty() {
        survey.look(&wide(surveyed)?);
    }
    let notes = survey.notes(&columns, &choice, wanted)?;
    Ok(Box::new(wide(choice.columns().collect())?.with_notes(notes)))
}

/// What a column holds.
fn kind(column: &DataType) -> Kind {
    match column {
        _ if lists::numbers(column).is_some() => Kind::List,
        _ if wide::scalar(column).is_some() => Kind::Number,
        DataType::Dictionary(..) => Kind::Text,
        column if column.is_nested() => Kind::Nested,
        _ => Kind::Text,
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
