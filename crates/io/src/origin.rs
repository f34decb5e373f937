//! Points of more digits than f32 holds: where they lie, and the same about an origin near them.

use std::{ops::Range, sync::Arc};

use half::f16;
use rayon::prelude::*;

use crate::{
    Fault,
    dtype::Scalar,
    memory::zeros,
    table::{Table, check_range, for_threads, narrowed},
};

/// Values that are read in f64 at a time.
const VALUES_AT_ONCE: usize = 1 << 16;
/// What rounding to f32 takes of a value at most, as a share of it.
const ROUNDING: f64 = 1.0 / (1 << 24) as f64;
/// What the nearest f64 takes of a whole number of 64 bits at most, as a share of it.
const ROUNDING_OF_INTEGERS: f64 = 1.0 / (1u64 << 53) as f64;
/// Bytes of sums that pieces are read into at once.
const BYTES_OF_SUMS: usize = 64 << 20;

/// Where points lie: how many they are, the mean of each dimension, and the least and the greatest value in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    rows: f64,
    mean: Vec<f64>,
    least: Vec<f64>,
    greatest: Vec<f64>,
    /// What rounding to f32 takes of a value where it lies, as a share of it: nothing of what f32 holds.
    share: f64,
    /// What rounding to f64 has taken before.
    share_before: f64,
}

impl Extent {
    /// What the mean as the origin must leave of the rounding, to be worth it.
    pub const WORTH: f64 = 1.0 / 8.0;

    /// Reads all rows of tables of one width. None where a value is not finite, which whoever reads the points will tell.
    pub(crate) fn of(tables: &[&dyn Table]) -> Result<Option<Self>, Fault> {
        let Some(dims) = tables.first().map(|table| table.dims()) else { return Ok(None) };
        let mut first = zeros::<f64>(1, dims)?;
        tables[0].read_wide(0..1, &mut first)?;
        let is_any = |of: fn(&dyn Table) -> bool| tables.iter().any(|table| of(*table));
        // Sums are about the first row, so that they keep the digits of values that are far from 0.
        let none = || Self {
            rows: tables.iter().map(|table| table.rows()).sum::<usize>() as f64,
            mean: vec![0.0; dims],
            least: first.clone(),
            greatest: first.clone(),
            share: if is_any(|table| table.is_wide()) { ROUNDING } else { 0.0 },
            share_before: if is_any(is_of_long_integers) { ROUNDING_OF_INTEGERS } else { 0.0 },
        };
        let piece = |(table, range): &(&dyn Table, Range<usize>)| {
            let mut values = zeros::<f64>(range.len(), dims)?;
            table.read_wide(range.clone(), &mut values)?;
            let mut sums = none();
            values.chunks_exact(dims).for_each(|row| sums.take(row, &first));
            Ok::<_, Fault>(sums)
        };
        let step = (VALUES_AT_ONCE / dims).max(1);
        let mut pieces = tables.iter().copied().flat_map(|table| {
            let rows = table.rows();
            (0..rows).step_by(step).map(move |start| (table, start..rows.min(start + step)))
        });
        let mut all = none();
        let at_once =
            (BYTES_OF_SUMS / (3 * size_of::<f64>() * dims)).clamp(1, 4 * rayon::current_num_threads());
        loop {
            // A few at a time, so that memory does not grow with the rows.
            let some: Vec<_> = pieces.by_ref().take(at_once).collect();
            if some.is_empty() {
                break;
            }
            let sums = some.par_iter().map(piece).collect::<Result<Vec<_>, Fault>>()?;
            sums.iter().for_each(|sums| all.join(sums));
        }
        let rows = all.rows;
        all.mean.iter_mut().zip(&first).for_each(|(mean, first)| *mean = *mean / rows + first);
        let is_finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        Ok((is_finite(&all.mean) && is_finite(&all.least) && is_finite(&all.greatest)).then_some(all))
    }

    fn take(&mut self, row: &[f64], first: &[f64]) {
        let ends = self.least.iter_mut().zip(&mut self.greatest);
        for (((value, first), mean), (least, greatest)) in row.iter().zip(first).zip(&mut self.mean).zip(ends)
        {
            // What is not a number stays in the mean.
            *mean += value - first;
            *least = least.min(*value);
            *greatest = greatest.max(*value);
        }
    }

    fn join(&mut self, other: &Self) {
        self.mean.iter_mut().zip(&other.mean).for_each(|(all, more)| *all += more);
        self.reach(other);
    }

    /// Reaches to the ends of another too.
    fn reach(&mut self, other: &Self) {
        self.least.iter_mut().zip(&other.least).for_each(|(all, more)| *all = all.min(*more));
        self.greatest.iter_mut().zip(&other.greatest).for_each(|(all, more)| *all = all.max(*more));
    }

    /// The mean of the points (d).
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The extent of all sets together, of which there is one at least.
    pub fn joined<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let join = |mut all: Self, set: &Self| {
            let rows = all.rows + set.rows;
            for (mean, more) in all.mean.iter_mut().zip(&set.mean) {
                *mean += (more - *mean) * (set.rows / rows);
            }
            all.reach(set);
            Self { rows, ..all }
        };
        let mut sets = sets.into_iter();
        let first = sets.next()?.clone();
        Some(sets.fold(first, join))
    }

    /// A length that no point is longer than, about an origin (d) or where they lie.
    pub fn longest(&self, origin: Option<&[f64]>) -> f64 {
        let squares = (0..self.mean.len()).map(|dim| self.farthest(dim, at(origin, dim)).powi(2));
        squares.sum::<f64>().sqrt()
    }

    /// How far points reach from a place in one dimension.
    fn farthest(&self, dim: usize, at: f64) -> f64 {
        (self.least[dim] - at).abs().max((self.greatest[dim] - at).abs())
    }

    /// How far rounding to f32 may move the distance of two of these points, about an origin (d) or where they lie: twice the length of
    /// what each may lose. A dimension in which all points of all sets are alike loses nothing.
    pub fn rounding(&self, origin: Option<&[f64]>, all: &Self) -> f64 {
        2.0 * self.lost(origin, |dim| all.least[dim] < all.greatest[dim] || self.share_before > 0.0)
    }

    /// How far rounding to f32 may move a point, about an origin (d) or where it lies, in all dimensions: those in which all points are
    /// alike move products of points.
    pub fn rounding_of_point(&self, origin: Option<&[f64]>) -> f64 {
        self.lost(origin, |_| true)
    }

    /// The length of what a point may lose in some dimensions.
    fn lost(&self, origin: Option<&[f64]>, is_of: impl Fn(usize) -> bool) -> f64 {
        let share = if origin.is_some() { ROUNDING } else { self.share };
        let lost = (0..self.mean.len()).filter(|&dim| is_of(dim)).map(|dim| {
            let lost =
                share * self.farthest(dim, at(origin, dim)) + self.share_before * self.farthest(dim, 0.0);
            lost.powi(2)
        });
        lost.sum::<f64>().sqrt()
    }
}

/// An origin in one dimension, where there is one.
fn at(origin: Option<&[f64]>, dim: usize) -> f64 {
    origin.map_or(0.0, |origin| origin[dim])
}

/// Whether whole numbers are of 64 bits, which f64 does not hold.
fn is_of_long_integers(table: &dyn Table) -> bool {
    matches!(table.scalar(), Some(Scalar::I64 | Scalar::U64))
}

/// A table about an origin.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) table: Box<dyn Table>,
    pub(crate) origin: Arc<[f64]>,
}

impl Table for About {
    fn rows(&self) -> usize {
        self.table.rows()
    }

    fn dims(&self) -> usize {
        self.table.dims()
    }

    fn views(&self) -> Option<usize> {
        self.table.views()
    }

    fn dtype(&self) -> String {
        self.table.dtype()
    }

    // What is taken about an origin may take all digits of f32.
    fn scalar(&self) -> Option<Scalar> {
        None
    }

    fn bytes(&self) -> u64 {
        self.table.bytes()
    }

    fn bytes_in_memory(&self) -> u64 {
        self.table.bytes_in_memory()
    }

    fn inner(&self) -> Option<&dyn Table> {
        Some(&*self.table)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        let dims = self.dims();
        check_range(&rows, self.rows(), dims, into.len())?;
        let height = (VALUES_AT_ONCE / dims).max(1);
        let fill = |start: usize, into: &mut [f32]| {
            let mut values = zeros::<f64>(into.len() / dims, dims)?;
            self.read_wide(start..start + into.len() / dims, &mut values)?;
            for (row, into) in values.chunks_exact(dims).zip(into.chunks_exact_mut(dims)) {
                let about = row.iter().zip(&*self.origin).map(|(value, origin)| (value - origin) as f32);
                into.iter_mut().zip(about).for_each(|(into, value)| *into = value);
            }
            Ok(())
        };
        for_threads(&*self.table, rows, into, |rows, into| {
            let parts = into.par_chunks_mut(height * dims).enumerate();
            parts.try_for_each(|(index, into)| fill(rows.start + index * height, into))
        })
    }

    fn read_half(&self, rows: Range<usize>, into: &mut [f16]) -> Result<(), Fault> {
        narrowed(into, |fault| fault, |values| self.read(rows, values))
    }

    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        self.table.read_wide(rows, into)
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        self.table.stored(row, dim)
    }
}
