//! Weighted sums in rounds of blocks, none of which share a panel.
//!
//! A block writes its weights to scratch, and two matrix products carry them to the panels on either side.

use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{
        block::{
            microkernel::width,
            pack::{Buffer, Pool, Scratch},
            table::{PairsSegment, Table, segments},
        },
        gradient::{
            strip::Strip,
            sums::{Accumulated, Panel, Right, WeightedSums, add_totals},
            weights::Weights,
        },
        pairs::PairSet,
        schedule::TicketLock,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::Result,
    schedule::{Block, latin_square, panels, tournament},
};

/// Block and the tickets for the panels that it adds to.
struct Meeting {
    left: Ticket,
    /// `None` on the diagonal, where there is but one panel, which is the left one.
    right: Option<Ticket>,
    block: Block,
}

#[derive(Clone, Copy)]
struct Ticket {
    panel: usize,
    number: usize,
}

/// [`accumulate`](super::accumulate::accumulate) of any number of points.
pub(crate) fn accumulate_in_rounds<T: Float>(
    isa: Isa,
    pairs: PairSet<'_>,
    weights: &dyn Weights<T>,
    centre: &[T],
    advance: &(dyn Fn(u64) -> Result<()> + Sync),
) -> Result<Accumulated<T>> {
    let (x, y, dims, panel) = (pairs.left(), pairs.second(), pairs.dims(), pairs.panel());
    let (lefts, rights): (Vec<_>, Vec<_>) =
        (panels(x.len(), panel).collect(), panels(pairs.right().len(), panel).collect());
    let (mut on_x, mut on_y) = (WeightedSums::zeros(x)?, y.map(WeightedSums::zeros).transpose()?);

    // The panels of a second set stand behind those of x.
    let second = if y.is_some() { lefts.len() } else { 0 };
    let mut locks: Vec<_> = on_x.panels(dims, panel).map(TicketLock::new).collect();
    locks.extend(on_y.iter_mut().flat_map(|sums| sums.panels(dims, panel)).map(TicketLock::new));
    let rounds: Box<dyn Iterator<Item = Vec<(usize, usize)>> + Send> = match y {
        None => Box::new(tournament(lefts.len())),
        Some(_) => Box::new(latin_square(lefts.len(), rights.len())),
    };

    // Rounds flow into one another: a panel goes from block to block in their order, but waits for no others.
    let mut tickets = vec![0; locks.len()];
    let mut meetings = rounds.flatten().map(|(i, j)| {
        let block =
            Block { rows: lefts[i].clone(), cols: rights[j].clone(), diagonal: second == 0 && i == j };
        let mut ticket = |panel: usize| {
            tickets[panel] += 1;
            Ticket { panel, number: tickets[panel] - 1 }
        };
        Meeting { left: ticket(i), right: (!block.diagonal).then(|| ticket(j + second)), block }
    });
    let blocks = Blocks { isa, pairs, weights, centre, pool: Pool::new() };
    let meet = |Meeting { left, right, block }: Meeting| {
        let wait = |ticket: Ticket| locks[ticket.panel].ticket(ticket.number).wait();
        let (mut left, mut right) = (wait(left), right.map(wait));
        let (of_left, of_right) = (&mut *left, right.as_deref_mut().map_or(Right::Same, Right::Other));
        let sum = blocks.add(&block, of_left, of_right);
        left.sum += sum;
        // Observers may compute too: nobody waits for them.
        drop((left, right));
        advance(pairs.count_in(&block))
    };
    if lefts.len() == 1 && rights.len() == 1 {
        // A hand-off to other threads takes longer than a single small block.
        meetings.try_for_each(meet)?;
    } else {
        meetings.par_bridge().try_for_each(meet)?;
    }
    let sum = locks.into_iter().map(|lock| lock.into_inner().sum).sum();
    Ok(Accumulated { sum, on_x, on_y })
}

/// The same for the rows on the left alone, of pairs across two sets: each panel goes through all blocks in their order.
pub(crate) fn accumulate_left<T: Float>(
    isa: Isa,
    pairs: PairSet<'_>,
    weights: &dyn Weights<T>,
    centre: &[T],
    advance: &(dyn Fn(u64) -> Result<()> + Sync),
) -> Result<WeightedSums<T>> {
    let (x, y, dims, panel) = (pairs.left(), pairs.right(), pairs.dims(), pairs.panel());
    let rights: Vec<_> = panels(y.len(), panel).collect();
    let mut on_x = WeightedSums::zeros(x)?;
    let blocks = Blocks { isa, pairs, weights, centre, pool: Pool::new() };
    let lefts: Vec<_> = panels(x.len(), panel).zip(on_x.panels(dims, panel)).collect();
    lefts.into_par_iter().try_for_each(|(rows, mut left)| {
        rights.iter().try_for_each(|cols| {
            let block = &Block { rows: rows.clone(), cols: cols.clone(), diagonal: false };
            blocks.add(block, &mut left, Right::Unwanted);
            advance(pairs.count_in(block))
        })
    })?;
    Ok(on_x)
}

/// What all blocks have in common.
struct Blocks<'a, T> {
    isa: Isa,
    pairs: PairSet<'a>,
    weights: &'a dyn Weights<T>,
    centre: &'a [T],
    pool: Pool<T>,
}

impl<T: Float> Blocks<'_, T> {
    /// Adds the weighted sums of a block to the panels on its left and right; returns Σ w of the block, where the right is asked for.
    fn add<'p>(&self, block: &Block, left: &mut Panel<'p, T>, right: Right<'_, 'p, T>) -> f64 {
        let &Self { isa, pairs, centre, .. } = self;
        self.pool.with(|Scratch { packed, table, columns, .. }| {
            let weights = table.arrays(segments(block));
            self.weights.write(isa, pairs, block, packed, weights);
            isa.run(AddProducts { pairs, block, weights, centre, columns, left, right })
        })
    }
}

/// See [`Blocks::add`].
struct AddProducts<'a, 'p, T> {
    pairs: PairSet<'a>,
    block: &'a Block,
    /// Table of the weights.
    weights: &'a mut [PairsSegment<T>],
    centre: &'a [T],
    columns: &'a mut Buffer<T>,
    left: &'a mut Panel<'p, T>,
    right: Right<'a, 'p, T>,
}

impl<T: Float> Job for AddProducts<'_, '_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> f64 {
        let Self { pairs, block, weights, centre, columns, left, mut right } = self;
        let (x, y) = (pairs.left(), pairs.right());
        let width = width::<S, T>();
        let table = Table::over::<SIDE>(weights, block);
        let sum = add_totals::<S, T, SIDE>(simd, &table, block, left, &mut right);

        let copied = columns.take(width * block.rows.len().max(block.cols.len()));
        for column in (0..x.dims()).step_by(width) {
            let (of_x, of_y) = (Strip::new(x, &block.rows, column), Strip::new(y, &block.cols, column));
            let next_y = Strip::new(y, &block.cols, column + width);
            let points = of_y.copy::<S, T>(copied, centre);
            let weights = |left| table.down::<SIDE>(left, 0);
            let next = if matches!(right, Right::Unwanted) { &next_y } else { &of_x };
            of_x.multiply::<S, T, _, SIDE>(simd, points, weights, left.weighted, next);
            let Some(right) = right.panel(left) else { continue };
            let points = of_x.copy::<S, T>(copied, centre);
            let weights = |right| table.along(right);
            of_y.multiply::<S, T, _, SIDE>(simd, points, weights, right.weighted, &next_y);
        }
        sum
    }
}
