//! Sums of exponentials over all pairs.

use pulp::Simd;

use super::{
    float::Float,
    kernel::Kernel,
    level::{Job, Level},
    pack::Scratch,
    sets::Sets,
    sweep::sweep,
    walk::{Close, Visit, walk},
};
use crate::{error::Result, log_sum::LogSumExp, progress::Watch, schedule::Block};

/// Σ exp(`rate` · (closeness − pivot)), where the pivot is about the greatest closeness.
#[derive(Clone, Copy, Debug)]
pub(super) struct Potential {
    pub(super) pivot: f64,
    pub(super) sum: f64,
}

impl Potential {
    pub(super) const EMPTY: Self = Self { pivot: f64::NEG_INFINITY, sum: 0.0 };

    pub(super) fn join(self, other: Self, rate: f64) -> Self {
        if self.pivot == other.pivot {
            return Self { sum: self.sum + other.sum, ..self };
        }
        let pivot = self.pivot.max(other.pivot);
        let scaled = |p: Self| if p.sum == 0.0 { 0.0 } else { p.sum * (rate * (p.pivot - pivot)).exp() };
        Self { pivot, sum: scaled(self) + scaled(other) }
    }

    pub(super) fn log_sum<K: Kernel>(self, t: f64) -> LogSumExp {
        if self.sum == 0.0 {
            return LogSumExp::EMPTY;
        }
        LogSumExp { max: t * (K::RATE * (self.pivot - K::TOP)), sum: self.sum }
    }
}

/// The sums over all pairs, of every t.
pub(super) fn potentials<K: Kernel>(
    level: Level,
    sets: Sets<'_>,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<Potential>> {
    let rates: Vec<_> = ts.iter().map(|t| K::RATE * t).collect();
    let mut totals = vec![Potential::EMPTY; ts.len()];
    let one = |block: &Block, scratch: &mut _| level.run(Sum::<K> { sets, block, rates: &rates, scratch });
    sweep(sets, watch, one, |_, sums| {
        for ((total, sum), &rate) in totals.iter_mut().zip(sums).zip(&rates) {
            *total = total.join(sum, rate);
        }
    })?;
    Ok(totals)
}

/// The same as logs.
pub(super) fn log_sums<K: Kernel>(
    level: Level,
    sets: Sets<'_>,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let sums = potentials::<K>(level, sets, ts, watch)?;
    Ok(sums.into_iter().zip(ts).map(|(sum, &t)| sum.log_sum::<K>(t)).collect())
}

struct Sum<'a, K: Kernel> {
    sets: Sets<'a>,
    block: &'a Block,
    rates: &'a [f64],
    scratch: &'a mut Scratch<K::Real>,
}

impl<K: Kernel> Job for Sum<'_, K> {
    type Output = Vec<Potential>;
    const SMALL: bool = K::FEW;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Vec<Potential> {
        let pivot = if K::NEAR { K::TOP } else { f64::NEG_INFINITY };
        let one = |&rate: &f64| Of { exp: K::exp_at(rate), rate, sum: 0.0 };
        let mut adder = Adder::<K> { pivot, of: self.rates.iter().map(one).collect() };
        walk::<S, K, SIDE>(simd, self.sets, self.block, self.scratch, &mut adder);
        adder.of.into_iter().map(|of| Potential { pivot: adder.pivot, sum: of.sum }).collect()
    }
}

/// All sums are relative to one pivot.
struct Adder<K: Kernel> {
    pivot: f64,
    of: Vec<Of<K>>,
}

struct Of<K: Kernel> {
    exp: K::Exp,
    rate: f64,
    sum: f64,
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
            if pivot > self.pivot {
                for Of { rate, sum, .. } in self.of.iter_mut().filter(|of| of.sum > 0.0) {
                    *sum *= (*rate * (self.pivot - pivot)).exp();
                }
                self.pivot = pivot;
            }
        }
        let zero = K::Real::splat(simd, K::Real::default());
        let pivot = K::Real::splat(simd, K::Real::nearest(self.pivot));
        for of in &mut self.of {
            let mut sum = [zero; 2];
            for (r, close) in tile.closeness.iter().enumerate() {
                for half in [0, 1] {
                    let weight = K::exp(simd, of.exp, K::Real::minus(simd, close[half], pivot));
                    let weight = tile.counted(simd, (r, half), weight, zero);
                    sum[half] = K::Real::plus(simd, sum[half], weight);
                }
            }
            let sum: f64 = K::Real::lane_sum(simd, K::Real::plus(simd, sum[0], sum[1])).into();
            of.sum += sum;
        }
    }
}
