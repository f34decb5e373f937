//! Sums of exponentials over all pairs.

use pulp::Simd;
use rayon::prelude::*;

use super::{
    float::Float,
    kernel::Kernel,
    level::{Job, Level},
    pack::{Pool, Scratch},
    points::Rows,
    walk::{Close, Visit, walk},
};
use crate::{
    LogSum, Result,
    pairs::{self, Block},
    progress::Watch,
};

/// Σ exp(`rate` · (closeness − pivot)), where the pivot is about the greatest closeness.
#[derive(Clone, Copy, Debug)]
pub(super) struct Potential {
    pub(super) pivot: f64,
    pub(super) sum: f64,
}

impl Potential {
    const EMPTY: Self = Self { pivot: f64::NEG_INFINITY, sum: 0.0 };

    fn join(self, other: Self, rate: f64) -> Self {
        let pivot = self.pivot.max(other.pivot);
        let scaled = |p: Self| if p.sum == 0.0 { 0.0 } else { p.sum * (rate * (p.pivot - pivot)).exp() };
        Self { pivot, sum: scaled(self) + scaled(other) }
    }

    pub(super) fn log_sum<K: Kernel>(self, t: f64) -> LogSum {
        if self.sum == 0.0 {
            return LogSum::EMPTY;
        }
        LogSum { max: t * (K::RATE * (self.pivot - K::TOP)), sum: self.sum }
    }
}

/// How many rows a panel has: enough to be worth their packing, few enough for the cache to hold them packed
/// and for 64 cores to share the blocks.
pub(super) fn panel(rows: usize, dims: usize) -> usize {
    const CACHED: usize = 640 * 1024 / size_of::<f32>();
    // A multiple of both sides of every tile.
    96 * (rows / (16 * 96)).min(CACHED / (96 * dims)).clamp(1, 4)
}

/// How many blocks are handed out at a time: what bounds the memory of their results.
const BATCH: usize = 4096;

/// The sum over the pairs i < j of `x`, or over all pairs of `x` and `y`.
pub(super) fn log_sum<K: Kernel>(
    level: Level,
    x: &Rows,
    y: Option<&Rows>,
    t: f64,
    watch: &Watch<'_>,
) -> Result<Potential> {
    let rate = K::RATE * t;
    let pool = Pool::new();
    let one = |block: &Block| {
        let rows = (x, y.unwrap_or(x));
        let sum = pool.with(|scratch| level.run(Sum::<K> { rows, block, rate, scratch }));
        watch.advance(block.pairs()).map(|()| sum)
    };
    let mut blocks: Box<dyn Iterator<Item = Block>> = match y {
        None => Box::new(pairs::within(x.len(), panel(x.len(), x.dims()))),
        Some(y) => Box::new(pairs::across(x.len(), y.len(), panel(x.len().max(y.len()), x.dims()))),
    };
    let mut total = Potential::EMPTY;
    loop {
        let batch: Vec<_> = blocks.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(total);
        }
        // A hand-off to other threads takes longer than a single small block.
        let sums = match &*batch {
            [block] => vec![one(block)?],
            _ => batch.par_iter().map(one).collect::<Result<_>>()?,
        };
        total = sums.into_iter().fold(total, |total, sum| total.join(sum, rate));
    }
}

struct Sum<'a, K: Kernel> {
    rows: (&'a Rows, &'a Rows),
    block: &'a Block,
    rate: f64,
    scratch: &'a mut Scratch<K::Real>,
}

impl<K: Kernel> Job for Sum<'_, K> {
    type Output = Potential;
    const SMALL: bool = K::FEW;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Potential {
        let pivot = if K::NEAR { K::TOP } else { f64::NEG_INFINITY };
        let mut adder =
            Adder { exp: K::exp_at(self.rate), rate: self.rate, of: Potential { pivot, sum: 0.0 } };
        walk::<S, K, SIDE>(simd, self.rows, self.block, self.scratch, &mut adder);
        adder.of
    }
}

struct Adder<K: Kernel> {
    exp: K::Exp,
    rate: f64,
    of: Potential,
}

impl<K: Kernel> Visit<K> for Adder<K> {
    #[inline(always)]
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, K, SIDE>) {
        if !K::NEAR {
            let least = K::Real::splat(simd, K::Real::nearest(f64::MIN));
            let mut max = least;
            for (r, close) in tile.closeness.iter().enumerate() {
                for half in [0, 1] {
                    max = K::Real::max(simd, max, tile.counted(simd, (r, half), close[half], least));
                }
            }
            let pivot = K::Real::lane_max(simd, max).into();
            if pivot > self.of.pivot {
                self.of = self.of.join(Potential { pivot, sum: 0.0 }, self.rate);
            }
        }
        let zero = K::Real::splat(simd, K::Real::default());
        let pivot = K::Real::splat(simd, K::Real::nearest(self.of.pivot));
        let mut sum = [zero; 2];
        for (r, close) in tile.closeness.iter().enumerate() {
            for half in [0, 1] {
                let weight = K::exp(simd, self.exp, K::Real::minus(simd, close[half], pivot));
                let weight = tile.counted(simd, (r, half), weight, zero);
                sum[half] = K::Real::plus(simd, sum[half], weight);
            }
        }
        let sum: f64 = K::Real::lane_sum(simd, K::Real::plus(simd, sum[0], sum[1])).into();
        self.of.sum += sum;
    }
}
