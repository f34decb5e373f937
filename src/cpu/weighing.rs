//! Weights made of exponentials and a factor for each point.

use std::marker::PhantomData;

use pulp::Simd;

use super::{
    float::Float,
    kernel::Kernel,
    pack::Scratch,
    pull::Weights,
    sets::Sets,
    table::Table,
    tile::{WIDEST, width},
    walk::{Close, Visit, walk},
};
use crate::{backend::Weighing, pairs::Block};

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
}

impl<K: Kernel> Weighed<K> {
    /// For exponents rate · closeness + base.
    pub(super) fn new(rate: f64, base: f64, weighing: Weighing<'_>) -> Self {
        let (p, q, sum) = match weighing {
            Weighing::Product { p, q } => (p, q, false),
            Weighing::Sum { p, q } => (p, q, true),
        };
        let of_y = Factors::new(q, if sum { base } else { 0.0 });
        Self { rate, of_x: Factors::new(p, base), of_y, sum, kernel: PhantomData }
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
        let mut writer = Writer { exp: K::exp_at(self.rate), of: self, block, out };
        walk::<S, K, SIDE>(simd, sets, block, scratch, &mut writer);
    }
}

struct Writer<'a, 't, K: Kernel> {
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
        let of_x = |half: usize| {
            let vector = |of: &[K::Real]| K::Real::vectors::<S>(&of[row + half * lanes..][..lanes])[0];
            (vector(&self.of.of_x.0), vector(&self.of.of_x.1))
        };
        let of_x = [of_x(0), of_x(1)];
        for (r, (out, close)) in self.out.from(i, j, SIDE).zip(&tile.closeness).enumerate() {
            let out = K::Real::vectors_mut::<S>(&mut out[..width]);
            let splat = |of: &[K::Real]| K::Real::splat(simd, of[col + r]);
            let of_y = (splat(&self.of.of_y.0), splat(&self.of.of_y.1));
            for half in [0, 1] {
                let x = of_x[half];
                let weight = if self.of.sum {
                    let with = |factor| K::raised(simd, self.exp, close[half], factor);
                    K::Real::plus(simd, with(x), with(of_y))
                } else {
                    let both = (K::Real::plus(simd, x.0, of_y.0), K::Real::times(simd, x.1, of_y.1));
                    K::raised(simd, self.exp, close[half], both)
                };
                out[half] = tile.counted(simd, (r, half), weight, zero);
            }
        }
    }
}
