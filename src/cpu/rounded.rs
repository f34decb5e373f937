//! Weights in single precision of exponents in double: the products that follow take half the time.

use std::mem;

use pulp::Simd;

use super::{pack::Scratch, pull::Weights, sets::Sets, table::Table};
use crate::schedule::Block;

/// Weights rounded once.
pub(super) struct Rounded<W>(pub(super) W);

impl<W: Weights<f64>> Weights<f32> for Rounded<W> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        sets: Sets<'_>,
        block: &Block,
        scratch: &mut Scratch<f32>,
        out: &mut Table<'_, f32>,
    ) {
        let double = scratch.double.get_or_insert_default();
        let mut memory = mem::take(&mut double.weights);
        let mut table = Table::of::<SIDE>(&mut memory, block);
        if block.diagonal {
            table.fill(0.0);
        }
        self.0.fill::<S, SIDE>(simd, sets, block, double, &mut table);
        out.round(&table);
        double.weights = memory;
    }
}
