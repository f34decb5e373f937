//! Sums for several t, each by the kernel that is exact enough for it.

use super::{
    exact::{Exact, FEW_PAIRS},
    groups,
    kernel::{Cosine, Difference, Gram},
    level::Level,
    log_sum::log_sums as sums_by,
    points::Rows,
    sets::Sets,
};
use crate::{
    accuracy::narrow, error::Result, log_sum::LogSumExp, pairs::Pairs, points::Points, progress::Watch,
};

/// Σ exp(−t‖x−y‖²) over the pairs, for every t.
pub(super) fn log_sums(
    level: Level,
    pairs: Pairs<'_>,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let sets = Sets::of(pairs)?;
    let exact = |t| Exact::gaussian(sets, t);
    let mut sums = vec![None; ts.len()];
    let mut passes = watch.passes();
    let mut pass = |sums: &mut [Option<LogSumExp>], by: By, which: &dyn Fn(f64) -> bool| {
        let places: Vec<_> = (0..ts.len()).filter(|&i| sums[i].is_none() && which(ts[i])).collect();
        if places.is_empty() {
            return Ok(());
        }
        let ts: Vec<_> = places.iter().map(|&i| ts[i]).collect();
        for (i, sum) in places.into_iter().zip(by(level, sets, &ts, passes.next())?) {
            sums[i] = Some(sum);
        }
        Ok(())
    };
    pass(&mut sums, sums_by::<Gram<true>>, &|t| exact(t) == Exact::FewGram)?;
    pass(&mut sums, sums_by::<Gram<false>>, &|t| exact(t) == Exact::Gram)?;
    pass(&mut sums, sums_by::<Cosine>, &|t| exact(t) == Exact::Cosine)?;
    for (sum, &t) in sums.iter_mut().zip(ts) {
        let by_cosines = exact(t) == Exact::Cosine;
        *sum = sum.filter(|&sum| !(by_cosines && narrow(sum, pairs.count(), t)));
    }
    pass(&mut sums, sums_by::<Difference>, &|_| true)?;
    Ok(sums.into_iter().flatten().collect())
}

type By = fn(Level, Sets<'_>, &[f64], &Watch<'_>) -> Result<Vec<LogSumExp>>;

/// So shallow that the rounding of a single cosine does not show in its exponential.
const SHALLOW: f64 = 2.0;

/// Σ exp(−t‖x−y‖²) within each group and of each two.
pub(super) fn group_log_sums(
    level: Level,
    x: &Points,
    ends: &[usize],
    t: f64,
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let rows = Rows::of(x)?;
    let starts = std::iter::once(&0).chain(ends);
    let least = ends.iter().zip(starts).map(|(end, start)| end - start).min().unwrap_or(0);
    let many = least.saturating_mul(least) > FEW_PAIRS || t <= SHALLOW;
    match Exact::gaussian(Sets::within(rows), t) {
        Exact::FewGram => groups::log_sums::<Gram<true>>(level, rows, ends, t, watch),
        Exact::Cosine if many => groups::log_sums::<Cosine>(level, rows, ends, t, watch),
        Exact::Cosine | Exact::Gram => groups::log_sums::<Gram<false>>(level, rows, ends, t, watch),
        Exact::Difference | Exact::Dot => groups::log_sums::<Difference>(level, rows, ends, t, watch),
    }
}
