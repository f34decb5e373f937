//! One number a row: labels and weights.

use std::{
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use crate::{
    Error, Fault, Result,
    dtype::{Descr, Dtype, Number, excerpt},
    foreign::{TEXT, UNKNOWN},
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

/// The same fault, with a cure for what should be one number a row.
fn no_column(fault: Fault) -> Fault {
    const CURE: &str = "save one number a row with numpy.save: labels as numpy.unique(x, return_inverse=True)[1], \
                        where x is what numpy.loadtxt(f, dtype=str) reads of text";
    match fault {
        Fault::Format { found: TEXT, .. } => Fault::Format { found: "text, and no .npy file", cure: CURE },
        Fault::Format { found: UNKNOWN, .. } => Fault::Format { found: "no .npy file", cure: CURE },
        other => other,
    }
}

#[derive(Clone, Copy, Debug)]
struct Header {
    dtype: Dtype,
    rows: usize,
    /// Bytes before the first number.
    start: u64,
}

impl Header {
    /// Reads a header up to the first number.
    fn read(reader: &mut impl Read, length: Option<u64>) -> Result<Self, Fault> {
        let (text, start) = header::text(reader, length).map_err(no_column)?;
        let literal::Fields { descr, shape, .. } = literal::fields(&text)?;
        let dtype = match Descr::of(descr) {
            Descr::Numbers(dtype) => dtype,
            Descr::Objects => return Err(Fault::ObjectColumn),
            Descr::Raw { .. } | Descr::Other => return Err(Fault::NotNumbers { descr: excerpt(descr) }),
        };
        let (&[rows] | &[rows, 1]) = shape.as_slice() else {
            return Err(Fault::NotColumn { shape });
        };
        if rows == 0 {
            return Err(Fault::NoNumbers);
        }
        let (rows, _) = header::held(rows, 1, dtype.size(), start, length)?;
        Ok(Self { dtype, rows, start })
    }

    /// Bytes of all numbers.
    fn bytes(&self) -> u64 {
        self.rows as u64 * self.dtype.size() as u64
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
    let value = number.f64();
    if value.is_finite() { Ok(value) } else { Err(Fault::NotFinite { row, value }) }
}

/// The numbers from where the header ended.
fn numbers<T>(
    reader: &mut impl Read,
    header: Header,
    convert: impl Fn(usize, Number) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let Header { dtype, rows, .. } = header;
    let mut numbers = Vec::new();
    let bytes = rows as u128 * size_of::<T>() as u128;
    numbers.try_reserve_exact(rows).map_err(|_| Fault::Memory { bytes })?;
    let mut buffer = vec![0; rows.min(CHUNK) * dtype.size()];
    while numbers.len() < rows {
        let chunk = &mut buffer[..(rows - numbers.len()).min(CHUNK) * dtype.size()];
        reader.read_exact(chunk)?;
        for stored in chunk.chunks_exact(dtype.size()) {
            numbers.push(convert(numbers.len(), dtype.number(stored))?);
        }
    }
    Ok(numbers)
}
