//! The heavy half of every gradient: Σⱼ wᵢⱼ (xⱼ − xᵢ) for all i.
//!
//! A block writes its weights to scratch, and two matrix products carry them to the panels on either side.

use pulp::Simd;
use rayon::prelude::*;

use super::{
    float::Float,
    level::Level,
    log_sum::panel,
    pack::{Pool, Scratch},
    points::Rows,
    product::Pull,
};
use crate::{
    Result,
    pairs::{Block, latin_square, panels, tournament},
};

/// Where the weights of a block come from.
pub(super) trait Weights<T: Float>: Sync {
    /// Writes the weight of row i on the left with row j on the right to `scratch.weights`, at
    /// [j · `stride` + i], and 0 where the pair does not count.
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        rows: (&Rows, &Rows),
        block: &Block,
        scratch: &mut Scratch<T>,
        stride: usize,
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
    fn none(rows: &Rows) -> Self {
        Self { weighted: vec![T::default(); rows.len() * rows.dims()], total: vec![0.0; rows.len()] }
    }

    fn panels(&mut self, dims: usize, panel: usize) -> impl Iterator<Item = Option<Panel<'_, T>>> {
        let weighted = self.weighted.chunks_mut(panel * dims);
        weighted.zip(self.total.chunks_mut(panel)).map(|(weighted, total)| Some(Panel { weighted, total }))
    }
}

/// The part of a panel's rows.
pub(super) struct Panel<'a, T> {
    pub(super) weighted: &'a mut [T],
    pub(super) total: &'a mut [f64],
}

/// Σ w over all pairs, and the pulls on x and, where the pairs run across two sets, on y. Points are taken
/// relative to `centre`, so that close points far from the origin do not cancel.
pub(super) fn pulls<T: Float>(
    level: Level,
    x: &Rows,
    y: Option<&Rows>,
    weights: &impl Weights<T>,
    centre: &[T],
    advance: impl Fn(u64) -> Result<()> + Sync,
) -> Result<(f64, Pulls<T>, Option<Pulls<T>>)> {
    let (n, m) = (x.len(), y.unwrap_or(x).len());
    let rows = (x, y.unwrap_or(x));
    let panel = panel(n.max(m), x.dims());
    let (lefts, rights): (Vec<_>, Vec<_>) = (panels(n, panel).collect(), panels(m, panel).collect());
    let (mut on_x, mut on_y) = (Pulls::none(x), y.map(Pulls::none));

    // A set of its own stands behind x where there are two.
    let second = if y.is_some() { lefts.len() } else { 0 };
    let mut slots: Vec<_> = on_x.panels(x.dims(), panel).collect();
    slots.extend(on_y.iter_mut().flat_map(|pulls| pulls.panels(x.dims(), panel)));
    let rounds: Box<dyn Iterator<Item = Vec<(usize, usize)>>> = match y {
        None => Box::new(tournament(lefts.len())),
        Some(_) => Box::new(latin_square(lefts.len(), rights.len())),
    };

    let pool = Pool::new();
    let mut sum = 0.0;
    for round in rounds {
        let meetings = round.into_iter().map(|(i, j)| {
            let block =
                Block { rows: lefts[i].clone(), cols: rights[j].clone(), diagonal: second == 0 && i == j };
            (i, j + second, block)
        });
        let mut meetings: Vec<_> =
            meetings.map(|(i, j, b)| (i, j, b, slots[i].take(), slots[j].take())).collect();
        let sums = meetings.par_iter_mut().map(|(_, _, block, left, right)| {
            let Some(left) = left else { return Ok(0.0) };
            let right = right.as_mut();
            let sum = pool.with(|scratch| {
                level.run(Pull { rows, block, weights, centre, scratch, stride: panel, left, right })
            });
            advance(block.pairs()).map(|()| sum)
        });
        sum += sums.collect::<Result<Vec<f64>>>()?.iter().sum::<f64>();
        for (i, j, _, left, right) in meetings {
            // On the diagonal there is but one panel, and the left has it.
            slots[j] = right;
            slots[i] = left;
        }
    }
    drop(slots);
    Ok((sum, on_x, on_y))
}
