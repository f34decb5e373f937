//! Table of a block: a value for every pair, written once and read along either side.

use crate::{
    cpu::{
        block::{
            microkernel::{MAX_TILE_WIDTH, MULTIPLE_OF_SIDES, Right},
            pack::Buffer,
        },
        simd::float::Float,
    },
    schedule::Block,
};

/// Values of a row that lie side by side: a multiple of both sides of every tile.
pub(crate) const SEGMENT_LEN: usize = 192;

/// Values of a row on the right with some rows on the left, and a cache line more, as with packed rows.
pub(crate) type PairsSegment<T> = [T; SEGMENT_LEN + 16];

/// Values of a block's pairs, row by row of its right side, each row cut into segments.
pub(crate) struct Table<'a, T> {
    segments: &'a mut [PairsSegment<T>],
    left: usize,
    rows: usize,
}

/// Segments of the table of a block, in tiles of any instruction set.
pub(crate) fn segments(block: &Block) -> usize {
    block.cols.len().next_multiple_of(MULTIPLE_OF_SIDES) * block.rows.len().div_ceil(SEGMENT_LEN)
}

/// Bytes of a table for so many rows on either side.
pub(crate) fn bytes<T>(left: usize, right: usize) -> usize {
    right * left.div_ceil(SEGMENT_LEN) * size_of::<PairsSegment<T>>()
}

impl<'a, T: Float> Table<'a, T> {
    /// Table for a block in tiles of `SIDE`, with any content.
    #[inline(always)]
    pub(crate) fn of<const SIDE: usize>(buffer: &'a mut Buffer<T>, block: &Block) -> Self {
        let rows = block.cols.len().next_multiple_of(SIDE);
        Self::over::<SIDE>(buffer.arrays(rows * block.rows.len().div_ceil(SEGMENT_LEN)), block)
    }

    /// The same in segments that are there: [`segments`] or more.
    #[inline(always)]
    pub(crate) fn over<const SIDE: usize>(segments: &'a mut [PairsSegment<T>], block: &Block) -> Self {
        let (left, rows) = (block.rows.len(), block.cols.len().next_multiple_of(SIDE));
        Self { segments: &mut segments[..rows * left.div_ceil(SEGMENT_LEN)], left, rows }
    }

    pub(crate) fn fill(&mut self, value: T) {
        let used = SEGMENT_LEN.min(self.left.next_multiple_of(MAX_TILE_WIDTH));
        self.segments.iter_mut().for_each(|segment| segment[..used].fill(value));
    }

    /// Values of a row on the right, in pieces of whole `lanes`, each with the row on the left that it starts with.
    #[inline(always)]
    pub(crate) fn row(&self, right: usize, lanes: usize) -> impl Iterator<Item = (usize, &[T])> {
        let segments = self.segments[right..].iter().step_by(self.rows);
        segments.zip((0..self.left).step_by(SEGMENT_LEN)).map(move |(segment, start)| {
            (start, &segment[..SEGMENT_LEN.min((self.left - start).next_multiple_of(lanes))])
        })
    }

    /// The same to be changed.
    #[inline(always)]
    pub(crate) fn row_mut(&mut self, right: usize, lanes: usize) -> impl Iterator<Item = (usize, &mut [T])> {
        let (left, rows) = (self.left, self.rows);
        let segments = self.segments[right..].iter_mut().step_by(rows);
        segments.zip((0..left).step_by(SEGMENT_LEN)).map(move |(segment, start)| {
            (start, &mut segment[..SEGMENT_LEN.min((left - start).next_multiple_of(lanes))])
        })
    }

    /// Values of `count` rows on the right, from `right` on, with the row `left` on the left and those after it in its
    /// segment.
    #[inline(always)]
    pub(crate) fn from(&mut self, left: usize, right: usize, count: usize) -> impl Iterator<Item = &mut [T]> {
        let rows = &mut self.segments[left / SEGMENT_LEN * self.rows + right..][..count];
        rows.iter_mut().map(move |row| &mut row[left % SEGMENT_LEN..SEGMENT_LEN])
    }

    /// Values as of [`from`](Self::from), to be read.
    #[inline(always)]
    pub(crate) fn at(&self, left: usize, right: usize, count: usize) -> impl Iterator<Item = &[T]> {
        let rows = &self.segments[left / SEGMENT_LEN * self.rows + right..][..count];
        rows.iter().map(move |row| &row[left % SEGMENT_LEN..SEGMENT_LEN])
    }

    /// Values of `SIDE` rows on the left with the rows on the right, but for so many that are skipped.
    #[inline(always)]
    pub(crate) fn down<const SIDE: usize>(&self, left: usize, skipped: usize) -> Down<'_, T> {
        let rows = &self.segments[left / SEGMENT_LEN * self.rows..][skipped..self.rows];
        Down { rows, group: left % SEGMENT_LEN / SIDE }
    }

    /// Values of `SIDE` rows on the right with all rows on the left.
    #[inline(always)]
    pub(crate) fn along(&self, right: usize) -> Along<'_, T> {
        Along { segments: &self.segments[right..], rows: self.rows }
    }

    /// Values of `SIDE` rows on the right with all rows on the left, segment by segment.
    #[inline(always)]
    pub(crate) fn group<const SIDE: usize>(
        &self,
        right: usize,
    ) -> impl Iterator<Item = &[PairsSegment<T>; SIDE]> {
        self.segments.chunks_exact(self.rows).map(move |segment| &segment[right..].as_chunks().0[0])
    }
}

impl Table<'_, f32> {
    /// Copies the values of another table of the same size, rounded.
    #[inline(always)]
    pub(crate) fn round(&mut self, other: &Table<'_, f64>) {
        let values = self.segments.as_flattened_mut().iter_mut().zip(other.segments.as_flattened());
        values.for_each(|(out, &value)| *out = value as f32);
    }
}

/// Rows on the right in a partial sum.
const ROWS_PER_PARTIAL_SUM: usize = 256;

#[derive(Clone, Copy)]
pub(crate) struct Down<'a, T> {
    rows: &'a [PairsSegment<T>],
    group: usize,
}

impl<T: Float, const SIDE: usize> Right<T, SIDE> for Down<'_, T> {
    const TERMS_PER_PARTIAL_SUM: usize = ROWS_PER_PARTIAL_SUM;

    #[inline(always)]
    fn value(self, partial: usize, count: usize) -> impl Fn(usize, usize) -> T {
        let rows = &self.rows[partial * ROWS_PER_PARTIAL_SUM..][..count];
        move |k, r| rows[k].as_chunks::<SIDE>().0[self.group][r]
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Along<'a, T> {
    segments: &'a [PairsSegment<T>],
    rows: usize,
}

impl<T: Float, const SIDE: usize> Right<T, SIDE> for Along<'_, T> {
    const TERMS_PER_PARTIAL_SUM: usize = SEGMENT_LEN;

    #[inline(always)]
    fn value(self, partial: usize, _: usize) -> impl Fn(usize, usize) -> T {
        let rows = &self.segments[partial * self.rows..].as_chunks::<SIDE>().0[0];
        move |k, r| rows[r][k]
    }
}
