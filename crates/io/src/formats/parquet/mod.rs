//! Parquet: one column of lists of numbers, a point each.
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

use std::{path::Path, sync::Arc};

use parquet::{errors::ParquetError, file::metadata::ParquetMetaDataReader};

use crate::{
    Fault, Reading,
    dtype::excerpt,
    formats::{Format, Input, NameOption, fence::fenced},
    scalars::Scalars,
    table::Table,
};

use chunks::Chunks;
use column::Column;

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
            let column = Column::find(metadata.file_metadata().schema_descr(), reading.column.as_deref())?;
            let table = table::Points::new(Arc::new(chunks), Arc::new(metadata), column)?;
            Ok(Box::new(table) as Box<dyn Table>)
        })
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        let (stored, length) = input.whole()?;
        let values = fenced(NAME, || scalars::Values::open(Chunks::new(stored, length), column))?;
        Ok(Box::new(values))
    }
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
