//! Fused row softmax: the sum of each row, and the gradient of its log, from weights that are computed once.
//!
//! The gradient for the points on the right needs complete row sums to divide by, so the weights of a few panels of rows
//! stay in memory until their rows are done; of few points, those of all rows.

use std::sync::{Mutex, PoisonError};

use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{
        block::{
            microkernel::width,
            pack::{Buffer, Pool, Scratch},
            table::{Table, bytes, segments},
        },
        gradient::{
            held::{accumulate_by_totals, are_held},
            strip::Strip,
            sums::{Panel, WeightedSums},
            weights::Weights,
        },
        pairs::PairSet,
        points::filled,
        schedule::TicketLock,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::{Error, Result},
    progress::Watch,
    schedule::{Block, panels},
};

/// Sum of each row's weights, and the weighted sums with weights divided by `divisor(row, sum)`.
pub(crate) struct FusedSoftmax {
    pub(crate) sums: Vec<f64>,
    pub(crate) on_x: WeightedSums<f32>,
    pub(crate) on_y: WeightedSums<f32>,
}

/// Whether the cache budget has room for the weights of a panel of rows.
pub(crate) fn fits(pairs: PairSet<'_>) -> bool {
    bytes_of_panel(pairs) <= pairs.cache_budget()
}

fn bytes_of_panel(pairs: PairSet<'_>) -> usize {
    let panel = pairs.panel();
    pairs.right().len().div_ceil(panel) * bytes::<f32>(panel, panel)
}

pub(crate) fn fused_softmax(
    isa: Isa,
    pairs: PairSet<'_>,
    weights: &dyn Weights<f32>,
    centre: &[f32],
    divisor: impl Fn(usize, f64) -> f64,
    watch: &Watch,
) -> Result<FusedSoftmax> {
    // A row without pairs, and without an extra term, has no weights.
    let factor = |row, sum| {
        let divisor = divisor(row, sum);
        if divisor > 0.0 { 1.0 / divisor } else { 0.0 }
    };
    let (x, y, dims, panel) = (pairs.left(), pairs.right(), pairs.dims(), pairs.panel());
    if are_held(pairs) {
        let advance = &|pairs| watch.advance(pairs);
        let (sums, all) = accumulate_by_totals(isa, pairs, weights, centre, factor, advance)?;
        let on_y = all.on_y.ok_or_else(|| Error::missing("the sums of the second set"))?;
        return Ok(FusedSoftmax { sums, on_x: all.on_x, on_y });
    }
    let (lefts, rights): (Vec<_>, Vec<_>) =
        (panels(x.len(), panel).collect(), panels(y.len(), panel).collect());
    let (mut on_x, mut on_y) = (WeightedSums::zeros(x)?, WeightedSums::zeros(y)?);
    let mut sums = filled(0.0, x.len(), 1)?;

    // The number of panels that go together shows in no result.
    let together =
        (pairs.cache_budget() / bytes_of_panel(pairs).max(1)).clamp(1, rayon::current_num_threads());
    let memory: Vec<_> = (0..together * rights.len()).map(|_| Mutex::new(Buffer::default())).collect();
    let memory_of = |i: usize, j: usize| {
        memory[i % together * rights.len() + j].lock().unwrap_or_else(PoisonError::into_inner)
    };
    let pool = Pool::new();
    let mut factors = filled(0.0f32, x.len(), 1)?;
    let mut of_x = on_x.panels(dims, panel);
    for first in (0..lefts.len()).step_by(together) {
        let here = first..lefts.len().min(first + together);
        let block =
            |i: usize, j: usize| Block { rows: lefts[i].clone(), cols: rights[j].clone(), diagonal: false };
        let locks: Vec<_> = here.clone().zip(&mut of_x).map(|(_, panel)| TicketLock::new(panel)).collect();
        let all = (0..rights.len()).flat_map(|j| here.clone().map(move |i| (i, j)));
        all.par_bridge().try_for_each(|(i, j)| {
            let block = &block(i, j);
            let ticket = locks[i - first].ticket(j);
            let mut memory = memory_of(i, j);
            pool.with(|scratch| {
                weights.write(isa, pairs, block, &mut scratch.packed, memory.arrays(segments(block)));
                let mut left = ticket.wait();
                isa.run(AddToLeft { pairs, block, centre, scratch, memory: &mut memory, left: &mut left });
            });
            watch.advance(pairs.count_in(block))
        })?;
        for (i, lock) in here.clone().zip(locks) {
            let Panel { weighted, total, .. } = lock.into_inner();
            for ((row, weighted), total) in lefts[i].clone().zip(weighted.chunks_exact_mut(dims)).zip(total) {
                sums[row] = *total;
                let factor = factor(row, *total);
                factors[row] = factor as f32;
                *total *= factor;
                weighted.iter_mut().for_each(|v| *v *= factor as f32);
            }
        }
        let of_y: Vec<_> = on_y.panels(dims, panel).collect();
        of_y.into_par_iter().enumerate().for_each(|(j, mut right)| {
            for i in here.clone() {
                let (block, mut memory) = (&block(i, j), memory_of(i, j));
                let (factors, memory) = (&factors[lefts[i].clone()], &mut *memory);
                pool.with(|scratch| {
                    let right = &mut right;
                    isa.run(AddToRight { pairs, block, centre, factors, scratch, memory, right });
                });
            }
        });
    }
    drop(of_x);
    Ok(FusedSoftmax { sums, on_x, on_y })
}

/// Adds the weights times the points on the right to the panel on the left.
struct AddToLeft<'a, 'p, T: Float> {
    pairs: PairSet<'a>,
    block: &'a Block,
    centre: &'a [T],
    scratch: &'a mut Scratch<T>,
    memory: &'a mut Buffer<T>,
    left: &'a mut Panel<'p, T>,
}

impl<T: Float> Job for AddToLeft<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { pairs, block, centre, scratch, memory, left } = self;
        let (width, lanes) = (width::<S, T>(), T::lanes::<S>());
        let table = Table::of::<SIDE>(memory, block);
        let totals = scratch.left_values.take(block.rows.len().next_multiple_of(lanes));
        totals.fill(T::default());
        for right in 0..block.cols.len() {
            for (start, row) in table.row(right, lanes) {
                let totals = T::vectors_mut::<S>(&mut totals[start..][..row.len()]);
                for (total, &weight) in totals.iter_mut().zip(T::vectors::<S>(row)) {
                    *total = T::plus(simd, *total, weight);
                }
            }
        }
        left.total.iter_mut().zip(&*totals).for_each(|(total, &of_block)| *total += of_block.into());

        let copied = scratch.columns.take(width * block.cols.len());
        for column in (0..pairs.dims()).step_by(width) {
            let of_x = Strip::new(pairs.left(), &block.rows, column);
            let of_y = Strip::new(pairs.right(), &block.cols, column);
            let next = Strip::new(pairs.right(), &block.cols, column + width);
            let points = of_y.copy::<S, T>(copied, centre);
            of_x.multiply::<S, T, _, SIDE>(
                simd,
                points,
                |row| table.down::<SIDE>(row, 0),
                left.weighted,
                &next,
            );
        }
    }
}

/// Adds the weights times the points on the left, each times its factor, to the panel on the right.
struct AddToRight<'a, 'p, T: Float> {
    pairs: PairSet<'a>,
    block: &'a Block,
    centre: &'a [T],
    /// For each row on the left.
    factors: &'a [T],
    scratch: &'a mut Scratch<T>,
    memory: &'a mut Buffer<T>,
    right: &'a mut Panel<'p, T>,
}

impl<T: Float> Job for AddToRight<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { pairs, block, centre, factors, scratch, memory, right } = self;
        let (width, lanes) = (width::<S, T>(), T::lanes::<S>());
        let table = Table::of::<SIDE>(memory, block);
        let padded = scratch.left_values.take(factors.len().next_multiple_of(lanes));
        padded.fill(T::default());
        padded[..factors.len()].copy_from_slice(factors);
        for (j, total) in right.total.iter_mut().enumerate() {
            let mut sum = T::splat(simd, T::default());
            for (start, row) in table.row(j, lanes) {
                let factors = T::vectors::<S>(&padded[start..][..row.len()]);
                for (&weight, &factor) in T::vectors::<S>(row).iter().zip(factors) {
                    sum = T::mul_add(simd, weight, factor, sum);
                }
            }
            *total += T::lane_sum(simd, sum).into();
        }

        let copied = scratch.columns.take(width * block.rows.len());
        for column in (0..pairs.dims()).step_by(width) {
            let of_x = Strip::new(pairs.left(), &block.rows, column);
            let of_y = Strip::new(pairs.right(), &block.cols, column);
            let next = Strip::new(pairs.left(), &block.rows, column + width);
            of_x.copy::<S, T>(copied, centre);
            for (out, &factor) in copied.chunks_exact_mut(width).zip(factors) {
                out.iter_mut().for_each(|v| *v = *v * factor);
            }
            of_y.multiply::<S, T, _, SIDE>(simd, copied, |row| table.along(row), right.weighted, &next);
        }
    }
}
