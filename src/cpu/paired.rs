//! Pairs of rows: row i of one set with row i of the other.

use rayon::prelude::*;

use super::{
    gradient::finite,
    level::{Job, Level},
    matrix::{into_values, matrix},
    points::Rows,
};
use crate::{error::Result, points::Matrix};

/// How many rows a thread takes at a time.
const CHUNK: usize = 64;

/// ‖xᵢ−yᵢ‖² for every row.
pub(super) fn squared_distances(level: Level, x: &Rows, y: &Rows) -> Vec<f64> {
    sums(level, x, y, |x, y| (x - y) * (x - y))
}

/// ⟨xᵢ, yᵢ⟩ for every row.
pub(super) fn dots(level: Level, x: &Rows, y: &Rows) -> Vec<f64> {
    sums(level, x, y, |x, y| x * y)
}

/// The sum of a term over the dimensions, for every row.
fn sums(level: Level, x: &Rows, y: &Rows, term: impl Fn(f64, f64) -> f64 + Copy + Sync) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
        level.run(Sums { x, y, first: chunk * CHUNK, out, term });
    });
    out
}

struct Sums<'a, F> {
    x: &'a Rows,
    y: &'a Rows,
    first: usize,
    out: &'a mut [f64],
    term: F,
}

impl<F: Fn(f64, f64) -> f64> Job for Sums<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: pulp::Simd, const SIDE: usize>(self, _: S) {
        for (i, out) in self.out.iter_mut().enumerate() {
            let row = self.first + i;
            *out = sum_of((self.x, row), (self.y, row), &self.term);
        }
    }
}

/// The sum of a term over the dimensions of two rows.
#[inline(always)]
pub(super) fn sum_of((x, i): (&Rows, usize), (y, j): (&Rows, usize), term: impl Fn(f64, f64) -> f64) -> f64 {
    let (sx, sy) = (x.scale_of::<f64>(i), y.scale_of::<f64>(j));
    // Sums side by side, so that they fill vectors.
    let mut lanes = [0.0; 16];
    for (x, y) in x.row(i).chunks(lanes.len()).zip(y.row(j).chunks(lanes.len())) {
        for ((&x, &y), lane) in x.iter().zip(y).zip(&mut lanes) {
            *lane += term(f64::from(x) * sx, f64::from(y) * sy);
        }
    }
    lanes.iter().sum()
}

/// The gradients of Σ cᵢfᵢ for x and y, added to `sum` where given, where `slope` is that of a symmetric f(x, y) for x.
pub(super) fn grad(
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
    Ok((add_half(on_x, (x, y), coefficients, slope), add_half(on_y, (y, x), coefficients, slope)))
}

/// Adds cᵢ times the slope, through the scaling of x.
fn add_half(
    mut out: Vec<f32>,
    (x, y): (&Rows, &Rows),
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
