//! Sums of maps: functions of the similarity that are no exponentials, in f64.

use std::marker::PhantomData;

use pulp::Simd;

use crate::{
    cpu::{
        accuracy::{Arithmetic, PairExponent},
        block::{
            formula::{Difference, Dot, Formula, Gram},
            mainloop::{Accumulators, Epilogue, mainloop},
            map::{PairMap, Softplus},
            microkernel::width,
            pack::Packed,
            table::Table,
        },
        pairs::PairSet,
        schedule::for_each_block,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::Result,
    function::FunctionSums,
    kernel::Kernel,
    progress::Watch,
    schedule::Block,
};

/// Exponent of a softplus, in arithmetic that has it in f64.
pub(crate) fn softplus_exponent(pairs: PairSet<'_>, scale: f64) -> PairExponent {
    let exponent = PairExponent::of(Kernel::logit(1.0 / scale), pairs);
    match exponent.arithmetic {
        Arithmetic::Cosine => PairExponent { arithmetic: Arithmetic::Gram, ..exponent },
        _ => exponent,
    }
}

/// The map of a softplus from the similarities of a formula.
pub(crate) fn softplus<F: Formula>(exponent: PairExponent, bias: f64) -> Softplus {
    let rate = F::RATE * exponent.t;
    Softplus { rate, base: exponent.offset - rate * F::UPPER_BOUND, bias }
}

/// Σ log(1 + exp(scale · ⟨x, y⟩ + bias)) over the pairs.
pub(crate) fn softplus_sum(
    isa: Isa,
    pairs: PairSet<'_>,
    scale: f64,
    bias: f64,
    watch: &Watch,
) -> Result<f64> {
    let exponent = softplus_exponent(pairs, scale);
    match exponent.arithmetic {
        Arithmetic::Dot => mapped_sum::<Dot, _>(isa, pairs, softplus::<Dot>(exponent, bias), watch),
        Arithmetic::Difference => {
            mapped_sum::<Difference, _>(isa, pairs, softplus::<Difference>(exponent, bias), watch)
        }
        _ => mapped_sum::<Gram<false>, _>(isa, pairs, softplus::<Gram<false>>(exponent, bias), watch),
    }
}

/// Sum of a map over the pairs.
pub(crate) fn mapped_sum<F: Formula<Real = f64>, M: PairMap<F>>(
    isa: Isa,
    pairs: PairSet<'_>,
    map: M,
    watch: &Watch,
) -> Result<f64> {
    let mut total = 0.0;
    for_each_block(
        pairs,
        watch,
        |block, scratch| {
            let packed = &mut scratch.packed;
            isa.run(BlockSum::<F, M> { pairs, block, map, packed, formula: PhantomData })
        },
        |_, sum| total += sum,
    )?;
    Ok(total)
}

struct BlockSum<'a, F, M> {
    pairs: PairSet<'a>,
    block: &'a Block,
    map: M,
    packed: &'a mut Packed<f64>,
    formula: PhantomData<F>,
}

impl<F: Formula<Real = f64>, M: PairMap<F>> Job for BlockSum<'_, F, M> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> f64 {
        let mut sums = MapSums::<M> { map: self.map, sums: FunctionSums::default(), out: None };
        mainloop::<S, F, SIDE>(simd, self.pairs, self.block, self.packed, &mut sums);
        sums.sums.value
    }
}

/// Epilogue that adds up a map of each similarity and, where asked for, writes its slopes.
pub(crate) struct MapSums<'a, 't, M> {
    pub(crate) map: M,
    pub(crate) sums: FunctionSums,
    pub(crate) out: Option<&'a mut Table<'t, f64>>,
}

impl<F: Formula<Real = f64>, M: PairMap<F>> Epilogue<F> for MapSums<'_, '_, M> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>) {
        let (i, j) = tile.at;
        let zero = f64::splat(simd, 0.0);
        let mut totals = [zero; 3];
        let mut slopes = [[zero; 2]; SIDE];
        for (r, (similarity, slopes)) in tile.similarities.iter().zip(&mut slopes).enumerate() {
            for half in [0, 1] {
                let mapped = self.map.apply(simd, similarity[half]);
                slopes[half] = tile.counted(simd, r, half, mapped.slope, zero);
                let value = tile.counted(simd, r, half, mapped.value, zero);
                let by_scale = tile.counted(simd, r, half, mapped.slope_by_scale, zero);
                for (total, part) in totals.iter_mut().zip([value, slopes[half], by_scale]) {
                    *total = f64::plus(simd, *total, part);
                }
            }
        }
        self.sums = self.sums.and(FunctionSums {
            value: f64::lane_sum(simd, totals[0]),
            by_bias: f64::lane_sum(simd, totals[1]),
            by_log_scale: f64::lane_sum(simd, totals[2]),
        });
        if let Some(out) = &mut self.out {
            for (out, slopes) in out.from(i, j, SIDE).zip(slopes) {
                f64::vectors_mut::<S>(&mut out[..width::<S, f64>()]).copy_from_slice(&slopes);
            }
        }
    }
}
