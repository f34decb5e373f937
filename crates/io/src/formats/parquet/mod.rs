//! Parquet: one column of lists of numbers, a point each; or columns of numbers, a dimension each.
//!
//! Row groups hold pages, and a page's header says how many values it has. All rows have the same number of values, and
//! none is null, so these counts alone say which page holds a row: others are skipped unread, and the pages of a large
//! range are decoded by several threads. Memory is that of a page for each of them.

mod chunks;
mod column;
mod page;
mod runs;
mod scalars;
mod table;
mod wide;

use std::{path::Path, sync::Arc};

use parquet::{
    errors::ParquetError,
    file::metadata::{ParquetMetaData, ParquetMetaDataReader},
};

use crate::{
    Fault, Reading,
    dtype::excerpt,
    formats::{
        Format, Input, NameOption,
        choice::{Choice, Columns, PANDAS, Survey, Wanted, without_index},
        fence::fenced,
    },
    scalars::Scalars,
    table::Table,
};

use chunks::Chunks;
use column::{Column, name};

/// What messages call it.
const NAME: &str = "Parquet";

const MAGIC: &[u8] = b"PAR1";

/// Parquet files, of any number of row groups.
pub(crate) struct Parquet;

impl Format for Parquet {
    fn recognises(&self, head: &[u8], _path: &Path) -> bool {
        head.starts_with(MAGIC) || head.starts_with(b"PARE")
    }

    fn name_option(&self) -> Option<NameOption> {
        Some(NameOption::Column)
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let (stored, length) = input.whole()?;
        fenced(NAME, || {
            let chunks = Chunks::new(stored, length);
            let metadata = ParquetMetaDataReader::new().parse_and_finish(&chunks).map_err(fault)?;
            open(Arc::new(chunks), Arc::new(metadata), reading)
        })
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        let (stored, length) = input.whole()?;
        let values = fenced(NAME, || scalars::Values::open(Chunks::new(stored, length), column))?;
        Ok(Box::new(values))
    }
}

/// Opens the columns that are the points.
fn open(
    chunks: Arc<Chunks>,
    metadata: Arc<ParquetMetaData>,
    reading: &Reading,
) -> Result<Box<dyn Table>, Fault> {
    let schema = metadata.file_metadata().schema_descr();
    let names: Vec<_> = schema.columns().iter().map(|descriptor| name(descriptor)).collect();
    let (kinds, found): (Vec<_>, Vec<_>) = (0..names.len()).map(|index| Column::of(schema, index)).unzip();
    let pairs = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    let pandas = pairs.filter(|pair| pair.key == PANDAS).find_map(|pair| pair.value.as_deref());
    let without = without_index(&names, pandas, reading);
    let wanted = Wanted { name: reading.column.as_deref(), without: &without };
    let columns = Columns { names: &names, kinds: &kinds, are_named: true, are_typed: true };
    let choice = Choice::of(&columns, wanted)?;
    let ends = table::ends_of(&metadata)?;
    let points = |column: usize| {
        let column = found[column].ok_or_else(|| damaged("a column that is not what its schema says"))?;
        table::Points::new(Arc::clone(&chunks), Arc::clone(&metadata), column, Arc::clone(&ends))
    };
    if let Choice::List(column) = choice {
        return Ok(Box::new(points(column)?));
    }
    let wide = |columns: &mut dyn Iterator<Item = usize>| {
        let columns = columns.map(|column| Ok((names[column].clone(), points(column)?)));
        Ok::<_, Fault>(wide::Wide::new(columns.collect::<Result<_, Fault>>()?))
    };
    let is_whole = |column: usize| found[column].is_some_and(|column| column.numbers.scalar.is_integer());
    let mut survey = Survey::of(&choice, wanted).of_those(is_whole);
    let surveyed: Vec<_> = survey.columns().collect();
    if !surveyed.is_empty() {
        survey.look(&wide(&mut surveyed.into_iter())?);
    }
    let notes = survey.notes(&columns, &choice, wanted)?;
    Ok(Box::new(wide(&mut choice.columns())?.with_notes(notes)))
}

/// What an error of the decoder says of the file.
fn fault(error: ParquetError) -> Fault {
    match error {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => Fault::from(*error),
            Err(error) => damaged(&error.to_string()),
        },
        ParquetError::NYI(found) => Fault::Unsupported {
            format: NAME,
            found: excerpt(found.as_bytes()),
            cure: "save it again with pyarrow",
        },
        error => {
            let problem = error.to_string();
            match problem.split_once(LEFT_OUT) {
                Some((_, codec)) => Fault::Unsupported {
                    format: NAME,
                    found: format!("compression by {}", excerpt(codec.trim().as_bytes())),
                    cure: "save it again with compression='zstd'",
                },
                None => damaged(&problem),
            }
        }
    }
}

/// How the decoder says that it was built without a codec, whose name follows.
const LEFT_OUT: &str = "Disabled feature at compile time:";

fn damaged(problem: &str) -> Fault {
    // The messages of the decoder are sentences.
    const LONGEST: usize = 100;
    let problem: String = problem.chars().take(LONGEST).collect();
    Fault::Damaged { format: NAME, problem: problem.as_bytes().escape_ascii().to_string() }
}
