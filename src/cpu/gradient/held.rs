//! Weighted sums of few points: the weights of all pairs are held in memory, and then each row's sums are made at once.
//!
//! No two threads write to one panel, so that none waits for another, and few panels are enough for all cores.

use std::ops::Range;

use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{
        block::{
            microkernel::{
                MAX_TILE_WIDTH, MULTIPLE_OF_SIDES, Product, Right as TileRight, Tile, microkernel, width,
            },
            pack::{Pool, SPARE, Scratch},
            table::{PairsSegment, Table, segments},
        },
        gradient::{
            strip::{Strip, add_to_columns},
            sums::{Accumulated, Panel, Right, WeightedSums, add_totals},
            weights::Weights,
        },
        pairs::PairSet,
        points::{Rows, filled},
        schedule::both,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::Result,
    schedule::Block,
};

/// Most rows of a set whose weights are held: those of more do not fit into the caches.
const MAX_ROWS: usize = 1024;

/// Most values of such a set, which are copied.
const MAX_VALUES: usize = 1 << 21;

/// Products that a thread computes at a time: fewer take less time than a hand-off.
const PRODUCTS_PER_TASK: usize = 1 << 20;

/// Whether the weights of these pairs are held.
pub(crate) fn are_held(pairs: PairSet<'_>) -> bool {
    let rows = pairs.left().len().max(pairs.right().len());
    rows <= MAX_ROWS && rows * pairs.dims() <= MAX_VALUES
}

/// The same as [`accumulate`](super::accumulate::accumulate), of pairs whose weights are held.
pub(crate) fn accumulate_held<T: Float>(
    isa: Isa,
    pairs: PairSet<'_>,
    weights: &dyn Weights<T>,
    centre: &[T],
    advance: &(dyn Fn(u64) -> Result<()> + Sync),
) -> Result<Accumulated<T>> {
    multiply_held(isa, pairs, weights, centre, |_, totals| Ok(totals), advance)
}

/// The totals of the rows on the left, and the sums of their weights times a factor that `factor(row, total)` gives each row. Pairs run
/// across two sets.
pub(crate) fn accumulate_by_totals<T: Float>(
    isa: Isa,
    pairs: PairSet<'_>,
    weights: &dyn Weights<T>,
    centre: &[T],
    factor: impl Fn(usize, f64) -> f64,
    advance: &(dyn Fn(u64) -> Result<()> + Sync),
) -> Result<(Vec<f64>, Accumulated<T>)> {
    let mut of_rows = Vec::new();
    let scale = |held: &mut [Held<'_, T>], totals: AllTotals| {
        let factors: Vec<_> = (0..).zip(&totals.on_x).map(|(row, &total)| factor(row, total)).collect();
        let single: Vec<_> = factors.iter().map(|&factor| T::nearest(factor)).collect();
        let scaled = |held: &mut Held<'_, T>| {
            let factors = &single[held.block.rows.clone()];
            (held.block.cols.clone(), isa.run(ScaleRows { held, factors }))
        };
        let of_right: Vec<_> = held.par_iter_mut().map(scaled).collect();
        let mut on_y = filled(0.0, pairs.right().len(), 1)?;
        of_right.iter().for_each(|(cols, of_block)| add(&mut on_y[cols.clone()], of_block));
        let on_x: Vec<_> = totals.on_x.iter().zip(&factors).map(|(total, factor)| total * factor).collect();
        of_rows = totals.on_x;
        Ok(AllTotals { sum: on_x.iter().sum(), on_x, on_y: Some(on_y) })
    };
    let sums = multiply_held(isa, pairs, weights, centre, scale, advance)?;
    Ok((of_rows, sums))
}

/// Sums of the weights of all pairs.
struct AllTotals {
    on_x: Vec<f64>,
    /// Only where the pairs run across two sets.
    on_y: Option<Vec<f64>>,
    sum: f64,
}

/// Holds the weights of all pairs, changes them as their totals ask for, and multiplies them by the points.
fn multiply_held<T: Float>(
    isa: Isa,
    pairs: PairSet<'_>,
    weights: &dyn Weights<T>,
    centre: &[T],
    change: impl FnOnce(&mut [Held<'_, T>], AllTotals) -> Result<AllTotals>,
    advance: &(dyn Fn(u64) -> Result<()> + Sync),
) -> Result<Accumulated<T>> {
    let blocks: Vec<_> = pairs.blocks().collect();
    let (x, y, dims) = (pairs.left(), pairs.second(), pairs.dims());
    let [of_x, of_y] = [Some(x), y].map(|rows| rows.map_or(0, Columns::<T>::len));
    let of_tables =
        blocks.iter().map(segments).sum::<usize>() * size_of::<PairsSegment<T>>() / size_of::<T>();
    SPARE.with(of_x + of_y + of_tables, |memory: &mut [T]| {
        let (of_sides, of_tables) = memory.split_at_mut(of_x + of_y);
        let (of_x, of_y) = of_sides.split_at_mut(of_x);
        let mut held = Held::of(&blocks, of_tables.as_chunks_mut().0);

        let pool = Pool::new();
        let fill = |held: &mut Held<'_, T>| {
            let totals = pool.with(|Scratch { packed, .. }| {
                weights.write(isa, pairs, held.block, packed, held.segments);
                isa.run(Sum(held))
            });
            advance(pairs.count_in(held.block)).map(|()| totals)
        };
        let (totals, (of_x, of_y)) = both(
            pairs.are_quick(),
            || held.par_iter_mut().map(fill).collect::<Result<Vec<_>>>(),
            || (Columns::new(isa, x, centre, of_x), y.map(|y| Columns::new(isa, y, centre, of_y))),
        );

        let zeros = |rows: &Rows| filled(0.0, rows.len(), 1);
        let mut all = AllTotals { on_x: zeros(x)?, on_y: y.map(zeros).transpose()?, sum: 0.0 };
        for (block, totals) in blocks.iter().zip(totals?) {
            all.sum += totals.sum;
            add(&mut all.on_x[block.rows.clone()], &totals.of_left);
            add(&mut all.on_y.as_mut().unwrap_or(&mut all.on_x)[block.cols.clone()], &totals.of_right);
        }
        let AllTotals { on_x, on_y, sum } = change(&mut held, all)?;
        let mut on_x = WeightedSums::of(x, on_x)?;
        let mut on_y = y.zip(on_y).map(|(y, total)| WeightedSums::of(y, total)).transpose()?;
        let tables = held.iter_mut().map(|held| (held.block, isa.run(TableOf(held)))).collect();
        let all = Factors { isa, tables, left: &of_x, right: of_y.as_ref().unwrap_or(&of_x) };
        all.multiply(if y.is_some() { Side::Left } else { Side::Both }, &mut on_x.weighted, dims);
        if let Some(on_y) = &mut on_y {
            all.multiply(Side::Right, &mut on_y.weighted, dims);
        }
        Ok(Accumulated { sum, on_x, on_y })
    })
}

/// Memory for the weights of a block.
struct Held<'a, T> {
    block: &'a Block,
    segments: &'a mut [PairsSegment<T>],
}

impl<'a, T> Held<'a, T> {
    fn of(blocks: &'a [Block], mut memory: &'a mut [PairsSegment<T>]) -> Vec<Self> {
        let one = |block| Some(Self { block, segments: memory.split_off_mut(..segments(block))? });
        blocks.iter().map_while(one).collect()
    }
}

fn add(sums: &mut [f64], terms: &[f64]) {
    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
}

/// Sums of a block's weights.
struct Totals {
    of_left: Vec<f64>,
    /// Empty on the diagonal, where `of_left` has them too.
    of_right: Vec<f64>,
    sum: f64,
}

/// Sums a block's weights.
struct Sum<'a, 'h, T>(&'a mut Held<'h, T>);

impl<T: Float> Job for Sum<'_, '_, T> {
    type Output = Totals;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Totals {
        let Self(Held { block, segments }) = self;
        let table = Table::over::<SIDE>(segments, block);
        let mut of_left = vec![0.0; block.rows.len()];
        let mut of_right = vec![0.0; if block.diagonal { 0 } else { block.cols.len() }];
        let (mut left, mut right) = (Panel::of_totals(&mut of_left), Panel::of_totals(&mut of_right));
        let mut right = if block.diagonal { Right::Same } else { Right::Other(&mut right) };
        let sum = add_totals::<S, T, SIDE>(simd, &table, block, &mut left, &mut right);
        Totals { of_left, of_right, sum }
    }
}

/// Multiplies the weights of each row on the left by its factor, and sums those of each row on the right.
struct ScaleRows<'a, 'h, T> {
    held: &'a mut Held<'h, T>,
    /// For each row on the left.
    factors: &'a [T],
}

impl<T: Float> Job for ScaleRows<'_, '_, T> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Vec<f64> {
        let Self { held: Held { block, segments }, factors } = self;
        let mut table = Table::over::<SIDE>(segments, block);
        // Factors past the last row are 0, as are the weights there.
        let mut padded = vec![T::default(); factors.len().next_multiple_of(T::lanes::<S>())];
        padded[..factors.len()].copy_from_slice(factors);
        let mut sums = Vec::with_capacity(block.cols.len());
        for right in 0..block.cols.len() {
            let mut sum = T::splat(simd, T::default());
            for (start, weights) in table.row_mut(right, T::lanes::<S>()) {
                let factors = T::vectors::<S>(&padded[start..][..weights.len()]);
                for (weight, &factor) in T::vectors_mut::<S>(weights).iter_mut().zip(factors) {
                    *weight = T::times(simd, *weight, factor);
                    sum = T::plus(simd, sum, *weight);
                }
            }
            sums.push(T::lane_sum(simd, sum).into());
        }
        sums
    }
}

/// Table of a block whose weights are written.
struct TableOf<'a, 'h, T>(&'a mut Held<'h, T>);

impl<'a, T: Float> Job for TableOf<'a, '_, T> {
    type Output = Table<'a, T>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, _: S) -> Table<'a, T> {
        Table::over::<SIDE>(self.0.segments, self.0.block)
    }
}

/// Points relative to the centre, strip of columns after strip.
struct Columns<'a, T> {
    values: &'a [T],
    rows: usize,
}

impl<'a, T: Float> Columns<'a, T> {
    /// Values of the strips of some rows, on any instruction set.
    fn len(rows: &Rows) -> usize {
        rows.len() * rows.dims().next_multiple_of(MAX_TILE_WIDTH)
    }

    fn new(isa: Isa, rows: &Rows, centre: &[T], values: &'a mut [T]) -> Self {
        isa.run(CopyColumns { rows, centre, out: values });
        Self { values, rows: rows.len() }
    }

    /// Strip of this number, of some rows.
    #[inline(always)]
    fn strip(&self, strip: usize, rows: Range<usize>, width: usize) -> &[T] {
        &self.values[(strip * self.rows + rows.start) * width..][..rows.len() * width]
    }
}

/// Copies the strips of some rows.
struct CopyColumns<'a, T> {
    rows: &'a Rows,
    centre: &'a [T],
    out: &'a mut [T],
}

impl<T: Float> Job for CopyColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, _: S) {
        let Self { rows, centre, out } = self;
        let (n, width) = (rows.len(), width::<S, T>());
        let columns = (0..rows.dims()).step_by(width);
        for (column, out) in columns.zip(out.chunks_exact_mut((n * width).max(1))) {
            Strip::new(rows, &(0..n), column).copy::<S, T>(out, centre);
        }
    }
}

/// Rows that get sums.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
    /// Those of one set, which is on both sides.
    Both,
}

/// Weights of all pairs, and the points on either side of them.
struct Factors<'a, T> {
    isa: Isa,
    tables: Vec<(&'a Block, Table<'a, T>)>,
    left: &'a Columns<'a, T>,
    right: &'a Columns<'a, T>,
}

impl<T: Float> Factors<'_, T> {
    /// Adds the weights times the points on the other side to the sums of all rows.
    fn multiply(&self, side: Side, weighted: &mut [T], dims: usize) {
        // Whole tiles, of which panels are made too.
        let rows = MULTIPLE_OF_SIDES;
        let others = if side == Side::Right { self.left } else { self.right };
        let products = rows * others.rows * dims;
        let tasks = weighted.par_chunks_mut(rows * dims).enumerate();
        tasks.with_min_len(PRODUCTS_PER_TASK.div_ceil(products.max(1))).for_each(|(task, out)| {
            self.isa.run(Multiply { by: self, side, first: task * rows, dims, out });
        });
    }
}

/// The same for some rows, from `first` on.
struct Multiply<'a, T> {
    by: &'a Factors<'a, T>,
    side: Side,
    first: usize,
    dims: usize,
    out: &'a mut [T],
}

impl<T: Float> Job for Multiply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let Self { by: &Factors { ref tables, left, right, .. }, side, first, dims, out } = self;
        let width = width::<S, T>();
        let of_left = tables.iter().filter(|(block, _)| side != Side::Right && block.rows.contains(&first));
        let of_right = tables.iter().filter(|(block, _)| side != Side::Left && block.cols.contains(&first));
        let (of_left, of_right): (Vec<_>, Vec<_>) = (of_left.collect(), of_right.collect());
        for (strip, column) in (0..dims).step_by(width).enumerate() {
            for (first, out) in (first..).step_by(SIDE).zip(out.chunks_mut(SIDE * dims)) {
                let mut sums = [[T::splat(simd, T::default()); 2]; SIDE];
                for (Block { rows, cols, diagonal }, table) in &of_left {
                    // On the diagonal, rows before these have no weight.
                    let skipped = if *diagonal { first - rows.start } else { 0 };
                    let points = right.strip(strip, cols.start + skipped..cols.end, width);
                    let weights = table.down::<SIDE>(first - rows.start, skipped);
                    add_product::<S, T, _, SIDE>(simd, points, weights, &mut sums);
                }
                for (Block { rows, cols, diagonal }, table) in &of_right {
                    let end = if *diagonal { rows.end.min(first + SIDE) } else { rows.end };
                    let points = left.strip(strip, rows.start..end, width);
                    add_product::<S, T, _, SIDE>(simd, points, table.along(first - cols.start), &mut sums);
                }
                add_to_columns::<S, T, SIDE>(simd, &sums, dims, column..dims.min(column + width), out);
            }
        }
    }
}

#[inline(always)]
fn add_product<S: Simd, T: Float, R: TileRight<T, SIDE>, const SIDE: usize>(
    simd: S,
    points: &[T],
    weights: R,
    sums: &mut Tile<S, T, SIDE>,
) {
    let products = microkernel::<S, T, Product, R, SIDE>(simd, points, weights);
    for (sum, product) in sums.iter_mut().zip(products) {
        sum[0] = T::plus(simd, sum[0], product[0]);
        sum[1] = T::plus(simd, sum[1], product[1]);
    }
}
