//! CSV and TSV: columns of numbers, or one column of lists `[1, 2, 3]`; and numbers separated by spaces, as numpy.savetxt
//! writes them. The first line may have the names of the columns.

mod decimals;
mod fields;
mod head;
mod scalars;

use std::{path::Path, str};

use crate::{
    Fault, Reading,
    dtype::excerpt,
    formats::{
        Format, Input, NameOption,
        choice::{Choice, Columns, Kind, Survey, Wanted, all_but_last},
        endings,
        text::{
            Cursor, Each, End, Row, Rows, cell, first_row, is_list, is_null, is_number, may_be_text, rows,
            spaced_numbers,
        },
    },
    scalars::Scalars,
    stored::Stored,
    table::{Notes, Table},
};

use fields::fields;
use head::{Head, SEPARATORS};

/// Delimited text.
pub(crate) struct Delimited;

impl Format for Delimited {
    fn recognises(&self, head: &[u8], path: &Path) -> bool {
        let is_named = endings::is(path, "csv") || endings::is(path, "tsv");
        let first = first_row(head);
        let has_fields = || [b'\t', b',', b';'].iter().any(|separator| first.contains(separator));
        let is_of_numbers = || is_row_of_numbers(first_unmarked(head)) || has_names_above_numbers(head);
        may_be_text(head) && !first.is_empty() && (is_named || has_fields() || is_of_numbers())
    }

    fn name_option(&self) -> Option<NameOption> {
        Some(NameOption::Column)
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let (stored, length) = input.whole()?;
        let wanted = Wanted { name: reading.column.as_deref(), without: &reading.without };
        let First { start, record, notes } = first(&stored, wanted)?;
        Ok(Box::new(Rows::new(stored, length, start, record)?.with_notes(notes)))
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

/// The first row of numbers.
struct First {
    /// Where it begins.
    start: u64,
    /// Which of its fields are the numbers.
    record: Record,
    notes: Notes,
}

/// Whether the first of two rows has a name for each number of the second, with spaces between them: two at least.
fn has_names_above_numbers(head: &[u8]) -> bool {
    let words =
        |row| <[u8]>::split(row, u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let are_numbers = |row: &[&[u8]]| row.iter().all(|word| is_number(word));
    let mut rows = rows(head);
    let (Some(names), Some(numbers)) = (rows.next().map(words), rows.next().map(words)) else { return false };
    let has_names = names.len() > 1 && !are_numbers(&names);
    // R writes a name in quotes before the numbers of each row.
    let has_row_names = names.iter().all(|name| name.starts_with(b"\""))
        && numbers.len() == names.len() + 1
        && numbers[0].starts_with(b"\"")
        && are_numbers(&numbers[1..]);
    // The last row of the first bytes may be cut.
    has_names
        && (has_row_names || are_numbers(&numbers) && (names.len() == numbers.len() || rows.next().is_none()))
}

/// The name of columns side by side that a second line numbers from 0, as pandas writes the columns of frames that have keys.
fn numbered_below<'a>(names: &'a [String], second: &[Vec<u8>]) -> Option<&'a str> {
    let mut rest = second;
    let of_one_name = names.chunk_by(|one, next| one == next).filter_map(|columns| {
        let (cells, others) = rest.split_at_checked(columns.len())?;
        rest = others;
        let is_counted =
            |(number, cell): (usize, &Vec<u8>)| cell.trim_ascii() == number.to_string().as_bytes();
        (columns.len() > 1).then(|| (columns, cells.iter().enumerate().all(is_counted)))
    });
    let of_one_name: Vec<_> = of_one_name.collect();
    let count: usize = of_one_name.iter().map(|(columns, _)| columns.len()).sum();
    let are_counted = of_one_name.iter().all(|&(_, counted)| counted) && 2 * count > names.len();
    of_one_name.first().filter(|_| are_counted).map(|(columns, _)| columns[0].as_str())
}

/// Finds the first row of numbers, and which of its fields they are.
fn first(stored: &Stored, wanted: Wanted<'_>) -> Result<First, Fault> {
    decimals::check_beside_text(stored)?;
    let head = Head::of(stored)?.ok_or(Fault::Empty { rows: 0, dims: 0 })?;
    let Head { separator, ref names, is_named, line_of_names, start, ref first, .. } = head;
    if separator == b',' {
        // What is taken for names may be numbers in quotes.
        let start_of_all = line_of_names.unwrap_or(start);
        decimals::check_between_commas(stored, start_of_all, start, wanted.name.is_some())?;
    }
    if let Some(name) = is_named.then(|| numbered_below(names, first)).flatten() {
        let or_else = ", in pandas with frame.columns = [f'{a}_{b}' for a, b in frame.columns], since its second line has the numbers of \
                       columns";
        return Err(Fault::RepeatedColumns { name: excerpt(name.as_bytes()), or_else: or_else.into() });
    }
    if is_named && first.len() == names.len() + 1 {
        return Err(Fault::RowNames);
    }
    if first.len() != names.len() {
        return Err(Fault::Fields { row: 0, found: first.len(), fields: names.len() });
    }
    let is_empty = |text: &[u8]| text.trim_ascii().is_empty();
    if wanted.name.is_none()
        && let ([_, ..], Some(last), Some(name)) = (&first[1..], first.last(), names.last())
        && is_empty(last)
        && (!is_named || name.is_empty())
    {
        return Err(Fault::TrailingSeparator { others: all_but_last(names).into() });
    }
    let kind = |value: &Vec<u8>| match value.trim_ascii() {
        value if is_list(value) => Kind::List,
        value if is_null(value) || is_number(value) => Kind::Number,
        _ => Kind::Text,
    };
    let mut kinds: Vec<_> = first.iter().map(kind).collect();
    // Numbers without brackets are a point where other columns are no longer one.
    let numbers = kinds.iter().filter(|&&kind| kind == Kind::Number).count();
    for (kind, value) in kinds.iter_mut().zip(first) {
        if spaced_numbers(value).is_some_and(|count| count > numbers) {
            *kind = Kind::List;
        }
    }
    let columns = Columns { names, kinds: &kinds, are_named: is_named, are_typed: false };
    let choice = Choice::of(&columns, wanted)?;
    let mut survey = Survey::of(&choice, wanted);
    look(stored, &head, &mut survey);
    let mut notes = survey.notes(&columns, &choice, wanted)?;
    notes.guess = notes.guess.or_else(|| head.guess.clone());
    Ok(First { start, record: Record { separator, fields: names.len(), choice }, notes })
}

/// Looks at the columns of a survey, row by row. What is wrong with a row is told when it is read.
fn look(stored: &Stored, head: &Head, survey: &mut Survey) {
    let number = |field: &[u8]| str::from_utf8(field.trim_ascii()).ok()?.parse::<f64>().ok();
    let mut records = Cursor::new(stored, End::Record(head.separator), 0, head.start);
    let mut values = Vec::new();
    while let Ok(Some((_, line))) = records.next() {
        values.clear();
        let mut next = survey.columns().peekable();
        let read = fields(line, head.separator, |column, field| {
            if next.next_if(|&of| of == column).is_some() {
                values.push(number(field));
            }
            Ok(())
        });
        drop(next);
        if read.is_err() || !survey.take(&values) {
            break;
        }
    }
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
            if matches!(self.choice, Choice::List(_)) { cell(field, row, each) } else { each(field) }
        })?;
        if count == self.fields {
            Ok(())
        } else {
            Err(Fault::Fields { row, found: count, fields: self.fields })
        }
    }
}
