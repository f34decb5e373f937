//! Strips: columns of points, copied for a product with weights.

use std::ops::Range;

use pulp::Simd;

use crate::cpu::{
    block::{
        microkernel::{MAX_TILE_WIDTH, Product, Right, Tile, microkernel, width},
        pack::prefetch,
    },
    points::Rows,
    simd::float::Float,
};

/// Strip of columns, as wide as a tile, of some rows.
pub(crate) struct Strip<'a> {
    rows: &'a Rows,
    range: Range<usize>,
    column: usize,
}

impl<'a> Strip<'a> {
    /// Strip of the columns from this one on.
    #[inline(always)]
    pub(crate) fn new(rows: &'a Rows, range: &Range<usize>, column: usize) -> Self {
        Self { rows, range: range.clone(), column }
    }

    /// Columns that exist.
    #[inline(always)]
    fn columns(&self, width: usize) -> Range<usize> {
        let dims = self.rows.dims();
        self.column.min(dims)..dims.min(self.column + width)
    }

    /// Copy of the points as metrics see them, relative to the centre; zeros in columns that do not exist.
    #[inline(always)]
    pub(crate) fn copy<'o, S: Simd, T: Float>(&self, out: &'o mut [T], centre: &[T]) -> &'o [T] {
        let width = width::<S, T>();
        let columns = self.columns(width);
        let out = &mut out[..self.range.len() * width];
        // Local arrays overlap with nothing, which compilers must see to use vectors.
        let (mut here, mut buffer) = ([T::default(); MAX_TILE_WIDTH], [T::default(); MAX_TILE_WIDTH]);
        here[..columns.len()].copy_from_slice(&centre[columns.clone()]);
        for (row, out) in self.range.clone().zip(out.chunks_exact_mut(width)) {
            let scale = self.rows.scale_of::<T>(row);
            let values = &self.rows.row(row)[columns.clone()];
            let place = |((out, &v), &c): ((&mut T, &f32), &T)| *out = T::from(v) * scale - c;
            if let Some(values) = values.get(..width) {
                buffer[..width].iter_mut().zip(values).zip(&here).for_each(place);
            } else {
                buffer.iter_mut().zip(values).zip(&here).for_each(place);
            }
            out.copy_from_slice(&buffer[..width]);
        }
        out
    }

    /// Adds `points` times the weights of this strip's rows, which are `weights(row)` for `SIDE` of them, to the same strip
    /// of `out`. Meanwhile the strip that is read next is prefetched.
    #[inline(always)]
    pub(crate) fn multiply<S: Simd, T: Float, R: Right<T, SIDE>, const SIDE: usize>(
        &self,
        simd: S,
        points: &[T],
        weights: impl Fn(usize) -> R,
        out: &mut [T],
        next: &Strip<'_>,
    ) {
        let width = width::<S, T>();
        let (dims, columns) = (self.rows.dims(), self.columns(width));
        let next_columns = next.columns(width);
        for (group, out) in out.chunks_mut(SIDE * dims).enumerate() {
            let first = group * SIDE;
            for row in next.range.clone().skip(first).take(SIDE) {
                prefetch(&next.rows.row(row)[next_columns.clone()]);
            }
            for out in out.chunks_exact(dims) {
                prefetch(&out[columns.clone()]);
            }
            let products = microkernel::<S, T, Product, R, SIDE>(simd, points, weights(first));
            add_to_columns::<S, T, SIDE>(simd, &products, dims, columns.clone(), out);
        }
    }
}

/// Adds a tile to some columns of the rows of `out`.
#[inline(always)]
pub(crate) fn add_to_columns<S: Simd, T: Float, const SIDE: usize>(
    simd: S,
    tile: &Tile<S, T, SIDE>,
    dims: usize,
    columns: Range<usize>,
    out: &mut [T],
) {
    for (out, tile) in out.chunks_exact_mut(dims).zip(tile) {
        let out = &mut out[columns.clone()];
        if let [a, b] = T::vectors_mut::<S>(out) {
            *a = T::plus(simd, *a, tile[0]);
            *b = T::plus(simd, *b, tile[1]);
            continue;
        }
        let width = width::<S, T>();
        let mut buffer = [T::default(); MAX_TILE_WIDTH];
        T::vectors_mut::<S>(&mut buffer[..width]).copy_from_slice(tile);
        out.iter_mut().zip(buffer).for_each(|(out, v)| *out += v);
    }
}
