//! The head of a delimited text: what separates its fields, what its columns are called, and where its first row begins.

use super::fields::fields;
use crate::{
    Fault,
    formats::text::{Cursor, End, MARK, is_null, is_number},
    read_at::ReadAt as _,
    stored::Stored,
};

/// More fields of a row than any point needs.
const MOST_FIELDS: usize = 1 << 20;

/// What separates fields, the likeliest first. Spaces may be several.
pub(super) const SEPARATORS: [u8; 4] = [b'\t', b',', b';', b' '];

/// What the first two lines tell.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) separator: u8,
    /// Names of the columns: the first line, or their numbers where it has none.
    pub(super) names: Vec<String>,
    /// Whether the first line has the names.
    pub(super) is_named: bool,
    /// Where the first row begins.
    pub(super) start: u64,
    /// The fields of the first row.
    pub(super) first: Vec<Vec<u8>>,
}

impl Head {
    /// The head of a text; None where there is no row.
    pub(super) fn of(stored: &Stored) -> Result<Option<Self>, Fault> {
        let mut mark = [0; MARK.len()];
        let has_mark = stored.read_exact_at(&mut mark, 0).is_ok() && mark == MARK;
        let start = if has_mark { MARK.len() as u64 } else { 0 };
        let separator = separator(stored, start);
        let mut records = Cursor::new(stored, End::Record(separator), 0, start);
        let mut next = || -> Result<_, Fault> {
            let Some((start, line)) = records.next()? else { return Ok(None) };
            Ok(Some((start, owned(line, separator)?)))
        };
        let Some((start, first)) = next()? else { return Ok(None) };
        let second = next()?;
        let below = second.as_ref().map_or(&[][..], |(_, fields)| fields);
        if are_names(&first, below, separator) {
            let names = first.iter().map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
            let names = names.collect();
            Ok(second.map(|(start, first)| Self { separator, names, is_named: true, start, first }))
        } else {
            let names = (0..first.len()).map(|column| column.to_string()).collect();
            Ok(Some(Self { separator, names, is_named: false, start, first }))
        }
    }
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
