//! The weights of a block, written once and read along either side.

use super::{float::Float, pack::Buffer, tile::Right};
use crate::schedule::Block;

/// How many weights of a row lie side by side: a multiple of both sides of every tile.
pub(super) const LONG: usize = 192;

/// Some weights of a row on the right, and a cache line more, as with points.
pub(super) type Segment<T> = [T; LONG + 16];

/// The weights of a block, row by row of its right side, each cut into segments.
pub(super) struct Table<'a, T> {
    segments: &'a mut [Segment<T>],
    left: usize,
    rows: usize,
}

/// The memory of a table for so many rows on either side.
pub(super) fn bytes<T>(left: usize, right: usize) -> usize {
    right * left.div_ceil(LONG) * size_of::<Segment<T>>()
}

impl<'a, T: Float> Table<'a, T> {
    /// For a block in tiles of `SIDE`.
    #[inline(always)]
    pub(super) fn of<const SIDE: usize>(buffer: &'a mut Buffer<T>, block: &Block) -> Self {
        let (left, rows) = (block.rows.len(), block.cols.len().next_multiple_of(SIDE));
        Self { segments: buffer.arrays(rows * left.div_ceil(LONG)), left, rows }
    }

    pub(super) fn fill(&mut self, value: T) {
        self.segments.as_flattened_mut().fill(value);
    }

    /// The weights of a row on the right, in pieces of whole `lanes`, each with the row on the left that it starts with.
    #[inline(always)]
    pub(super) fn row(&self, right: usize, lanes: usize) -> impl Iterator<Item = (usize, &[T])> {
        let segments = self.segments[right..].iter().step_by(self.rows);
        segments.zip((0..self.left).step_by(LONG)).map(move |(segment, start)| {
            (start, &segment[..LONG.min((self.left - start).next_multiple_of(lanes))])
        })
    }

    /// The weights of `count` rows on the right, from the first on, with the row on the left and those after it
    /// in its segment.
    #[inline(always)]
    pub(super) fn from(&mut self, left: usize, right: usize, count: usize) -> impl Iterator<Item = &mut [T]> {
        let rows = &mut self.segments[left / LONG * self.rows + right..][..count];
        rows.iter_mut().map(move |row| &mut row[left % LONG..LONG])
    }

    /// The same, to be read.
    #[inline(always)]
    pub(super) fn at(&self, left: usize, right: usize, count: usize) -> impl Iterator<Item = &[T]> {
        let rows = &self.segments[left / LONG * self.rows + right..][..count];
        rows.iter().map(move |row| &row[left % LONG..LONG])
    }

    /// For `SIDE` rows on the left: their weights with all rows on the right.
    #[inline(always)]
    pub(super) fn down<const SIDE: usize>(&self, left: usize) -> Down<'_, T> {
        let rows = &self.segments[left / LONG * self.rows..][..self.rows];
        Down { rows, group: left % LONG / SIDE }
    }

    /// For `SIDE` rows on the right: their weights with all rows on the left.
    #[inline(always)]
    pub(super) fn along(&self, right: usize) -> Along<'_, T> {
        Along { segments: &self.segments[right..], rows: self.rows }
    }

    /// The same, segment by segment.
    #[inline(always)]
    pub(super) fn group<const SIDE: usize>(&self, right: usize) -> impl Iterator<Item = &[Segment<T>; SIDE]> {
        self.segments.chunks_exact(self.rows).map(move |segment| &segment[right..].as_chunks().0[0])
    }
}

impl Table<'_, f32> {
    /// Takes over the values of another of the same size.
    #[inline(always)]
    pub(super) fn round(&mut self, other: &Table<'_, f64>) {
        let values = self.segments.as_flattened_mut().iter_mut().zip(other.segments.as_flattened());
        values.for_each(|(out, &value)| *out = value as f32);
    }
}

/// How many rows on the right make a short sum.
const DEEP: usize = 256;

#[derive(Clone, Copy)]
pub(super) struct Down<'a, T> {
    rows: &'a [Segment<T>],
    group: usize,
}

impl<T: Float, const SIDE: usize> Right<T, SIDE> for Down<'_, T> {
    const SHORT: usize = DEEP;

    #[inline(always)]
    fn value(self, short: usize, count: usize) -> impl Fn(usize, usize) -> T {
        let rows = &self.rows[short * DEEP..][..count];
        move |k, r| rows[k].as_chunks::<SIDE>().0[self.group][r]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Along<'a, T> {
    segments: &'a [Segment<T>],
    rows: usize,
}

impl<T: Float, const SIDE: usize> Right<T, SIDE> for Along<'_, T> {
    const SHORT: usize = LONG;

    #[inline(always)]
    fn value(self, short: usize, _: usize) -> impl Fn(usize, usize) -> T {
        let rows = &self.segments[short * self.rows..].as_chunks::<SIDE>().0[0];
        move |k, r| rows[r][k]
    }
}
