//! One page of values: its levels, held against rows of one width, and its values.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;
use parquet::{basic::Encoding, column::page::Page};

use super::{
    column::Column,
    damaged,
    runs::{Run, Runs},
};
use crate::{Fault, dtype::Dtype};

/// A page of data, taken apart.
pub(super) struct Data {
    bytes: Bytes,
    pub(super) values: usize,
    encoding: Encoding,
    /// Where the levels are, and behind them the values.
    repetition: Range<usize>,
    definition: Range<usize>,
}

impl Data {
    /// Takes a page apart; nothing where it is no page of data.
    pub(super) fn of(page: Page, column: &Column) -> Result<Option<Self>, Fault> {
        match page {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, .. } => {
                let bits = |encoding| {
                    if encoding == Encoding::RLE { Ok(()) } else { Err(Fault::encoding(encoding)) }
                };
                let repetition = if column.has_lists {
                    bits(rep_level_encoding)?;
                    prefixed(&buf, 0)?
                } else {
                    0..0
                };
                let definition = if column.defined > 0 {
                    bits(def_level_encoding)?;
                    prefixed(&buf, repetition.end)?
                } else {
                    repetition.end..repetition.end
                };
                Ok(Some(Self { bytes: buf, values: num_values as usize, encoding, repetition, definition }))
            }
            Page::DataPageV2 {
                buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, ..
            } => {
                let repetition = 0..rep_levels_byte_len as usize;
                let definition = repetition.end..repetition.end.saturating_add(def_levels_byte_len as usize);
                Ok(Some(Self { bytes: buf, values: num_values as usize, encoding, repetition, definition }))
            }
            Page::DictionaryPage { .. } => Ok(None),
        }
    }

    /// Whether its values are indices of a dictionary.
    pub(super) fn has_indices(&self) -> bool {
        matches!(self.encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY)
    }

    /// Fails unless the page continues rows of `dims` values, of which `before` come before it.
    pub(super) fn check(&self, column: &Column, before: usize, dims: usize) -> Result<(), Fault> {
        let null = self.null(column)?;
        // A value that is no list is a row.
        let ragged = if column.has_lists { self.ragged(before, dims)? } else { None };
        match (null, ragged) {
            (None, None) => Ok(()),
            // A row that is null counts as one value, and shifts those behind it.
            (Some((at, is_value)), ragged) if ragged.as_ref().is_none_or(|ragged| at < ragged.at) => {
                let (row, dim) = ((before + at) / dims, (before + at) % dims);
                Err(if is_value { Fault::NullValue { row, dim } } else { Fault::NullRow { row } })
            }
            (_, Some(Ragged { row, found, .. })) => Err(Fault::RowWidth { row, found, dims }),
            (Some(_), None) => Err(damaged("levels that contradict each other")),
        }
    }

    /// Fails if the first row is null or empty.
    pub(super) fn check_first(&self, column: &Column) -> Result<(), Fault> {
        match self.null(column)? {
            Some((0, false)) => Err(Fault::NullRow { row: 0 }),
            _ => Ok(()),
        }
    }

    /// The first value that is not there, and whether it is one of a list, which is.
    fn null(&self, column: &Column) -> Result<Option<(usize, bool)>, Fault> {
        let defined = u32::from(column.defined);
        if defined == 0 {
            return Ok(None);
        }
        let (mut at, mut found) = (0, None);
        let bits = (u32::BITS - defined.leading_zeros()) as usize;
        Runs::new(self.part(&self.definition)?, bits, self.values)?.each(|run| {
            let (level, count) = match run {
                Run::Repeated(level, count) => {
                    (Some((0, level)).filter(|&(_, level)| level != defined), count)
                }
                Run::Packed(levels) => {
                    let other = levels.iter().position(|&level| level != defined);
                    (other.map(|place| (place, levels[place])), levels.len())
                }
            };
            found = level.map(|(place, level)| (at + place, column.nullable && level + 1 == defined));
            at += count;
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    /// The first row that is not `dims` values long, of those that end here.
    fn ragged(&self, before: usize, dims: usize) -> Result<Option<Ragged>, Fault> {
        let mut rows = Rows::after(before, dims);
        self.levels(|level, count| rows.take(level, count).is_none())?;
        let ragged = rows.ragged.or_else(|| (rows.length > dims).then(|| rows.current()));
        Ok(ragged.map(|ragged| Ragged { at: ragged.at - before, ..ragged }))
    }

    /// How many values the first row has up to here, of which some came `before`, and whether it ends here.
    pub(super) fn first_row(&self, before: usize) -> Result<(usize, bool), Fault> {
        let (mut length, mut ended) = (before, false);
        self.levels(|level, count| {
            ended = level == 0 && (length > 0 || count > 1);
            length += if level == 0 { usize::from(length == 0) } else { count };
            !ended
        })?;
        Ok((length, ended))
    }

    /// Gives all repetition levels to `take`, 0 where a row begins, until it says no.
    fn levels(&self, mut take: impl FnMut(u32, usize) -> bool) -> Result<(), Fault> {
        Runs::new(self.part(&self.repetition)?, 1, self.values)?.each(|run| {
            Ok(match run {
                Run::Repeated(level, count) => take(level, count),
                Run::Packed(levels) => levels.iter().all(|&level| take(level, 1)),
            })
        })
    }

    /// Reads some of its values: the nearest f32 to each. The dictionary's are given as f32 too.
    pub(super) fn read(
        &self,
        range: Range<usize>,
        dtype: Dtype,
        dictionary: &[f32],
        into: &mut [f32],
    ) -> Result<(), Fault> {
        if !self.has_indices() {
            dtype.decode(&self.plain(range, dtype.size())?, into);
            return Ok(());
        }
        let value = |index: u32| dictionary.get(index as usize).copied().ok_or_else(no_such_index);
        self.fill(range, into, value)
    }

    /// Fills in the values of a range by their indices.
    fn fill<T: Copy>(
        &self,
        range: Range<usize>,
        mut into: &mut [T],
        value: impl Fn(u32) -> Result<T, Fault>,
    ) -> Result<(), Fault> {
        self.indices(range, |run| {
            match run {
                Run::Repeated(index, count) => first(&mut into, count).fill(value(index)?),
                Run::Packed(indices) => {
                    for (into, &index) in first(&mut into, indices.len()).iter_mut().zip(indices) {
                        *into = value(index)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// The same in f64: the nearest to each, given the dictionary as it is stored.
    pub(super) fn read_wide(
        &self,
        range: Range<usize>,
        dtype: Dtype,
        dictionary: &[u8],
        into: &mut [f64],
    ) -> Result<(), Fault> {
        let size = dtype.size();
        if !self.has_indices() {
            dtype.decode_wide(&self.plain(range, size)?, into);
            return Ok(());
        }
        let value = |index: u32| {
            let start = (index as usize).saturating_mul(size);
            let bytes = dictionary.get(start..start.saturating_add(size)).ok_or_else(no_such_index)?;
            Ok(dtype.number(bytes).f64())
        };
        self.fill(range, into, value)
    }

    /// One of its values as it is stored.
    pub(super) fn stored(&self, at: usize, dtype: Dtype, dictionary: &[u8]) -> Result<f64, Fault> {
        let size = dtype.size();
        if !self.has_indices() {
            return Ok(dtype.number(&self.plain(at..at + 1, size)?).f64());
        }
        let mut value = f64::NAN;
        self.indices(at..at + 1, |run| {
            let (Run::Repeated(index, _) | Run::Packed(&[index, ..])) = run else { return Ok(()) };
            let start = (index as usize).saturating_mul(size);
            let bytes = dictionary.get(start..start.saturating_add(size)).ok_or_else(no_such_index)?;
            value = dtype.number(bytes).f64();
            Ok(())
        })?;
        Ok(value)
    }

    /// Values of a range, in as many bytes as each takes, one after another: the page's own where they lie like that.
    fn plain(&self, range: Range<usize>, size: usize) -> Result<Cow<'_, [u8]>, Fault> {
        let stored = self.part(&(self.definition.end..self.bytes.len()))?;
        match self.encoding {
            Encoding::PLAIN => {
                let bytes = stored.get(range.start * size..range.end * size).ok_or_else(cut)?;
                Ok(Cow::Borrowed(bytes))
            }
            Encoding::BYTE_STREAM_SPLIT => {
                if stored.len() < self.values.saturating_mul(size) {
                    return Err(cut());
                }
                let mut bytes = Vec::with_capacity(range.len() * size);
                for value in range {
                    bytes.extend((0..size).map(|byte| stored[byte * self.values + value]));
                }
                Ok(Cow::Owned(bytes))
            }
            other => Err(Fault::encoding(other)),
        }
    }

    /// Gives the indices of a range to `take`.
    fn indices(
        &self,
        range: Range<usize>,
        mut take: impl FnMut(Run<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let stored = self.part(&(self.definition.end..self.bytes.len()))?;
        let (&bits, indices) = stored.split_first().ok_or_else(cut)?;
        let mut at = 0;
        Runs::new(indices, bits.into(), self.values)?.each(|run| {
            let count = run.count();
            let part = range.start.clamp(at, at + count) - at..range.end.clamp(at, at + count) - at;
            at += count;
            if !part.is_empty() {
                take(match run {
                    Run::Repeated(index, _) => Run::Repeated(index, part.len()),
                    Run::Packed(indices) => Run::Packed(&indices[part]),
                })?;
            }
            Ok(at < range.end)
        })
    }

    fn part(&self, range: &Range<usize>) -> Result<&[u8], Fault> {
        self.bytes.get(range.clone()).ok_or_else(cut)
    }
}

/// The bytes behind their length, which has four.
fn prefixed(bytes: &[u8], at: usize) -> Result<Range<usize>, Fault> {
    let length =
        bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|&length| u32::from_le_bytes(length));
    let length = length.ok_or_else(cut)?;
    Ok(at + 4..(at + 4).saturating_add(length as usize))
}

/// The first so many values, which are taken from the others.
pub(super) fn first<'a, T>(values: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let (first, rest) = std::mem::take(values).split_at_mut(count);
    *values = rest;
    first
}

fn cut() -> Fault {
    damaged("a page that ends early")
}

fn no_such_index() -> Fault {
    damaged("an index beyond its dictionary")
}

/// A row that is longer or shorter than others.
#[derive(Clone, Copy)]
struct Ragged {
    /// The value at which it shows.
    at: usize,
    row: usize,
    /// Values in it.
    found: usize,
}

/// Rows as their repetition levels come.
struct Rows {
    /// Values so far.
    at: usize,
    /// Values of the row so far that the last one is in.
    length: usize,
    dims: usize,
    ragged: Option<Ragged>,
}

impl Rows {
    /// Rows of `dims` values, of which some came before.
    fn after(before: usize, dims: usize) -> Self {
        let length = if before == 0 { 0 } else { (before - 1) % dims + 1 };
        Self { at: before, length, dims, ragged: None }
    }

    /// Takes a level, so many times, and returns the first row of another length that has ended.
    fn take(&mut self, level: u32, count: usize) -> Option<&Ragged> {
        if level != 0 {
            self.length += count;
            self.at += count;
            return None;
        }
        if self.at > 0 && self.length != self.dims {
            self.ragged = Some(self.current());
        } else {
            (self.length, self.at) = (1, self.at + 1);
            if count > 1 && self.dims > 1 {
                self.ragged = Some(self.current());
            }
            self.at += count - 1;
        }
        self.ragged.as_ref()
    }

    /// The row that the last value is in.
    fn current(&self) -> Ragged {
        Ragged { at: self.at, row: (self.at - self.length) / self.dims, found: self.length }
    }
}
