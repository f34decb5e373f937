//! The heavy half of every gradient: Σⱼ wᵢⱼ (xⱼ − xᵢ) for all i.
//!
//! A block writes its weights to scratch, and two matrix products carry them to the panels on either side.

use std::ops::AddAssign;

use pulp::Simd;
use rayon::prelude::*;

use super::{
    float::Float,
    level::{Job, Level},
    log_sum::panel,
    pack::{Pool, Scratch, interleave},
    points::Rows,
    tile::{Product, Tile, sums, width},
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
struct Panel<'a, T> {
    weighted: &'a mut [T],
    total: &'a mut [f64],
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

struct Pull<'a, 'p, T: Float, W> {
    rows: (&'a Rows, &'a Rows),
    block: &'a Block,
    weights: &'a W,
    centre: &'a [T],
    scratch: &'a mut Scratch<T>,
    stride: usize,
    left: &'a mut Panel<'p, T>,
    /// None on the diagonal, where it is the left one.
    right: Option<&'a mut Panel<'p, T>>,
}

impl<T: Float + AddAssign, W: Weights<T>> Job for Pull<'_, '_, T, W> {
    /// Σ w of the block.
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(mut self, simd: S) -> f64 {
        let Self { rows: (x, y), block, stride, .. } = self;
        self.weights.fill::<S, SIDE>(simd, self.rows, block, self.scratch, stride);
        let (n, m) = (block.rows.len(), block.cols.len());
        let Scratch { weights, turned, strip, .. } = self.scratch;
        let weights = &*weights.take(stride * stride);
        let sum = add_totals(weights, stride, n, m, self.left, self.right.as_deref_mut());

        // The weights by groups of rows on the right, interleaved, as the second product reads them.
        let turned = turned.take(stride * stride);
        let groups = turned.chunks_exact_mut(SIDE * stride);
        for (group, weights) in groups.zip(weights.chunks_exact(SIDE * stride)).take(m.div_ceil(SIDE)) {
            interleave(group, SIDE, SIDE, |r| (&weights[r * stride..][..n], T::from(1.0)));
        }

        let width = width::<S, T>();
        for column in (0..x.dims()).step_by(width) {
            let strip = strip.take(stride * width);
            copy_strip(&mut strip[..m * width], width, y, block.cols.start, column, self.centre);
            for (i, out) in panel_groups::<T, SIDE>(self.left.weighted, x.dims()) {
                let products = sums::<S, T, Product, SIDE>(simd, &strip[..m * width], &weights[i..], stride);
                add::<S, T, SIDE>(out, x.dims(), column, &products);
            }
            copy_strip(&mut strip[..n * width], width, x, block.rows.start, column, self.centre);
            let right = self.right.as_deref_mut().unwrap_or(&mut *self.left);
            for (j, out) in panel_groups::<T, SIDE>(right.weighted, x.dims()) {
                let products = sums::<S, T, Product, SIDE>(
                    simd,
                    &strip[..n * width],
                    &turned[j * stride..][..n * SIDE],
                    SIDE,
                );
                add::<S, T, SIDE>(out, x.dims(), column, &products);
            }
        }
        sum
    }
}

/// Adds the weights of each row and of each column to the totals; returns the sum of all.
#[inline(always)]
fn add_totals<'p, T: Float>(
    weights: &[T],
    stride: usize,
    n: usize,
    m: usize,
    left: &mut Panel<'p, T>,
    mut right: Option<&mut Panel<'p, T>>,
) -> f64 {
    let mut sum = 0.0;
    for (j, weights) in weights.chunks_exact(stride).take(m).enumerate() {
        // Eight sums side by side, so that they fill a vector.
        let mut lanes = [0.0; 8];
        for (weights, totals) in weights[..n].chunks(8).zip(left.total.chunks_mut(8)) {
            for ((&weight, total), lane) in weights.iter().zip(totals).zip(&mut lanes) {
                let weight: f64 = weight.into();
                *total += weight;
                *lane += weight;
            }
        }
        let of_column: f64 = lanes.iter().sum();
        right.as_deref_mut().unwrap_or(&mut *left).total[j] += of_column;
        sum += of_column;
    }
    sum
}

/// Copies `width` columns of some rows, as metrics see them, relative to the centre; zeros beyond the last.
#[inline(always)]
fn copy_strip<T: Float>(
    strip: &mut [T],
    width: usize,
    rows: &Rows,
    first: usize,
    column: usize,
    centre: &[T],
) {
    let columns = column..rows.dims().min(column + width);
    let centre = &centre[columns.clone()];
    for (r, out) in strip.chunks_exact_mut(width).enumerate() {
        let scale = rows.scale_of::<T>(first + r);
        for ((out, &v), &c) in out.iter_mut().zip(&rows.row(first + r)[columns.clone()]).zip(centre) {
            *out = T::from(v) * scale - c;
        }
        out[columns.len()..].fill(T::default());
    }
}

/// The rows of a panel in groups of `SIDE`, with the number of the first.
#[inline(always)]
fn panel_groups<T, const SIDE: usize>(
    weighted: &mut [T],
    dims: usize,
) -> impl Iterator<Item = (usize, &mut [T])> {
    weighted.chunks_mut(SIDE * dims).enumerate().map(|(group, out)| (group * SIDE, out))
}

/// Adds a strip of products to up to `SIDE` rows.
#[inline(always)]
fn add<S: Simd, T: Float, const SIDE: usize>(
    out: &mut [T],
    dims: usize,
    column: usize,
    products: &Tile<S, T, SIDE>,
) {
    let width = width::<S, T>();
    let mut buffer = [T::default(); 32];
    for (out, products) in out.chunks_exact_mut(dims).zip(products) {
        T::vectors_mut::<S>(&mut buffer[..width]).copy_from_slice(products);
        for (out, &product) in out[column..].iter_mut().zip(&buffer[..width]) {
            *out += product;
        }
    }
}
