//! A block's share of the pulls: its weights times the points on either side.

use std::ops::Range;

use pulp::Simd;

use super::{
    float::Float,
    level::Job,
    pack::{Scratch, interleave, prefetch},
    points::Rows,
    pull::{Panel, Weights},
    tile::{Product, sums, width},
};
use crate::pairs::Block;

/// Adds a block's share to the panels on its left and right; returns Σ w of the block.
pub(super) struct Pull<'a, 'p, T: Float, W> {
    pub(super) rows: (&'a Rows, &'a Rows),
    pub(super) block: &'a Block,
    pub(super) weights: &'a W,
    pub(super) centre: &'a [T],
    pub(super) scratch: &'a mut Scratch<T>,
    /// From the weights of one row on the right to those of the next.
    pub(super) stride: usize,
    pub(super) left: &'a mut Panel<'p, T>,
    /// None on the diagonal, where it is the left one.
    pub(super) right: Option<&'a mut Panel<'p, T>>,
}

impl<T: Float, W: Weights<T>> Job for Pull<'_, '_, T, W> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(mut self, simd: S) -> f64 {
        let Self { rows: (x, y), block, stride, centre, .. } = self;
        self.weights.fill::<S, SIDE>(simd, self.rows, block, self.scratch, stride);
        let (n, m) = (block.rows.len(), block.cols.len());
        let Scratch { weights, turned, strip, .. } = self.scratch;
        let weights = &*weights.take(stride * stride);
        let sum = add_totals(weights, stride, (n, m), self.left, self.right.as_deref_mut());

        // The weights by groups of rows on the right, interleaved, as the second product reads them.
        let turned = turned.take(stride * stride);
        let groups = turned.chunks_exact_mut(SIDE * stride);
        for (group, weights) in groups.zip(weights.chunks_exact(SIDE * stride)).take(m.div_ceil(SIDE)) {
            interleave(group, SIDE, SIDE, |r| (&weights[r * stride..][..n], T::from(1.0)));
        }

        let width = width::<S, T>();
        let copied = strip.take(stride * width);
        let strip =
            |(rows, range): (_, &Range<_>), column| Strip { rows, range: range.clone(), column, width };
        for column in (0..x.dims()).step_by(width) {
            let (of_x, of_y) = (strip((x, &block.rows), column), strip((y, &block.cols), column));
            let next_y = strip((y, &block.cols), column + width);
            let points = of_y.copy(copied, centre);
            of_x.multiply::<S, T, SIDE>(simd, points, |i| &weights[i..], stride, self.left.weighted, &of_x);
            let points = of_x.copy(copied, centre);
            let right = self.right.as_deref_mut().unwrap_or(&mut *self.left);
            let turned = |j: usize| &turned[j * stride..][..n * SIDE];
            of_y.multiply::<S, T, SIDE>(simd, points, turned, SIDE, right.weighted, &next_y);
        }
        sum
    }
}

/// Adds the weights of each row and of each column to the totals; returns the sum of all.
#[inline(always)]
fn add_totals<'p, T: Float>(
    weights: &[T],
    stride: usize,
    (n, m): (usize, usize),
    left: &mut Panel<'p, T>,
    mut right: Option<&mut Panel<'p, T>>,
) -> f64 {
    let mut sum = 0.0;
    for (j, weights) in weights.chunks_exact(stride).take(m).enumerate() {
        // Eight sums side by side, so that they fill a vector.
        let mut lanes = [0.0; 8];
        for (weights, totals) in weights[..n].chunks(8).zip(left.total.chunks_mut(8)) {
            for ((&weight, total), lane) in weights.iter().zip(totals).zip(&mut lanes) {
                let weight: f64 = weight.into();
                *total += weight;
                *lane += weight;
            }
        }
        let of_column: f64 = lanes.iter().sum();
        right.as_deref_mut().unwrap_or(&mut *left).total[j] += of_column;
        sum += of_column;
    }
    sum
}

/// Some columns of some rows.
struct Strip<'a> {
    rows: &'a Rows,
    range: Range<usize>,
    column: usize,
    width: usize,
}

impl Strip<'_> {
    /// The columns that there are.
    #[inline(always)]
    fn columns(&self) -> Range<usize> {
        let dims = self.rows.dims();
        self.column.min(dims)..dims.min(self.column + self.width)
    }

    /// The points as metrics see them, relative to the centre; zeros in columns that there are not.
    #[inline(always)]
    fn copy<'o, T: Float>(&self, out: &'o mut [T], centre: &[T]) -> &'o [T] {
        let columns = self.columns();
        let out = &mut out[..self.range.len() * self.width];
        for (row, out) in self.range.clone().zip(out.chunks_exact_mut(self.width)) {
            let scale = self.rows.scale_of::<T>(row);
            let values = &self.rows.row(row)[columns.clone()];
            for ((out, &v), &c) in out.iter_mut().zip(values).zip(&centre[columns.clone()]) {
                *out = T::from(v) * scale - c;
            }
            out[columns.len()..].fill(T::default());
        }
        out
    }

    /// Adds, to this strip of `sums`, `points` times the weights of its rows, which start at `weights(row)`.
    /// Meanwhile the strip that is read next is called into the cache.
    #[inline(always)]
    fn multiply<'w, S: Simd, T: Float + 'w, const SIDE: usize>(
        &self,
        simd: S,
        points: &[T],
        weights: impl Fn(usize) -> &'w [T],
        stride: usize,
        out: &mut [T],
        next: &Strip<'_>,
    ) {
        let dims = self.rows.dims();
        let mut buffer = [T::default(); 32];
        let buffer = &mut buffer[..self.width];
        for (group, out) in out.chunks_mut(SIDE * dims).enumerate() {
            let first = group * SIDE;
            for row in next.range.clone().skip(first).take(SIDE) {
                prefetch(&next.rows.row(row)[next.columns()]);
            }
            for out in out.chunks_exact(dims) {
                prefetch(&out[self.columns()]);
            }
            let products = sums::<S, T, Product, SIDE>(simd, points, weights(first), stride);
            for (out, products) in out.chunks_exact_mut(dims).zip(&products) {
                T::vectors_mut::<S>(buffer).copy_from_slice(products);
                for (out, &product) in out[self.columns()].iter_mut().zip(&*buffer) {
                    *out += product;
                }
            }
        }
    }
}
