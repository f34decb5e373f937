//! A text of one value a line.

use std::{
    io::{BufRead, BufReader, Read},
    str,
};

use super::MARK;
use crate::{
    Fault,
    formats::Input,
    read_at::{ReadAt, Span},
    scalars::{Cell, Scalars, Take},
    stored::Stored,
};

/// The longest line that is read.
const LONGEST: usize = 1 << 20;

/// The lines of a text, a value each. Blank lines at the end are none; any other is a value that is missing.
#[derive(Debug)]
pub(crate) struct OneALine {
    stored: Stored,
    length: u64,
    start: u64,
    rows: usize,
}

impl OneALine {
    /// Counts the lines.
    pub(crate) fn new(input: Input) -> Result<Self, Fault> {
        let (stored, length) = input.whole()?;
        let mut mark = [0; MARK.len()];
        let has_mark = stored.read_exact_at(&mut mark, 0).is_ok() && mark == MARK;
        let start = if has_mark { MARK.len() as u64 } else { 0 };
        let mut lines = Self { stored, length, start, rows: usize::MAX };
        let mut rows = 0;
        lines.each_line(|row, text| {
            if !text.trim_ascii().is_empty() {
                rows = row + 1;
            }
            Ok(())
        })?;
        lines.rows = rows;
        if rows == 0 { Err(Fault::NoNumbers) } else { Ok(lines) }
    }

    /// Gives each line to `take`, up to the last one that is not blank.
    fn each_line(&self, mut take: impl FnMut(usize, &[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut reader = BufReader::new(Span::new(&self.stored, self.start, self.length - self.start));
        let mut line = Vec::new();
        for row in 0..self.rows {
            line.clear();
            if reader.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.len() > LONGEST {
                return Err(Fault::LongRow { row, limit: LONGEST });
            }
            take(row, &line)?;
        }
        Ok(())
    }
}

impl Scalars for OneALine {
    fn rows(&self) -> usize {
        self.rows
    }

    fn each(&self, take: Take<'_>) -> Result<(), Fault> {
        self.each_line(|row, line| {
            take(row, Cell::text(str::from_utf8(line).map_err(|_| Fault::NotUtf8 { row })?))
        })
    }
}
