//! Points of one column, by ranges of rows.

use std::{fmt, ops::Range, sync::Arc};

use bytes::Bytes;
use parquet::{
    column::page::{Page, PageReader},
    file::{metadata::ParquetMetaData, reader::SerializedPageReader},
};
use rayon::prelude::*;

use super::{
    NAME,
    chunks::Chunks,
    column::{Column, Numbers},
    damaged, fault,
    page::{Data, first},
};
use crate::{
    Fault,
    dtype::Scalar,
    formats::fence::fenced,
    memory::MIN_VALUES_FOR_THREADS,
    table::{Table, check_place, check_range},
};

/// The points of a file.
pub(super) struct Points {
    chunks: Arc<Chunks>,
    metadata: Arc<ParquetMetaData>,
    column: Column,
    dims: usize,
    /// The row of the file behind the last one of each row group.
    ends: Arc<[usize]>,
}

impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The metadata may be megabytes.
        write!(f, "Points({} × {} in {} row groups)", self.rows(), self.dims, self.ends.len())
    }
}

/// The row of the file behind the last one of each row group.
pub(super) fn ends_of(metadata: &ParquetMetaData) -> Result<Arc<[usize]>, Fault> {
    let mut ends = Vec::with_capacity(metadata.num_row_groups());
    let mut rows = 0usize;
    for group in metadata.row_groups() {
        let count = usize::try_from(group.num_rows()).ok();
        rows = count
            .and_then(|count| rows.checked_add(count))
            .ok_or_else(|| damaged("an impossible number of rows"))?;
        ends.push(rows);
    }
    if rows == 0 { Err(Fault::Empty { rows: 0, dims: 0 }) } else { Ok(ends.into()) }
}

/// Rows of one row group, and where they go.
struct Piece<'a> {
    group: usize,
    rows: Range<usize>,
    into: &'a mut [f32],
}

impl Points {
    /// The width of the first row is that of all.
    pub(super) fn new(
        chunks: Arc<Chunks>,
        metadata: Arc<ParquetMetaData>,
        column: Column,
        ends: Arc<[usize]>,
    ) -> Result<Self, Fault> {
        let mut points = Self { chunks, metadata, column, dims: 1, ends };
        if column.has_lists {
            points.dims = points.first_width()?;
        }
        points.check_counts()?;
        Ok(points)
    }

    /// What its numbers are.
    pub(super) fn numbers(&self) -> Numbers {
        self.column.numbers
    }

    /// Values of the first row.
    fn first_width(&self) -> Result<usize, Fault> {
        let group = self.ends.partition_point(|&end| end == 0);
        let mut pages = Pages::new(self, group)?;
        let mut width = 0;
        while let Some((_, data)) = pages.next(width)? {
            if width == 0 {
                // One that is null has a single level, as a row of one value has.
                data.check_first(&self.column)?;
            }
            let (values, ended) = data.first_row(width)?;
            width = values;
            if ended {
                break;
            }
        }
        if width == 0 { Err(damaged("a row group without values")) } else { Ok(width) }
    }

    /// Fails unless each row group has as many values as its rows; names the row that has too many or too few.
    fn check_counts(&self) -> Result<(), Fault> {
        for (group, metadata) in self.metadata.row_groups().iter().enumerate() {
            let values = metadata.columns().get(self.column.index).map(|column| column.num_values());
            let rows = self.rows_of(group).len();
            let Some(expected) = rows.checked_mul(self.dims) else {
                return Err(Fault::Huge { rows: rows as u64, dims: self.dims as u64 });
            };
            let values = values.and_then(|values| usize::try_from(values).ok());
            if values != Some(expected) {
                self.check_levels(group)?;
                // Levels do not tell where the last row ends.
                let of_last = values.and_then(|values| values.checked_sub(expected.checked_sub(self.dims)?));
                let last = self.rows_of(group).end.saturating_sub(1);
                return Err(match of_last {
                    Some(found) if (1..self.dims).contains(&found) => {
                        Fault::RowWidth { row: last, found, dims: self.dims }
                    }
                    _ => damaged("a row group whose values are not those of its rows"),
                });
            }
        }
        Ok(())
    }

    /// Fails if a row of a group is null, or of another width than the first one.
    fn check_levels(&self, group: usize) -> Result<(), Fault> {
        let mut pages = Pages { total: usize::MAX, ..Pages::new(self, group)? };
        let mut from = 0;
        while let Some((before, data)) = pages.next(from)? {
            data.check(&self.column, before, self.dims).map_err(|fault| self.in_file(group, fault))?;
            from = before + data.values;
        }
        Ok(())
    }

    /// The rows of the file that a group has.
    fn rows_of(&self, group: usize) -> Range<usize> {
        group.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[group]
    }

    /// The same fault, with the row of the file for that of its group.
    fn in_file(&self, group: usize, mut fault: Fault) -> Fault {
        if let Fault::NullRow { row } | Fault::NullValue { row, .. } | Fault::RowWidth { row, .. } =
            &mut fault
        {
            *row += self.rows_of(group).start;
        }
        fault
    }

    /// The pieces of a range, none of more values than `most` or one row.
    fn pieces<'a>(&self, rows: Range<usize>, mut into: &'a mut [f32], most: usize) -> Vec<Piece<'a>> {
        let step = (most / self.dims).max(1);
        let mut pieces = Vec::new();
        let mut row = rows.start;
        while row < rows.end {
            let group = self.ends.partition_point(|&end| end <= row);
            let of_group = self.rows_of(group);
            let end = rows.end.min(of_group.end).min(row + step);
            let (values, rest) = std::mem::take(&mut into).split_at_mut((end - row) * self.dims);
            into = rest;
            let rows = row - of_group.start..end - of_group.start;
            pieces.push(Piece { group, rows, into: values });
            row = end;
        }
        pieces
    }

    /// Reads rows on this thread alone.
    pub(super) fn read_here(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims, into.len())?;
        let most = into.len();
        let read = |piece| fenced(NAME, || self.read_piece(piece));
        self.pieces(rows, into, most).into_iter().try_for_each(read)
    }

    fn read_piece(&self, Piece { group, rows, mut into }: Piece<'_>) -> Result<(), Fault> {
        let dtype = self.column.dtype;
        let mut decoded = Vec::new();
        self.each(group, rows.start * self.dims..rows.end * self.dims, |data, part, dictionary| {
            if decoded.is_empty() {
                decoded.resize(dictionary.len() / dtype.size(), 0.0);
                dtype.decode(dictionary, &mut decoded);
            }
            let (values, rest) = std::mem::take(&mut into).split_at_mut(part.len());
            into = rest;
            data.read(part, dtype, &decoded, values)
        })
    }

    /// Gives values of a group to `take`: a page, and which of its values they are; and the dictionary, where the page needs it.
    fn each(
        &self,
        group: usize,
        values: Range<usize>,
        mut take: impl FnMut(&Data, Range<usize>, &[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut pages = Pages::new(self, group)?;
        let mut at = values.start;
        while at < values.end {
            let (before, data) =
                pages.next(at)?.ok_or_else(|| damaged("a row group that ends before its last row"))?;
            data.check(&self.column, before, self.dims).map_err(|fault| self.in_file(group, fault))?;
            let end = values.end.min(before + data.values);
            take(&data, at - before..end - before, pages.dictionary())?;
            at = end;
        }
        Ok(())
    }
}

impl Table for Points {
    fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn dtype(&self) -> String {
        self.column.numbers.name.into()
    }

    fn scalar(&self) -> Option<Scalar> {
        Some(self.column.numbers.scalar)
    }

    fn bytes(&self) -> u64 {
        let sizes =
            self.metadata.row_groups().iter().filter_map(|group| group.columns().get(self.column.index));
        sizes.map(|column| column.compressed_size().unsigned_abs()).fold(0, u64::saturating_add)
    }

    fn bytes_in_memory(&self) -> u64 {
        self.chunks.bytes_in_memory()
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims, into.len())?;
        let many = into.len() >= MIN_VALUES_FOR_THREADS;
        let threads = rayon::current_num_threads();
        // Pages at the ends of a piece are decoded for its neighbours too.
        let most = if many { (into.len() / (2 * threads)).max(MIN_VALUES_FOR_THREADS) } else { into.len() };
        let read = |piece| fenced(NAME, || self.read_piece(piece));
        let pieces = self.pieces(rows, into, most);
        if many { pieces.into_par_iter().try_for_each(read) } else { pieces.into_iter().try_for_each(read) }
    }

    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims, into.len())?;
        let (mut row, mut into) = (rows.start, into);
        while row < rows.end {
            let group = self.ends.partition_point(|&end| end <= row);
            let of_group = self.rows_of(group);
            let end = rows.end.min(of_group.end);
            let (mut values, rest) = into.split_at_mut((end - row) * self.dims);
            let range = (row - of_group.start) * self.dims..(end - of_group.start) * self.dims;
            fenced(NAME, || {
                self.each(group, range.clone(), |data, part, dictionary| {
                    data.read_wide(
                        part.clone(),
                        self.column.dtype,
                        dictionary,
                        first(&mut values, part.len()),
                    )
                })
            })?;
            (row, into) = (end, rest);
        }
        Ok(())
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        check_place(row, dim, self.rows(), self.dims)?;
        let group = self.ends.partition_point(|&end| end <= row);
        let value = (row - self.rows_of(group).start) * self.dims + dim;
        let Column { dtype, .. } = self.column;
        let mut stored = f64::NAN;
        fenced(NAME, || {
            self.each(group, value..value + 1, |data, part, dictionary| {
                stored = data.stored(part.start, dtype, dictionary)?;
                Ok(())
            })
        })?;
        Ok(stored)
    }
}

/// The pages of a row group's column, one after another.
struct Pages {
    reader: SerializedPageReader<Chunks>,
    column: Column,
    /// Values before the next page.
    at: usize,
    /// Values of all pages.
    total: usize,
    dictionary: Option<Bytes>,
}

impl Pages {
    fn new(points: &Points, group: usize) -> Result<Self, Fault> {
        let column = points.column;
        let rows = points.rows_of(group).len();
        let metadata =
            points.metadata.row_groups().get(group).and_then(|group| group.columns().get(column.index));
        let metadata = metadata.ok_or_else(|| damaged("a row group without the column"))?;
        let total =
            usize::try_from(metadata.num_values()).map_err(|_| damaged("a negative number of values"))?;
        let reader =
            SerializedPageReader::new(Arc::clone(&points.chunks), metadata, rows, None).map_err(fault)?;
        Ok(Self { reader, column, at: 0, total, dictionary: None })
    }

    /// The page of this value, or behind it, and how many values come before it. Pages before it are not read.
    fn next(&mut self, value: usize) -> Result<Option<(usize, Data)>, Fault> {
        while let Some(metadata) = self.reader.peek_next_page().map_err(fault)? {
            let before = self.at;
            // A dictionary has no levels, and is kept by the reader until it is asked for.
            self.at = before.saturating_add(metadata.num_levels.unwrap_or_default());
            if self.at > self.total {
                return Err(damaged("pages of more values than their row group"));
            }
            if metadata.is_dict || self.at <= value {
                self.reader.skip_next_page().map_err(fault)?;
                continue;
            }
            let Some(page) = self.reader.get_next_page().map_err(fault)? else { break };
            let Some(data) = Data::of(page, &self.column)? else { continue };
            if before.checked_add(data.values) != Some(self.at) {
                return Err(damaged("a page whose header contradicts it"));
            }
            if data.has_indices() && self.dictionary.is_none() {
                let dictionary = self.reader.take_deferred_dictionary().map_err(fault)?;
                let Some(Page::DictionaryPage { buf, .. }) = dictionary else {
                    return Err(damaged("indices without a dictionary"));
                };
                self.dictionary = Some(buf);
            }
            return Ok(Some((before, data)));
        }
        Ok(None)
    }

    /// The dictionary's values, where a page had indices of one.
    fn dictionary(&self) -> &[u8] {
        self.dictionary.as_deref().unwrap_or_default()
    }
}
