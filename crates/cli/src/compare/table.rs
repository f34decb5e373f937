//! The table of models that `--runs` names.

use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord};
use glob::Pattern;
use unisphere_eval::compare::Place;
use unisphere_io::{Fault, is_pattern, printable};

use super::{files::files_in, run::Run};
use crate::exit::Failure;

/// Reads a table with the columns name and x, and perhaps y, step and score. Paths are from its own folder.
pub(super) fn read(path: &Path) -> Result<Vec<Run>, Failure> {
    let is_tabbed = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
    let delimiter = if is_tabbed { b'\t' } else { b',' };
    let unread = |error: csv::Error| Failure::Input(unread(path, error));
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_path(path).map_err(unread)?;
    let columns = Columns::of(path, reader.headers().map_err(unread)?)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut runs: Vec<Run> = Vec::new();
    for record in reader.records() {
        let row = Row { path, record: &record.map_err(unread)? };
        let run = columns.run(&row, folder)?;
        if runs.iter().any(|other| other.name == run.name) {
            return Err(row.refuse(&format!("the name {} is taken by a row before it", printable(&run.name))));
        }
        runs.push(run);
    }
    if runs.is_empty() {
        return Err(Failure::Input(format!(
            "{}: the table has no rows; give it one for each model",
            printable(path)
        )));
    }
    Ok(runs)
}

/// The places of the columns.
struct Columns {
    name: usize,
    x: usize,
    y: Option<usize>,
    step: Option<usize>,
    score: Option<usize>,
}

impl Columns {
    fn of(path: &Path, header: &StringRecord) -> Result<Self, Failure> {
        // Spreadsheets begin a file with a mark of its encoding.
        let named =
            |name: &str| header.iter().position(|cell| cell.trim_start_matches('\u{feff}').trim() == name);
        let needed = |name: &str| {
            named(name).ok_or_else(|| {
                let found: Vec<_> = header.iter().map(printable).collect();
                Failure::Input(format!(
                    "{}: there is no column {name} among {}\n\
                     the first line names the columns: name and x, and perhaps y, step and score",
                    printable(path),
                    found.join(", ")
                ))
            })
        };
        Ok(Self {
            name: needed("name")?,
            x: needed("x")?,
            y: named("y"),
            step: named("step"),
            score: named("score"),
        })
    }

    fn run(&self, row: &Row<'_>, folder: &Path) -> Result<Run, Failure> {
        let needed = |place, column| {
            row.cell(place).ok_or_else(|| row.refuse(&format!("the cell of {column} is empty; fill it in")))
        };
        // A folder that is put before a pattern is not to be read as one.
        let file = |cell: &str| -> PathBuf {
            let whole = folder.join(cell);
            if whole.exists() || !is_pattern(Path::new(cell)) || Path::new(cell).is_absolute() {
                return whole;
            }
            PathBuf::from(Pattern::escape(&folder.to_string_lossy())).join(cell)
        };
        let number = |place: Option<usize>, column| row.number(place, column);
        let (x, y) = (file(needed(self.x, "x")?), self.y.and_then(|place| row.cell(place)).map(file));
        let (x, y) = if x.is_dir() && y.is_none() { files_in(&x)? } else { (x, y) };
        let place = Place { step: number(self.step, "step")?, score: number(self.score, "score")? };
        Ok(Run::new(needed(self.name, "name")?.to_owned(), x, y, place))
    }
}

/// A row of the table.
struct Row<'a> {
    path: &'a Path,
    record: &'a StringRecord,
}

impl Row<'_> {
    /// A cell that is not empty.
    fn cell(&self, place: usize) -> Option<&str> {
        self.record.get(place).map(str::trim).filter(|cell| !cell.is_empty())
    }

    fn number(&self, place: Option<usize>, column: &str) -> Result<Option<f64>, Failure> {
        let Some(cell) = place.and_then(|place| self.cell(place)) else { return Ok(None) };
        match cell.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(self.refuse(&format!(
                "the {column} '{}' is no finite number\nwrite a number, or leave the cell empty where there is none",
                printable(cell)
            ))),
        }
    }

    /// An error that names the table and the line.
    fn refuse(&self, wrong: &str) -> Failure {
        let line = self.record.position().map_or(0, csv::Position::line);
        Failure::Input(format!("{}, line {line}: {wrong}", printable(self.path)))
    }
}

fn unread(path: &Path, error: csv::Error) -> String {
    let (name, whole) = (printable(path), error.to_string());
    match error.into_kind() {
        csv::ErrorKind::Io(error) => format!("{name}: {}", Fault::from(error)),
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("{name}, line {line}: the text is no UTF-8; save the table as UTF-8")
        }
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!(
                "{name}, line {line}: {len} cells, and the first line names {expected_len} columns\n\
                 give every line as many; quote a cell that has a comma"
            )
        }
        _ => format!("{name}: {whole}; save the table as CSV"),
    }
}
