//! Weighted sums, the heavy half of every gradient: Σⱼ wᵢⱼ (xⱼ − xᵢ) for all i.

use crate::{
    cpu::{
        gradient::{
            held::{accumulate_held, are_held},
            rounds::accumulate_in_rounds,
            sums::Accumulated,
            weights::Weights,
        },
        pairs::PairSet,
        simd::{float::Float, isa::Isa},
    },
    error::Result,
};

/// Accumulates the weighted sums over all pairs. Points are taken relative to `centre`, so that close points far from the
/// origin do not cancel.
pub(crate) fn accumulate<T: Float>(
    isa: Isa,
    pairs: PairSet<'_>,
    weights: &dyn Weights<T>,
    centre: &[T],
    advance: &(dyn Fn(u64) -> Result<()> + Sync),
) -> Result<Accumulated<T>> {
    if are_held(pairs) {
        accumulate_held(isa, pairs, weights, centre, advance)
    } else {
        accumulate_in_rounds(isa, pairs, weights, centre, advance)
    }
}
