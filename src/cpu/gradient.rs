//! Gradients of sums over all pairs.

use std::marker::PhantomData;

use pulp::Simd;
use rayon::prelude::*;

use super::{
    float::Float,
    kernel::Kernel,
    level::Level,
    log_sum::{Potential, potentials},
    matrix::{into_values, matrix, values},
    pack::Scratch,
    points::Rows,
    pull::{Pulls, Weights, pulls},
    sets::Sets,
    table::Table,
    tile::width,
    walk::{Close, Visit, walk},
};
use crate::{
    error::{Error, Result},
    log_sum::LogSumExp,
    points::Matrix,
    progress::Watch,
    schedule::Block,
    weights::Gradients,
};

/// A sum and its gradient, and whether the gradient is worth having.
pub(super) struct Done {
    pub(super) result: (LogSumExp, Gradients),
    /// So much cancels in it that only f64 tells what is left.
    pub(super) cancels: bool,
}

/// S = Σ exp(−t‖x−y‖²), and the gradient of `weight` · log S.
pub(super) fn log_sum_with_grad<K: Kernel>(
    level: Level,
    sets: Sets<'_>,
    centre: &[f64],
    (t, weight): (f64, f64),
    watch: &Watch<'_>,
) -> Result<Done> {
    // Weights relative to the greatest, which a pass over the values finds where it can be far down.
    let pivot = if K::NEAR { K::TOP } else { potentials::<K>(level, sets, &[t], &watch.silent())?[0].pivot };
    let weights = Exponentials::<K>::new(K::RATE * t, pivot);
    let centre: Vec<_> = centre.iter().map(|&v| K::Real::nearest(v)).collect();
    let (sum, on_x, on_y) = pulls(level, sets, &weights, &centre, |pairs| watch.advance(pairs))?;
    let Sets { x, y, .. } = sets;
    let of_y = y.zip(on_y.as_ref());
    let cancels = cancel(x, &on_x, &centre, CANCELLED)
        || of_y.is_some_and(|(y, pulls)| cancel(y, pulls, &centre, CANCELLED));
    let slope = 2.0 * t * weight / sum;
    let gradients = Gradients {
        x: finish(x, on_x, &centre, slope, None)?,
        y: y.zip(on_y).map(|(y, pulls)| finish(y, pulls, &centre, slope, None)).transpose()?,
    };
    Ok(Done { result: (Potential { pivot, sum }.log_sum::<K>(t), gradients), cancels })
}

/// The gradients of Σ uᵢⱼ‖xᵢ−yⱼ‖².
pub(super) fn squared_distances_grad(
    level: Level,
    x: &Rows,
    y: &Rows,
    upstream: &Matrix,
) -> Result<(Matrix, Matrix)> {
    let weights = Upstream { values: values(upstream)?, row_len: y.len() };
    let sets = Sets::two(x, y);
    let centre = centre(sets);
    let (_, on_x, on_y) = pulls(level, sets, &weights, &centre, |_| Ok(()))?;
    let on_y = on_y.ok_or_else(|| Error::missing("the second gradient"))?;
    Ok((finish(x, on_x, &centre, -2.0, None)?, finish(y, on_y, &centre, -2.0, None)?))
}

/// exp(rate · (closeness − pivot))
pub(super) struct Exponentials<K> {
    rate: f64,
    pivot: f64,
    kernel: PhantomData<K>,
}

impl<K> Exponentials<K> {
    pub(super) fn new(rate: f64, pivot: f64) -> Self {
        Self { rate, pivot, kernel: PhantomData }
    }
}

impl<K: Kernel> Weights<K::Real> for Exponentials<K> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        sets: Sets<'_>,
        block: &Block,
        scratch: &mut Scratch<K::Real>,
        out: &mut Table<'_, K::Real>,
    ) {
        let mut writer = Writer::<K> { exp: K::exp_at(self.rate), pivot: self.pivot, out };
        walk::<S, K, SIDE>(simd, sets, block, scratch, &mut writer);
    }
}

struct Writer<'a, 't, K: Kernel> {
    exp: K::Exp,
    pivot: f64,
    out: &'a mut Table<'t, K::Real>,
}

impl<K: Kernel> Visit<K> for Writer<'_, '_, K> {
    #[inline(always)]
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, K, SIDE>) {
        let (i, j) = tile.at;
        let zero = K::Real::splat(simd, K::Real::default());
        let pivot = K::Real::splat(simd, K::Real::nearest(self.pivot));
        for (r, (out, close)) in self.out.from(i, j, SIDE).zip(&tile.closeness).enumerate() {
            let out = K::Real::vectors_mut::<S>(&mut out[..width::<S, K::Real>()]);
            for half in [0, 1] {
                let weight = K::exp(simd, self.exp, K::Real::minus(simd, close[half], pivot));
                out[half] = tile.counted(simd, (r, half), weight, zero);
            }
        }
    }
}

/// Weights that the caller gives, row-major.
struct Upstream<'a> {
    values: &'a [f32],
    row_len: usize,
}

impl Weights<f64> for Upstream<'_> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        _: S,
        _: Sets<'_>,
        block: &Block,
        _: &mut Scratch<f64>,
        out: &mut Table<'_, f64>,
    ) {
        out.fill(0.0);
        for (i, row) in block.rows.clone().enumerate() {
            let row = &self.values[row * self.row_len..][block.cols.clone()];
            for (out, &value) in out.from(i, 0, row.len()).zip(row) {
                out[0] = value.into();
            }
        }
    }
}

/// How many rows a thread takes at a time for a mean.
const CHUNK: usize = 1024;

/// The mean of all points as metrics see them.
pub(super) fn centre(Sets { x, y, .. }: Sets<'_>) -> Vec<f64> {
    let dims = x.dims();
    let mut sum = vec![0.0; dims];
    let sets = || [Some(x), y].into_iter().flatten();
    for set in sets() {
        let starts: Vec<_> = (0..set.len()).step_by(CHUNK).collect();
        let partial = |&start: &usize| {
            let mut sum = vec![0.0; dims];
            for row in start..set.len().min(start + CHUNK) {
                sum.iter_mut().zip(set.seen(row)).for_each(|(sum, v)| *sum += v);
            }
            sum
        };
        for part in starts.par_iter().map(partial).collect::<Vec<_>>() {
            sum.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
        }
    }
    let count: usize = sets().map(Rows::len).sum();
    sum.into_iter().map(|v| v / count as f64).collect()
}

/// Σⱼ wᵢⱼ (xⱼ − xᵢ) for one row, from its sums about the centre.
fn pull<T: Float>(rows: &Rows, row: usize, centre: &[T], (weighted, total): (&[T], f64), out: &mut [f64]) {
    let scale = rows.scale_of::<T>(row);
    let here = rows.row(row).iter().zip(centre).map(|(&v, &c)| (T::from(v) * scale - c).into());
    for ((out, here), &weighted) in out.iter_mut().zip(here).zip(weighted) {
        *out = weighted.into() - total * here;
    }
}

/// How many rows show whether pulls cancel.
const SAMPLE: usize = 1024;

/// Where only this part of the weighted sums is left, their rounding, about 1e-7, shows in the fifth digit.
pub(super) const CANCELLED: f64 = 0.03;

/// Whether no more than this part of the weighted sums is left in the gradient, as in tight clusters.
pub(super) fn cancel<T: Float>(rows: &Rows, pulls: &Pulls<T>, centre: &[T], part: f64) -> bool {
    let dims = rows.dims();
    let square = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
    let of_row = |tangent: &mut Vec<f64>, row: usize| {
        let weighted = &pulls.weighted[row * dims..][..dims];
        pull(rows, row, centre, (weighted, pulls.total[row]), tangent);
        rows.remove_radial(row, tangent);
        (square(tangent), weighted.iter().map(|&v| v.into() * v.into()).sum::<f64>())
    };
    let sample: Vec<_> = (0..rows.len()).step_by(rows.len().div_ceil(SAMPLE)).collect();
    let squares: Vec<_> = sample.into_par_iter().map_init(|| vec![0.0; dims], of_row).collect();
    let (left, summed) = squares.iter().fold((0.0, 0.0), |(left, summed), of| (left + of.0, summed + of.1));
    left < part.powi(2) * summed
}

/// `slope` times the pulls, through the scaling of the rows, added to `sum` where given; finite in any case.
pub(super) fn finish<T: Float>(
    rows: &Rows,
    pulls: Pulls<T>,
    centre: &[T],
    slope: f64,
    sum: Option<Matrix>,
) -> Result<Matrix> {
    let Pulls { weighted: mut out, total } = pulls;
    let dims = rows.dims();
    let sum = sum.map(into_values).transpose()?;
    let of_rows = out.par_chunks_exact_mut(dims).zip(total).enumerate();
    of_rows.for_each_init(
        || vec![0.0; dims],
        |gradient, (row, (out, total))| {
            pull(rows, row, centre, (out, total), gradient);
            rows.through_scaling(row, gradient);
            gradient.iter_mut().for_each(|g| *g *= slope);
            if let Some(sum) = &sum {
                gradient.iter_mut().zip(&sum[row * dims..]).for_each(|(g, &sum)| *g += f64::from(sum));
            }
            for (out, &g) in out.iter_mut().zip(&*gradient) {
                *out = T::nearest(finite(g));
            }
        },
    );
    Ok(matrix(T::into_f32(out), rows.len(), dims))
}

/// The nearest value that f32 can hold.
pub(super) fn finite(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(f32::MIN.into(), f32::MAX.into()) }
}
