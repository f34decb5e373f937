//! Weighted sums of rows and of panels, and how the weights of a block are added up.

use pulp::Simd;

use crate::{
    cpu::{
        block::table::{SEGMENT_LEN, Table},
        points::{Rows, filled},
        simd::float::Float,
    },
    error::Result,
    schedule::Block,
};

/// Weighted sums of the points of one set over all others.
pub(crate) struct WeightedSums<T> {
    /// Σⱼ wᵢⱼ (xⱼ − centre), row by row.
    pub(crate) weighted: Vec<T>,
    /// Σⱼ wᵢⱼ
    pub(crate) total: Vec<f64>,
}

impl<T: Float> WeightedSums<T> {
    pub(crate) fn zeros(rows: &Rows) -> Result<Self> {
        Self::of(rows, filled(0.0, rows.len(), 1)?)
    }

    /// Sums that are 0, of weights that have these totals.
    pub(crate) fn of(rows: &Rows, total: Vec<f64>) -> Result<Self> {
        Ok(Self { weighted: T::zeros(rows.len(), rows.dims())?, total })
    }

    pub(crate) fn panels(&mut self, dims: usize, panel: usize) -> impl Iterator<Item = Panel<'_, T>> {
        let weighted = self.weighted.chunks_mut(panel * dims);
        let totals = self.total.chunks_mut(panel);
        weighted.zip(totals).map(|(weighted, total)| Panel { weighted, total, sum: 0.0 })
    }
}

/// Weighted sums of a panel's rows, and Σ w of the blocks that had it on their left.
pub(crate) struct Panel<'a, T> {
    pub(crate) weighted: &'a mut [T],
    pub(crate) total: &'a mut [f64],
    pub(crate) sum: f64,
}

impl<'a, T> Panel<'a, T> {
    /// One that has totals alone.
    pub(crate) fn of_totals(total: &'a mut [f64]) -> Self {
        Self { weighted: &mut [], total, sum: 0.0 }
    }
}

/// Weighted sums of both sides of a set of pairs.
pub(crate) struct Accumulated<T> {
    /// Σ w over all pairs.
    pub(crate) sum: f64,
    pub(crate) on_x: WeightedSums<T>,
    /// Only where the pairs run across two sets.
    pub(crate) on_y: Option<WeightedSums<T>>,
}

/// The panel on the right of a block.
pub(crate) enum Right<'a, 'p, T> {
    Other(&'a mut Panel<'p, T>),
    /// That on the left: a block on the diagonal.
    Same,
    /// None: its sums are not asked for.
    Unwanted,
}

impl<'p, T> Right<'_, 'p, T> {
    pub(crate) fn panel<'b>(&'b mut self, left: &'b mut Panel<'p, T>) -> Option<&'b mut Panel<'p, T>> {
        match self {
            Self::Other(panel) => Some(panel),
            Self::Same => Some(left),
            Self::Unwanted => None,
        }
    }
}

/// Adds the weights of each row and of each column to the totals; returns the sum of those of columns.
#[inline(always)]
pub(crate) fn add_totals<'p, S: Simd, T: Float, const SIDE: usize>(
    simd: S,
    weights: &Table<'_, T>,
    block: &Block,
    left: &mut Panel<'p, T>,
    right: &mut Right<'_, 'p, T>,
) -> f64 {
    let zero = T::splat(simd, T::default());
    let mut sum = 0.0;
    for j in (0..block.cols.len()).step_by(SIDE) {
        let mut of_right = [zero; SIDE];
        for (rows, totals) in weights.group::<SIDE>(j).zip(left.total.chunks_mut(SEGMENT_LEN)) {
            let rows = rows.each_ref().map(|row| T::vectors::<S>(row));
            for (v, totals) in totals.chunks_mut(T::lanes::<S>()).enumerate() {
                let mut of_left = zero;
                for r in 0..SIDE {
                    of_left = T::plus(simd, of_left, rows[r][v]);
                    of_right[r] = T::plus(simd, of_right[r], rows[r][v]);
                }
                let mut lanes = [T::default(); 16];
                T::vectors_mut::<S>(&mut lanes)[0] = of_left;
                totals.iter_mut().zip(lanes).for_each(|(total, v)| *total += v.into());
            }
        }
        let Some(right) = right.panel(left) else { continue };
        let totals = &mut right.total[j..];
        for (total, of_right) in totals.iter_mut().zip(of_right) {
            let of_right = T::lane_sum(simd, of_right).into();
            *total += of_right;
            sum += of_right;
        }
    }
    sum
}
