//! Gradients from weighted sums, and the evidence of how much of the sums cancels in them.

use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{
        gradient::sums::WeightedSums,
        matrix::{into_values, matrix},
        points::{Rows, finite, rows_per_task},
        simd::{
            float::Float,
            isa::Job,
            lanes::{LANES, sum_of},
        },
    },
    error::Result,
    points::{Matrix, RowView, Scaling},
};

/// Points whose weighted sums about a centre become gradients.
struct RowSums<'a, T> {
    rows: &'a Rows,
    centre: &'a [T],
}

/// Inner products of the gradient g of a row x.
struct Products {
    /// ⟨g, x − centre⟩
    away: f64,
    /// ⟨g, x⟩ of a unit row, which its scaling takes out of the gradient; 0 of a raw one.
    radial: f64,
    /// ⟨g, g⟩
    square: f64,
}

impl<T: Float> RowSums<'_, T> {
    /// Gradient Σⱼ wᵢⱼ (xⱼ − xᵢ) of a row as metrics see it.
    #[inline(always)]
    fn gradient(&self, row: usize, weighted: &[T], total: f64, out: &mut [f64]) -> Products {
        let RowView { values, scale } = self.rows.view(row);
        let rounded = self.rows.scale_of::<T>(row);
        let mut sums = [[0.0; LANES]; 3];
        let mut some = |out: &mut [f64], weighted: &[T], values: &[f32], centre: &[T]| {
            for lane in 0..out.len() {
                // In the arithmetic in which the sums saw this row.
                let here: f64 = (T::from(values[lane]) * rounded - centre[lane]).into();
                let (x, c): (_, f64) = (f64::from(values[lane]) * scale, centre[lane].into());
                let g = weighted[lane].into() - total * here;
                sums[0][lane] += g * (x - c);
                sums[1][lane] += g * x;
                sums[2][lane] += g * g;
                out[lane] = g;
            }
        };
        let ((out, last_out), (weighted, last_weighted)) = (out.as_chunks_mut(), weighted.as_chunks());
        let ((values, last_values), (centre, last_centre)) = (values.as_chunks(), self.centre.as_chunks());
        let chunks: [&[[_; LANES]]; 2] = [weighted, centre];
        for (((out, weighted), values), centre) in out.iter_mut().zip(chunks[0]).zip(values).zip(chunks[1]) {
            let (out, values): (&mut [f64; LANES], &[f32; LANES]) = (out, values);
            some(out, weighted, values, centre);
        }
        some(last_out, last_weighted, last_values, last_centre);
        let [away, radial, square] = sums.map(|lanes| lanes.iter().sum());
        Products { away, radial: if self.rows.scaling() == Scaling::Unit { radial } else { 0.0 }, square }
    }
}

/// Rows, evenly spread, that show whether sums cancel.
const ROWS_SAMPLED: usize = 256;

/// Smallest part of the weighted sums that may be left in f32: below it their rounding, about 1e-7, shows in the fifth digit.
pub(crate) const MIN_F32_REMAINDER: f64 = 0.03;

/// Whether no more than this part of the weighted sums is left in the gradient, as in tight clusters.
pub(crate) fn cancels<T: Float>(rows: &Rows, sums: &WeightedSums<T>, centre: &[T], part: f64) -> bool {
    let sample: Vec<_> = (0..rows.len()).step_by(rows.len().div_ceil(ROWS_SAMPLED).max(1)).collect();
    let of_rows =
        |sample: &[usize]| rows.isa().run(SampledRemainder { of: RowSums { rows, centre }, sums, sample });
    let remainders: Vec<_> = sample.par_chunks(rows_per_task(rows.dims())).map(of_rows).collect();
    Remainder::of_parts(remainders).is_below(part)
}

/// What is left of weighted sums in gradients: their squares, summed over some rows.
#[derive(Clone, Copy, Default)]
struct Remainder {
    /// Σ of the squares of gradients along the sphere.
    left: f64,
    /// Σ of the squares of weighted sums.
    summed: f64,
}

impl Remainder {
    #[inline(always)]
    fn of_row<T: Float>(products: &Products, weighted: &[T]) -> Self {
        let left = (products.square - products.radial.powi(2)).max(0.0);
        Self { left, summed: sum_of(weighted, weighted, |a, b| a.into() * b.into()) }
    }

    #[inline(always)]
    fn add(&mut self, other: Self) {
        self.left += other.left;
        self.summed += other.summed;
    }

    /// Of all rows, from those of parts of them.
    fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        parts.into_iter().for_each(|part| all.add(part));
        all
    }

    /// Whether less than this part of the sums is left.
    fn is_below(self, part: f64) -> bool {
        self.left < part.powi(2) * self.summed
    }
}

/// Remainder in some rows.
struct SampledRemainder<'a, T> {
    of: RowSums<'a, T>,
    sums: &'a WeightedSums<T>,
    sample: &'a [usize],
}

impl<T: Float> Job for SampledRemainder<'_, T> {
    type Output = Remainder;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, _: S) -> Remainder {
        let dims = self.of.rows.dims();
        let mut gradient = vec![0.0; dims];
        let mut remainder = Remainder::default();
        for &row in self.sample {
            let weighted = &self.sums.weighted[row * dims..][..dims];
            let products = self.of.gradient(row, weighted, self.sums.total[row], &mut gradient);
            remainder.add(Remainder::of_row(&products, weighted));
        }
        remainder
    }
}

/// Gradient of a set, and what its weighted sums are along its points.
pub(crate) struct Finished {
    pub(crate) gradient: Matrix,
    /// Σ ⟨x − centre, Σⱼ wᵢⱼ (xⱼ − xᵢ)⟩ over all rows. Of both sets together it is −Σ w‖x−y‖².
    pub(crate) along: f64,
    /// Remainder of all rows, before anything is added to the gradient; nothing of sums in f64, which have digits enough.
    remainder: Remainder,
}

impl Finished {
    /// Whether so much of the weighted sums cancels that their rounding in f32 shows.
    pub(crate) fn cancels(&self) -> bool {
        self.remainder.is_below(MIN_F32_REMAINDER)
    }
}

/// [`Finished::along`] of sums that no gradient is made of.
pub(crate) fn along<T: Float>(rows: &Rows, sums: &WeightedSums<T>, centre: &[T]) -> f64 {
    let (dims, count) = (rows.dims(), rows_per_task(rows.dims()));
    let tasks = sums.weighted.par_chunks(count * dims).zip(sums.total.par_chunks(count)).enumerate();
    let of_rows = |(task, (weighted, total)): (usize, (&[T], &[f64]))| {
        rows.isa().run(Along { of: RowSums { rows, centre }, first: task * count, weighted, total })
    };
    tasks.map(of_rows).collect::<Vec<_>>().into_iter().sum()
}

/// The same of some rows, from `first` on.
struct Along<'a, T> {
    of: RowSums<'a, T>,
    first: usize,
    weighted: &'a [T],
    total: &'a [f64],
}

impl<T: Float> Job for Along<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, _: S) -> f64 {
        let dims = self.of.rows.dims();
        let mut gradient = vec![0.0; dims];
        let rows = (self.first..).zip(self.weighted.chunks_exact(dims)).zip(self.total);
        rows.fold(0.0, |sum, ((row, weighted), &total)| {
            sum + self.of.gradient(row, weighted, total, &mut gradient).away
        })
    }
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
    let (dims, count) = (rows.dims(), rows_per_task(rows.dims()));
    let sum = sum.map(into_values).transpose()?;
    let tasks = out.par_chunks_mut(count * dims).zip(total.par_chunks(count)).enumerate();
    let parts = tasks.map(|(task, (out, total))| {
        let (of, first) = (RowSums { rows, centre }, task * count);
        let sum = sum.as_ref().map(|sum| &sum[first * dims..][..out.len()]);
        rows.isa().run(Finish { of, first, total, slope, sum, out })
    });
    let (along, remainders): (Vec<_>, Vec<_>) = parts.collect::<Vec<_>>().into_iter().unzip();
    let gradient = matrix(T::into_f32(out), rows.len(), dims);
    Ok(Finished { gradient, along: along.into_iter().sum(), remainder: Remainder::of_parts(remainders) })
}

/// The same of some rows, from `first` on; returns the parts of these in [`Finished::along`] and in the remainder.
struct Finish<'a, T> {
    of: RowSums<'a, T>,
    first: usize,
    total: &'a [f64],
    slope: f64,
    sum: Option<&'a [f32]>,
    /// Weighted sums, which become gradients.
    out: &'a mut [T],
}

impl<T: Float> Job for Finish<'_, T> {
    type Output = (f64, Remainder);

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, _: S) -> (f64, Remainder) {
        let Self { of, first, total, slope, sum, out } = self;
        let dims = of.rows.dims();
        let mut gradient = vec![0.0; dims];
        let (mut along, mut remainder) = (0.0, Remainder::default());
        for ((i, out), &total) in out.chunks_exact_mut(dims).enumerate().zip(total) {
            let row = first + i;
            let products = of.gradient(row, out, total, &mut gradient);
            if T::IS_F32 {
                remainder.add(Remainder::of_row(&products, out));
            }
            let Products { away, radial, .. } = products;
            along += away;
            let (RowView { values, scale }, by_length) =
                (of.rows.view(row), slope * of.rows.inverse_length(row));
            for (g, &x) in gradient.iter_mut().zip(values) {
                *g = (*g - f64::from(x) * scale * radial) * by_length;
            }
            if let Some(sum) = sum {
                gradient.iter_mut().zip(&sum[i * dims..]).for_each(|(g, &sum)| *g += f64::from(sum));
            }
            for (out, &g) in out.iter_mut().zip(&gradient) {
                *out = T::nearest(finite(g));
            }
        }
        (along, remainder)
    }
}
