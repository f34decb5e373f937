//! The sum of each row, and the gradient of its log, from weights that are computed once.
//!
//! What pulls at the points on the right is to be divided by the sums of whole rows. So the weights of a few panels of
//! rows stay until their rows are done.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::{
    Cpu,
    gradient::Exponentials,
    halves::{Fill, ToLeft, ToRight},
    kernel::Cosine,
    pack::{Buffer, Pool},
    pull::{Panel, Pulls},
    sets::Sets,
    table::bytes,
    turns::InTurn,
};
use crate::{
    error::Result,
    progress::Watch,
    schedule::{Block, panels},
};

/// Each row's sum of weights, and the pulls of weights divided by `divisor(row, sum)`.
pub(super) struct OneWay {
    pub(super) sums: Vec<f64>,
    pub(super) on_x: Pulls<f32>,
    pub(super) on_y: Pulls<f32>,
}

/// Whether there is room for the weights of a panel of rows.
pub(super) fn fits(sets: Sets<'_>) -> bool {
    of_panel(sets) <= sets.room()
}

fn of_panel(sets: Sets<'_>) -> usize {
    let panel = sets.panel();
    sets.right().len().div_ceil(panel) * bytes::<f32>(panel, panel)
}

pub(super) fn one_way(
    cpu: &Cpu,
    sets: Sets<'_>,
    weights: &Exponentials<Cosine>,
    centre: &[f32],
    divisor: impl Fn(usize, f64) -> f64,
    watch: &Watch<'_>,
) -> Result<OneWay> {
    let (x, y, dims, panel) = (sets.x, sets.right(), sets.dims(), sets.panel());
    let (lefts, rights): (Vec<_>, Vec<_>) =
        (panels(x.len(), panel).collect(), panels(y.len(), panel).collect());
    let (mut on_x, mut on_y) = (Pulls::none(x), Pulls::none(y));
    let mut sums = vec![0.0; x.len()];

    // How many panels go together shows in no result.
    let together = (sets.room() / of_panel(sets).max(1)).clamp(1, rayon::current_num_threads());
    let memory: Vec<_> = (0..together * rights.len()).map(|_| Mutex::new(Buffer::default())).collect();
    let memory_of = |i: usize, j: usize| {
        memory[i % together * rights.len() + j].lock().unwrap_or_else(PoisonError::into_inner)
    };
    let pool = Pool::new();
    let mut factors = vec![0.0f32; x.len()];
    let mut of_x = on_x.panels(dims, panel);
    for first in (0..lefts.len()).step_by(together) {
        let here = first..lefts.len().min(first + together);
        let block =
            |i: usize, j: usize| Block { rows: lefts[i].clone(), cols: rights[j].clone(), diagonal: false };
        let slots: Vec<_> = here.clone().zip(&mut of_x).map(|(_, panel)| InTurn::new(panel)).collect();
        let all = (0..rights.len()).flat_map(|j| here.clone().map(move |i| (i, j)));
        all.par_bridge().try_for_each(|(i, j)| {
            let block = &block(i, j);
            let mut memory = memory_of(i, j);
            pool.with(|scratch| {
                cpu.level.run(Fill { sets, block, weights, scratch, memory: &mut memory });
                let mut left = slots[i - first].wait(j);
                cpu.level.run(ToLeft { sets, block, centre, scratch, memory: &mut memory, left: &mut left });
            });
            watch.advance(sets.count(block))
        })?;
        for (i, slot) in here.clone().zip(slots) {
            let Panel { weighted, total, .. } = slot.into_inner();
            for ((row, weighted), total) in lefts[i].clone().zip(weighted.chunks_exact_mut(dims)).zip(total) {
                sums[row] = *total;
                let divisor = divisor(row, *total);
                // A row without pairs, and without a rest, pulls at nothing.
                let factor = if divisor > 0.0 { 1.0 / divisor } else { 0.0 };
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
                    cpu.level.run(ToRight { sets, block, centre, factors, scratch, memory, right });
                });
            }
        });
    }
    drop(of_x);
    Ok(OneWay { sums, on_x, on_y })
}
