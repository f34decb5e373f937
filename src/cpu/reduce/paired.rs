//! Paired rows: a term of row i of one set with row i of the other, and its gradient.

use rayon::prelude::*;

use crate::{
    cpu::{
        matrix::{into_values, matrix},
        points::{Rows, filled, finite, rows_per_pass, rows_per_task},
        simd::{
            isa::{Isa, Job},
            lanes::sum_of,
        },
        spare::unwritten,
    },
    error::Result,
    points::{Matrix, RowView},
};

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
    let rows = rows_per_pass(x.dims());
    out.par_chunks_mut(rows).enumerate().for_each(|(task, out)| {
        isa.run(Sums { x, y, first: task * rows, out, term });
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
    let adds = sum.is_some();
    let (mut on_x, mut on_y) = match sum {
        Some((on_x, on_y)) => (into_values(on_x)?, into_values(on_y)?),
        None => (unwritten(x.len(), x.dims())?, unwritten(y.len(), y.dims())?),
    };
    let rows = rows_per_task(x.dims()).div_ceil(2);
    let tasks = on_x.par_chunks_mut(rows * x.dims()).zip(on_y.par_chunks_mut(rows * y.dims()));
    tasks.zip(coefficients.par_chunks(rows)).enumerate().for_each(|(task, ((on_x, on_y), coefficients))| {
        x.isa().run(WriteSlopes { x, y, first: task * rows, coefficients, slope, adds, on_x, on_y });
    });
    Ok((matrix(on_x, x.len(), x.dims()), matrix(on_y, y.len(), y.dims())))
}

/// Writes cᵢ times the slopes for both rows of some pairs, from `first` on, through the scaling of each, or adds them to what is there.
struct WriteSlopes<'a, F> {
    x: &'a Rows,
    y: &'a Rows,
    first: usize,
    coefficients: &'a [f64],
    slope: F,
    adds: bool,
    on_x: &'a mut [f32],
    on_y: &'a mut [f32],
}

impl<F: Fn(f64, f64) -> f64> Job for WriteSlopes<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: pulp::Simd, const SIDE: usize>(self, _: S) {
        let Self { x, y, first, coefficients, slope, adds, on_x, on_y } = self;
        let dims = x.dims();
        let out = on_x.chunks_exact_mut(dims).zip(on_y.chunks_exact_mut(dims));
        for ((row, (on_x, on_y)), &coefficient) in (first..).zip(out).zip(coefficients) {
            let (of_x, of_y) = (x.view(row), y.view(row));
            let through_x = x.scaling_of(row, || sum_over_dims(of_x, of_y, |x, y| x * slope(x, y)));
            let through_y = y.scaling_of(row, || sum_over_dims(of_x, of_y, |x, y| y * slope(y, x)));
            let values = of_x.values.iter().zip(of_y.values);
            for ((on_x, on_y), (&x, &y)) in on_x.iter_mut().zip(on_y).zip(values) {
                let (x, y) = (f64::from(x) * of_x.scale, f64::from(y) * of_y.scale);
                let before = if adds { [*on_x, *on_y] } else { [0.0; 2] }.map(f64::from);
                *on_x = finite(before[0] + coefficient * through_x.carry(slope(x, y), x)) as f32;
                *on_y = finite(before[1] + coefficient * through_y.carry(slope(y, x), y)) as f32;
            }
        }
    }
}
