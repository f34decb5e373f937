//! The heavy half of every gradient: Σⱼ wᵢⱼ (xⱼ − xᵢ) for all i.
//!
//! A block writes its weights to scratch, and two matrix products carry them to the panels on either side.

use pulp::Simd;
use rayon::prelude::*;

use super::{
    float::Float,
    level::Level,
    pack::{Pool, Scratch},
    points::Rows,
    product::Pull,
    sets::Sets,
    table::Table,
    turns::InTurn,
};
use crate::{
    error::Result,
    schedule::{Block, latin_square, panels, tournament},
};

/// Where the weights of a block come from.
pub(super) trait Weights<T: Float>: Sync {
    /// Writes the weight of every pair, and 0 where it does not count; on the diagonal, `out` comes with zeros.
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        sets: Sets<'_>,
        block: &Block,
        scratch: &mut Scratch<T>,
        out: &mut Table<'_, T>,
    );
}

/// What all others do to the points of one set.
pub(super) struct Pulls<T> {
    /// Σⱼ wᵢⱼ (xⱼ − centre), row by row.
    pub(super) weighted: Vec<T>,
    /// Σⱼ wᵢⱼ
    pub(super) total: Vec<f64>,
}

impl<T: Float> Pulls<T> {
    pub(super) fn none(rows: &Rows) -> Self {
        Self { weighted: vec![T::default(); rows.len() * rows.dims()], total: vec![0.0; rows.len()] }
    }

    pub(super) fn panels(&mut self, dims: usize, panel: usize) -> impl Iterator<Item = Panel<'_, T>> {
        let weighted = self.weighted.chunks_mut(panel * dims);
        let totals = self.total.chunks_mut(panel);
        weighted.zip(totals).map(|(weighted, total)| Panel { weighted, total, sum: 0.0 })
    }
}

/// The part of a panel's rows, and Σ w of the blocks that had it on their left.
pub(super) struct Panel<'a, T> {
    pub(super) weighted: &'a mut [T],
    pub(super) total: &'a mut [f64],
    sum: f64,
}

/// Σ w over all pairs, and the pulls on x and, where the pairs run across two sets, on y. Points are taken
/// relative to `centre`, so that close points far from the origin do not cancel.
pub(super) fn pulls<T: Float>(
    level: Level,
    sets: Sets<'_>,
    weights: &impl Weights<T>,
    centre: &[T],
    advance: impl Fn(u64) -> Result<()> + Sync,
) -> Result<(f64, Pulls<T>, Option<Pulls<T>>)> {
    let Sets { x, y, .. } = sets;
    let (n, m, panel) = (x.len(), sets.right().len(), sets.panel());
    let (lefts, rights): (Vec<_>, Vec<_>) = (panels(n, panel).collect(), panels(m, panel).collect());
    let (mut on_x, mut on_y) = (Pulls::none(x), y.map(Pulls::none));

    // A set of its own stands behind x where there are two.
    let second = if y.is_some() { lefts.len() } else { 0 };
    let mut slots: Vec<_> = on_x.panels(x.dims(), panel).map(InTurn::new).collect();
    slots.extend(on_y.iter_mut().flat_map(|pulls| pulls.panels(x.dims(), panel)).map(InTurn::new));
    let rounds: Box<dyn Iterator<Item = Vec<(usize, usize)>> + Send> = match y {
        None => Box::new(tournament(lefts.len())),
        Some(_) => Box::new(latin_square(lefts.len(), rights.len())),
    };

    // Rounds flow into one another: a panel goes from block to block in their order, but waits for no others.
    let mut turns = vec![0; slots.len()];
    let mut meetings = rounds.flatten().map(|(i, j)| {
        let block =
            Block { rows: lefts[i].clone(), cols: rights[j].clone(), diagonal: second == 0 && i == j };
        let mut turn = |slot: usize| {
            turns[slot] += 1;
            (slot, turns[slot] - 1)
        };
        // On the diagonal there is but one panel, and the left has it.
        let left = turn(i);
        (left, (!block.diagonal).then(|| turn(j + second)), block)
    });
    let pool = Pool::new();
    let meet = |(left, right, block): ((usize, usize), Option<(usize, usize)>, Block)| {
        let wait = |(slot, turn): (usize, usize)| slots[slot].wait(turn);
        let (mut left, mut right) = (wait(left), right.map(wait));
        let sum = pool.with(|scratch| {
            let (left, right) = (&mut *left, right.as_deref_mut());
            level.run(Pull { sets, block: &block, weights, centre, scratch, left, right })
        });
        left.sum += sum;
        // Observers may compute too: nobody waits for them.
        drop((left, right));
        advance(sets.count(&block))
    };
    if lefts.len() == 1 && rights.len() == 1 {
        // A hand-off to other threads takes longer than a single small block.
        meetings.try_for_each(meet)?;
    } else {
        meetings.par_bridge().try_for_each(meet)?;
    }
    let sum = slots.into_iter().map(|slot| slot.into_inner().sum).sum();
    Ok((sum, on_x, on_y))
}
