//! The heavy half of every gradient: Σⱼ wᵢⱼ (xⱼ − xᵢ) for all i.
//!
//! A block writes its weights to scratch, and two matrix products carry them to the panels on either side.

use pulp::Simd;
use rayon::prelude::*;

use super::{
    float::Float,
    level::Level,
    log_sum::panel,
    pack::{Buffer, Pool, Scratch},
    points::Rows,
    product::Pull,
    tile::{Right, SHORT},
};
use crate::{
    Result,
    pairs::{Block, latin_square, panels, tournament},
};

/// Where the weights of a block come from.
pub(super) trait Weights<T: Float>: Sync {
    /// Writes the weight of every pair, and 0 where it does not count; on the diagonal, `out` comes with zeros.
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        rows: (&Rows, &Rows),
        block: &Block,
        scratch: &mut Scratch<T>,
        out: &mut Table<'_, T>,
    );
}

/// How many weights of a row lie side by side: a multiple of both sides of every tile.
pub(super) const LONG: usize = 192;

/// Some weights of a row on the right, and a cache line more, as with points.
pub(super) type Segment<T> = [T; LONG + 16];

/// The weights of a block, row by row of its right side, each cut into segments.
pub(super) struct Table<'a, T> {
    segments: &'a mut [Segment<T>],
    rows: usize,
}

impl<'a, T: Float> Table<'a, T> {
    /// For so many rows on either side.
    pub(super) fn new(buffer: &'a mut Buffer<T>, left: usize, right: usize) -> Self {
        Self { segments: buffer.arrays(right * left.div_ceil(LONG)), rows: right }
    }

    pub(super) fn clear(&mut self) {
        self.segments.as_flattened_mut().fill(T::default());
    }

    /// The weights of `count` rows on the right, from the first on, with the row on the left and those after it
    /// in its segment.
    #[inline(always)]
    pub(super) fn from(&mut self, left: usize, right: usize, count: usize) -> impl Iterator<Item = &mut [T]> {
        let rows = &mut self.segments[left / LONG * self.rows + right..][..count];
        rows.iter_mut().map(move |row| &mut row[left % LONG..LONG])
    }

    /// For `SIDE` rows on the left: their weights with all rows on the right.
    #[inline(always)]
    pub(super) fn down<const SIDE: usize>(&self, left: usize) -> Down<'_, T> {
        let rows = &self.segments[left / LONG * self.rows..][..self.rows];
        Down { rows, group: left % LONG / SIDE }
    }

    /// For `SIDE` rows on the right: their weights with all rows on the left.
    #[inline(always)]
    pub(super) fn along(&self, right: usize) -> Along<'_, T> {
        Along { segments: &self.segments[right..], rows: self.rows }
    }

    /// The same, segment by segment.
    #[inline(always)]
    pub(super) fn group<const SIDE: usize>(&self, right: usize) -> impl Iterator<Item = &[Segment<T>; SIDE]> {
        self.segments.chunks_exact(self.rows).map(move |segment| &segment[right..].as_chunks().0[0])
    }
}

#[derive(Clone, Copy)]
pub(super) struct Down<'a, T> {
    rows: &'a [Segment<T>],
    group: usize,
}

impl<T: Float, const SIDE: usize> Right<T, SIDE> for Down<'_, T> {
    const SHORT: usize = SHORT;

    #[inline(always)]
    fn value(self, short: usize, count: usize) -> impl Fn(usize, usize) -> T {
        let rows = &self.rows[short * SHORT..][..count];
        move |k, r| rows[k].as_chunks::<SIDE>().0[self.group][r]
    }
}

#[derive(Clone, Copy)]
pub(super) struct Along<'a, T> {
    segments: &'a [Segment<T>],
    rows: usize,
}

impl<T: Float, const SIDE: usize> Right<T, SIDE> for Along<'_, T> {
    const SHORT: usize = LONG;

    #[inline(always)]
    fn value(self, short: usize, _: usize) -> impl Fn(usize, usize) -> T {
        let rows = &self.segments[short * self.rows..].as_chunks::<SIDE>().0[0];
        move |k, r| rows[r][k]
    }
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
            let sum =
                pool.with(|scratch| level.run(Pull { rows, block, weights, centre, scratch, left, right }));
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
