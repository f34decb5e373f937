//! Points as the CPU keeps them.

use std::ops::Range;

use rayon::prelude::*;

use super::{float::Float, level::Level, matrix::zeros, tile};
use crate::{
    error::{Error, Result},
    points::{Embeddings, Points, Scaling, hash, length, own},
};

/// n points of d dimensions, row-major.
///
/// A row to be scaled is kept as it came but for a power of two, so without any loss, at a length in
/// [1/√2, √2]; the exact factor to unit length stands beside it, and each use rounds as it can bear.
pub(super) struct Rows {
    values: Vec<f32>,
    dims: usize,
    /// 1 / the length of the row as kept; 1 for raw points.
    inverse: Vec<f64>,
    /// The lengths of the rows as they came; empty for raw points.
    lengths: Vec<f64>,
    /// (s − 1) / 2 for the square s of the length that the f32 kernel sees; empty for raw points.
    excess: Vec<f32>,
    /// The squares of the lengths that the f64 kernel sees; empty for raw points.
    squares: Vec<f64>,
    /// How many rows there are that differ, as a sum over all sees them: 1 / Σp², where p are the parts of a sample of rows
    /// that are equal. 0 for raw points.
    varied: f64,
}

/// So few unit rows are taken in f64.
pub(super) const FEW: usize = 128;

/// So many rows, evenly spread, show how they vary.
const SAMPLE: usize = 1024;

/// How many rows a thread takes at a time.
const CHUNK: usize = 96;

impl Rows {
    pub(super) fn upload(level: Level, points: Embeddings<'_>) -> Points {
        let (rows, dims, scaling) = (points.rows(), points.dims(), points.scaling());
        let mut storage = Self {
            values: points.into_values().into_owned(),
            dims,
            inverse: vec![1.0; rows],
            lengths: Vec::new(),
            excess: Vec::new(),
            squares: Vec::new(),
            varied: 0.0,
        };
        if scaling == Scaling::Unit {
            storage.scale();
        }
        storage.measure_all(level);
        Points { rows, dims, scaling, storage: Box::new(storage) }
    }

    /// Some of these rows, which may repeat.
    pub(super) fn gather(&self, level: Level, rows: &[usize]) -> Result<Points> {
        let dims = self.dims;
        let mut values = zeros(rows.len(), dims)?;
        values
            .par_chunks_exact_mut(dims)
            .zip(rows)
            .for_each(|(out, &row)| out.copy_from_slice(self.row(row)));
        let of = |all: &[f64]| {
            if all.is_empty() { Vec::new() } else { rows.iter().map(|&row| all[row]).collect() }
        };
        let mut storage = Self {
            values,
            dims,
            inverse: of(&self.inverse),
            lengths: of(&self.lengths),
            excess: Vec::new(),
            squares: Vec::new(),
            varied: 0.0,
        };
        storage.measure_all(level);
        Ok(Points { rows: rows.len(), dims, scaling: self.scaling(), storage: Box::new(storage) })
    }

    /// The rows of points that this backend has made.
    pub(super) fn of(points: &Points) -> Result<&Self, Error> {
        own(&*points.storage)
    }

    fn scale(&mut self) {
        self.lengths = vec![0.0; self.len()];
        let rows = self.values.par_chunks_exact_mut(self.dims).with_min_len(CHUNK);
        rows.zip(&mut self.lengths).zip(&mut self.inverse).for_each(|((row, of_row), inverse)| {
            *of_row = length(row);
            // Lengths are limited to those for which this power is an f32.
            let power = (-of_row.log2().round()).exp2();
            row.iter_mut().for_each(|v| *v *= power as f32);
            *inverse = 1.0 / (*of_row * power);
        });
    }

    /// What kernels see of the lengths of scaled rows.
    fn measure_all(&mut self, level: Level) {
        if self.scaling() == Scaling::Raw {
            return;
        }
        self.excess = self.measure(level);
        self.excess.iter_mut().for_each(|s| *s = 0.5 * (*s - 1.0));
        self.squares = self.measure(level);
        let sample = (0..self.len()).into_par_iter().step_by(self.len().div_ceil(SAMPLE).max(1));
        let mut hashes: Vec<_> = sample.map(|row| hash(self.row(row))).collect();
        hashes.sort_unstable();
        let part = |equal: &[u64]| equal.len() as f64 / hashes.len() as f64;
        let parts = hashes.chunk_by(|a, b| a == b).map(part);
        self.varied = parts.map(|part| part.powi(2)).sum::<f64>().recip();
    }

    fn measure<T: Float>(&self, level: Level) -> Vec<T> {
        let mut squares = vec![T::default(); self.len()];
        squares.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
            let first = chunk * CHUNK;
            level.run(tile::Squares { rows: self, range: first..first + out.len(), out });
        });
        squares
    }

    pub(super) fn len(&self) -> usize {
        self.inverse.len()
    }

    pub(super) fn scaling(&self) -> Scaling {
        if self.lengths.is_empty() && !self.inverse.is_empty() { Scaling::Raw } else { Scaling::Unit }
    }

    pub(super) fn dims(&self) -> usize {
        self.dims
    }

    /// A row as kept.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dims..][..self.dims]
    }

    /// What multiplies a row as kept, to make it what metrics see.
    #[inline(always)]
    pub(super) fn scale_of<T: Float>(&self, row: usize) -> T {
        T::scale(self.inverse[row])
    }

    /// The excess of some rows; none where nothing was scaled.
    pub(super) fn excess(&self, range: Range<usize>) -> &[f32] {
        self.excess.get(range).unwrap_or_default()
    }

    /// Whether these are unit rows so few that they are taken in f64.
    pub(super) fn few(&self) -> bool {
        self.scaling() == Scaling::Unit && self.len() <= FEW
    }

    /// How many rows there are over which rounding averages out.
    pub(super) fn varied(&self) -> f64 {
        self.varied
    }

    /// The squares of some rows' lengths; none where nothing was scaled.
    pub(super) fn squares(&self, range: Range<usize>) -> &[f64] {
        self.squares.get(range).unwrap_or_default()
    }

    /// A row as metrics see it.
    pub(super) fn seen(&self, row: usize) -> impl Iterator<Item = f64> + Clone {
        let inverse = self.inverse[row];
        self.row(row).iter().map(move |&v| f64::from(v) * inverse)
    }

    /// Turns the gradient for a row as metrics see it into the one for the row as it came.
    pub(super) fn through_scaling(&self, row: usize, gradient: &mut [f64]) {
        let Some(length) = self.lengths.get(row) else { return };
        self.remove_radial(row, gradient);
        gradient.iter_mut().for_each(|g| *g /= length);
    }

    /// Leaves the part of a gradient that is tangent to the sphere at a row.
    pub(super) fn remove_radial(&self, row: usize, gradient: &mut [f64]) {
        let radial: f64 = self.seen(row).zip(&*gradient).map(|(x, g)| x * g).sum();
        for (g, x) in gradient.iter_mut().zip(self.seen(row)) {
            *g -= x * radial;
        }
    }
}
