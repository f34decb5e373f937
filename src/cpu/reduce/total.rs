//! Sums of exponentials over all pairs, for several t from one pass.

use pulp::Simd;

use crate::{
    accuracy::narrow,
    cpu::{
        accuracy::{Arithmetic, Evidence, climb_together, max_f32_share, with_formula},
        block::{
            formula::{Formula, Gram},
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
pub(crate) fn log_sums(isa: Isa, pairs: PairSet<'_>, ts: &[f64], watch: &Watch) -> Result<Vec<LogSumExp>> {
    let first: Vec<_> = ts.iter().map(|&t| Arithmetic::gaussian(pairs, t)).collect();
    let mut passes = watch.passes();
    climb_together(&first, |arithmetic, places| {
        let ts: Vec<_> = places.iter().map(|&place| ts[place]).collect();
        let sums =
            with_formula!(distances: arithmetic, F => log_sums_by::<F>(isa, pairs, &ts, passes.next()))?;
        let with_evidence =
            |(sum, t)| (sum, Evidence { narrow: narrow(sum, pairs.count(), t), ..Evidence::default() });
        Ok(sums.into_iter().zip(ts).map(with_evidence).collect())
    })
}

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

/// Sums over all pairs by one formula, for every t. Where f32 is used, blocks in which few pairs make much of a sum are
/// summed again in f64: their rounding is not averaged over many.
pub(crate) fn partial_sums<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    ts: &[f64],
    watch: &Watch,
) -> Result<Vec<PartialSum>> {
    let rates: Vec<_> = ts.iter().map(|t| F::RATE * t).collect();
    let mut totals = vec![PartialSum::EMPTY; ts.len()];
    let mut suspects =
        Suspects { shares: ts.iter().map(|&t| max_f32_share(t)).collect(), blocks: Vec::new() };
    for_each_block(
        pairs,
        watch,
        |block, scratch| isa.run(BlockSum::<F> { pairs, block, rates: &rates, packed: &mut scratch.packed }),
        |block, sums: Vec<TileSums>| {
            if F::IS_F32 {
                suspects.look_at(block, &sums, &totals);
            }
            for ((total, sum), &rate) in totals.iter_mut().zip(sums).zip(&rates) {
                *total = total.join(sum.sum, rate);
            }
        },
    )?;
    if F::IS_F32 {
        suspects.sum_again(isa, pairs, ts, &mut totals, watch)?;
    }
    Ok(totals)
}

/// Sum of a block, and the largest sum of one of its tiles.
pub(crate) struct TileSums {
    pub(crate) sum: PartialSum,
    pub(crate) largest: f64,
}

/// Blocks with a tile that makes more of a sum, so far, than the rounding of f32 allows.
struct Suspects {
    /// For every t, the share that is allowed.
    shares: Vec<f64>,
    /// Each with the sums that its pairs have added in f32, and the largest of a tile.
    blocks: Vec<(Block, Vec<TileSums>)>,
}

/// Suspects that are kept before those are looked for that larger totals have cleared.
const MAX_SUSPECTS: usize = 64;

impl Suspects {
    fn look_at(&mut self, block: &Block, sums: &[TileSums], totals: &[PartialSum]) {
        let with_block = sums.iter().zip(totals).map(|(sum, total)| total.sum + sum.sum.sum);
        if !self.exceeds(sums, with_block) {
            return;
        }
        if self.blocks.len() == MAX_SUSPECTS {
            self.clear(totals);
        }
        let copied = sums.iter().map(|&TileSums { sum, largest }| TileSums { sum, largest });
        self.blocks.push((block.clone(), copied.collect()));
    }

    fn exceeds(&self, sums: &[TileSums], totals: impl Iterator<Item = f64>) -> bool {
        let mut all = sums.iter().zip(totals).zip(&self.shares);
        all.any(|((sum, total), share)| sum.largest > share * total)
    }

    /// Removes the blocks whose tiles are no longer a large part of the totals.
    fn clear(&mut self, totals: &[PartialSum]) {
        let blocks = std::mem::take(&mut self.blocks);
        let suspect =
            |(_, sums): &(Block, Vec<TileSums>)| self.exceeds(sums, totals.iter().map(|total| total.sum));
        self.blocks = blocks.into_iter().filter(suspect).collect();
    }

    /// Puts sums in f64 in the place of those in f32. Sums of unit rows by either formula are relative to exp(0).
    fn sum_again(
        mut self,
        isa: Isa,
        pairs: PairSet<'_>,
        ts: &[f64],
        totals: &mut [PartialSum],
        watch: &Watch,
    ) -> Result<()> {
        self.clear(totals);
        let mut packed = Packed::default();
        for (block, sums) in self.blocks {
            watch.advance(0)?;
            let packed = &mut packed;
            let finer = isa.run(BlockSum::<Gram<false>> { pairs, block: &block, rates: ts, packed });
            for ((total, coarse), finer) in totals.iter_mut().zip(sums).zip(finer) {
                total.sum += finer.sum.sum - coarse.sum.sum;
            }
        }
        Ok(())
    }
}

fn log_sums_by<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    ts: &[f64],
    watch: &Watch,
) -> Result<Vec<LogSumExp>> {
    let sums = partial_sums::<F>(isa, pairs, ts, watch)?;
    Ok(sums.into_iter().zip(ts).map(|(sum, &t)| sum.log_sum::<F>(t)).collect())
}

/// Sums over one block for every rate.
pub(crate) struct BlockSum<'a, F: Formula> {
    pub(crate) pairs: PairSet<'a>,
    pub(crate) block: &'a Block,
    pub(crate) rates: &'a [f64],
    pub(crate) packed: &'a mut Packed<F::Real>,
}

impl<F: Formula> Job for BlockSum<'_, F> {
    type Output = Vec<TileSums>;
    const SMALL_TILES: bool = F::SMALL_TILES;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Vec<TileSums> {
        let shift = if F::FIXED_SHIFT { F::UPPER_BOUND } else { f64::NEG_INFINITY };
        let one = |&rate: &f64| RateSum { exp: F::exp_for(rate), rate, sum: 0.0, largest: 0.0 };
        let mut total = Total::<F> { shift, of: self.rates.iter().map(one).collect() };
        mainloop::<S, F, SIDE>(simd, self.pairs, self.block, self.packed, &mut total);
        let sums = total
            .of
            .into_iter()
            .map(|of| TileSums { sum: PartialSum { shift: total.shift, sum: of.sum }, largest: of.largest });
        sums.collect()
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
    /// Largest sum of one tile; only where the shift is fixed.
    largest: f64,
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
            if F::IS_F32 {
                of.largest = of.largest.max(sum);
            }
        }
    }
}
