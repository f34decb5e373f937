//! How close the pairs of some blocks are, kept from one pass over all blocks to the next.
//!
//! The next pass spares their products, which are most of what a value costs. It finds the very numbers that it would have
//! computed, so how much is kept shows in no result.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pulp::Simd;

use super::{
    float::Float,
    kernel::Kernel,
    pack::{Buffer, Scratch},
    pull::Weights,
    sets::Sets,
    table::{Table, bytes},
    tile::width,
    walk::{Close, Part, Visit, walk},
    weighing::Weighed,
};
use crate::schedule::Block;

/// Tables of the first blocks of two sets.
pub(super) struct Kept<T> {
    /// Of a row of blocks, how many there are.
    across: usize,
    panel: usize,
    tables: Vec<Mutex<Buffer<T>>>,
}

impl<T: Float> Kept<T> {
    /// As many as there is room for; none of sets so large that it would be next to none.
    pub(super) fn new(sets: Sets<'_>) -> Self {
        Self::within(sets, sets.room())
    }

    /// The same for so many bytes.
    pub(super) fn within(sets: Sets<'_>, room: usize) -> Self {
        let panel = sets.panel();
        let [down, across] = [sets.x, sets.right()].map(|rows| rows.len().div_ceil(panel));
        let all = down * across;
        let room = room / bytes::<T>(panel, panel);
        let count = if room < all / 4 { 0 } else { room.min(all) };
        Self { across, panel, tables: (0..count).map(|_| Mutex::default()).collect() }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.tables.len()
    }

    /// Where the table of a block is, if there is one.
    fn of(&self, block: &Block) -> Option<MutexGuard<'_, Buffer<T>>> {
        let at = block.rows.start / self.panel * self.across + block.cols.start / self.panel;
        self.tables.get(at).map(|table| table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Walks the tiles of a block, which stay.
    #[inline(always)]
    pub(super) fn walk<S: Simd, K: Kernel<Real = T>, const SIDE: usize>(
        &self,
        simd: S,
        sets: Sets<'_>,
        block: &Block,
        scratch: &mut Scratch<T>,
        visitor: &mut impl Visit<K>,
    ) {
        let Some(mut memory) = self.of(block) else {
            return walk::<S, K, SIDE>(simd, sets, block, scratch, visitor);
        };
        let mut table = Table::of::<SIDE>(&mut memory, block);
        walk::<S, K, SIDE>(simd, sets, block, scratch, &mut Record { table: &mut table, visitor });
    }
}

/// Writes down what it visits on behalf of another.
struct Record<'a, 't, T, V> {
    table: &'a mut Table<'t, T>,
    visitor: &'a mut V,
}

impl<K: Kernel, V: Visit<K>> Visit<K> for Record<'_, '_, K::Real, V> {
    #[inline(always)]
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, K, SIDE>) {
        let (i, j) = tile.at;
        for (out, close) in self.table.from(i, j, SIDE).zip(&tile.closeness) {
            K::Real::vectors_mut::<S>(&mut out[..width::<S, K::Real>()]).copy_from_slice(close);
        }
        self.visitor.visit(simd, tile);
    }
}

/// Weights of pairs that may have been kept.
pub(super) struct Recalled<'a, K: Kernel> {
    pub(super) kept: &'a Kept<K::Real>,
    pub(super) weights: Weighed<K>,
}

impl<K: Kernel> Weights<K::Real> for Recalled<'_, K> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        sets: Sets<'_>,
        block: &Block,
        scratch: &mut Scratch<K::Real>,
        out: &mut Table<'_, K::Real>,
    ) {
        let Some(mut memory) = self.kept.of(block).filter(|memory| !memory.is_empty()) else {
            return self.weights.fill::<S, SIDE>(simd, sets, block, scratch, out);
        };
        let table = Table::of::<SIDE>(&mut memory, block);
        let mut writer = self.weights.writer(block, out);
        let width = width::<S, K::Real>();
        for j in (0..block.cols.len()).step_by(SIDE) {
            for i in (0..block.rows.len()).step_by(width) {
                let zero = K::Real::splat(simd, K::Real::default());
                let mut closeness = [[zero; 2]; SIDE];
                for (close, kept) in closeness.iter_mut().zip(table.at(i, j, SIDE)) {
                    close.copy_from_slice(K::Real::vectors::<S>(&kept[..width]));
                }
                let part = Part::of(sets, block, (i, j), width);
                writer.visit(simd, &Close { at: (i, j), closeness, part });
            }
        }
    }
}
