//! Paired rows: a term of row i of one set with row i of the other, and its gradient.

use rayon::prelude::*;

use crate::{
    cpu::{
        matrix::{into_values, matrix},
        points::{Rows, filled, finite, rows_per_task, zeros},
        simd::{
            isa::{Isa, Job},
            lanes::sum_of,
        },
    },
    error::Result,
    points::{Matrix, RowView},
};

/// Rows that a thread takes at a time.
const ROWS_PER_TASK: usize = 64;

/// Squared distances ‖xᵢ−yᵢ‖² of every row.
pub(crate) fn squared_distances(isa: Isa, x: &Rows, y: &Rows) -> Result<Vec<f64>> {
    sums(isa, x, y, |x, y| (x - y) * (x - y))
}

/// Inner products ⟨xᵢ, yᵢ⟩ of every row.
pub(crate) fn dots(isa: Isa, x: &Rows, y: &Rows) -> Result<Vec<f64>> {
    sums(isa, x, y, |x, y| x * y)
}

/// Sum of a term over the dimensions, for every row.
fn sums(isa: Isa, x: &Rows, y: &Rows, term: impl Fn(f64, f64) -> f64 + Copy + Sync) -> Result<Vec<f64>> {
    let mut out = filled(0.0, x.len(), 1)?;
    out.par_chunks_mut(ROWS_PER_TASK).enumerate().for_each(|(chunk, out)| {
        isa.run(Sums { x, y, first: chunk * ROWS_PER_TASK, out, term });
    });
    Ok(out)
}

struct Sums<'a, T> {
    x: &'a Rows,
    y: &'a Rows,
    first: usize,
    out: &'a mut [f64],
    term: T,
}

impl<T: Fn(f64, f64) -> f64> Job for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: pulp::Simd, const SIDE: usize>(self, _: S) {
        for (i, out) in self.out.iter_mut().enumerate() {
            let row = self.first + i;
            *out = sum_over_dims(self.x.view(row), self.y.view(row), &self.term);
        }
    }
}

/// Sum of a term over the dimensions of two rows.
#[inline(always)]
pub(crate) fn sum_over_dims(x: RowView<'_>, y: RowView<'_>, term: impl Fn(f64, f64) -> f64) -> f64 {
    sum_of(x.values, y.values, |a, b| term(f64::from(a) * x.scale, f64::from(b) * y.scale))
}

/// Gradients of Σ cᵢfᵢ for x and y, added to `sum` where given, where `slope` is that of a symmetric f(x, y) for x.
pub(crate) fn grad(
    x: &Rows,
    y: &Rows,
    coefficients: &[f64],
    sum: Option<(Matrix, Matrix)>,
    slope: impl Fn(f64, f64) -> f64 + Copy + Sync,
) -> Result<(Matrix, Matrix)> {
    let (on_x, on_y) = match sum {
        Some((on_x, on_y)) => (into_values(on_x)?, into_values(on_y)?),
        None => (zeros(x.len(), x.dims())?, zeros(y.len(), y.dims())?),
    };
    let of = |out, x, y| add_slopes(out, x, y, coefficients, slope);
    Ok((of(on_x, x, y), of(on_y, y, x)))
}

/// Adds cᵢ times the slope for x, through the scaling of x.
fn add_slopes(
    mut out: Vec<f32>,
    x: &Rows,
    y: &Rows,
    coefficients: &[f64],
    slope: impl Fn(f64, f64) -> f64 + Copy + Sync,
) -> Matrix {
    let rows = rows_per_task(x.dims());
    let tasks = out.par_chunks_mut(rows * x.dims()).zip(coefficients.par_chunks(rows)).enumerate();
    tasks.for_each(|(task, (out, coefficients))| {
        x.isa().run(AddSlopes { x, y, first: task * rows, coefficients, slope, out });
    });
    matrix(out, x.len(), x.dims())
}

/// The same of some rows, from `first` on.
struct AddSlopes<'a, F> {
    x: &'a Rows,
    y: &'a Rows,
    first: usize,
    coefficients: &'a [f64],
    slope: F,
    out: &'a mut [f32],
}

impl<F: Fn(f64, f64) -> f64> Job for AddSlopes<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: pulp::Simd, const SIDE: usize>(self, _: S) {
        let Self { x, y, first, coefficients, slope, out } = self;
        let mut gradient = vec![0.0; x.dims()];
        for ((row, out), &coefficient) in (first..).zip(out.chunks_exact_mut(x.dims())).zip(coefficients) {
            let (here, other) = (x.view(row), y.view(row));
            for ((g, &x), &y) in gradient.iter_mut().zip(here.values).zip(other.values) {
                *g = slope(f64::from(x) * here.scale, f64::from(y) * other.scale);
            }
            x.through_scaling(row, &mut gradient);
            for (out, &g) in out.iter_mut().zip(&gradient) {
                *out = finite(f64::from(*out) + coefficient * g) as f32;
            }
        }
    }
}
