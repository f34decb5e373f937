//! A block's weights times the points on one of its sides, where those on the other have to wait.

use pulp::Simd;

use super::{
    float::Float,
    level::Job,
    pack::{Buffer, Scratch},
    product::Strip,
    pull::{Panel, Weights},
    sets::Sets,
    table::Table,
    tile::width,
};
use crate::schedule::Block;

/// Writes a block's weights to `memory`.
pub(super) struct Fill<'a, T: Float, W> {
    pub(super) sets: Sets<'a>,
    pub(super) block: &'a Block,
    pub(super) weights: &'a W,
    pub(super) scratch: &'a mut Scratch<T>,
    pub(super) memory: &'a mut Buffer<T>,
}

impl<T: Float, W: Weights<T>> Job for Fill<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let mut table = Table::of::<SIDE>(self.memory, self.block);
        self.weights.fill::<S, SIDE>(simd, self.sets, self.block, self.scratch, &mut table);
    }
}

/// Adds the weights times the points on the right to the panel on the left.
pub(super) struct ToLeft<'a, 'p, T: Float> {
    pub(super) sets: Sets<'a>,
    pub(super) block: &'a Block,
    pub(super) centre: &'a [T],
    pub(super) scratch: &'a mut Scratch<T>,
    pub(super) memory: &'a mut Buffer<T>,
    pub(super) left: &'a mut Panel<'p, T>,
}

impl<T: Float> Job for ToLeft<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { sets, block, centre, left, .. } = self;
        let (width, lanes) = (width::<S, T>(), T::lanes::<S>());
        let table = Table::of::<SIDE>(self.memory, block);
        let totals = self.scratch.margins.take(block.rows.len().next_multiple_of(lanes));
        totals.fill(T::default());
        for right in 0..block.cols.len() {
            for (start, row) in table.row(right, lanes) {
                let totals = T::vectors_mut::<S>(&mut totals[start..][..row.len()]);
                for (total, &weight) in totals.iter_mut().zip(T::vectors::<S>(row)) {
                    *total = T::plus(simd, *total, weight);
                }
            }
        }
        left.total.iter_mut().zip(&*totals).for_each(|(total, &of_block)| *total += of_block.into());

        let copied = self.scratch.strip.take(width * block.cols.len());
        for column in (0..sets.dims()).step_by(width) {
            let of_x = Strip::new(sets.x, &block.rows, column);
            let of_y = Strip::new(sets.right(), &block.cols, column);
            let next = Strip::new(sets.right(), &block.cols, column + width);
            let points = of_y.copy::<S, T>(copied, centre);
            of_x.multiply::<S, T, _, SIDE>(simd, points, |row| table.down::<SIDE>(row), left.weighted, &next);
        }
    }
}

/// Adds the weights times the points on the left, each times its factor, to the panel on the right.
pub(super) struct ToRight<'a, 'p, T: Float> {
    pub(super) sets: Sets<'a>,
    pub(super) block: &'a Block,
    pub(super) centre: &'a [T],
    /// For each row on the left.
    pub(super) factors: &'a [T],
    pub(super) scratch: &'a mut Scratch<T>,
    pub(super) memory: &'a mut Buffer<T>,
    pub(super) right: &'a mut Panel<'p, T>,
}

impl<T: Float> Job for ToRight<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { sets, block, centre, factors, right, .. } = self;
        let (width, lanes) = (width::<S, T>(), T::lanes::<S>());
        let table = Table::of::<SIDE>(self.memory, block);
        let padded = self.scratch.margins.take(factors.len().next_multiple_of(lanes));
        padded.fill(T::default());
        padded[..factors.len()].copy_from_slice(factors);
        for (j, total) in right.total.iter_mut().enumerate() {
            let mut sum = T::splat(simd, T::default());
            for (start, row) in table.row(j, lanes) {
                let factors = T::vectors::<S>(&padded[start..][..row.len()]);
                for (&weight, &factor) in T::vectors::<S>(row).iter().zip(factors) {
                    sum = T::mul_add(simd, weight, factor, sum);
                }
            }
            *total += T::lane_sum(simd, sum).into();
        }

        let copied = self.scratch.strip.take(width * block.rows.len());
        for column in (0..sets.dims()).step_by(width) {
            let of_x = Strip::new(sets.x, &block.rows, column);
            let of_y = Strip::new(sets.right(), &block.cols, column);
            let next = Strip::new(sets.x, &block.rows, column + width);
            of_x.copy::<S, T>(copied, centre);
            for (out, &factor) in copied.chunks_exact_mut(width).zip(factors) {
                out.iter_mut().for_each(|v| *v = *v * factor);
            }
            of_y.multiply::<S, T, _, SIDE>(simd, copied, |row| table.along(row), right.weighted, &next);
        }
    }
}
