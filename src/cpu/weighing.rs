//! Weights made of exponentials and a factor for each point.

use std::marker::PhantomData;

use pulp::Simd;

use super::{
    float::Float,
    kernel::{Kernel, Vector},
    pack::Scratch,
    pull::Weights,
    sets::Sets,
    table::Table,
    tile::{WIDEST, width},
    walk::{Close, Visit, walk},
};
use crate::{schedule::Block, weights::PairWeights};

/// exp(rate · closeness) times the factors of both points, or times their sum.
pub(super) struct Weighed<K: Kernel> {
    rate: f64,
    of_x: Factors<K>,
    of_y: Factors<K>,
    sum: bool,
    kernel: PhantomData<K>,
}

/// Factors in the two parts that a kernel takes.
struct Factors<K: Kernel>(Vec<K::Real>, Vec<K::Real>);

impl<K: Kernel> Factors<K> {
    fn new(logs: &[f64], base: f64) -> Self {
        // No tile reaches beyond the end.
        let (mut first, mut second) = (vec![K::Real::default(); logs.len() + WIDEST], Vec::new());
        second.clone_from(&first);
        for ((&log, first), second) in logs.iter().zip(&mut first).zip(&mut second) {
            (*first, *second) = K::factor(log + base);
        }
        Self(first, second)
    }

    /// Those of a vector of rows.
    #[inline(always)]
    fn vectors<S: Simd>(&self, row: usize) -> (Vector<S, K>, Vector<S, K>) {
        let lanes = row..row + K::Real::lanes::<S>();
        (K::Real::vectors::<S>(&self.0[lanes.clone()])[0], K::Real::vectors::<S>(&self.1[lanes])[0])
    }

    /// That of one row.
    #[inline(always)]
    fn splat<S: Simd>(&self, simd: S, row: usize) -> (Vector<S, K>, Vector<S, K>) {
        (K::Real::splat(simd, self.0[row]), K::Real::splat(simd, self.1[row]))
    }
}

impl<K: Kernel> Weighed<K> {
    /// For exponents rate · closeness + base.
    pub(super) fn new(rate: f64, base: f64, weighing: PairWeights<'_>) -> Self {
        let (p, q, sum) = match weighing {
            PairWeights::Product { p, q } => (p, q, false),
            PairWeights::Sum { p, q } => (p, q, true),
        };
        let of_y = Factors::new(q, if sum { base } else { 0.0 });
        Self { rate, of_x: Factors::new(p, base), of_y, sum, kernel: PhantomData }
    }

    /// Writes the weights of the tiles that it visits.
    #[inline(always)]
    pub(super) fn writer<'a, 't>(
        &'a self,
        block: &'a Block,
        out: &'a mut Table<'t, K::Real>,
    ) -> Writer<'a, 't, K> {
        Writer { exp: K::exp_at(self.rate), of: self, block, out }
    }
}

impl<K: Kernel> Weights<K::Real> for Weighed<K> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        sets: Sets<'_>,
        block: &Block,
        scratch: &mut Scratch<K::Real>,
        out: &mut Table<'_, K::Real>,
    ) {
        walk::<S, K, SIDE>(simd, sets, block, scratch, &mut self.writer(block, out));
    }
}

pub(super) struct Writer<'a, 't, K: Kernel> {
    exp: K::Exp,
    of: &'a Weighed<K>,
    block: &'a Block,
    out: &'a mut Table<'t, K::Real>,
}

impl<K: Kernel> Visit<K> for Writer<'_, '_, K> {
    #[inline(always)]
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, K, SIDE>) {
        let (i, j) = tile.at;
        let (row, col) = (self.block.rows.start + i, self.block.cols.start + j);
        let (lanes, width) = (K::Real::lanes::<S>(), width::<S, K::Real>());
        let zero = K::Real::splat(simd, K::Real::default());
        let of_x = [0, lanes].map(|at| self.of.of_x.vectors::<S>(row + at));
        for (r, (out, close)) in self.out.from(i, j, SIDE).zip(&tile.closeness).enumerate() {
            let out = K::Real::vectors_mut::<S>(&mut out[..width]);
            let of_y = self.of.of_y.splat(simd, col + r);
            for half in [0, 1] {
                let weight = if self.of.sum {
                    let of_x = K::raised(simd, self.exp, close[half], of_x[half]);
                    K::Real::plus(simd, of_x, K::raised(simd, self.exp, close[half], of_y))
                } else {
                    let power = K::Real::plus(simd, of_x[half].0, of_y.0);
                    let rest = K::Real::times(simd, of_x[half].1, of_y.1);
                    K::raised(simd, self.exp, close[half], (power, rest))
                };
                out[half] = tile.counted(simd, (r, half), weight, zero);
            }
        }
    }
}
