//! Words with their vectors, as word2vec, GloVe and fastText write them: a word and its numbers a line, separated by spaces.
//! The first line of some says how many words and how many numbers there are.

use std::path::Path;

use crate::{
    Fault, Reading,
    formats::{
        Format, Input, endings,
        text::{Cursor, Each, End, MARK, Row, Rows, after_mark, is_number, may_be_text},
    },
    read_at::ReadAt,
    stored::Stored,
    table::Table,
};

/// Numbers behind the first word that tell such a file from other text.
const TELLING: usize = 2;

/// Words with their vectors, in text.
pub(crate) struct Words;

impl Format for Words {
    fn recognises(&self, head: &[u8], path: &Path) -> bool {
        let is_table = endings::is(path, "csv") || endings::is(path, "tsv");
        if is_table || !may_be_text(head) {
            return false;
        }
        let mut lines =
            after_mark(head).split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let (Some(first), second) = (lines.next(), lines.next()) else { return false };
        if claim(first).is_some() {
            // A matrix of whole numbers has two in each row.
            return second.is_some_and(|second| tokens(second).nth(TELLING).is_some());
        }
        // Names or a comment of numpy.savetxt, above rows of numbers.
        if first.starts_with(b"#") && second.is_some_and(|second| tokens(second).all(is_number)) {
            return false;
        }
        let mut first = tokens(first);
        first.next().is_some_and(|word| !is_number(word))
            && first.clone().count() >= TELLING
            && first.take(TELLING).all(is_number)
    }

    fn open(&self, input: Input, _reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let (stored, length) = input.whole()?;
        let mut mark = [0; MARK.len()];
        let has_mark = stored.read_exact_at(&mut mark, 0).is_ok() && mark == MARK;
        let (start, word) = first(&stored, if has_mark { MARK.len() as u64 } else { 0 })?;
        Ok(Box::new(Rows::new(stored, length, start, word)?))
    }
}

/// Where the first word begins, and what its line and the one before it say of all.
fn first(stored: &Stored, start: u64) -> Result<(u64, Word), Fault> {
    let mut cursor = Cursor::new(stored, End::Line, 0, start);
    let Some((start, line)) = cursor.next()? else { return Err(Fault::Empty { rows: 0, dims: 0 }) };
    if let Some((rows, dims)) = claim(line) {
        let behind = cursor.next()?.map(|(start, _)| start);
        let start = behind.ok_or(Fault::TextRows { found: 0, claimed: rows })?;
        return Ok((start, Word { dims, rows: Some(rows) }));
    }
    // The numbers at its end, if a word is left before them.
    let words = tokens(line).collect::<Vec<_>>();
    let dims = words.iter().skip(1).rev().take_while(|word| is_number(word)).count();
    if dims == 0 { Err(Fault::Empty { rows: 1, dims: 0 }) } else { Ok((start, Word { dims, rows: None })) }
}

/// Rows and dimensions, where a line says these and nothing else.
fn claim(line: &[u8]) -> Option<(usize, usize)> {
    let mut numbers = tokens(line).map(|token| std::str::from_utf8(token).ok()?.parse::<usize>().ok());
    let (rows, dims) = (numbers.next()??, numbers.next()??);
    (numbers.next().is_none() && dims > 0).then_some((rows, dims))
}

/// What spaces and tabs separate.
fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r')).filter(|token| !token.is_empty())
}

/// A line of a word and its numbers.
#[derive(Debug)]
struct Word {
    dims: usize,
    /// How many there must be.
    rows: Option<usize>,
}

impl Row for Word {
    fn end(&self) -> End {
        End::Line
    }

    fn numbers(&self, text: &[u8], row: usize, each: Each<'_>) -> Result<(), Fault> {
        // A word may have spaces in it, as some of GloVe have.
        let word = tokens(text).count().saturating_sub(self.dims);
        let found = tokens(text).count().saturating_sub(1);
        let has_more_numbers = word > 1 && tokens(text).take(word).skip(1).all(is_number);
        if word == 0 || has_more_numbers {
            return Err(Fault::RowWidth { row, found, dims: self.dims });
        }
        tokens(text).skip(word).try_for_each(each)
    }

    fn check_rows(&self, rows: usize) -> Result<(), Fault> {
        match self.rows {
            Some(claimed) if claimed != rows => Err(Fault::TextRows { found: rows, claimed }),
            _ => Ok(()),
        }
    }
}
