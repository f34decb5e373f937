//! Moments of fewer points than dimensions, in f64: products of rows about their mean, not of columns.

use std::ops::Range;

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use rayon::prelude::*;

use crate::{error::Result, memory::filled, progress::Watch, schedule::panels};

/// The first two moments of a set of points.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    /// The mean of x (d).
    pub(crate) mean: Vec<f64>,
    /// Products of x − mean over n (side, side): with side d the covariance of the dimensions; with side n, for n < d, the
    /// Gram matrix of the points. Their eigenvalues are the same, but for zeros.
    pub(crate) scatter: Vec<f64>,
    /// min(n, d)
    pub(crate) side: usize,
    /// What the mean adds to the products; None where these are sums in single precision, which are too coarse for the singular
    /// values of x: squared, the small ones are lost in the rounding.
    pub(crate) offset: Option<Offset>,
}

/// What makes products of x over n of those of x − mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Offset {
    /// Of dimensions: the product of the mean's own.
    OfDims,
    /// Of points: for each, ⟨xᵢ − mean, mean⟩ + ‖mean‖²/2, which is added over n for either point of a product.
    OfPoints(Vec<f64>),
}

impl Moments {
    /// Products of x over n (side, side), whose eigenvalues are squares of the singular values of x over n; None where
    /// rounding would be too much of them.
    pub(crate) fn about_zero(&self) -> Result<Option<Vec<f64>>> {
        let side = self.side;
        let Some(offset) = &self.offset else { return Ok(None) };
        let mut products = zeros(side, side)?;
        let rows = products.chunks_exact_mut(side).zip(self.scatter.chunks_exact(side)).enumerate();
        rows.for_each(|(a, (out, about))| match offset {
            Offset::OfPoints(of) => {
                let entries = out.iter_mut().zip(about).zip(of);
                entries.for_each(|((out, about), of_b)| *out = about + (of[a] + of_b) / side as f64);
            }
            Offset::OfDims => {
                let entries = out.iter_mut().zip(about).zip(&self.mean);
                entries.for_each(|((out, about), mean)| *out = about + self.mean[a] * mean);
            }
        });
        Ok(Some(products))
    }
}

/// Values in f64 of the columns taken at a time, and the most and least columns.
const PANEL_VALUES: usize = 1 << 21;
const MAX_COLUMNS: usize = 1024;
const MIN_COLUMNS: usize = 64;
/// Rows of the Gram matrix that one thread works on at a time.
const TILE_ROWS: usize = 64;

/// Mean and Gram matrix of `rows` points of `dims` dimensions, where `read` writes some columns of a row as metrics see it.
/// Beside the matrix, only some columns of all rows are held in f64. The watch is asked at every tile.
pub(crate) fn moments(
    rows: usize,
    dims: usize,
    read: impl Fn(usize, Range<usize>, &mut [f64]) + Sync,
    watch: &Watch,
) -> Result<Moments> {
    let columns = (PANEL_VALUES / rows.max(1)).clamp(MIN_COLUMNS, MAX_COLUMNS).min(dims);
    let mut gram = zeros(rows, rows)?;
    let mut panel = zeros(rows, columns)?;
    let mut mean = Vec::with_capacity(dims);
    let mut along = zeros(rows, 1)?;
    for range in panels(dims, columns) {
        let width = range.len();
        let panel = &mut panel[..rows * width];
        panel.par_chunks_exact_mut(width).enumerate().for_each(|(row, out)| read(row, range.clone(), out));
        // Twice, so that the rounding of a sum over many rows does not stay in the mean.
        let mut of_panel = subtract_mean(panel, width);
        of_panel.iter_mut().zip(subtract_mean(panel, width)).for_each(|(mean, rest)| *mean += rest);
        let panel = &*panel;
        along.iter_mut().zip(panel.chunks_exact(width)).for_each(|(along, row)| {
            *along += row.iter().zip(&of_panel).map(|(value, mean)| value * mean).sum::<f64>();
        });
        mean.extend(of_panel);
        gram.par_chunks_mut(TILE_ROWS * rows).enumerate().try_for_each(|(tile, out)| {
            watch.advance(0)?;
            let first = tile * TILE_ROWS;
            let end = first + out.len() / rows;
            let left = MatRef::from_row_major_slice(&panel[first * width..end * width], end - first, width);
            let right = MatRef::from_row_major_slice(&panel[..end * width], end, width);
            let out = MatMut::from_row_major_slice_mut(out, end - first, rows).subcols_mut(0, end);
            // One thread, whatever their number, so that sums are in the same order.
            matmul(out, Accum::Add, left, right.transpose(), 1.0, Par::Seq);
            Ok(())
        })?;
    }
    for a in 0..rows {
        for b in 0..=a {
            let of = gram[a * rows + b] / rows as f64;
            gram[a * rows + b] = of;
            gram[b * rows + a] = of;
        }
    }
    let half = mean.iter().map(|mean| mean * mean).sum::<f64>() / 2.0;
    along.iter_mut().for_each(|along| *along += half);
    Ok(Moments { mean, scatter: gram, side: rows, offset: Some(Offset::OfPoints(along)) })
}

/// The mean of row-major rows, which are left without it.
pub(crate) fn subtract_mean(rows: &mut [f64], width: usize) -> Vec<f64> {
    let count = (rows.len() / width) as f64;
    let mut mean = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    mean.iter_mut().for_each(|sum| *sum /= count);
    rows.par_chunks_exact_mut(width).for_each(|row| {
        row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
    });
    mean
}

fn zeros(rows: usize, columns: usize) -> Result<Vec<f64>> {
    filled(0.0, rows, columns, || format!("a Gram matrix of {rows} rows"))
}
