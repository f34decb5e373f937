//! Formats of files: one folder each, behind one trait.

mod arrays;
#[cfg(feature = "parquet")]
mod arrow;
mod bins;
pub(crate) mod choice;
pub(crate) mod columns;
mod delimited;
mod endings;
mod fence;
#[cfg(not(feature = "parquet"))]
mod left_out;
mod lines;
pub(crate) mod npy;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod safetensors;
mod text;
mod vecs;
mod words;

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    Fault, Reading, codes, foreign,
    naming::{is_pattern, series},
    scalars::Scalars,
    stored::{Budget, Opened, Stored},
    table::{Notes, Table},
};

use npy::Npy;
use text::{OneALine, may_be_text};

/// A format of files of points.
pub(crate) trait Format: Sync {
    /// Whether a file is of this format: by its first bytes, at most [`HEAD`]; or by its name, where these do
    /// not tell.
    fn recognises(&self, head: &[u8], path: &Path) -> bool;

    /// The option that names what of a file is read; None where it holds one matrix.
    fn name_option(&self) -> Option<NameOption> {
        None
    }

    /// Whether a caller may say which floats its values are.
    fn takes_dtype(&self) -> bool {
        false
    }

    /// Reads what a file says of its points, and checks it against the file's length.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of a format and of a pipe.
    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault>;

    /// Reads what a file says of a column of one value a row: that of a name, or the only one.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of a format and of a pipe, and those of columns of one value a row.
    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        let _ = (input, column);
        Err(NO_COLUMN)
    }
}

/// What has no column of one value a row.
const NO_COLUMN: Fault = Fault::Format {
    found: "no column of one value a row",
    cure: "write one value a line as .txt, or a column of CSV, Parquet or JSON Lines, or save an array with numpy.save",
};

/// What of a file a caller names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameOption {
    Member,
    Tensor,
    Column,
}

/// As many first bytes as decide.
const HEAD: u64 = 4096;

/// All formats. The first that recognises a file reads it.
const FORMATS: &[&dyn Format] = &[
    &Npy,
    &npz::Npz,
    &vecs::FVECS,
    &vecs::BVECS,
    &vecs::IVECS,
    &bins::FBIN,
    &bins::F16BIN,
    &bins::U8BIN,
    &bins::I8BIN,
    &bins::IBIN,
    #[cfg(feature = "parquet")]
    &parquet::Parquet,
    #[cfg(feature = "parquet")]
    &arrow::Arrow,
    #[cfg(not(feature = "parquet"))]
    &left_out::LeftOut,
    &safetensors::Safetensors,
    &lines::JsonLines,
    &words::Words,
    &delimited::Delimited,
];

/// Formats of columns that a file's first bytes tell.
const FORMATS_OF_COLUMNS: &[&dyn Format] = &[
    &Npy,
    &npz::Npz,
    #[cfg(feature = "parquet")]
    &parquet::Parquet,
    #[cfg(feature = "parquet")]
    &arrow::Arrow,
    #[cfg(not(feature = "parquet"))]
    &left_out::LeftOut,
    &lines::JsonLines,
];

/// What a format reads: a regular file, or a pipe, which gives its bytes once.
pub(crate) enum Input {
    File { file: fs::File, length: u64, budget: Budget },
    Pipe { head: Vec<u8>, pipe: fs::File, budget: Budget },
}

impl Input {
    /// Memory that may be taken for it.
    pub(crate) fn budget(&self) -> Budget {
        match self {
            Self::File { budget, .. } | Self::Pipe { budget, .. } => *budget,
        }
    }

    /// All bytes, and how many they are. A pipe is read whole.
    pub(crate) fn whole(self) -> Result<(Stored, u64), Fault> {
        match self {
            Self::File { file, length, .. } => Ok((Stored::File(file), length)),
            Self::Pipe { head, mut pipe, budget } => {
                let bytes = budget.read_all(head, &mut pipe)?;
                let length = bytes.len() as u64;
                Ok((Stored::Memory(bytes), length))
            }
        }
    }
}

/// What was opened.
pub(crate) struct Found {
    pub(crate) table: Box<dyn Table>,
    /// Which of the options that are given mean nothing to it.
    pub(crate) unused: Vec<&'static str>,
    pub(crate) notes: Notes,
}

/// Opens what is at a path, by the format that recognises it.
pub(crate) fn open(path: &Path, reading: &Reading, budget: Budget) -> Result<Found, Fault> {
    let (head, input) = input(path, budget)?;
    if foreign::is_report(&head) {
        return Err(foreign::report());
    }
    let Some(format) = format_of(&head, path, reading) else { return Err(foreign::recognise(&head)) };
    let unused = unused_options(format, reading);
    match unused.first() {
        // What was meant is not what would be read.
        Some(&option) if !reading.optional => Err(Fault::UnusedOption { option }),
        _ => {
            let table = format.open(input, reading)?;
            let notes = table.notes();
            Ok(Found { table: codes::decoded(table, reading)?, unused, notes })
        }
    }
}

/// The format of what begins so, and lies at a path.
fn format_of(head: &[u8], path: &Path, reading: &Reading) -> Option<&'static dyn Format> {
    let named = reading.format.as_ref().map(|ending| PathBuf::from(format!("points.{ending}")));
    let name = named.as_deref().unwrap_or(path);
    FORMATS.iter().copied().find(|format| format.recognises(head, name))
}

/// The options that are given and mean nothing to what is at a path, or to the first file of a pattern; none where that is not known, as
/// of a pipe.
pub(crate) fn unused_at(path: &Path, reading: &Reading) -> Vec<&'static str> {
    let first =
        if is_pattern(path) { series(&[path]).ok().and_then(|files| files.into_iter().next()) } else { None };
    let path = first.as_deref().unwrap_or(path);
    let regular = fs::metadata(path).is_ok_and(|there| there.is_file());
    let head =
        if regular { fs::File::open(path).ok().and_then(|mut file| head(&mut file).ok()) } else { None };
    let format = head.and_then(|head| format_of(&head, path, reading));
    format.map_or(Vec::new(), |format| unused_options(format, reading))
}

/// Whether there is a regular file at a path that begins as a report of the program does.
pub(crate) fn is_report_at(path: &Path) -> bool {
    let is_file = fs::metadata(path).is_ok_and(|there| there.is_file());
    is_file
        && fs::File::open(path)
            .ok()
            .and_then(|mut file| head(&mut file).ok())
            .is_some_and(|head| foreign::is_report(&head))
}

/// Opens a column of one value a row: that of a name, or the only one. What is nothing else is a text of one value a line.
pub(crate) fn open_column(path: &Path, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
    let (head, input) = input(path, Budget::UNLIMITED)?;
    if column.is_none() && endings::is(path, "txt") && may_be_text(&head) {
        return Ok(Box::new(OneALine::new(input)?));
    }
    if endings::is(path, "txt") && may_be_text(&head) && !delimited::may_have_fields(&head) {
        unnamed(column)?;
    }
    let has_fields = column.is_some() || endings::is(path, "csv") || endings::is(path, "tsv");
    let known = FORMATS_OF_COLUMNS.iter().copied().find(|format| format.recognises(&head, path));
    let format = match known {
        Some(format) => format,
        None if !may_be_text(&head) => return Err(no_column(foreign::recognise(&head))),
        None if has_fields => &delimited::Delimited,
        None => return Ok(Box::new(OneALine::new(input)?)),
    };
    format.open_column(input, column)
}

/// The same fault, with a cure for what should be one value a row, where nothing is known of the file.
fn no_column(fault: Fault) -> Fault {
    match fault {
        Fault::Format { found: foreign::TEXT | foreign::UNKNOWN, .. } => NO_COLUMN,
        other => other,
    }
}

/// Fails where a column is named and a file has no columns.
fn unnamed(column: Option<&str>) -> Result<(), Fault> {
    match column {
        Some(_) => Err(Fault::UnusedOption { option: "the name of a column" }),
        None => Ok(()),
    }
}

/// What is at a path, and its first bytes.
fn input(path: &Path, budget: Budget) -> Result<(Vec<u8>, Input), Fault> {
    let (head, input) = match Opened::at(path)? {
        Opened::File { mut file, length } => {
            let head = head(&mut file)?;
            (head, Input::File { file, length, budget })
        }
        Opened::Pipe(mut pipe) => {
            let head = head(&mut pipe)?;
            if head.is_empty() {
                return Err(Fault::PipeEmpty);
            }
            (head.clone(), Input::Pipe { head, pipe, budget })
        }
    };
    // It has the name of the file that it came instead of.
    if foreign::is_stand_in(&head) {
        return Err(foreign::recognise(&head));
    }
    Ok((head, input))
}

/// What the caller says, as the program's options, and this format has no use for.
fn unused_options(format: &dyn Format, reading: &Reading) -> Vec<&'static str> {
    let takes = |option| format.name_option() == Some(option);
    let given = [
        ("--member", reading.member.is_some(), takes(NameOption::Member)),
        ("--tensor", reading.tensor.is_some(), takes(NameOption::Tensor)),
        ("--column", reading.column.is_some(), takes(NameOption::Column)),
        ("--dtype", reading.dtype.is_some(), format.takes_dtype()),
    ];
    let unused = given.into_iter().filter(|&(_, is_given, is_taken)| is_given && !is_taken);
    unused.map(|(option, ..)| option).collect()
}

/// The first bytes.
fn head(reader: &mut impl Read) -> Result<Vec<u8>, Fault> {
    let mut head = Vec::new();
    reader.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}
