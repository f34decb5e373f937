//! Gradients from weighted sums, and the evidence of how much of the sums cancels in them.

use rayon::prelude::*;

use crate::{
    cpu::{
        gradient::accumulate::WeightedSums,
        matrix::{into_values, matrix},
        points::{Rows, finite},
        simd::float::Float,
    },
    error::Result,
    points::Matrix,
};

/// Gradient Σⱼ wᵢⱼ (xⱼ − xᵢ) of one row, from its sums about the centre.
fn row_gradient<T: Float>(
    rows: &Rows,
    row: usize,
    centre: &[T],
    weighted: &[T],
    total: f64,
    out: &mut [f64],
) {
    let scale = rows.scale_of::<T>(row);
    let here = rows.row(row).iter().zip(centre).map(|(&v, &c)| (T::from(v) * scale - c).into());
    for ((out, here), &weighted) in out.iter_mut().zip(here).zip(weighted) {
        *out = weighted.into() - total * here;
    }
}

/// Rows, evenly spread, that show whether sums cancel.
const ROWS_SAMPLED: usize = 1024;

/// Smallest part of the weighted sums that may be left in f32: below it their rounding, about 1e-7, shows in the fifth digit.
pub(crate) const MIN_F32_REMAINDER: f64 = 0.03;

/// Whether no more than this part of the weighted sums is left in the gradient, as in tight clusters.
pub(crate) fn cancels<T: Float>(rows: &Rows, sums: &WeightedSums<T>, centre: &[T], part: f64) -> bool {
    let dims = rows.dims();
    let square = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
    let of_row = |tangent: &mut Vec<f64>, row: usize| {
        let weighted = &sums.weighted[row * dims..][..dims];
        row_gradient(rows, row, centre, weighted, sums.total[row], tangent);
        rows.remove_radial(row, tangent);
        (square(tangent), weighted.iter().map(|&v| v.into() * v.into()).sum::<f64>())
    };
    let sample: Vec<_> = (0..rows.len()).step_by(rows.len().div_ceil(ROWS_SAMPLED)).collect();
    let squares: Vec<_> = sample.into_par_iter().map_init(|| vec![0.0; dims], of_row).collect();
    let (left, summed) = squares.iter().fold((0.0, 0.0), |(left, summed), of| (left + of.0, summed + of.1));
    left < part.powi(2) * summed
}

/// Gradient of a set, and what its weighted sums are along its points.
pub(crate) struct Finished {
    pub(crate) gradient: Matrix,
    /// Σ ⟨x − centre, Σⱼ wᵢⱼ (xⱼ − xᵢ)⟩ over all rows. Of both sets together it is −Σ w‖x−y‖².
    pub(crate) along: f64,
}

/// What the gradient of a row is along its point, as far as that is from the centre.
fn along_row<T: Float>(rows: &Rows, row: usize, centre: &[T], gradient: &[f64]) -> f64 {
    let here = rows.seen(row).zip(centre).map(|(x, &c)| x - c.into());
    here.zip(gradient).map(|(x, g)| x * g).sum()
}

/// [`Finished::along`] of sums that no gradient is made of.
pub(crate) fn along<T: Float>(rows: &Rows, sums: &WeightedSums<T>, centre: &[T]) -> f64 {
    let dims = rows.dims();
    let of_row = |gradient: &mut Vec<f64>, row: usize| {
        row_gradient(rows, row, centre, &sums.weighted[row * dims..][..dims], sums.total[row], gradient);
        along_row(rows, row, centre, gradient)
    };
    let rows: Vec<_> = (0..rows.len()).into_par_iter().map_init(|| vec![0.0; dims], of_row).collect();
    rows.into_iter().sum()
}

/// Gradient of all rows: `slope` times the weighted sums, through the scaling, added to `sum` where given; always finite.
pub(crate) fn finish<T: Float>(
    rows: &Rows,
    sums: WeightedSums<T>,
    centre: &[T],
    slope: f64,
    sum: Option<Matrix>,
) -> Result<Finished> {
    let WeightedSums { weighted: mut out, total } = sums;
    let dims = rows.dims();
    let sum = sum.map(into_values).transpose()?;
    let of_rows = out.par_chunks_exact_mut(dims).zip(total).enumerate();
    let along = of_rows.map_init(
        || vec![0.0; dims],
        |gradient, (row, (out, total))| {
            row_gradient(rows, row, centre, out, total, gradient);
            let along = along_row(rows, row, centre, gradient);
            rows.through_scaling(row, gradient);
            gradient.iter_mut().for_each(|g| *g *= slope);
            if let Some(sum) = &sum {
                gradient.iter_mut().zip(&sum[row * dims..]).for_each(|(g, &sum)| *g += f64::from(sum));
            }
            for (out, &g) in out.iter_mut().zip(&*gradient) {
                *out = T::nearest(finite(g));
            }
            along
        },
    );
    let along = along.collect::<Vec<_>>().into_iter().sum();
    Ok(Finished { gradient: matrix(T::into_f32(out), rows.len(), dims), along })
}
