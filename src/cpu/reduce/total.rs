//! Sums of exponentials over all pairs, for several t from one pass.

use pulp::Simd;

use crate::{
    accuracy::narrow,
    cpu::{
        accuracy::Arithmetic,
        block::{
            formula::{Cosine, Difference, Formula, Gram},
            mainloop::{Accumulators, Epilogue, mainloop},
            pack::Packed,
        },
        pairs::PairSet,
        schedule::for_each_block,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::Result,
    log_sum::LogSumExp,
    progress::Watch,
    schedule::Block,
};

/// Σ exp(−t‖x−y‖²) over the pairs, for every t, each in the arithmetic that is exact enough.
pub(crate) fn log_sums(
    isa: Isa,
    pairs: PairSet<'_>,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let arithmetic = |t| Arithmetic::gaussian(pairs, t);
    let mut sums = vec![None; ts.len()];
    let mut passes = watch.passes();
    let mut pass = |sums: &mut [Option<LogSumExp>], by: SumsBy, which: &dyn Fn(f64) -> bool| {
        let places: Vec<_> = (0..ts.len()).filter(|&i| sums[i].is_none() && which(ts[i])).collect();
        if places.is_empty() {
            return Ok(());
        }
        let ts: Vec<_> = places.iter().map(|&i| ts[i]).collect();
        for (i, sum) in places.into_iter().zip(by(isa, pairs, &ts, passes.next())?) {
            sums[i] = Some(sum);
        }
        Ok(())
    };
    pass(&mut sums, log_sums_by::<Gram<true>>, &|t| arithmetic(t) == Arithmetic::FewGram)?;
    pass(&mut sums, log_sums_by::<Gram<false>>, &|t| arithmetic(t) == Arithmetic::Gram)?;
    pass(&mut sums, log_sums_by::<Cosine>, &|t| arithmetic(t) == Arithmetic::Cosine)?;
    for (sum, &t) in sums.iter_mut().zip(ts) {
        let by_cosines = arithmetic(t) == Arithmetic::Cosine;
        *sum = sum.filter(|&sum| !(by_cosines && narrow(sum, pairs.count(), t)));
    }
    pass(&mut sums, log_sums_by::<Difference>, &|_| true)?;
    Ok(sums.into_iter().flatten().collect())
}

type SumsBy = fn(Isa, PairSet<'_>, &[f64], &Watch<'_>) -> Result<Vec<LogSumExp>>;

/// Partial sum Σ exp(`rate` · (similarity − shift)), with a shift that is about the greatest similarity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartialSum {
    pub(crate) shift: f64,
    pub(crate) sum: f64,
}

impl PartialSum {
    pub(crate) const EMPTY: Self = Self { shift: f64::NEG_INFINITY, sum: 0.0 };

    pub(crate) fn join(self, other: Self, rate: f64) -> Self {
        if self.shift == other.shift {
            return Self { sum: self.sum + other.sum, ..self };
        }
        let shift = self.shift.max(other.shift);
        let scaled = |p: Self| if p.sum == 0.0 { 0.0 } else { p.sum * (rate * (p.shift - shift)).exp() };
        Self { shift, sum: scaled(self) + scaled(other) }
    }

    pub(crate) fn log_sum<F: Formula>(self, t: f64) -> LogSumExp {
        if self.sum == 0.0 {
            return LogSumExp::EMPTY;
        }
        LogSumExp { max: t * (F::RATE * (self.shift - F::UPPER_BOUND)), sum: self.sum }
    }
}

/// Sums over all pairs by one formula, for every t.
pub(crate) fn partial_sums<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<PartialSum>> {
    let rates: Vec<_> = ts.iter().map(|t| F::RATE * t).collect();
    let mut totals = vec![PartialSum::EMPTY; ts.len()];
    for_each_block(
        pairs,
        watch,
        |block, scratch| isa.run(BlockSum::<F> { pairs, block, rates: &rates, packed: &mut scratch.packed }),
        |_, sums| {
            for ((total, sum), &rate) in totals.iter_mut().zip(sums).zip(&rates) {
                *total = total.join(sum, rate);
            }
        },
    )?;
    Ok(totals)
}

fn log_sums_by<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let sums = partial_sums::<F>(isa, pairs, ts, watch)?;
    Ok(sums.into_iter().zip(ts).map(|(sum, &t)| sum.log_sum::<F>(t)).collect())
}

struct BlockSum<'a, F: Formula> {
    pairs: PairSet<'a>,
    block: &'a Block,
    rates: &'a [f64],
    packed: &'a mut Packed<F::Real>,
}

impl<F: Formula> Job for BlockSum<'_, F> {
    type Output = Vec<PartialSum>;
    const SMALL_TILES: bool = F::SMALL_TILES;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Vec<PartialSum> {
        let shift = if F::FIXED_SHIFT { F::UPPER_BOUND } else { f64::NEG_INFINITY };
        let one = |&rate: &f64| RateSum { exp: F::exp_for(rate), rate, sum: 0.0 };
        let mut total = Total::<F> { shift, of: self.rates.iter().map(one).collect() };
        mainloop::<S, F, SIDE>(simd, self.pairs, self.block, self.packed, &mut total);
        total.of.into_iter().map(|of| PartialSum { shift: total.shift, sum: of.sum }).collect()
    }
}

/// Epilogue that adds up exponentials, all sums relative to one shift.
struct Total<F: Formula> {
    shift: f64,
    of: Vec<RateSum<F>>,
}

struct RateSum<F: Formula> {
    exp: F::Exp,
    rate: f64,
    sum: f64,
}

impl<F: Formula> Epilogue<F> for Total<F> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>) {
        if !F::FIXED_SHIFT {
            let least = F::Real::splat(simd, F::Real::nearest(f64::MIN));
            let mut max = least;
            for (r, similarity) in tile.similarities.iter().enumerate() {
                for half in [0, 1] {
                    let counted = tile.counted(simd, r, half, similarity[half], least);
                    max = F::Real::max(simd, max, counted);
                }
            }
            let shift = F::Real::lane_max(simd, max).into();
            if shift > self.shift {
                for RateSum { rate, sum, .. } in self.of.iter_mut().filter(|of| of.sum > 0.0) {
                    *sum *= (*rate * (self.shift - shift)).exp();
                }
                self.shift = shift;
            }
        }
        let zero = F::Real::splat(simd, F::Real::default());
        let shift = F::Real::splat(simd, F::Real::nearest(self.shift));
        for of in &mut self.of {
            let mut sum = [zero; 2];
            for (r, similarity) in tile.similarities.iter().enumerate() {
                for half in [0, 1] {
                    let weight = F::exp(simd, of.exp, F::Real::minus(simd, similarity[half], shift));
                    let weight = tile.counted(simd, r, half, weight, zero);
                    sum[half] = F::Real::plus(simd, sum[half], weight);
                }
            }
            let sum: f64 = F::Real::lane_sum(simd, F::Real::plus(simd, sum[0], sum[1])).into();
            of.sum += sum;
        }
    }
}
