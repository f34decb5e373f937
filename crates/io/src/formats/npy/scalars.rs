//! Arrays of one value a row: numbers, truth values, or text.

use std::{
    io::{Read, Seek},
    str,
};

use super::{header, literal};
use crate::{
    Fault,
    dtype::{ByteOrder, Descr, Dtype, Encoding, excerpt},
    formats::Input,
    read_at::ReadAt,
    scalars::{Cell, Scalars, Take},
    stored::Stored,
};

/// Bytes that are read at once, unless a value has more.
const CHUNK: usize = 64 << 10;

/// What each value is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Number(Dtype),
    Text { characters: usize, encoding: Encoding },
}

/// What a header says of an array of one value a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    kind: Kind,
    rows: usize,
    /// Bytes before the first value.
    pub(crate) start: u64,
}

impl Header {
    /// Reads a header up to the first value.
    pub(crate) fn read(reader: &mut impl Read, length: Option<u64>) -> Result<Self, Fault> {
        let (text, start) = header::text(reader, length)?;
        let literal::Fields { descr, shape, .. } = literal::fields(&text)?;
        let kind = match Descr::of(descr) {
            Descr::Numbers(dtype) => Kind::Number(dtype),
            Descr::Text { characters, encoding } => Kind::Text { characters, encoding },
            Descr::Objects => return Err(Fault::ObjectColumn),
            Descr::Raw { .. } | Descr::Other => return Err(Fault::NotNumbers { descr: excerpt(descr) }),
        };
        let (&[rows] | &[rows, 1]) = shape.as_slice() else {
            return Err(Fault::NotColumn { shape });
        };
        if rows == 0 {
            return Err(Fault::NoNumbers);
        }
        let size = kind.size().ok_or(Fault::Huge { rows, dims: 1 })?;
        if size == 0 {
            // numpy writes arrays of nothing but empty texts like this.
            return Err(Fault::NullRow { row: 0 });
        }
        let (rows, _) = header::held(rows, 1, size, start, length)?;
        Ok(Self { kind, rows, start })
    }

    /// The same array, its first value at another byte.
    pub(crate) fn at(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// Bytes of all values.
    pub(crate) fn bytes(&self) -> u64 {
        self.rows as u64 * self.size() as u64
    }

    fn size(&self) -> usize {
        self.kind.size().unwrap_or(usize::MAX)
    }

    fn each(&self, reader: &(impl ReadAt + ?Sized), take: Take<'_>) -> Result<(), Fault> {
        let size = self.size();
        let step = (CHUNK / size).clamp(1, self.rows);
        let mut buffer = vec![0; step * size];
        let mut row = 0;
        while row < self.rows {
            let chunk = &mut buffer[..step.min(self.rows - row) * size];
            reader.read_exact_at(chunk, self.start + row as u64 * size as u64)?;
            for stored in chunk.chunks_exact(size) {
                self.kind.give(row, stored, take)?;
                row += 1;
            }
        }
        Ok(())
    }
}

impl Kind {
    /// Bytes of a value; none where they are more than can be counted.
    fn size(self) -> Option<usize> {
        match self {
            Self::Number(dtype) => Some(dtype.size()),
            Self::Text { characters, encoding: Encoding::Bytes } => Some(characters),
            Self::Text { characters, encoding: Encoding::CodePoints(_) } => characters.checked_mul(4),
        }
    }

    fn give(self, row: usize, stored: &[u8], take: Take<'_>) -> Result<(), Fault> {
        let none = |_| Fault::NotUtf8 { row };
        match self {
            Self::Number(dtype) => take(row, Cell::Number(dtype.number(stored))),
            Self::Text { encoding: Encoding::Bytes, .. } => {
                // What is shorter than the longest has zeros behind it.
                let length = stored.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
                take(row, Cell::text(str::from_utf8(&stored[..length]).map_err(none)?))
            }
            Self::Text { encoding: Encoding::CodePoints(order), .. } => {
                let (points, _) = stored.as_chunks::<4>();
                let point = |&bytes: &[u8; 4]| match order {
                    ByteOrder::Little => u32::from_le_bytes(bytes),
                    ByteOrder::Big => u32::from_be_bytes(bytes),
                };
                let length = points.iter().rposition(|bytes| *bytes != [0; 4]).map_or(0, |last| last + 1);
                let text = points[..length].iter().map(|bytes| char::from_u32(point(bytes)));
                let text: Option<String> = text.collect();
                take(row, Cell::text(&text.ok_or(Fault::NotUtf8 { row })?))
            }
        }
    }
}

/// An array, and what has its values.
#[derive(Debug)]
pub(crate) struct Array {
    pub(crate) header: Header,
    pub(crate) stored: Stored,
}

impl Array {
    pub(super) fn open(input: Input) -> Result<Self, Fault> {
        match input {
            Input::File { mut file, length, .. } => {
                file.rewind()?;
                Ok(Self { header: Header::read(&mut file, Some(length))?, stored: Stored::File(file) })
            }
            Input::Pipe { head, pipe, budget } => {
                let mut reader = head.as_slice().chain(pipe);
                let header = Header::read(&mut reader, None)?;
                let values = budget.read(&mut reader, header.start, header.bytes())?;
                Ok(Self { header: header.at(0), stored: Stored::Memory(values) })
            }
        }
    }
}

impl Scalars for Array {
    fn rows(&self) -> usize {
        self.header.rows
    }

    fn each(&self, take: Take<'_>) -> Result<(), Fault> {
        self.header.each(&self.stored, take)
    }
}

/// An array whose file is in memory.
#[derive(Debug)]
pub(crate) struct OfBytes<'a> {
    header: Header,
    bytes: &'a [u8],
}

impl<'a> OfBytes<'a> {
    /// Reads the header of a file.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self { header: Header::read(&mut { bytes }, Some(bytes.len() as u64))?, bytes })
    }
}

impl Scalars for OfBytes<'_> {
    fn rows(&self) -> usize {
        self.header.rows
    }

    fn each(&self, take: Take<'_>) -> Result<(), Fault> {
        self.header.each(self.bytes, take)
    }
}
