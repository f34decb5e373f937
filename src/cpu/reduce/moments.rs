//! Mean and covariance of points.

use std::ops::Range;

use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{
        block::{
            microkernel::{MAX_TILE_WIDTH, Product, Right, microkernel, width},
            pack::{Buffer, Pool},
        },
        pairs::PairSet,
        points::Rows,
        simd::isa::{Isa, Job},
    },
    error::Result,
    memory::filled,
    points::{Moments, Offset, gram},
    progress::Watch,
    schedule::panels,
};

/// Rows of a chunk, and values of it, at most: as many as the cache holds in f64.
const ROWS_PER_CHUNK: usize = 2048;
const VALUES_PER_CHUNK: usize = 512 * 1024;

/// Strips of columns between two questions to the watch.
const STRIPS: usize = 16;

/// Mean and covariance, or Gram matrix of few points, in f64.
pub(crate) fn moments(isa: Isa, x: &Rows, watch: &Watch) -> Result<Moments> {
    let dims = x.dims();
    if x.len() < dims {
        let read = |row: usize, columns: Range<usize>, out: &mut [f64]| {
            let scale = x.scale_of::<f64>(row);
            let values = &x.row(row)[columns];
            out.iter_mut().zip(values).for_each(|(out, &value)| *out = f64::from(value) * scale);
        };
        return gram::moments(x.len(), dims, read, watch);
    }
    let mean = PairSet::Within(x).centre();
    let mut covariance = filled(0.0, dims, dims, || format!("a covariance of {dims} × {dims}"))?;

    let stride = dims + MAX_TILE_WIDTH;
    let chunk = (VALUES_PER_CHUNK / stride).clamp(16, ROWS_PER_CHUNK);
    let mut buffer = Buffer::default();
    let pool = Pool::new();
    let width = isa.run(Width);
    for points in panels(x.len(), chunk) {
        // Points about their mean, side by side.
        let about = buffer.take(points.len() * stride);
        about.par_chunks_exact_mut(stride).zip(points).with_min_len(16).for_each(|(out, row)| {
            out[dims..].fill(0.0);
            let values = x.seen(row).zip(&mean);
            out.iter_mut().zip(values).for_each(|(out, (v, mean))| *out = v - mean);
        });
        let strips = covariance.par_chunks_mut(width * dims).enumerate();
        strips.try_for_each(|(strip, out)| {
            if strip % STRIPS == 0 {
                watch.advance(0)?;
            }
            pool.with(|scratch| {
                isa.run(StripProducts {
                    about,
                    stride,
                    dims,
                    column: strip * width,
                    columns: &mut scratch.columns,
                    out,
                });
            });
            Ok(())
        })?;
    }
    // The other half, and the mean.
    let count = x.len() as f64;
    for a in 0..dims {
        for b in 0..=a {
            let of = covariance[b * dims + a] / count;
            covariance[a * dims + b] = of;
            covariance[b * dims + a] = of;
        }
    }
    Ok(Moments { mean, scatter: covariance, side: dims, offset: Some(Offset::OfDims) })
}

struct Width;

impl Job for Width {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, _: S) -> usize {
        width::<S, f64>()
    }
}

/// Adds Σ (xₐ − meanₐ)(x_b − mean_b) for the columns a of a strip and all b from its first on.
struct StripProducts<'a> {
    about: &'a [f64],
    stride: usize,
    dims: usize,
    column: usize,
    columns: &'a mut Buffer<f64>,
    out: &'a mut [f64],
}

impl Job for StripProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { about, stride, dims, column, .. } = self;
        let width = width::<S, f64>();
        let strip = self.columns.take(about.len() / stride * width);
        for (out, point) in strip.chunks_exact_mut(width).zip(about.chunks_exact(stride)) {
            out.copy_from_slice(&point[column..][..width]);
        }
        for b in (column..dims).step_by(SIDE) {
            let right = Columns { about, stride, first: b };
            let products = microkernel::<S, f64, Product, _, SIDE>(simd, strip, right);
            for (r, products) in products.iter().enumerate().take(dims - b) {
                let mut lanes = [0.0; MAX_TILE_WIDTH];
                for (lanes, &products) in lanes.chunks_exact_mut(S::F64_LANES).zip(products) {
                    simd.partial_store_f64s(lanes, products);
                }
                for (out, lane) in self.out.chunks_exact_mut(dims).zip(lanes) {
                    out[b + r] += lane;
                }
            }
        }
    }
}

/// Columns of the points, `SIDE` from `first` on.
#[derive(Clone, Copy)]
struct Columns<'a> {
    about: &'a [f64],
    stride: usize,
    first: usize,
}

impl<const SIDE: usize> Right<f64, SIDE> for Columns<'_> {
    const TERMS_PER_PARTIAL_SUM: usize = ROWS_PER_CHUNK;

    #[inline(always)]
    fn value(self, partial: usize, count: usize) -> impl Fn(usize, usize) -> f64 {
        let points = &self.about[partial * ROWS_PER_CHUNK * self.stride..][..count * self.stride];
        move |k, r| points[k * self.stride + self.first + r]
    }
}
