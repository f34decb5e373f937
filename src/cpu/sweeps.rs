//! Sums for several t, each by the kernel that is exact enough for it.

use super::{
    cosines_do, groups,
    kernel::{Cosine, Difference, Gram},
    level::Level,
    log_sum::log_sums as sums_by,
    points::Rows,
    products_do,
    sets::Sets,
};
use crate::{
    LogSum, Points, Result, Scaling,
    backend::{Pairs, narrow},
    progress::Watch,
};

/// Σ exp(−t‖x−y‖²) over the pairs, for every t.
pub(super) fn log_sums(level: Level, pairs: Pairs<'_>, ts: &[f64], watch: &Watch<'_>) -> Result<Vec<LogSum>> {
    let sets = Sets::of(pairs)?;
    let mut sums = vec![None; ts.len()];
    let mut passes = 0;
    // Pairs count once, however often they are gone through.
    let mut pass = |sums: &mut [Option<LogSum>], by: By, which: &dyn Fn(f64) -> bool| {
        let places: Vec<_> = (0..ts.len()).filter(|&i| sums[i].is_none() && which(ts[i])).collect();
        if places.is_empty() {
            return Ok(());
        }
        let again;
        let watch = if passes == 0 {
            watch
        } else {
            again = watch.again();
            &again
        };
        passes += 1;
        let ts: Vec<_> = places.iter().map(|&i| ts[i]).collect();
        for (i, sum) in places.into_iter().zip(by(level, sets, &ts, watch)?) {
            sums[i] = Some(sum);
        }
        Ok(())
    };
    pass(&mut sums, sums_by::<Gram>, &|t| products_do(sets, t))?;
    pass(&mut sums, sums_by::<Cosine>, &|t| !products_do(sets, t) && cosines_do(pairs, t))?;
    for (sum, &t) in sums.iter_mut().zip(ts) {
        let by_cosines = !products_do(sets, t);
        *sum = sum.filter(|&sum| !(by_cosines && narrow(sum, pairs.count(), t)));
    }
    pass(&mut sums, sums_by::<Difference>, &|_| true)?;
    Ok(sums.into_iter().flatten().collect())
}

type By = fn(Level, Sets<'_>, &[f64], &Watch<'_>) -> Result<Vec<LogSum>>;

/// So shallow that the rounding of a single cosine does not show in its exponential.
const SHALLOW: f64 = 2.0;

/// Σ exp(−t‖x−y‖²) within each group and of each two.
pub(super) fn group_log_sums(
    level: Level,
    x: &Points,
    ends: &[usize],
    t: f64,
    watch: &Watch<'_>,
) -> Result<Vec<LogSum>> {
    let rows = Rows::of(x)?;
    let starts = std::iter::once(&0).chain(ends);
    let least = ends.iter().zip(starts).map(|(end, start)| end - start).min().unwrap_or(0);
    let many = least.saturating_mul(least) > super::FEW_PAIRS && t <= Cosine::STEEPEST;
    if rows.few() {
        groups::log_sums::<Gram>(level, rows, ends, t, watch)
    } else if x.scaling() == Scaling::Unit && (many || t <= SHALLOW) {
        groups::log_sums::<Cosine>(level, rows, ends, t, watch)
    } else {
        groups::log_sums::<Difference>(level, rows, ends, t, watch)
    }
}
