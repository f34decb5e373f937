//! One number a row: labels and weights.

use std::{
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use half::f16;

use crate::{
    Error, Fault, Result,
    dtype::{ByteOrder, Float, excerpt, order},
    formats::npy::{header, literal},
    stored::{Budget, Opened, Stored},
};

/// How many numbers are read at once.
const CHUNK: usize = 8 << 10;

/// An open `.npy` file of one number a row, of the shape (rows,) or (rows, 1), whose header is sound and agrees with the
/// file's length: integers, floats or truth values. It may be a pipe, as a [`File`](crate::File) may be.
#[derive(Debug)]
pub struct Column {
    path: PathBuf,
    header: Header,
    stored: Stored,
}

impl Column {
    /// Opens a file and checks everything but its numbers. A pipe is read to its end.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of a path, of a format, of a header and of a pipe, with the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let open = || {
            let (header, stored) = match Opened::at(path)? {
                Opened::File { mut file, length } => {
                    (Header::read(&mut file, Some(length))?, Stored::File(file))
                }
                Opened::Pipe(mut pipe) => {
                    let header = Header::read(&mut pipe, None)?;
                    let numbers = Budget::UNLIMITED.read(&mut pipe, header.start, header.bytes())?;
                    (header, Stored::Memory(numbers))
                }
            };
            Ok(Self { path: path.into(), header, stored })
        };
        open().map_err(|fault| Error { path: path.into(), fault })
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many numbers.
    pub fn rows(&self) -> usize {
        self.header.rows
    }

    /// Reads the numbers as they are, if each is whole.
    ///
    /// # Errors
    ///
    /// [`Fault::NotInteger`], [`Fault::LargeInteger`], [`Fault::Changed`], [`Fault::Memory`], [`Fault::Io`].
    pub fn integers(self) -> Result<Vec<i64>> {
        self.read(integer)
    }

    /// Reads the numbers as f64, each the nearest.
    ///
    /// # Errors
    ///
    /// [`Fault::NotFinite`], [`Fault::Changed`], [`Fault::Memory`], [`Fault::Io`].
    pub fn floats(self) -> Result<Vec<f64>> {
        self.read(float)
    }

    fn read<T>(self, convert: impl Fn(usize, Number) -> Result<T, Fault>) -> Result<Vec<T>> {
        let Self { path, header, stored } = self;
        let numbers = match stored {
            Stored::File(mut file) => numbers(&mut file, header, convert),
            Stored::Memory(bytes) => numbers(&mut bytes.as_slice(), header, convert),
        };
        numbers.map_err(|fault| Error { path, fault })
    }
}

/// Whole numbers from the bytes of a `.npy` file of one a row.
///
/// # Errors
///
/// Those of [`Column`], except what only a path can cause.
pub fn parse_integers(bytes: &[u8]) -> Result<Vec<i64>, Fault> {
    let mut reader = Cursor::new(bytes);
    let header = Header::read(&mut reader, Some(bytes.len() as u64))?;
    numbers(&mut reader, header, integer)
}

/// Numbers from the bytes of a `.npy` file of one a row.
///
/// # Errors
///
/// Those of [`Column`], except what only a path can cause.
pub fn parse_floats(bytes: &[u8]) -> Result<Vec<f64>, Fault> {
    let mut reader = Cursor::new(bytes);
    let header = Header::read(&mut reader, Some(bytes.len() as u64))?;
    numbers(&mut reader, header, float)
}

#[derive(Clone, Copy, Debug)]
struct Header {
    kind: Kind,
    order: ByteOrder,
    rows: usize,
    /// Bytes before the first number.
    start: u64,
}

impl Header {
    /// Reads a header up to the first number.
    fn read(reader: &mut impl Read, length: Option<u64>) -> Result<Self, Fault> {
        let (text, start) = header::text(reader, length)?;
        let literal::Fields { descr, shape, .. } = literal::fields(&text)?;
        let (kind, order) = Kind::named(descr)?;
        let (&[rows] | &[rows, 1]) = shape.as_slice() else {
            return Err(Fault::NotColumn { shape });
        };
        if rows == 0 {
            return Err(Fault::NoNumbers);
        }
        let (rows, _) = header::held(rows, 1, kind.size(), start, length)?;
        Ok(Self { kind, order, rows, start })
    }

    /// Bytes of all numbers.
    fn bytes(&self) -> u64 {
        self.rows as u64 * self.kind.size() as u64
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Float(Float),
    Signed(usize),
    Unsigned(usize),
}

/// A number as a file has it.
#[derive(Clone, Copy, Debug)]
enum Number {
    Float(f64),
    Signed(i64),
    Unsigned(u64),
}

impl Kind {
    fn named(descr: &[u8]) -> Result<(Self, ByteOrder), Fault> {
        let (order, kind) = order(descr);
        let kind = match kind {
            b"f2" => Self::Float(Float::F16),
            b"f4" => Self::Float(Float::F32),
            b"f8" => Self::Float(Float::F64),
            [b'i', size @ (b'1' | b'2' | b'4' | b'8')] => Self::Signed(usize::from(size - b'0')),
            [b'u', size @ (b'1' | b'2' | b'4' | b'8')] => Self::Unsigned(usize::from(size - b'0')),
            b"b1" | b"?" => Self::Unsigned(1),
            [b'O', ..] => return Err(Fault::ObjectColumn),
            _ => return Err(Fault::NotNumbers { descr: excerpt(descr) }),
        };
        match order {
            Some(order) => Ok((kind, order)),
            None if kind.size() == 1 => Ok((kind, ByteOrder::NATIVE)),
            None => Err(Fault::NoByteOrder { descr: excerpt(descr) }),
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Float(float) => float.size(),
            Self::Signed(size) | Self::Unsigned(size) => size,
        }
    }

    /// The number that these bytes store, the least significant first.
    fn number(self, bytes: &[u8]) -> Number {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(wide);
        match self {
            Self::Float(Float::F16) => Number::Float(f16::from_bits(bits as u16).to_f64()),
            Self::Float(Float::F32) => Number::Float(f32::from_bits(bits as u32).into()),
            Self::Float(Float::F64) => Number::Float(f64::from_bits(bits)),
            Self::Signed(size) => {
                let above = 64 - 8 * size as u32;
                Number::Signed((bits << above) as i64 >> above)
            }
            Self::Unsigned(_) => Number::Unsigned(bits),
        }
    }
}

fn integer(row: usize, number: Number) -> Result<i64, Fault> {
    // The least float that i64 cannot hold.
    const LIMIT: f64 = (1u64 << 63) as f64;
    match number {
        Number::Signed(value) => Ok(value),
        Number::Unsigned(value) => value.try_into().map_err(|_| Fault::LargeInteger { row, value }),
        Number::Float(value) if value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value) => Ok(value as i64),
        Number::Float(value) => Err(Fault::NotInteger { row, value }),
    }
}

fn float(row: usize, number: Number) -> Result<f64, Fault> {
    match number {
        Number::Signed(value) => Ok(value as f64),
        Number::Unsigned(value) => Ok(value as f64),
        Number::Float(value) if value.is_finite() => Ok(value),
        Number::Float(value) => Err(Fault::NotFinite { row, value }),
    }
}

/// The numbers from where the header ended.
fn numbers<T>(
    reader: &mut impl Read,
    header: Header,
    convert: impl Fn(usize, Number) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let Header { kind, order, rows, .. } = header;
    let mut numbers = Vec::new();
    let bytes = rows as u128 * size_of::<T>() as u128;
    numbers.try_reserve_exact(rows).map_err(|_| Fault::Memory { bytes })?;
    let mut buffer = vec![0; rows.min(CHUNK) * kind.size()];
    while numbers.len() < rows {
        let chunk = &mut buffer[..(rows - numbers.len()).min(CHUNK) * kind.size()];
        reader.read_exact(chunk)?;
        for stored in chunk.chunks_exact_mut(kind.size()) {
            if order == ByteOrder::Big {
                stored.reverse();
            }
            numbers.push(convert(numbers.len(), kind.number(stored))?);
        }
    }
    Ok(numbers)
}
