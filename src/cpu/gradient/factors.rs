//! Pair weights made of exponentials and a factor for each point.

use std::marker::PhantomData;

use pulp::Simd;

use crate::{
    cpu::{
        block::{
            cache::SimilarityCache,
            formula::{Factor, Formula, Vector},
            mainloop::{Accumulators, CountedPairs, Epilogue, mainloop},
            microkernel::{MAX_TILE_WIDTH, width},
            pack::Packed,
            table::Table,
        },
        gradient::weights::WeightsInTiles,
        pairs::PairSet,
        simd::float::Float,
    },
    schedule::Block,
    weights::PairWeights,
};

/// Weights exp(rate · similarity) times the factors of both points, or times their sum.
pub(crate) struct FactorWeights<F: Formula> {
    rate: f64,
    of_x: Factors<F>,
    of_y: Factors<F>,
    sum: bool,
    formula: PhantomData<F>,
}

/// Factors of all rows, split into powers and rests.
struct Factors<F: Formula> {
    powers: Vec<F::Real>,
    rests: Vec<F::Real>,
}

impl<F: Formula> Factors<F> {
    fn new(logs: &[f64], base: f64) -> Self {
        // No tile reaches beyond the end.
        let mut powers = vec![F::Real::default(); logs.len() + MAX_TILE_WIDTH];
        let mut rests = powers.clone();
        for ((&log, power), rest) in logs.iter().zip(&mut powers).zip(&mut rests) {
            let factor = F::split_factor(log + base);
            (*power, *rest) = (factor.power, factor.rest);
        }
        Self { powers, rests }
    }

    /// Factors of a vector of rows.
    #[inline(always)]
    fn vectors<S: Simd>(&self, row: usize) -> Factor<Vector<S, F>> {
        let lanes = row..row + F::Real::lanes::<S>();
        Factor {
            power: F::Real::vectors::<S>(&self.powers[lanes.clone()])[0],
            rest: F::Real::vectors::<S>(&self.rests[lanes])[0],
        }
    }

    /// Factor of one row, in every lane.
    #[inline(always)]
    fn splat<S: Simd>(&self, simd: S, row: usize) -> Factor<Vector<S, F>> {
        Factor { power: F::Real::splat(simd, self.powers[row]), rest: F::Real::splat(simd, self.rests[row]) }
    }
}

impl<F: Formula> FactorWeights<F> {
    /// Weights for exponents rate · similarity + base.
    pub(crate) fn new(rate: f64, base: f64, pair_weights: PairWeights<'_>) -> Self {
        let (p, q, sum) = match pair_weights {
            PairWeights::Product { p, q } => (p, q, false),
            PairWeights::Sum { p, q } => (p, q, true),
        };
        let of_y = Factors::new(q, if sum { base } else { 0.0 });
        Self { rate, of_x: Factors::new(p, base), of_y, sum, formula: PhantomData }
    }

    /// Epilogue that writes the weights of a block.
    #[inline(always)]
    pub(crate) fn writer<'a, 't>(
        &'a self,
        block: &'a Block,
        out: &'a mut Table<'t, F::Real>,
    ) -> FactorWriter<'a, 't, F> {
        FactorWriter { exp: F::exp_for(self.rate), of: self, block, out }
    }
}

impl<F: Formula> WeightsInTiles<F::Real> for FactorWeights<F> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<F::Real>,
        out: &mut Table<'_, F::Real>,
    ) {
        mainloop::<S, F, SIDE>(simd, pairs, block, packed, &mut self.writer(block, out));
    }
}

/// Weights with factors, of pairs whose similarity may be in a cache.
pub(crate) struct CachedWeights<'a, F: Formula> {
    pub(crate) cache: &'a SimilarityCache<F::Real>,
    pub(crate) weights: FactorWeights<F>,
}

impl<F: Formula> WeightsInTiles<F::Real> for CachedWeights<'_, F> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<F::Real>,
        out: &mut Table<'_, F::Real>,
    ) {
        let Some(mut memory) = self.cache.filled(block) else {
            return self.weights.fill::<S, SIDE>(simd, pairs, block, packed, out);
        };
        let table = Table::of::<SIDE>(&mut memory, block);
        let mut writer = self.weights.writer(block, out);
        let width = width::<S, F::Real>();
        for j in (0..block.cols.len()).step_by(SIDE) {
            for i in (0..block.rows.len()).step_by(width) {
                let zero = F::Real::splat(simd, F::Real::default());
                let mut similarities = [[zero; 2]; SIDE];
                for (similarity, cached) in similarities.iter_mut().zip(table.at(i, j, SIDE)) {
                    similarity.copy_from_slice(F::Real::vectors::<S>(&cached[..width]));
                }
                let counted = CountedPairs::of(pairs, block, (i, j), width);
                writer.apply(simd, &Accumulators { at: (i, j), similarities, counted });
            }
        }
    }
}

pub(crate) struct FactorWriter<'a, 't, F: Formula> {
    exp: F::Exp,
    of: &'a FactorWeights<F>,
    block: &'a Block,
    out: &'a mut Table<'t, F::Real>,
}

impl<F: Formula> Epilogue<F> for FactorWriter<'_, '_, F> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>) {
        let (i, j) = tile.at;
        let (row, col) = (self.block.rows.start + i, self.block.cols.start + j);
        let (lanes, width) = (F::Real::lanes::<S>(), width::<S, F::Real>());
        let zero = F::Real::splat(simd, F::Real::default());
        let of_x = [0, lanes].map(|at| self.of.of_x.vectors::<S>(row + at));
        for (r, (out, similarity)) in self.out.from(i, j, SIDE).zip(&tile.similarities).enumerate() {
            let out = F::Real::vectors_mut::<S>(&mut out[..width]);
            let of_y = self.of.of_y.splat(simd, col + r);
            for half in [0, 1] {
                let weight = if self.of.sum {
                    let by_x = F::exp_times(simd, self.exp, similarity[half], of_x[half]);
                    F::Real::plus(simd, by_x, F::exp_times(simd, self.exp, similarity[half], of_y))
                } else {
                    let power = F::Real::plus(simd, of_x[half].power, of_y.power);
                    let rest = F::Real::times(simd, of_x[half].rest, of_y.rest);
                    F::exp_times(simd, self.exp, similarity[half], Factor { power, rest })
                };
                out[half] = tile.counted(simd, r, half, weight, zero);
            }
        }
    }
}
