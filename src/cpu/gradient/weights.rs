//! Pair weights of a gradient: how the weights of a block are computed.

use std::marker::PhantomData;

use pulp::Simd;

use crate::{
    cpu::{
        block::{
            formula::Formula,
            mainloop::{Accumulators, Epilogue, mainloop},
            microkernel::width,
            pack::Packed,
            table::{PairsSegment, Table},
        },
        pairs::PairSet,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    schedule::Block,
};

/// Source of the weights of a block.
pub(crate) trait Weights<T: Float>: Sync {
    /// Writes the weight of every pair to the table over these [`segments`](crate::cpu::block::table::segments), and 0 where it
    /// does not count.
    fn write(
        &self,
        isa: Isa,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<T>,
        segments: &mut [PairsSegment<T>],
    );
}

/// Source of weights that is compiled for each instruction set.
pub(crate) trait WeightsInTiles<T: Float>: Sync {
    /// Writes the weight of every pair, and 0 where it does not count; on the diagonal, `out` comes with zeros.
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<T>,
        out: &mut Table<'_, T>,
    );
}

impl<T: Float, W: WeightsInTiles<T>> Weights<T> for W {
    fn write(
        &self,
        isa: Isa,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<T>,
        segments: &mut [PairsSegment<T>],
    ) {
        isa.run(Write { weights: self, pairs, block, packed, segments });
    }
}

struct Write<'a, T, W> {
    weights: &'a W,
    pairs: PairSet<'a>,
    block: &'a Block,
    packed: &'a mut Packed<T>,
    segments: &'a mut [PairsSegment<T>],
}

impl<T: Float, W: WeightsInTiles<T>> Job for Write<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { weights, pairs, block, packed, segments } = self;
        let mut table = Table::over::<SIDE>(segments, block);
        if block.diagonal {
            // No tile lies below the diagonal.
            table.fill(T::default());
        }
        weights.fill::<S, SIDE>(simd, pairs, block, packed, &mut table);
    }
}

/// Weights exp(rate · (similarity − shift)).
pub(crate) struct ExponentialWeights<F> {
    rate: f64,
    shift: f64,
    formula: PhantomData<F>,
}

impl<F> ExponentialWeights<F> {
    pub(crate) fn new(rate: f64, shift: f64) -> Self {
        Self { rate, shift, formula: PhantomData }
    }
}

impl<F: Formula> WeightsInTiles<F::Real> for ExponentialWeights<F> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<F::Real>,
        out: &mut Table<'_, F::Real>,
    ) {
        let mut writer = WeightWriter::<F> { exp: F::exp_for(self.rate), shift: self.shift, out };
        mainloop::<S, F, SIDE>(simd, pairs, block, packed, &mut writer);
    }
}

/// Epilogue that writes exponentials.
struct WeightWriter<'a, 't, F: Formula> {
    exp: F::Exp,
    shift: f64,
    out: &'a mut Table<'t, F::Real>,
}

impl<F: Formula> Epilogue<F> for WeightWriter<'_, '_, F> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>) {
        let (i, j) = tile.at;
        let zero = F::Real::splat(simd, F::Real::default());
        let shift = F::Real::splat(simd, F::Real::nearest(self.shift));
        for (r, (out, similarity)) in self.out.from(i, j, SIDE).zip(&tile.similarities).enumerate() {
            let out = F::Real::vectors_mut::<S>(&mut out[..width::<S, F::Real>()]);
            for half in [0, 1] {
                let weight = F::exp(simd, self.exp, F::Real::minus(simd, similarity[half], shift));
                out[half] = tile.counted(simd, r, half, weight, zero);
            }
        }
    }
}

/// Weights in f32, rounded once from f64: the products that follow take half the time.
pub(crate) struct RoundedWeights<W>(pub(crate) W);

impl<W: WeightsInTiles<f64>> WeightsInTiles<f32> for RoundedWeights<W> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<f32>,
        out: &mut Table<'_, f32>,
    ) {
        let scratch = packed.in_f64.get_or_insert_default();
        let mut table = Table::of::<SIDE>(&mut scratch.table, block);
        if block.diagonal {
            table.fill(0.0);
        }
        self.0.fill::<S, SIDE>(simd, pairs, block, &mut scratch.packed, &mut table);
        out.round(&table);
    }
}
