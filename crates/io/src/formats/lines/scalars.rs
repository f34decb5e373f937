//! One value a row of JSON: under a key of each object, or the elements of a list.

use serde_json::Value;

use super::{Beginning, Object, object};
use crate::{
    Fault,
    dtype::{Number, excerpt},
    formats::{
        Input,
        columns::{Candidate, choose_scalars},
        text::{Cursor, End, after_mark},
    },
    scalars::{Cell, Scalars, Take},
    stored::Stored,
};

/// A value of each row.
#[derive(Debug)]
pub(super) struct Values {
    stored: Stored,
    end: End,
    /// Where the first row begins.
    start: u64,
    /// The key of the value, where rows are objects.
    key: Option<String>,
    rows: usize,
}

impl Values {
    /// Finds the key in the first row, and counts the rows.
    pub(super) fn open(input: Input, wanted: Option<&str>) -> Result<Self, Fault> {
        let (stored, length) = input.whole()?;
        let Beginning { end, start, head } = Beginning::of(&stored, length)?;
        let (end, start) = list_of_scalars(&head).unwrap_or((end, start));
        let mut cursor = Cursor::new(&stored, end, 0, start);
        let key = match cursor.next()? {
            Some((_, text)) if text.trim_ascii_start().starts_with(b"{") => {
                Some(key(&object(text, 0)?, wanted)?)
            }
            Some(_) => {
                crate::formats::unnamed(wanted)?;
                None
            }
            None => return Err(Fault::NoNumbers),
        };
        let mut rows = 1;
        while cursor.next()?.is_some() {
            rows += 1;
        }
        Ok(Self { stored, end, start, key, rows })
    }
}

/// Where the first element of a list begins whose elements are no lists and no objects.
fn list_of_scalars(head: &[u8]) -> Option<(End, u64)> {
    let text = after_mark(head).trim_ascii_start();
    let rest = text.strip_prefix(b"[")?.trim_ascii_start();
    let start = head.len() - text.len() + 1;
    (!matches!(rest, [b'[' | b'{', ..])).then_some((End::Element { objects: 0 }, start as u64))
}

/// The key of this name, or the only one that is no list and no object in the first row.
fn key(object: &Object<'_>, wanted: Option<&str>) -> Result<String, Fault> {
    let candidates = object.iter().enumerate().map(|(index, (key, value))| Candidate {
        name: key.clone(),
        value: (!value.get().starts_with(['[', '{'])).then_some(index),
    });
    let candidates = candidates.collect::<Vec<_>>();
    let chosen = choose_scalars(&candidates, wanted)?;
    Ok(candidates[chosen].name.clone())
}

impl Scalars for Values {
    fn rows(&self) -> usize {
        self.rows
    }

    fn each(&self, take: Take<'_>) -> Result<(), Fault> {
        let mut cursor = Cursor::new(&self.stored, self.end, 0, self.start);
        for row in 0..self.rows {
            let (_, text) = cursor.next()?.ok_or(Fault::Changed)?;
            let Some(key) = &self.key else {
                give(row, text, take)?;
                continue;
            };
            match object(text, row)?.get(key) {
                Some(value) => give(row, value.get().as_bytes(), take)?,
                None => take(row, Cell::Missing)?,
            }
        }
        Ok(())
    }
}

/// Gives the value that a text in JSON is.
fn give(row: usize, text: &[u8], take: Take<'_>) -> Result<(), Fault> {
    let none = || Fault::NotScalar { row, found: excerpt(text.trim_ascii()) };
    match serde_json::from_slice(text).map_err(|_| none())? {
        Value::Null => take(row, Cell::Missing),
        Value::Bool(value) => take(row, Cell::Number(Number::Unsigned(value.into()))),
        Value::String(text) => take(row, Cell::text(&text)),
        Value::Number(number) => {
            let signed = number.as_i64().map(Number::Signed);
            let unsigned = || number.as_u64().map(Number::Unsigned);
            let float = || number.as_f64().map(Number::Float);
            take(row, Cell::Number(signed.or_else(unsigned).or_else(float).ok_or_else(none)?))
        }
        Value::Array(_) | Value::Object(_) => Err(none()),
    }
}
