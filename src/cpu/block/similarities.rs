//! Tables of exponents: the similarities of all pairs of a block, for reductions that read them more than once.

use std::marker::PhantomData;

use pulp::Simd;

use crate::{
    cpu::{
        block::{
            formula::Formula,
            mainloop::{Accumulators, Epilogue, mainloop},
            microkernel::width,
            pack::{Buffer, Packed},
            table::Table,
        },
        pairs::PairSet,
        simd::float::Float,
    },
    schedule::Block,
};

/// Fills tables with `scale` · (similarity − `UPPER_BOUND`), and with the excluded mark where pairs do not count.
pub(crate) struct Similarities<F: Formula> {
    scale: f64,
    formula: PhantomData<F>,
}

impl<F: Formula> Similarities<F> {
    /// Exponents of this rate, of which the exponential applies [`Formula::exp_rate`] later.
    pub(crate) fn new(rate: f64) -> Self {
        Self { scale: rate / F::exp_rate(rate), formula: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn table<'m, S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<F::Real>,
        memory: &'m mut Buffer<F::Real>,
    ) -> Table<'m, F::Real> {
        let mut table = Table::of::<SIDE>(memory, block);
        if block.diagonal {
            // No tile lies below the diagonal.
            table.fill(F::Real::excluded());
        }
        let mut writer = ExponentWriter::<F> { scale: self.scale, out: &mut table };
        mainloop::<S, F, SIDE>(simd, pairs, block, packed, &mut writer);
        table
    }
}

struct ExponentWriter<'a, 't, F: Formula> {
    scale: f64,
    out: &'a mut Table<'t, F::Real>,
}

/// Largest absolute exponent, which is as good as infinite; no exponent in f32 reaches it.
const MAX_ABS_EXPONENT: f64 = 1e300;

impl<F: Formula> Epilogue<F> for ExponentWriter<'_, '_, F> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>) {
        let (i, j) = tile.at;
        let splat = |value: f64| F::Real::splat(simd, F::Real::nearest(value));
        let excluded = F::Real::splat(simd, F::Real::excluded());
        let (upper_bound, scale) = (splat(F::UPPER_BOUND), splat(self.scale));
        let (least, most) = (splat(-MAX_ABS_EXPONENT), splat(MAX_ABS_EXPONENT));
        for (r, (out, similarity)) in self.out.from(i, j, SIDE).zip(&tile.similarities).enumerate() {
            let out = F::Real::vectors_mut::<S>(&mut out[..width::<S, F::Real>()]);
            for half in [0, 1] {
                let e = F::Real::times(simd, F::Real::minus(simd, similarity[half], upper_bound), scale);
                let e = F::Real::min(simd, F::Real::max(simd, e, least), most);
                out[half] = tile.counted(simd, r, half, e, excluded);
            }
        }
    }
}
