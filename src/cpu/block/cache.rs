//! Cache of similarities, from one pass over all blocks to the next.
//!
//! The next pass spares the products, which are most of the time of a value. It finds the very numbers that it would have
//! computed, so the size of the cache shows in no result.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pulp::Simd;

use crate::{
    cpu::{
        block::{
            formula::Formula,
            mainloop::{Accumulators, Epilogue, mainloop},
            microkernel::width,
            pack::{Buffer, Packed},
            table::{Table, bytes},
        },
        pairs::PairSet,
        simd::float::Float,
    },
    schedule::Block,
};

/// Tables of the first blocks of a set of pairs.
pub(crate) struct SimilarityCache<T> {
    /// Number of blocks in a row of blocks.
    across: usize,
    panel: usize,
    tables: Vec<Mutex<Buffer<T>>>,
}

impl<T: Float> SimilarityCache<T> {
    /// Cache within the budget of the pairs.
    pub(crate) fn new(pairs: PairSet<'_>) -> Self {
        Self::with_budget(pairs, pairs.cache_budget())
    }

    /// Cache of at most so many bytes; an empty one where that is less than a quarter of all tables.
    pub(crate) fn with_budget(pairs: PairSet<'_>, budget: usize) -> Self {
        let panel = pairs.panel();
        let [down, across] = [pairs.left(), pairs.right()].map(|rows| rows.len().div_ceil(panel));
        let all = down * across;
        let room = budget / bytes::<T>(panel, panel);
        let count = if room < all / 4 { 0 } else { room.min(all) };
        Self { across, panel, tables: (0..count).map(|_| Mutex::default()).collect() }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.tables.len()
    }

    /// Memory of the table of a block, if it has one.
    fn of(&self, block: &Block) -> Option<MutexGuard<'_, Buffer<T>>> {
        let at = block.rows.start / self.panel * self.across + block.cols.start / self.panel;
        self.tables.get(at).map(|table| table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Memory of the table of a block, if it was filled.
    pub(crate) fn filled(&self, block: &Block) -> Option<MutexGuard<'_, Buffer<T>>> {
        self.of(block).filter(|memory| !memory.is_empty())
    }

    /// Mainloop that also stores the similarities of the block.
    #[inline(always)]
    pub(crate) fn mainloop<S: Simd, F: Formula<Real = T>, const SIDE: usize>(
        &self,
        simd: S,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<T>,
        epilogue: &mut impl Epilogue<F>,
    ) {
        let Some(mut memory) = self.of(block) else {
            return mainloop::<S, F, SIDE>(simd, pairs, block, packed, epilogue);
        };
        let mut table = Table::of::<SIDE>(&mut memory, block);
        mainloop::<S, F, SIDE>(simd, pairs, block, packed, &mut Store { table: &mut table, epilogue });
    }
}

/// Epilogue that stores the similarities on the way to another.
struct Store<'a, 't, T, E> {
    table: &'a mut Table<'t, T>,
    epilogue: &'a mut E,
}

impl<F: Formula, E: Epilogue<F>> Epilogue<F> for Store<'_, '_, F::Real, E> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>) {
        let (i, j) = tile.at;
        for (out, similarity) in self.table.from(i, j, SIDE).zip(&tile.similarities) {
            F::Real::vectors_mut::<S>(&mut out[..width::<S, F::Real>()]).copy_from_slice(similarity);
        }
        self.epilogue.apply(simd, tile);
    }
}
