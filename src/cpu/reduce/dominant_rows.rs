//! Rows whose sums few pairs may dominate, summed again in f64.
//!
//! The rounding of cosines in f32 averages out over the many pairs of a row. Where one close pair outweighs the others,
//! it does not; such rows have greater sums than others, and there are few of them.

use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{
        accuracy::max_f32_share,
        pairs::PairSet,
        points::Rows,
        reduce::paired::sum_over_dims,
        simd::isa::{Isa, Job},
    },
    error::Result,
    log_sum::LogSumExp,
    progress::Watch,
    weights::{PointWeights, RowLogSums},
};

/// Largest t at which a row that one pair dominates is as exact as promised in f32.
const MAX_T_OF_DOMINATED_ROWS: f64 = 2.5;
/// Sum of a row, over that of the median row, from which on one pair may dominate it.
const SUSPECT_OVER_MEDIAN: f64 = 1.8;
/// Rows of which one is summed again at most: more of them are close to many others, not to one.
const ROWS_PER_SUSPECT: usize = 8;

/// Puts sums in f64 in the place of those that few pairs may dominate, at little cost beside the sums of all rows.
pub(crate) fn sum_again(
    isa: Isa,
    pairs: PairSet<'_>,
    t: f64,
    weights: Option<PointWeights<'_>>,
    sums: &mut RowLogSums,
    watch: &Watch,
) -> Result<()> {
    let (left, right) = (pairs.left(), pairs.right());
    // A row is no partner of its own, nor of its positive.
    let skips_own = !matches!(pairs, PairSet::Across(..));
    let of_x =
        Side { rows: left, others: right, own: weights.map(|w| w.x), other: weights.map(|w| w.y), skips_own };
    of_x.sum_again(isa, t, &mut sums.x, watch)?;
    if let Some(sums) = &mut sums.y {
        let of_y = Side {
            rows: right,
            others: left,
            own: weights.map(|w| w.y),
            other: weights.map(|w| w.x),
            skips_own,
        };
        of_y.sum_again(isa, t, sums, watch)?;
    }
    Ok(())
}

/// Rows of one set, and the others that they are paired with.
struct Side<'a> {
    rows: &'a Rows,
    others: &'a Rows,
    own: Option<&'a [f64]>,
    other: Option<&'a [f64]>,
    skips_own: bool,
}

impl Side<'_> {
    fn sum_again(&self, isa: Isa, t: f64, sums: &mut [f64], watch: &Watch) -> Result<()> {
        for row in self.suspects(t, sums) {
            watch.advance(0)?;
            let starts: Vec<_> = (0..self.others.len()).step_by(OTHERS_PER_TASK).collect();
            let part = |&start: &usize| isa.run(RowPart { side: self, row, start, t });
            // Parts are added in their order, whatever thread has made them.
            let sum: f64 = starts.par_iter().map(part).collect::<Vec<_>>().into_iter().sum();
            sums[row] = sum.ln();
        }
        Ok(())
    }

    /// Rows that make a large part of the sum of all, or have much greater sums than the median row.
    fn suspects(&self, t: f64, sums: &[f64]) -> Vec<usize> {
        let weighted = |row: usize| self.own.map_or(0.0, |own| own[row].ln()) + sums[row];
        let finite = (0..sums.len()).map(weighted).filter(|log| log.is_finite());
        let total: LogSumExp = finite.map(LogSumExp::from_exponent).collect();
        // Each pair may count in two rows.
        let least = total.log() + (0.5 * max_f32_share(t)).ln();
        let mut suspects: Vec<_> = (0..sums.len()).filter(|&row| weighted(row) > least).collect();
        if t > MAX_T_OF_DOMINATED_ROWS && !sums.is_empty() {
            let mut ordered = sums.to_vec();
            let (_, median, _) = ordered.select_nth_unstable_by(sums.len() / 2, f64::total_cmp);
            let least = *median + SUSPECT_OVER_MEDIAN.ln();
            let over: Vec<_> = (0..sums.len()).filter(|&row| sums[row] > least).collect();
            if over.len() <= sums.len() / ROWS_PER_SUSPECT {
                suspects.extend(over);
                suspects.sort_unstable();
                suspects.dedup();
            }
        }
        suspects
    }
}

/// Other rows that a thread takes at a time.
const OTHERS_PER_TASK: usize = 1024;

/// Part of a row's sum Σ wⱼ exp(−t‖x−yⱼ‖²), by direct differences in f64.
struct RowPart<'a> {
    side: &'a Side<'a>,
    row: usize,
    start: usize,
    t: f64,
}

impl Job for RowPart<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, _: S) -> f64 {
        let Self { side, row, start, t } = self;
        let mut sum = 0.0;
        for j in start..side.others.len().min(start + OTHERS_PER_TASK) {
            if side.skips_own && j == row {
                continue;
            }
            let square = sum_over_dims(side.rows.view(row), side.others.view(j), |x, y| (x - y) * (x - y));
            sum += side.other.map_or(1.0, |other| other[j]) * (-t * square).exp();
        }
        sum
    }
}
