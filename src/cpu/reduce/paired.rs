//! Paired rows: a term of row i of one set with row i of the other, and its gradient.

use rayon::prelude::*;

use crate::{
    cpu::{
        matrix::{into_values, matrix},
        points::{Rows, finite},
        simd::isa::{Isa, Job},
    },
    error::Result,
    points::{Matrix, RowView},
};

/// Rows that a thread takes at a time.
const ROWS_PER_TASK: usize = 64;

/// Squared distances ‖xᵢ−yᵢ‖² of every row.
pub(crate) fn squared_distances(isa: Isa, x: &Rows, y: &Rows) -> Vec<f64> {
    sums(isa, x, y, |x, y| (x - y) * (x - y))
}

/// Inner products ⟨xᵢ, yᵢ⟩ of every row.
pub(crate) fn dots(isa: Isa, x: &Rows, y: &Rows) -> Vec<f64> {
    sums(isa, x, y, |x, y| x * y)
}

/// Sum of a term over the dimensions, for every row.
fn sums(isa: Isa, x: &Rows, y: &Rows, term: impl Fn(f64, f64) -> f64 + Copy + Sync) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(ROWS_PER_TASK).enumerate().for_each(|(chunk, out)| {
        isa.run(Sums { x, y, first: chunk * ROWS_PER_TASK, out, term });
    });
    out
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
    // Sums side by side, so that they fill vectors.
    let mut lanes = [0.0; 16];
    for (xs, ys) in x.values.chunks(lanes.len()).zip(y.values.chunks(lanes.len())) {
        for ((&a, &b), lane) in xs.iter().zip(ys).zip(&mut lanes) {
            *lane += term(f64::from(a) * x.scale, f64::from(b) * y.scale);
        }
    }
    lanes.iter().sum()
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
        None => (vec![0.0; x.len() * x.dims()], vec![0.0; y.len() * y.dims()]),
    };
    Ok((add_slopes(on_x, x, y, coefficients, slope), add_slopes(on_y, y, x, coefficients, slope)))
}

/// Adds cᵢ times the slope for x, through the scaling of x.
fn add_slopes(
    mut out: Vec<f32>,
    x: &Rows,
    y: &Rows,
    coefficients: &[f64],
    slope: impl Fn(f64, f64) -> f64 + Copy + Sync,
) -> Matrix {
    let rows = out.par_chunks_exact_mut(x.dims()).zip(coefficients).enumerate();
    rows.for_each_init(
        || vec![0.0; x.dims()],
        |gradient, (row, (out, &coefficient))| {
            for ((g, x), y) in gradient.iter_mut().zip(x.seen(row)).zip(y.seen(row)) {
                *g = slope(x, y);
            }
            x.through_scaling(row, gradient);
            for (out, &g) in out.iter_mut().zip(&*gradient) {
                *out = finite(f64::from(*out) + coefficient * g) as f32;
            }
        },
    );
    matrix(out, x.len(), x.dims())
}
