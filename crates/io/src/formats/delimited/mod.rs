//! CSV and TSV: columns of numbers, or one column of lists `[1, 2, 3]`; and numbers separated by spaces, as numpy.savetxt
//! writes them. The first line may have the names of the columns.

mod choice;
mod fields;
mod head;
mod scalars;
mod unlikely;

use std::{path::Path, str};

use crate::{
    Fault, Reading,
    formats::{
        Format, Input, NameOption, endings,
        text::{Cursor, Each, End, Row, Rows, first_row, is_number, list, may_be_text, rows},
    },
    scalars::Scalars,
    stored::Stored,
    table::Table,
};

use choice::{Choice, Wanted, no_dimension};
use fields::fields;
use head::{Head, SEPARATORS};

/// Delimited text.
pub(crate) struct Delimited;

impl Format for Delimited {
    fn recognises(&self, head: &[u8], path: &Path) -> bool {
        let is_named = endings::is(path, "csv") || endings::is(path, "tsv");
        let first = first_row(head);
        let has_fields = || [b'\t', b',', b';'].iter().any(|separator| first.contains(separator));
        let is_of_numbers = || is_row_of_numbers(first_unmarked(head));
        may_be_text(head) && !first.is_empty() && (is_named || has_fields() || is_of_numbers())
    }

    fn name_option(&self) -> Option<NameOption> {
        Some(NameOption::Column)
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let (stored, length) = input.whole()?;
        let wanted = Wanted { name: reading.column.as_deref(), without: &reading.without };
        let (start, record) = first(&stored, wanted)?;
        Ok(Box::new(Rows::new(stored, length, start, record)?))
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        Ok(Box::new(scalars::Field::open(input, column)?))
    }
}

/// Whether the first line of a text may be of several fields.
pub(super) fn may_have_fields(head: &[u8]) -> bool {
    let first = first_row(head).trim_ascii();
    SEPARATORS.iter().any(|separator| first.contains(separator))
}

/// The first row that is no comment, of the first bytes; empty where none is there.
fn first_unmarked(head: &[u8]) -> &[u8] {
    rows(head).find(|row| !row.starts_with(b"#")).unwrap_or_default()
}

/// Whether the first bytes of a row, the last of which may be cut, are numbers that spaces separate.
fn is_row_of_numbers(row: &[u8]) -> bool {
    let mut numbers = row.split(u8::is_ascii_whitespace).filter(|number| !number.is_empty());
    numbers.next().is_some_and(is_number) && numbers.next().is_none_or(is_number)
}

/// Where the first row of numbers begins, and which of its fields they are.
fn first(stored: &Stored, wanted: Wanted<'_>) -> Result<(u64, Record), Fault> {
    let head = Head::of(stored)?.ok_or(Fault::Empty { rows: 0, dims: 0 })?;
    let Head { separator, ref names, is_named, start, ref first } = head;
    if first.len() != names.len() {
        return Err(Fault::Fields { row: 0, found: first.len(), fields: names.len() });
    }
    let choice = Choice::of(names, first, wanted, is_named)?;
    if wanted.name.is_none()
        && let counting = counting(stored, &head, &choice)
        && !counting.is_empty()
    {
        let columns: Vec<_> = choice.columns().collect();
        let counting: Vec<_> = counting.into_iter().map(|column| (column, "counts the rows")).collect();
        return Err(no_dimension(names, &columns, &counting));
    }
    Ok((start, Record { separator, fields: names.len(), choice }))
}

/// Rows that a column has to count, for that to be no chance.
const LEAST_ROWS_COUNTED: usize = 4;

/// Those of several columns of numbers that count the rows, from 0 or from 1. What is wrong with a row is told when it is read.
fn counting(stored: &Stored, head: &Head, choice: &Choice) -> Vec<usize> {
    if matches!(choice, Choice::List(_)) || choice.columns().nth(1).is_none() {
        return Vec::new();
    }
    let number = |field: &[u8]| str::from_utf8(field.trim_ascii()).ok()?.parse::<f64>().ok();
    let start = |column: usize| {
        let first = number(head.first.get(column)?)?;
        (first == 0.0 || first == 1.0).then_some((column, first))
    };
    // Each with the number of its first row.
    let mut counting: Vec<_> = choice.columns().filter_map(start).collect();
    let mut records = Cursor::new(stored, End::Record(head.separator), 0, head.start);
    let mut rows = 0;
    while !counting.is_empty() {
        let line = match records.next() {
            Ok(Some((_, line))) => line,
            Ok(None) => break,
            Err(_) => return Vec::new(),
        };
        let mut found = Vec::with_capacity(counting.len());
        let mut next = counting.iter().copied().peekable();
        let read = fields(line, head.separator, |column, field| {
            if let Some((column, first)) = next.next_if(|&(of, _)| of == column) {
                found.extend((number(field) == Some(first + rows as f64)).then_some((column, first)));
            }
            Ok(())
        });
        if read.is_err() {
            return Vec::new();
        }
        counting = found;
        rows += 1;
    }
    if rows < LEAST_ROWS_COUNTED {
        counting.clear();
    }
    counting.into_iter().map(|(column, _)| column).collect()
}

/// A row of fields.
#[derive(Debug)]
struct Record {
    separator: u8,
    /// How many it has.
    fields: usize,
    choice: Choice,
}

impl Row for Record {
    fn end(&self) -> End {
        End::Record(self.separator)
    }

    fn numbers(&self, text: &[u8], row: usize, each: Each<'_>) -> Result<(), Fault> {
        let mut count = 0;
        let mut chosen = self.choice.columns();
        let mut next = chosen.next();
        fields(text, self.separator, |column, field| {
            count = column + 1;
            if next != Some(column) {
                return Ok(());
            }
            next = chosen.next();
            if matches!(self.choice, Choice::List(_)) { list(field, row, each) } else { each(field) }
        })?;
        if count == self.fields {
            Ok(())
        } else {
            Err(Fault::Fields { row, found: count, fields: self.fields })
        }
    }
}
