//! One value a row: labels, weights and scores.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::{
    Error, Fault, Result,
    dtype::{Number, excerpt},
    formats::{self, npy},
    scalars::{Cell, Scalars},
};

/// The longest name of a group, in bytes. Longer text is no name, but what the points were made of.
const LONGEST_LABEL: usize = 1024;

/// An open file of one value a row, whose beginning is sound and agrees with the file's length. It may be a pipe, as a
/// [`File`](crate::File) may be.
///
/// It is an array of `.npy` or `.npz`, of the shape (rows,) or (rows, 1), of numbers or text; a column of Parquet, Arrow, CSV
/// or TSV, or a key of JSON Lines; a list in JSON; or a text of one value a line. The index of a data frame that has no name
/// is no column.
#[derive(Debug)]
pub struct Column {
    path: PathBuf,
    scalars: Box<dyn Scalars>,
}

/// The group of each row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Labels {
    /// The number of each row's group: the whole numbers of the file, or places in `names`.
    pub of_rows: Vec<i64>,
    /// Each name once, in the order of their bytes, where labels are text.
    pub names: Option<Vec<String>>,
}

impl Labels {
    /// The number of each row's group, and the groups' names where these numbers are places in them.
    pub fn new(of_rows: Vec<i64>, names: Option<Vec<String>>) -> Self {
        Self { of_rows, names }
    }

    /// The label of a row as the file has it; rows are counted from 0.
    pub fn name(&self, row: usize) -> String {
        let label = self.of_rows.get(row).copied().unwrap_or_default();
        let name = usize::try_from(label).ok().and_then(|place| self.names.as_ref()?.get(place));
        name.cloned().unwrap_or_else(|| label.to_string())
    }
}

impl Column {
    /// Opens a file of one value a row. A pipe is read to its end.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of a path, of a format, of a header and of a pipe, with the path; and [`Fault::ManyScalars`] where it
    /// has several columns.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_named(path, None)
    }

    /// The column of this name (Parquet, Arrow, CSV, TSV), the key (JSON Lines), or the array (`.npz`); None stands for the
    /// only one. Columns of CSV and TSV without names are called 0, 1, 2, …, and such a number which is no column's name says that
    /// the first line has no names, but values.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and [`Fault::NoScalars`].
    pub fn open_named(path: impl AsRef<Path>, name: Option<&str>) -> Result<Self> {
        let path = path.as_ref();
        match formats::open_column(path, name) {
            Ok(scalars) => Ok(Self { path: path.into(), scalars }),
            Err(fault) => Err(Error { path: path.into(), fault }),
        }
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many values.
    pub fn rows(&self) -> usize {
        self.scalars.rows()
    }

    /// Reads the values as whole numbers.
    ///
    /// # Errors
    ///
    /// [`Fault::NullRow`], [`Fault::NotScalar`], [`Fault::NotInteger`], [`Fault::LargeInteger`], those of the format,
    /// [`Fault::Changed`], [`Fault::Memory`], [`Fault::Io`].
    pub fn integers(self) -> Result<Vec<i64>> {
        self.read(integer)
    }

    /// Reads the values as f64, each the nearest.
    ///
    /// # Errors
    ///
    /// [`Fault::NullRow`], [`Fault::NotScalar`], [`Fault::NotFinite`], those of the format, [`Fault::Changed`],
    /// [`Fault::Memory`], [`Fault::Io`].
    pub fn floats(self) -> Result<Vec<f64>> {
        self.read(float)
    }

    /// Reads the values as labels: whole numbers as they are, where all values are; or else names, of which each distinct one
    /// is kept once. Text such as `007` is a name, and so is every number beside it.
    ///
    /// # Errors
    ///
    /// [`Fault::NullRow`], [`Fault::LongLabel`], [`Fault::NotInteger`], [`Fault::LargeInteger`], those of the format,
    /// [`Fault::Changed`], [`Fault::Memory`], [`Fault::Io`].
    pub fn labels(self) -> Result<Labels> {
        let scalars = &*self.scalars;
        let labels = match all(scalars, integer) {
            Ok(of_rows) => Ok(Labels { of_rows, names: None }),
            Err(fault) => {
                has_names(scalars).and_then(|has_names| if has_names { names(scalars) } else { Err(fault) })
            }
        };
        labels.map_err(|fault| Error { path: self.path, fault })
    }

    /// Reads the values of these rows, which are in order, as text: of each at most so many characters, nothing where it is missing.
    /// Memory follows from the rows that are named, and every row of the file is looked at.
    ///
    /// # Errors
    ///
    /// Those of the format, [`Fault::Changed`], [`Fault::Io`].
    pub fn excerpts(&self, rows: &[usize], characters: usize) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        let mut take = |row, value: Cell<'_>| {
            if rows.binary_search(&row).is_ok() {
                texts.push(match value {
                    Cell::Missing => String::new(),
                    Cell::Number(Number::Float(number)) if number.is_nan() => String::new(),
                    Cell::Text(text) => text.chars().take(characters).collect(),
                    Cell::Number(number) => number.to_string(),
                });
            }
            Ok(())
        };
        let read = self.scalars.each(&mut take);
        // A file that was written to may have fewer rows than were counted.
        let complete = if texts.len() == rows.len() { Ok(()) } else { Err(Fault::Changed) };
        read.and(complete).map_err(|fault| Error { path: self.path.clone(), fault })?;
        Ok(texts)
    }

    fn read<T>(self, convert: impl Fn(usize, Cell<'_>) -> Result<T, Fault>) -> Result<Vec<T>> {
        all(&*self.scalars, convert).map_err(|fault| Error { path: self.path, fault })
    }
}

/// Whole numbers from the bytes of a `.npy` file of one a row.
///
/// # Errors
///
/// Those of [`Column`], except what only a path can cause.
pub fn parse_integers(bytes: &[u8]) -> Result<Vec<i64>, Fault> {
    all(&npy::OfBytes::new(bytes)?, integer)
}

/// Numbers from the bytes of a `.npy` file of one a row.
///
/// # Errors
///
/// Those of [`Column`], except what only a path can cause.
pub fn parse_floats(bytes: &[u8]) -> Result<Vec<f64>, Fault> {
    all(&npy::OfBytes::new(bytes)?, float)
}

/// All values, converted.
fn all<T>(
    scalars: &dyn Scalars,
    mut convert: impl FnMut(usize, Cell<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut values = Vec::new();
    let bytes = scalars.rows() as u128 * size_of::<T>() as u128;
    values.try_reserve_exact(scalars.rows()).map_err(|_| Fault::Memory { bytes })?;
    scalars.each(&mut |row, value| {
        values.push(convert(row, value)?);
        Ok(())
    })?;
    // A file that was written to may have fewer rows than were counted.
    if values.len() == scalars.rows() { Ok(values) } else { Err(Fault::Changed) }
}

/// Whether any value is text that is no number.
fn has_names(scalars: &dyn Scalars) -> Result<bool, Fault> {
    let mut has_names = false;
    scalars.each(&mut |_, value| {
        has_names |= matches!(value, Cell::Text(text) if whole(text).is_none() && !is_fraction(text));
        Ok(())
    })?;
    Ok(has_names)
}

/// The groups of rows by name.
fn names(scalars: &dyn Scalars) -> Result<Labels, Fault> {
    let mut places = HashMap::<String, i64>::new();
    let mut of_rows = all(scalars, |row, value| {
        let number;
        let name = match value {
            Cell::Missing => return Err(Fault::NullRow { row }),
            Cell::Text(text) => text,
            Cell::Number(Number::Float(value)) if value.is_nan() => {
                return Err(Fault::NotFinite { row, value });
            }
            Cell::Number(value) => {
                number = value.to_string();
                &number
            }
        };
        if name.len() > LONGEST_LABEL {
            return Err(Fault::LongLabel { row, length: name.len(), limit: LONGEST_LABEL });
        }
        if let Some(&place) = places.get(name) {
            return Ok(place);
        }
        let place = places.len() as i64;
        places.insert(name.into(), place);
        Ok(place)
    })?;
    let mut sorted: Vec<_> = places.into_iter().collect();
    sorted.sort_unstable();
    let mut in_order = vec![0; sorted.len()];
    for (place, &(_, met)) in sorted.iter().enumerate() {
        in_order[met as usize] = place as i64;
    }
    of_rows.iter_mut().for_each(|place| *place = in_order[*place as usize]);
    Ok(Labels { of_rows, names: Some(sorted.into_iter().map(|(name, _)| name).collect()) })
}

/// The whole number that a text writes out as every program does, so that no two texts are one number: `-3`; or as
/// numpy.savetxt does, with a fraction or an exponent: `3.0`, `3.000e+00`.
fn whole(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(number) => Some(number).filter(|number| number.to_string() == text),
        Err(_) if is_fraction(text) => text.parse().ok().and_then(whole_float),
        Err(_) => None,
    }
}

/// Whether a text is a number with a fraction or an exponent.
fn is_fraction(text: &str) -> bool {
    text.contains(['.', 'e', 'E']) && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn whole_float(value: f64) -> Option<i64> {
    // The least float that i64 cannot hold.
    const LIMIT: f64 = (1u64 << 63) as f64;
    (value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value)).then_some(value as i64)
}

fn integer(row: usize, value: Cell<'_>) -> Result<i64, Fault> {
    let none = |value| Fault::NotInteger { row, value };
    match value {
        Cell::Missing => Err(Fault::NullRow { row }),
        Cell::Number(Number::Signed(value)) => Ok(value),
        Cell::Number(Number::Unsigned(value)) => {
            value.try_into().map_err(|_| Fault::LargeInteger { row, value })
        }
        Cell::Number(Number::Float(value)) if value.is_nan() => Err(Fault::NotFinite { row, value }),
        Cell::Number(Number::Float(value)) => whole_float(value).ok_or(none(value)),
        Cell::Text(text) => whole(text).ok_or_else(|| match text.parse() {
            Ok(value) => none(value),
            Err(_) => not_scalar(row, text),
        }),
    }
}

fn float(row: usize, value: Cell<'_>) -> Result<f64, Fault> {
    let value = match value {
        Cell::Missing => return Err(Fault::NullRow { row }),
        Cell::Number(number) => number.f64(),
        Cell::Text(text) => text.parse().map_err(|_| not_scalar(row, text))?,
    };
    if value.is_finite() { Ok(value) } else { Err(Fault::NotFinite { row, value }) }
}

fn not_scalar(row: usize, text: &str) -> Fault {
    Fault::NotScalar { row, found: excerpt(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_of_text_are_those_that_no_other_text_is() {
        for (text, number) in [
            ("0", Some(0)),
            ("-12", Some(-12)),
            ("3.000000000000000000e+00", Some(3)),
            ("4.0", Some(4)),
            ("007", None),
            ("+1", None),
            ("-0", None),
            ("2.5", None),
            ("1e300", None),
            ("cat", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(whole(text), number, "{text}");
        }
    }
}
