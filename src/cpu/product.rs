//! A block's share of the pulls: its weights times the points on either side.

use std::{mem, ops::Range};

use pulp::Simd;

use super::{
    float::Float,
    level::Job,
    pack::{Scratch, prefetch},
    points::Rows,
    pull::{Panel, Weights},
    sets::Sets,
    table::{LONG, Table},
    tile::{Product, Right, WIDEST, sums, width},
};
use crate::schedule::Block;

/// Adds a block's share to the panels on its left and right; returns Σ w of the block.
pub(super) struct Pull<'a, 'p, T: Float, W> {
    pub(super) sets: Sets<'a>,
    pub(super) block: &'a Block,
    pub(super) weights: &'a W,
    pub(super) centre: &'a [T],
    pub(super) scratch: &'a mut Scratch<T>,
    pub(super) left: &'a mut Panel<'p, T>,
    /// None on the diagonal, where it is the left one.
    pub(super) right: Option<&'a mut Panel<'p, T>>,
}

impl<T: Float, W: Weights<T>> Job for Pull<'_, '_, T, W> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(mut self, simd: S) -> f64 {
        let Self { sets, block, centre, .. } = self;
        let (x, y) = (sets.x, sets.right());
        let width = width::<S, T>();
        let mut memory = mem::take(&mut self.scratch.weights);
        let mut table = Table::of::<SIDE>(&mut memory, block);
        if block.diagonal {
            // No tile lies below the diagonal.
            table.fill(T::default());
        }
        self.weights.fill::<S, SIDE>(simd, sets, block, self.scratch, &mut table);
        let sum = add_totals::<S, T, SIDE>(simd, &table, block, self.left, self.right.as_deref_mut());

        let copied = self.scratch.strip.take(width * block.rows.len().max(block.cols.len()));
        for column in (0..x.dims()).step_by(width) {
            let (of_x, of_y) = (Strip::new(x, &block.rows, column), Strip::new(y, &block.cols, column));
            let next_y = Strip::new(y, &block.cols, column + width);
            let points = of_y.copy::<S, T>(copied, centre);
            let weights = |left| table.down::<SIDE>(left);
            of_x.multiply::<S, T, _, SIDE>(simd, points, weights, self.left.weighted, &of_x);
            let points = of_x.copy::<S, T>(copied, centre);
            let right = self.right.as_deref_mut().unwrap_or(&mut *self.left);
            let weights = |right| table.along(right);
            of_y.multiply::<S, T, _, SIDE>(simd, points, weights, right.weighted, &next_y);
        }
        self.scratch.weights = memory;
        sum
    }
}

/// Adds the weights of each row and of each column to the totals; returns the sum of all.
#[inline(always)]
fn add_totals<'p, S: Simd, T: Float, const SIDE: usize>(
    simd: S,
    weights: &Table<'_, T>,
    block: &Block,
    left: &mut Panel<'p, T>,
    mut right: Option<&mut Panel<'p, T>>,
) -> f64 {
    let zero = T::splat(simd, T::default());
    let mut sum = 0.0;
    for j in (0..block.cols.len()).step_by(SIDE) {
        let mut of_right = [zero; SIDE];
        for (rows, totals) in weights.group::<SIDE>(j).zip(left.total.chunks_mut(LONG)) {
            let rows = rows.each_ref().map(|row| T::vectors::<S>(row));
            for (v, totals) in totals.chunks_mut(T::lanes::<S>()).enumerate() {
                let mut of_left = zero;
                for r in 0..SIDE {
                    of_left = T::plus(simd, of_left, rows[r][v]);
                    of_right[r] = T::plus(simd, of_right[r], rows[r][v]);
                }
                let mut lanes = [T::default(); 16];
                T::vectors_mut::<S>(&mut lanes)[0] = of_left;
                totals.iter_mut().zip(lanes).for_each(|(total, v)| *total += v.into());
            }
        }
        let totals = &mut right.as_deref_mut().unwrap_or(&mut *left).total[j..];
        for (total, of_right) in totals.iter_mut().zip(of_right) {
            let of_right = T::lane_sum(simd, of_right).into();
            *total += of_right;
            sum += of_right;
        }
    }
    sum
}

/// As many columns of some rows as a tile is wide.
pub(super) struct Strip<'a> {
    rows: &'a Rows,
    range: Range<usize>,
    column: usize,
}

impl<'a> Strip<'a> {
    /// Those from this column on.
    #[inline(always)]
    pub(super) fn new(rows: &'a Rows, range: &Range<usize>, column: usize) -> Self {
        Self { rows, range: range.clone(), column }
    }

    /// The columns that there are.
    #[inline(always)]
    fn columns(&self, width: usize) -> Range<usize> {
        let dims = self.rows.dims();
        self.column.min(dims)..dims.min(self.column + width)
    }

    /// The points as metrics see them, relative to the centre; zeros in columns that there are not.
    #[inline(always)]
    pub(super) fn copy<'o, S: Simd, T: Float>(&self, out: &'o mut [T], centre: &[T]) -> &'o [T] {
        let width = width::<S, T>();
        let columns = self.columns(width);
        let out = &mut out[..self.range.len() * width];
        // Arrays that overlap with nothing else, as compilers must see to use vectors.
        let (mut here, mut buffer) = ([T::default(); WIDEST], [T::default(); WIDEST]);
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

    /// Adds, to this strip of `sums`, `points` times the weights of its rows, which are `weights(row)` for
    /// `SIDE` of them. Meanwhile the strip that is read next is called into the cache.
    #[inline(always)]
    pub(super) fn multiply<S: Simd, T: Float, R: Right<T, SIDE>, const SIDE: usize>(
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
            let products = sums::<S, T, Product, R, SIDE>(simd, points, weights(first));
            for (out, products) in out.chunks_exact_mut(dims).zip(&products) {
                let out = &mut out[columns.clone()];
                if let [a, b] = T::vectors_mut::<S>(out) {
                    *a = T::plus(simd, *a, products[0]);
                    *b = T::plus(simd, *b, products[1]);
                    continue;
                }
                let mut buffer = [T::default(); WIDEST];
                T::vectors_mut::<S>(&mut buffer[..width]).copy_from_slice(products);
                out.iter_mut().zip(buffer).for_each(|(out, product)| *out += product);
            }
        }
    }
}
