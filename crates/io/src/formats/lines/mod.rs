//! JSON: rows that are lists of numbers, or objects with one under a key, or with a number under each of several. One row a line (JSON Lines), or as elements of one
//! list, which may be under the key `data`, as services that embed return it.

mod scalars;

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use serde_json::{Value, value::RawValue};

use crate::{
    Fault, Reading,
    dtype::excerpt,
    formats::{
        Format, HEAD, Input, NameOption,
        choice::{Choice, Columns, Kind, Survey, Wanted, is_wanted},
        columns::listed_near,
        text::{Cursor, Each, End, Row, Rows, after_mark, is_null, is_number, list, may_be_text},
    },
    read_at::ReadAt,
    scalars::Scalars,
    stored::Stored,
    table::{Notes, Table},
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
        let Beginning { end, start, head } = Beginning::of(&stored, length)?;
        let mut cursor = Cursor::new(&stored, end, 0, start);
        let first = cursor.next()?.map(|(_, text)| text.to_vec());
        let (numbers, notes) = match first {
            Some(text) if text.trim_ascii_start().starts_with(b"{") => {
                if matches!(cursor.next(), Ok(None)) {
                    check_only(&object(&text, 0)?, reading.column.as_deref())?;
                }
                keys(&text, reading, |survey, names| look_at_keys(&stored, end, start, survey, names))?
            }
            Some(text) => {
                let names = names_of_columns(after_mark(&head));
                elements_of_rows(&text, names, reading, |survey| {
                    look_at_elements(&stored, end, start, survey)
                })?
            }
            None => (Numbers::Row, Notes::default()),
        };
        Ok(Box::new(Rows::new(stored, length, start, Line { end, numbers })?.with_notes(notes)))
    }

    fn open_column(&self, input: Input, column: Option<&str>) -> Result<Box<dyn Scalars>, Fault> {
        Ok(Box::new(scalars::Values::open(input, column)?))
    }
}

/// Where rows begin, and where they end.
struct Beginning {
    end: End,
    /// The byte at which the first row begins.
    start: u64,
    /// The beginning of the text, with all that stands before the rows.
    head: Vec<u8>,
}

impl Beginning {
    fn of(stored: &Stored, length: u64) -> Result<Self, Fault> {
        let mut head = vec![0; length.min(HEAD) as usize];
        stored.read_exact_at(&mut head, 0)?;
        let text = after_mark(&head);
        let mark = head.len() - text.len();
        let begin = mark + text.len() - text.trim_ascii_start().len();
        let place = match text.trim_ascii_start() {
            [b'[', rest @ ..] if matches!(rest.trim_ascii_start(), [b'[' | b'{', ..]) => {
                Some((End::Element { objects: 0 }, begin + 1))
            }
            text => list_of_data(text).map(|list| (End::Element { objects: 1 }, begin + list)),
        };
        if let Some((end, start)) = place {
            return Ok(Self { end, start: start as u64, head });
        }
        let is_object = head[begin..].starts_with(b"{");
        let behind_head = if is_object { Self::behind_names(stored, mark as u64)? } else { None };
        Ok(behind_head.unwrap_or(Self { end: End::Line, start: mark as u64, head }))
    }

    /// That of the only object of a file, whose list of rows stands behind the names of many columns or rows.
    fn behind_names(stored: &Stored, mark: u64) -> Result<Option<Self>, Fault> {
        let mut cursor = Cursor::new(stored, End::Line, 0, mark);
        let Some((start, text)) = cursor.next()? else { return Ok(None) };
        let Some(list) = list_of_data(text) else { return Ok(None) };
        let head = text.to_vec();
        let is_only = matches!(cursor.next(), Ok(None));
        Ok(is_only.then_some(Self { end: End::Element { objects: 1 }, start: start + list as u64, head }))
    }
}

/// Where the list of rows begins that an object has under its key `data`.
fn list_of_data(text: &[u8]) -> Option<usize> {
    let start = list_under(text, b"data")?;
    matches!(text[start..].trim_ascii_start(), [b'{' | b'[', ..]).then_some(start)
}

/// Where the elements begin of a list that an object has under a key.
fn list_under(text: &[u8], key: &[u8]) -> Option<usize> {
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
                    && &text[at + 1..end] == key
                    && let Some(rest) = rest.strip_prefix(b":")
                    && let Some(rest) = rest.trim_ascii_start().strip_prefix(b"[")
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
    serde_json::from_slice(text).map_err(|error| not_json(row, &error))
}

fn not_json(row: usize, error: &serde_json::Error) -> Fault {
    let problem = error.to_string().as_bytes().escape_ascii().to_string();
    Fault::NotJson { row, problem: problem.chars().take(100).collect() }
}

/// Where the numbers of a row are.
#[derive(Debug)]
enum Numbers {
    /// The row is a list of them.
    Row,
    /// Some elements of a row of so many are.
    Places { places: Vec<usize>, of: usize },
    /// An element of the row is a list of them.
    ListAt(usize),
    /// A list of them is under a key.
    List(String),
    /// One is under each key.
    Keys { keys: Vec<String>, of_first: OfFirst },
}

/// The keys of the first row, by which those of the numbers are chosen.
#[derive(Debug)]
struct OfFirst {
    keys: HashSet<String>,
    /// What the caller says of them.
    wanted: Option<String>,
}

impl OfFirst {
    /// That a row has no key of a number that the first one lacks, and that would be a dimension too.
    fn check(&self, object: &Object<'_>) -> Result<(), Fault> {
        let is_number = |value: &RawValue| is_number(value.get().as_bytes());
        let more = object.iter().filter(|(key, value)| !self.keys.contains(*key) && is_number(value));
        match more.map(|(key, _)| key).find(|key| is_wanted(key, self.wanted.as_deref())) {
            None => Ok(()),
            Some(key) => {
                let keys = listed_near(Some(key), self.keys.iter().map(String::as_str));
                Err(Fault::NoKey { row: 0, key: excerpt(key.as_bytes()), keys })
            }
        }
    }
}

/// The keys of the numbers by the first row: what the caller says, or `embedding`, or the only one of a list; or all, where a number is
/// under each. `look` looks at the rows for a survey of such keys.
fn keys(
    text: &[u8],
    reading: &Reading,
    look: impl FnOnce(&mut Survey, &[String]),
) -> Result<(Numbers, Notes), Fault> {
    let object = object(text, 0)?;
    let wanted = Wanted { name: reading.column.as_deref(), without: &reading.without };
    if wanted.name.is_none() && object.contains_key(EMBEDDING) {
        return Ok((Numbers::List(EMBEDDING.into()), Notes::default()));
    }
    // In the order of the file, in which their texts lie.
    let mut in_order: Vec<_> = object.iter().collect();
    in_order.sort_by_key(|(_, value)| value.get().as_ptr());
    let kinds: Vec<_> = in_order.iter().map(|(_, value)| kind(value)).collect();
    let names: Vec<_> = in_order.into_iter().map(|(key, _)| key.clone()).collect();
    let columns = Columns { names: &names, kinds: &kinds, are_named: true, are_typed: true };
    let choice = Choice::of(&columns, wanted)?;
    if let Choice::List(key) = choice {
        return Ok((Numbers::List(names[key].clone()), Notes::default()));
    }
    let mut survey = Survey::of(&choice, wanted);
    look(&mut survey, &names);
    let notes = survey.notes(&columns, &choice, wanted)?;
    let keys = choice.columns().map(|key| names[key].clone()).collect();
    let wanted = wanted.name.map(str::to_owned);
    Ok((Numbers::Keys { keys, of_first: OfFirst { keys: names.into_iter().collect(), wanted } }, notes))
}

const FRAME: &str = "one object, as pandas writes a frame by its columns or by the numbers of its rows";
const AS_LINES: &str = "write a row a line: df.to_json(FILE, orient='records', lines=True)";

const SETS: &str = "one object, with all rows of a set as a list of lists under a key";
const A_SET_A_FILE: &str = "save the list of lists of each set as a file of its own: json.dump(x, FILE)";

/// Fails for the only object of a file where it is no row, but has all rows in it. `wanted` is the key that the caller names.
fn check_only(object: &Object<'_>, wanted: Option<&str>) -> Result<(), Fault> {
    if is_frame(object) {
        return Err(Fault::Format { found: FRAME, cure: AS_LINES });
    }
    // Whether a value is a list of lists; None where it is no list.
    let is_nested = |value: &RawValue| Some(value.get().strip_prefix('[')?.trim_start().starts_with('['));
    let are_sets = match wanted {
        Some(key) => object.get(key).is_some_and(|value| is_nested(value) == Some(true)),
        None => {
            let is_any = |nested| object.values().any(|value| is_nested(value) == Some(nested));
            is_any(true) && !is_any(false)
        }
    };
    if are_sets { Err(Fault::Format { found: SETS, cure: A_SET_A_FILE }) } else { Ok(()) }
}

/// Whether an object is all rows of a frame: an object under each key, whose own keys, or the outer ones, are numbers of rows.
fn is_frame(object: &Object<'_>) -> bool {
    let is_number = |key: &String| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    let of_columns = || {
        let first =
            object.values().next().and_then(|value| serde_json::from_str::<Object<'_>>(value.get()).ok());
        first.is_some_and(|of| !of.is_empty() && of.keys().all(is_number))
    };
    let are_objects = object.values().all(|value| value.get().starts_with('{'));
    !object.is_empty() && are_objects && (object.keys().all(is_number) || of_columns())
}

/// What are the numbers of rows that are lists: all elements, or those of the columns that are chosen, by their names or by their numbers.
fn elements_of_rows(
    text: &[u8],
    names: Option<Vec<String>>,
    reading: &Reading,
    look: impl FnOnce(&mut Survey),
) -> Result<(Numbers, Notes), Fault> {
    // What is no JSON, such as nan, is read where all elements are numbers.
    let Ok(values) = elements(text, 0) else {
        return Ok((Numbers::Row, Notes::default()));
    };
    let names = names.filter(|names| names.len() == values.len());
    let are_named = names.is_some();
    let names = names.unwrap_or_else(|| (0..values.len()).map(|column| column.to_string()).collect());
    let kinds: Vec<_> = values.iter().map(|value| kind(value)).collect();
    let columns = Columns { names: &names, kinds: &kinds, are_named, are_typed: false };
    let wanted = Wanted { name: reading.column.as_deref(), without: &reading.without };
    let choice = Choice::of(&columns, wanted)?;
    let mut survey = Survey::of(&choice, wanted);
    look(&mut survey);
    let notes = survey.notes(&columns, &choice, wanted)?;
    let numbers = match choice {
        Choice::All(_) => Numbers::Row,
        Choice::Some(places) => Numbers::Places { places, of: names.len() },
        Choice::List(place) => Numbers::ListAt(place),
    };
    Ok((numbers, notes))
}

/// The names of the columns that an object has under its key `columns`, as pandas writes it; none where they only count.
fn names_of_columns(text: &[u8]) -> Option<Vec<String>> {
    let list = &text[list_under(text, b"columns")? - 1..];
    let mut values = serde_json::Deserializer::from_slice(list).into_iter::<Vec<Value>>();
    let names = values.next()?.ok()?.into_iter().map(|name| match name {
        Value::String(name) => name,
        other => other.to_string(),
    });
    let names: Vec<_> = names.collect();
    let do_count = names.iter().zip(0..).all(|(name, column)| *name == column.to_string());
    (!do_count).then_some(names)
}

fn kind(value: &RawValue) -> Kind {
    match value.get().as_bytes() {
        [b'[', ..] => Kind::List,
        [b'{', ..] => Kind::Nested,
        value if is_null(value) || is_number(value) => Kind::Number,
        _ => Kind::Text,
    }
}

/// Looks at the keys of a survey, row by row. What is wrong with a row is told when it is read.
fn look_at_keys(stored: &Stored, end: End, start: u64, survey: &mut Survey, names: &[String]) {
    look(stored, end, start, survey, |survey, text| {
        let object = object(text, 0).ok()?;
        let number = |key: usize| object.get(&names[key])?.get().parse::<f64>().ok();
        Some(survey.columns().map(number).collect())
    });
}

/// The same of elements of rows that are lists.
fn look_at_elements(stored: &Stored, end: End, start: u64, survey: &mut Survey) {
    look(stored, end, start, survey, |survey, text| {
        let values = elements(text, 0).ok()?;
        let number = |place: usize| values.get(place)?.get().parse::<f64>().ok();
        Some(survey.columns().map(number).collect())
    });
}

/// Looks at rows for a survey, of which `values` takes the values from the text of each.
fn look(
    stored: &Stored,
    end: End,
    start: u64,
    survey: &mut Survey,
    values: impl Fn(&Survey, &[u8]) -> Option<Vec<Option<f64>>>,
) {
    let mut cursor = Cursor::new(stored, end, 0, start);
    while let Ok(Some((_, text))) = cursor.next() {
        let Some(values) = values(survey, text) else { return };
        if !survey.take(&values) {
            return;
        }
    }
}

/// The text of what is under a key of a row.
fn value<'a>(object: &Object<'a>, key: &str, row: usize) -> Result<&'a [u8], Fault> {
    let found = object.get(key).map(|value| value.get().as_bytes());
    found.ok_or_else(|| {
        let keys = object.keys().map(String::as_str).collect::<Vec<_>>();
        let keys = listed_near(Some(key), keys.into_iter());
        Fault::NoKey { row, key: excerpt(key.as_bytes()), keys }
    })
}

/// The elements of a row that is a list.
fn elements(text: &[u8], row: usize) -> Result<Vec<&RawValue>, Fault> {
    serde_json::from_slice(text).map_err(|error| not_json(row, &error))
}

/// A row of JSON.
#[derive(Debug)]
struct Line {
    end: End,
    numbers: Numbers,
}

impl Row for Line {
    fn end(&self) -> End {
        self.end
    }

    fn numbers(&self, text: &[u8], row: usize, each: Each<'_>) -> Result<(), Fault> {
        match &self.numbers {
            Numbers::Row => list(text, row, each),
            Numbers::Places { places, of } => {
                let values = elements(text, row)?;
                if values.len() != *of {
                    return Err(Fault::RowWidth { row, found: values.len(), dims: *of });
                }
                places.iter().try_for_each(|&place| each(values[place].get().as_bytes()))
            }
            Numbers::ListAt(place) => {
                let values = elements(text, row)?;
                let value = values.get(*place).ok_or(Fault::RowWidth {
                    row,
                    found: values.len(),
                    dims: place + 1,
                })?;
                list(value.get().as_bytes(), row, each)
            }
            Numbers::List(key) => {
                let object = object(text, row)?;
                list(value(&object, key, row)?, row, each)
            }
            Numbers::Keys { keys, of_first } => {
                let object = object(text, row)?;
                of_first.check(&object)?;
                for key in keys {
                    let value = value(&object, key, row)?;
                    if is_null(value) {
                        return Err(Fault::NullCell { row, column: excerpt(key.as_bytes()) });
                    }
                    each(value)?;
                }
                Ok(())
            }
        }
    }
}
