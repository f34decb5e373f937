//! Rows of text one after another.

use memchr::memchr;

use crate::{Fault, read_at::ReadAt};

/// Bytes that are read at once; a longer row makes the buffer grow.
const CHUNK: usize = 64 << 10;

/// The longest row that is read.
const LONGEST: usize = 64 << 20;

/// Where rows end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Every line is a row.
    Line,
    /// A line is a row, but for line ends in fields in quotes; fields are separated by this byte.
    Record(u8),
    /// A row is an element of a list of JSON, which ends at a comma or at the end of the list. The list is in so many objects,
    /// and nothing follows them.
    Element { objects: usize },
}

/// What is read next.
pub(crate) struct Cursor<'a, R: ?Sized> {
    reader: &'a R,
    end: End,
    /// Bytes that were read, of which `used` are behind.
    buffer: Vec<u8>,
    used: usize,
    /// Where the buffer ends in the file.
    offset: u64,
    /// The row that comes next, for messages.
    row: usize,
    /// Blank rows that were passed over.
    blank: usize,
    is_last: bool,
}

impl<'a, R: ReadAt + ?Sized> Cursor<'a, R> {
    /// From a row on, which begins at a byte.
    pub(crate) fn new(reader: &'a R, end: End, row: usize, offset: u64) -> Self {
        Self { reader, end, buffer: Vec::new(), used: 0, offset, row, blank: 0, is_last: false }
    }

    /// The next row that is not blank, without what ends it, and the byte at which it begins. Nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &[u8])>, Fault> {
        loop {
            let Some((length, ending)) = self.find()? else { return Ok(None) };
            let start = self.used;
            let offset = self.offset - (self.buffer.len() - start) as u64;
            self.used = start + length + ending;
            let is_blank = self.buffer[start..start + length].trim_ascii().is_empty();
            if !is_blank {
                self.row += 1;
                let text = &self.buffer[start..start + length];
                return Ok(Some((offset, text.strip_suffix(b"\r").unwrap_or(text))));
            }
            self.blank += 1;
            if let End::Element { objects } = self.end
                && self.is_last
            {
                return self.check_rest(objects).map(|()| None);
            }
        }
    }

    /// How many blank rows were passed over so far.
    pub(crate) fn blank(&self) -> usize {
        self.blank
    }

    /// Bytes of the next row, and of what ends it; reads until it is in the buffer.
    fn find(&mut self) -> Result<Option<(usize, usize)>, Fault> {
        let mut state = State::default();
        let mut seen = 0;
        loop {
            let rest = &self.buffer[self.used..];
            if let Some(length) = state.find(self.end, rest, seen) {
                self.is_last = state.is_last;
                return Ok(Some((length, usize::from(!state.is_last))));
            }
            seen = rest.len();
            if seen > LONGEST {
                return Err(Fault::LongRow { row: self.row, limit: LONGEST });
            }
            if self.is_last || !self.fill()? {
                let left = self.buffer.len() - self.used;
                // A list has an end of its own.
                if state.is_open || matches!(self.end, End::Element { .. }) && !self.is_last {
                    return Err(Fault::TextCut { row: self.row });
                }
                if left == 0 || self.is_last {
                    return Ok(None);
                }
                return Ok(Some((left, 0)));
            }
        }
    }

    /// Reads the file from the end of a list of JSON on. Fails unless the objects around it end, and only blanks follow: more
    /// rows behind them would be lost in silence.
    fn check_rest(&mut self, objects: usize) -> Result<(), Fault> {
        let damaged = |problem: &str| Fault::Damaged { format: "JSON", problem: problem.into() };
        if self.buffer.get(self.used) == Some(&b'}') {
            return Err(damaged("the list of its rows ends with a brace"));
        }
        let mut state = State { depth: objects + 1, ..State::default() };
        loop {
            if !state.close(&self.buffer[self.used..]) {
                return Err(Fault::BehindList { rows: self.row });
            }
            self.used = self.buffer.len();
            if !self.fill()? {
                break;
            }
        }
        if state.depth == 0 { Ok(()) } else { Err(damaged("it ends within the object that its rows are in")) }
    }

    /// Reads more bytes; none are left where it returns false.
    fn fill(&mut self) -> Result<bool, Fault> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK.max(held), 0);
        let count = self.reader.read_at(&mut self.buffer[held..], self.offset);
        self.buffer.truncate(held + *count.as_ref().unwrap_or(&0));
        self.offset += count.as_ref().map_or(0, |&count| count as u64);
        Ok(count? > 0)
    }
}

/// What is known of a row before its end was found.
#[derive(Default)]
struct State {
    /// Within quotes, or within brackets.
    is_open: bool,
    is_quoted: bool,
    /// The byte before, where it matters.
    is_escaped: bool,
    depth: usize,
    /// The end of a list of JSON, behind which nothing comes.
    is_last: bool,
}

impl State {
    /// How long the row at the beginning of some bytes is, if its end is among them. The first `seen` were looked at before.
    fn find(&mut self, end: End, bytes: &[u8], seen: usize) -> Option<usize> {
        match end {
            End::Line => memchr(b'\n', &bytes[seen..]).map(|at| seen + at),
            End::Record(separator) => self.record(separator, bytes, seen),
            End::Element { .. } => self.element(bytes, seen),
        }
    }

    /// Quotes count where a field begins with them, and two of them within such a field are one of its text.
    fn record(&mut self, separator: u8, bytes: &[u8], seen: usize) -> Option<usize> {
        for at in seen..bytes.len() {
            match bytes[at] {
                b'"' if self.is_open => self.is_open = false,
                b'"' if at == 0 || bytes[at - 1] == separator || self.is_quoted && bytes[at - 1] == b'"' => {
                    (self.is_open, self.is_quoted) = (true, true);
                }
                b'\n' if !self.is_open => return Some(at),
                byte if byte == separator && !self.is_open => self.is_quoted = false,
                _ => {}
            }
        }
        None
    }

    fn element(&mut self, bytes: &[u8], seen: usize) -> Option<usize> {
        for (at, &byte) in bytes.iter().enumerate().skip(seen) {
            match byte {
                _ if self.is_of_string(byte) => {}
                b'[' | b'{' => self.depth += 1,
                b',' if self.depth == 0 => return Some(at),
                b']' | b'}' if self.depth == 0 => {
                    self.is_last = true;
                    return Some(at);
                }
                b']' | b'}' => self.depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// Goes on until all brackets are closed. Returns whether only blanks follow them.
    fn close(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|&byte| {
            match byte {
                _ if self.depth == 0 => return byte.is_ascii_whitespace(),
                _ if self.is_of_string(byte) => {}
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' => self.depth -= 1,
                _ => {}
            }
            true
        })
    }

    /// Whether the next byte is one of a string of JSON.
    fn is_of_string(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.is_quoted => self.is_escaped = true,
            b'"' => self.is_quoted = !self.is_quoted,
            _ => return self.is_quoted,
        }
        true
    }
}
