//! CSV and TSV: columns of numbers, or one column of lists `[1, 2, 3]`; and numbers separated by spaces, as numpy.savetxt
//! writes them. The first line may have the names of the columns.

mod choice;
mod fields;
mod scalars;

use std::path::Path;

use crate::{
    Fault, Reading,
    formats::{
        Format, Input, NameOption, endings,
        text::{Cursor, Each, End, MARK, Row, Rows, first_row, is_null, is_number, list, may_be_text},
    },
    read_at::ReadAt,
    scalars::Scalars,
    stored::Stored,
    table::Table,
};

use choice::{Choice, Wanted};
use fields::fields;

/// More fields of a row than any point needs.
const MOST_FIELDS: usize = 1 << 20;

/// What separates fields, the likeliest first. Spaces may be several.
const SEPARATORS: [u8; 4] = [b'\t', b',', b';', b' '];

/// Delimited text.
pub(crate) struct Delimited;

impl Format for Delimited {
    fn recognises(&self, head: &[u8], path: &Path) -> bool {
        let is_named = endings::is(path, "csv") || endings::is(path, "tsv");
        let first = first_row(head);
        let has_fields = || [b'\t', b',', b';'].iter().any(|separator| first.contains(separator));
        may_be_text(head) && !first.is_empty() && (is_named || has_fields() || is_row_of_numbers(first))
    }

    fn name_option(&self) -> Option<NameOption> {
        Some(NameOption::Column)
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let (stored, length) = input.whole()?;
        let mut mark = [0; MARK.len()];
        let has_mark = stored.read_exact_at(&mut mark, 0).is_ok() && mark == MARK;
        let start = if has_mark { MARK.len() as u64 } else { 0 };
        let wanted = Wanted { name: reading.column.as_deref(), without: &reading.without };
        let (start, record) = first(&stored, start, wanted)?;
        Ok(Box::new(Rows::new(stored, length, start, record)?))
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        Ok(Box::new(scalars::Field::open(input, column)?))
    }
}

/// Whether the first bytes of a row, the last of which may be cut, are numbers that spaces separate.
fn is_row_of_numbers(row: &[u8]) -> bool {
    let mut numbers = row.split(u8::is_ascii_whitespace).filter(|number| !number.is_empty());
    numbers.next().is_some_and(is_number) && numbers.next().is_none_or(is_number)
}

/// Where the first row of numbers begins, and which of its fields they are.
fn first(stored: &Stored, start: u64, wanted: Wanted<'_>) -> Result<(u64, Record), Fault> {
    let empty = Fault::Empty { rows: 0, dims: 0 };
    let separator = separator(stored, start);
    let mut records = Cursor::new(stored, End::Record(separator), 0, start);
    let Some((start, line)) = records.next()? else { return Err(empty) };
    let first = owned(line, separator)?;
    let second = match records.next()? {
        Some((start, line)) => Some((start, owned(line, separator)?)),
        None => None,
    };
    let below = second.as_ref().map_or(&[][..], |(_, values)| values);
    if !are_names(&first, below, separator) {
        let names = (0..first.len()).map(|column| column.to_string()).collect::<Vec<_>>();
        let choice = Choice::of(&names, &first, wanted, false)?;
        return Ok((start, Record { separator, fields: first.len(), choice }));
    }
    let names =
        first.iter().map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned()).collect::<Vec<_>>();
    let Some((start, values)) = second else { return Err(empty) };
    if values.len() != names.len() {
        return Err(Fault::Fields { row: 0, found: values.len(), fields: names.len() });
    }
    let choice = Choice::of(&names, &values, wanted, true)?;
    Ok((start, Record { separator, fields: names.len(), choice }))
}

/// What separates the fields of the first row: what makes the most of them, the first of equals. Spaces are within fields
/// where anything else makes two.
fn separator(stored: &Stored, start: u64) -> u8 {
    let (mut most, mut best) = (0, SEPARATORS[0]);
    for separator in SEPARATORS {
        let mut rows = Cursor::new(stored, End::Record(separator), 0, start);
        // With another separator, a quote may begin no field, and not be closed.
        let Ok(Some((_, row))) = rows.next() else { continue };
        let count = count(row, separator);
        if count > most && (separator != b' ' || most < 2) {
            (most, best) = (count, separator);
        }
    }
    best
}

fn count(line: &[u8], separator: u8) -> usize {
    let mut count = 0;
    // Nothing here fails.
    let _ = fields(line, separator, |_, _| {
        count += 1;
        Ok(())
    });
    count
}

/// The fields of the first line, or the one below it, which must not be too many to keep.
fn owned(line: &[u8], separator: u8) -> Result<Vec<Vec<u8>>, Fault> {
    let mut owned = Vec::new();
    fields(line, separator, |column, field| {
        if column == MOST_FIELDS {
            return Err(Fault::ManyFields { limit: MOST_FIELDS });
        }
        owned.push(field.to_vec());
        Ok(())
    })?;
    Ok(owned)
}

/// Whether the first line has the names of the columns. A point that was taken for names would be lost in silence: where
/// both are possible, it is a point.
fn are_names(first: &[Vec<u8>], below: &[Vec<u8>], separator: u8) -> bool {
    if first.iter().any(|field| is_name(field)) {
        return !first.iter().any(|field| is_fraction(field));
    }
    // pandas writes nothing above its index.
    let has_index = first.first().is_some_and(Vec::is_empty);
    let is_above_points = separator == b',' && below.iter().any(|field| is_fraction(field));
    are_numbered(if has_index { &first[1..] } else { first }) && (has_index || is_above_points)
}

/// Whether a field of the first line is a name: neither a number, nor a list of them, nor a missing value.
fn is_name(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    !is_null(field) && !field.starts_with(b"[") && !is_number(field)
}

/// Whether a field is a number with a fraction or an exponent.
fn is_fraction(field: &[u8]) -> bool {
    is_number(field) && field.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

/// Whether the fields are 0, 1, 2, …, as the names that pandas gives to columns without any.
fn are_numbered(names: &[Vec<u8>]) -> bool {
    names.len() > 1 && names.iter().enumerate().all(|(number, name)| *name == number.to_string().as_bytes())
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
