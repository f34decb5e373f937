//! How close all pairs of a block are, for those who look at them more than once.

use std::marker::PhantomData;

use pulp::Simd;

use super::{
    float::Float,
    kernel::Kernel,
    pack::{Buffer, Scratch},
    sets::Sets,
    table::Table,
    tile::width,
    walk::{Close, Visit, walk},
};
use crate::schedule::Block;

/// Fills tables with `scale` · (closeness − top), and with none where pairs do not count.
pub(super) struct Closeness<K: Kernel> {
    scale: f64,
    kernel: PhantomData<K>,
}

impl<K: Kernel> Closeness<K> {
    /// For exponents of this rate, of which exp takes [`Kernel::steepness`] later.
    pub(super) fn new(rate: f64) -> Self {
        Self { scale: rate / K::steepness(rate), kernel: PhantomData }
    }

    #[inline(always)]
    pub(super) fn table<'m, S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        sets: Sets<'_>,
        block: &Block,
        scratch: &mut Scratch<K::Real>,
        memory: &'m mut Buffer<K::Real>,
    ) -> Table<'m, K::Real> {
        let mut table = Table::of::<SIDE>(memory, block);
        if block.diagonal {
            // No tile lies below the diagonal.
            table.fill(K::Real::none());
        }
        let mut writer = Writer::<K> { scale: self.scale, out: &mut table };
        walk::<S, K, SIDE>(simd, sets, block, scratch, &mut writer);
        table
    }
}

struct Writer<'a, 't, K: Kernel> {
    scale: f64,
    out: &'a mut Table<'t, K::Real>,
}

/// Exponents beyond, which f32 has none of, are as good as infinite.
const FAR: f64 = 1e300;

impl<K: Kernel> Visit<K> for Writer<'_, '_, K> {
    #[inline(always)]
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, K, SIDE>) {
        let (i, j) = tile.at;
        let splat = |value: f64| K::Real::splat(simd, K::Real::nearest(value));
        let (none, top, scale) = (K::Real::splat(simd, K::Real::none()), splat(K::TOP), splat(self.scale));
        let (least, most) = (splat(-FAR), splat(FAR));
        for (r, (out, close)) in self.out.from(i, j, SIDE).zip(&tile.closeness).enumerate() {
            let out = K::Real::vectors_mut::<S>(&mut out[..width::<S, K::Real>()]);
            for half in [0, 1] {
                let e = K::Real::times(simd, K::Real::minus(simd, close[half], top), scale);
                let e = K::Real::min(simd, K::Real::max(simd, e, least), most);
                out[half] = tile.counted(simd, (r, half), e, none);
            }
        }
    }
}
