//! Mean and covariance of points that come in pieces.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use rayon::prelude::*;

use super::{check::mismatch, spectrum::Spectrum};
use crate::{
    error::{Error, Result},
    memory::filled,
    pending::{Pending, offload, on_a_thread},
    points::{Embeddings, Moments, Offset, Scaling, gram::subtract_mean},
    request::{Metric, Run, Sealed},
};

/// Rows that are in f64 at a time, and their values, at most.
const ROWS_AT_ONCE: usize = 2048;
const VALUES_AT_ONCE: usize = 1 << 20;
/// Rows of the covariance that one thread works on at a time.
const TILE_ROWS: usize = 64;

/// Mean and products of points that come in pieces, such as those of a set larger than memory: what a [`Spectrum`] is made of.
///
/// Each piece is taken about its own mean, and merged by the update of Chan, Golub & LeVeque (1979), in f64 on the CPU. So nothing
/// cancels, wherever the points lie. The bits follow from the pieces and their order.
///
/// ```
/// use unisphere::{Embeddings, Engine, MomentSums};
///
/// let mut sums = MomentSums::new(2)?;
/// sums.add(&Embeddings::new(&[1.0, 0.0, 0.0, 1.0], 2, 2)?)?;
/// sums.add(&Embeddings::new(&[-1.0, 0.0, 0.0, -1.0], 2, 2)?)?;
/// let spectrum = Engine::cpu().value(sums.spectrum())?;
/// assert_eq!((spectrum.mean_norm(), spectrum.eigenvalues()), (0.0, &[0.5, 0.5][..]));
/// # Ok::<(), unisphere::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MomentSums {
    rows: usize,
    scaling: Option<Scaling>,
    /// Mean of all rows (d).
    mean: Vec<f64>,
    /// Σ (x − mean)(x − mean)ᵀ (d, d), of which the lower triangle is kept.
    products: Vec<f64>,
}

/// A request for the spectrum of merged moments. No pairs are gone through, but an observer is asked several times a second
/// whether to stop.
#[derive(Clone, Copy, Debug)]
pub struct SpectrumOfMoments<'a>(&'a MomentSums);

impl MomentSums {
    /// Those of no points of so many dimensions. They take dims² values of f64, and their spectrum four times that.
    ///
    /// # Errors
    ///
    /// [`Error::NoDims`]; [`Error::OutOfMemory`] where there is no room for them.
    pub fn new(dims: usize) -> Result<Self> {
        if dims == 0 {
            return Err(Error::NoDims);
        }
        let products = filled(0.0, dims, dims, || format!("a covariance of {dims} × {dims}"))?;
        Ok(Self { rows: 0, scaling: None, mean: vec![0.0; dims], products })
    }

    /// How many points they are of.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The mean of the points (d): zeros where there are none.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Σ |x − mean|² / n, the variances of all dimensions together: 0 where there are no points.
    pub fn variance(&self) -> f64 {
        let dims = self.mean.len();
        self.products.iter().step_by(dims + 1).sum::<f64>() / self.rows.max(1) as f64
    }

    /// The product of the covariance, divided by n, with a vector (d).
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] for a vector of another length.
    pub fn covariance_times(&self, vector: &[f64]) -> Result<Vec<f64>> {
        let dims = self.mean.len();
        if vector.len() != dims {
            return Err(mismatch("a covariance and a vector", (dims, dims), (vector.len(), 1)));
        }
        let mut product = vec![0.0; dims];
        // Each value of the lower triangle stands for two.
        for (a, row) in self.products.chunks_exact(dims).enumerate() {
            let mut sum = row[a] * vector[a];
            for ((value, b), out) in row[..a].iter().zip(vector).zip(&mut product) {
                sum += value * b;
                *out += value * vector[a];
            }
            product[a] += sum;
        }
        product.iter_mut().for_each(|value| *value /= self.rows.max(1) as f64);
        Ok(product)
    }

    /// Adds points (n, d), as metrics see them: at unit length, unless raw.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] for other dimensions, and [`Error::MixedScaling`] for raw points with others.
    pub fn add(&mut self, points: &Embeddings<'_>) -> Result<()> {
        let dims = self.mean.len();
        if points.dims() != dims {
            let shapes = ((self.rows, dims), (points.rows(), points.dims()));
            return Err(mismatch("moments", shapes.0, shapes.1));
        }
        if *self.scaling.get_or_insert(points.scaling()) != points.scaling() {
            return Err(Error::MixedScaling);
        }
        let rows = (VALUES_AT_ONCE / dims).clamp(1, ROWS_AT_ONCE);
        let pieces = points.values().chunks(rows * dims).enumerate();
        // Raw points have no lengths.
        pieces.for_each(|(number, piece)| self.add_piece(piece, points.lengths().get(number * rows..)));
        Ok(())
    }

    /// Adds some rows, row-major, over their lengths where they have any.
    fn add_piece(&mut self, piece: &[f32], lengths: Option<&[f64]>) {
        let dims = self.mean.len();
        let mut about = vec![0.0; piece.len()];
        let rows = about.par_chunks_exact_mut(dims).zip(piece.par_chunks_exact(dims));
        rows.enumerate().for_each(|(number, (out, row))| {
            let length = lengths.and_then(|lengths| lengths.get(number)).copied().unwrap_or(1.0);
            out.iter_mut().zip(row).for_each(|(out, &value)| *out = f64::from(value) / length);
        });
        // Twice, so that the rounding of a sum over many rows does not stay in the mean.
        let mut mean = subtract_mean(&mut about, dims);
        mean.iter_mut().zip(subtract_mean(&mut about, dims)).for_each(|(mean, rest)| *mean += rest);
        let added = piece.len() / dims;
        let (before, all) = (self.rows as f64, (self.rows + added) as f64);
        let apart: Vec<_> = mean.iter().zip(&self.mean).map(|(piece, mean)| piece - mean).collect();
        let weight = before / all * added as f64;
        self.products.par_chunks_mut(TILE_ROWS * dims).enumerate().for_each(|(tile, out)| {
            add_products(out, tile * TILE_ROWS, &about, dims);
            for (row, out) in (tile * TILE_ROWS..).zip(out.chunks_exact_mut(dims)) {
                out.iter_mut().zip(&apart[..=row]).for_each(|(out, b)| *out += weight * apart[row] * b);
            }
        });
        self.mean.iter_mut().zip(&apart).for_each(|(mean, apart)| *mean += apart * (added as f64 / all));
        self.rows += added;
    }

    /// Mean and covariance of all points, in the terms of a [`Spectrum`]. One row is needed.
    pub fn spectrum(&self) -> SpectrumOfMoments<'_> {
        SpectrumOfMoments(self)
    }

    /// Mean and covariance.
    fn moments(&self) -> Moments {
        let (side, count) = (self.mean.len(), self.rows as f64);
        let entry = |a: usize, b: usize| self.products[a.max(b) * side + a.min(b)] / count;
        let scatter = (0..side * side).map(|at| entry(at / side, at % side)).collect();
        Moments { mean: self.mean.clone(), scatter, side, offset: Some(Offset::OfDims) }
    }
}

/// Adds Σ xₐ x_b to some rows a of the products, from `first` on, for all b up to the last of these.
fn add_products(out: &mut [f64], first: usize, about: &[f64], dims: usize) {
    let rows = out.len() / dims;
    let about = MatRef::from_row_major_slice(about, about.len() / dims, dims);
    let (left, right) = (about.subcols(first, rows), about.subcols(0, first + rows));
    let out = MatMut::from_row_major_slice_mut(out, rows, dims).subcols_mut(0, first + rows);
    // One thread, whatever their number, so that sums are in the same order.
    matmul(out, Accum::Add, left.transpose(), right, 1.0, Par::Seq);
}

impl Sealed for SpectrumOfMoments<'_> {}

impl Metric for SpectrumOfMoments<'_> {
    type Value = Spectrum;

    fn pairs(&self) -> u64 {
        0
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Spectrum> {
        Box::pin(async move {
            let rows = self.0.rows;
            if rows == 0 {
                return Err(Error::TooFewRows { metric: "the spectrum", rows, needed: 1 });
            }
            let (moments, watch) = (self.0.moments(), on.watch.clone());
            // Without a thread, the task ends with an error.
            let spawn = |job| drop(on_a_thread("spectrum", job));
            offload(spawn, move || Spectrum::of(moments, rows, &watch)).await
        })
    }
}
