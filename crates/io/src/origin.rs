//! Points of more digits than f32 holds: where they lie, and the same about an origin near them.

use std::{ops::Range, sync::Arc};

use half::f16;
use rayon::prelude::*;

use crate::{
    Fault,
    dtype::Scalar,
    memory::zeros,
    table::{Table, check_range, narrowed},
};

/// Values that are read in f64 at a time.
const VALUES_AT_ONCE: usize = 1 << 16;
/// What rounding to f32 takes of a value at most, as a share of it.
const ROUNDING: f64 = 1.0 / (1 << 24) as f64;
/// How much of the rounding an origin must save to be worth it.
const WORTH: f64 = 8.0;

/// Where points lie: the mean of each dimension, and the least and the greatest value in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    mean: Vec<f64>,
    least: Vec<f64>,
    greatest: Vec<f64>,
}

impl Extent {
    /// Reads all rows of tables of one width. None where a value is not finite, which whoever reads the points will tell.
    pub(crate) fn of(tables: &[&dyn Table]) -> Result<Option<Self>, Fault> {
        let Some(dims) = tables.first().map(|table| table.dims()) else { return Ok(None) };
        let mut first = zeros::<f64>(1, dims)?;
        tables[0].read_wide(0..1, &mut first)?;
        // Sums are about the first row, so that they keep the digits of values that are far from 0.
        let none = || Self { mean: vec![0.0; dims], least: first.clone(), greatest: first.clone() };
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
        loop {
            // A few at a time, so that memory does not grow with the rows.
            let some: Vec<_> = pieces.by_ref().take(4 * rayon::current_num_threads()).collect();
            if some.is_empty() {
                break;
            }
            let sums = some.par_iter().map(piece).collect::<Result<Vec<_>, Fault>>()?;
            sums.iter().for_each(|sums| all.join(sums));
        }
        let rows = tables.iter().map(|table| table.rows()).sum::<usize>() as f64;
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
        self.least.iter_mut().zip(&other.least).for_each(|(all, more)| *all = all.min(*more));
        self.greatest.iter_mut().zip(&other.greatest).for_each(|(all, more)| *all = all.max(*more));
    }

    /// The mean of the points (d).
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// How far rounding to f32 about an origin (d) may move the distance of two points: twice the length of what each may lose. A
    /// dimension in which all points are alike loses nothing.
    pub fn rounding(&self, origin: &[f64]) -> f64 {
        let of_dim = |((least, greatest), origin): ((&f64, &f64), &f64)| {
            let reach = (least - origin).abs().max((greatest - origin).abs());
            if least < greatest { (ROUNDING * reach).powi(2) } else { 0.0 }
        };
        2.0 * self.least.iter().zip(&self.greatest).zip(origin).map(of_dim).sum::<f64>().sqrt()
    }

    /// Whether the mean as the origin saves most of what rounding takes: points lie far from 0, and close together.
    pub fn is_far(&self) -> bool {
        let (about_0, about_mean) = (self.rounding(&vec![0.0; self.mean.len()]), self.rounding(&self.mean));
        about_0 > WORTH * about_mean
    }
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

    fn scalar(&self) -> Option<Scalar> {
        self.table.scalar()
    }

    fn bytes(&self) -> u64 {
        self.table.bytes()
    }

    fn bytes_in_memory(&self) -> u64 {
        self.table.bytes_in_memory()
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        let dims = self.dims();
        check_range(&rows, self.rows(), dims, into.len())?;
        let height = (VALUES_AT_ONCE / dims).max(1);
        let fill = |(index, into): (usize, &mut [f32])| {
            let start = rows.start + index * height;
            let mut values = zeros::<f64>(into.len() / dims, dims)?;
            self.read_wide(start..start + into.len() / dims, &mut values)?;
            for (row, into) in values.chunks_exact(dims).zip(into.chunks_exact_mut(dims)) {
                let about = row.iter().zip(&*self.origin).map(|(value, origin)| (value - origin) as f32);
                into.iter_mut().zip(about).for_each(|(into, value)| *into = value);
            }
            Ok(())
        };
        into.par_chunks_mut(height * dims).enumerate().try_for_each(fill)
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
