//! JSON: rows that are lists of numbers, or objects with one under a key. One row a line (JSON Lines), or as elements of one
//! list, which may be under the key `data`, as services that embed return it.

mod scalars;

use std::{collections::BTreeMap, path::Path};

use serde_json::value::RawValue;

use crate::{
    Fault, Reading,
    dtype::excerpt,
    formats::{
        Format, HEAD, Input, NameOption,
        columns::{Candidate, choose, listed_near},
        text::{Cursor, Each, End, MARK, Row, Rows, after_mark, list, may_be_text},
    },
    read_at::ReadAt,
    scalars::Scalars,
    table::Table,
};

/// The key that is taken where the caller names none.
const EMBEDDING: &str = "embedding";

/// JSON Lines, and lists of rows in JSON.
pub(crate) struct JsonLines;

impl Format for JsonLines {
    fn recognises(&self, head: &[u8], _path: &Path) -> bool {
        may_be_text(head) && matches!(after_mark(head).trim_ascii_start(), [b'{' | b'[', ..])
    }

    fn name_option(&self) -> Option<NameOption> {
        Some(NameOption::Column)
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let (stored, length) = input.whole()?;
        let mut head = vec![0; length.min(HEAD) as usize];
        stored.read_exact_at(&mut head, 0)?;
        let (end, start) = beginning(&head);
        let mut cursor = Cursor::new(&stored, end, 0, start);
        let key = match cursor.next()? {
            Some((_, text)) if text.trim_ascii_start().starts_with(b"{") => {
                Some(key(text, reading.column.as_deref())?)
            }
            _ => None,
        };
        Ok(Box::new(Rows::new(stored, length, start, Line { end, key })?))
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        Ok(Box::new(scalars::Values::open(input, column)?))
    }
}

/// Where rows end, and the byte at which the first one begins.
fn beginning(head: &[u8]) -> (End, u64) {
    let text = after_mark(head);
    let blank = text.len() - text.trim_ascii_start().len();
    let start = head.len() - text.len() + blank;
    if let [b'[', rest @ ..] = text.trim_ascii_start()
        && let [b'[' | b'{', ..] = rest.trim_ascii_start()
    {
        return (End::Element { objects: 0 }, start as u64 + 1);
    }
    match list_of_data(&head[start..]) {
        Some(list) => (End::Element { objects: 1 }, (start + list) as u64),
        None => (End::Line, if head.starts_with(MARK) { MARK.len() as u64 } else { 0 }),
    }
}

/// Where the list of rows begins that an object has under its key `data`.
fn list_of_data(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            // What follows is another row of JSON Lines.
            b'\n' if depth == 0 => return None,
            b'"' => {
                let end = string(text, at + 1)?;
                let rest = text[end..].strip_prefix(b"\"")?.trim_ascii_start();
                if depth == 1
                    && &text[at + 1..end] == b"data"
                    && let Some(rest) = rest.strip_prefix(b":")
                    && let Some(rest) = rest.trim_ascii_start().strip_prefix(b"[")
                    && let [b'{' | b'[', ..] = rest.trim_ascii_start()
                {
                    return Some(text.len() - rest.len());
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a string ends that begins at a byte.
fn string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// What an object holds under each key, as text.
type Object<'a> = BTreeMap<String, &'a RawValue>;

fn object(text: &[u8], row: usize) -> Result<Object<'_>, Fault> {
    serde_json::from_slice(text).map_err(|error| {
        let problem = error.to_string().as_bytes().escape_ascii().to_string();
        Fault::NotJson { row, problem: problem.chars().take(100).collect() }
    })
}

/// The key of the numbers in the first row: what the caller says, or `embedding`, or the only one of a list.
fn key(text: &[u8], wanted: Option<&str>) -> Result<String, Fault> {
    let object = object(text, 0)?;
    if wanted.is_none() && object.contains_key(EMBEDDING) {
        return Ok(EMBEDDING.into());
    }
    let is_list = |value: &RawValue| value.get().starts_with('[');
    let candidates = object
        .iter()
        .enumerate()
        .map(|(index, (key, value))| Candidate { name: key.clone(), value: is_list(value).then_some(index) });
    let candidates = candidates.collect::<Vec<_>>();
    let chosen = choose(&candidates, wanted)?;
    Ok(candidates[chosen].name.clone())
}

/// A row of JSON.
#[derive(Debug)]
struct Line {
    end: End,
    /// The key of its numbers, where the first row is an object.
    key: Option<String>,
}

impl Row for Line {
    fn end(&self) -> End {
        self.end
    }

    fn numbers(&self, text: &[u8], row: usize, each: Each<'_>) -> Result<(), Fault> {
        let Some(key) = &self.key else { return list(text, row, each) };
        let object = object(text, row)?;
        let Some(value) = object.get(key) else {
            let keys =
                listed_near(Some(key), object.keys().map(String::as_str).collect::<Vec<_>>().into_iter());
            return Err(Fault::NoKey { row, key: excerpt(key.as_bytes()), keys });
        };
        list(value.get().as_bytes(), row, each)
    }
}
