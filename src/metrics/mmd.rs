use super::Uniformity;
use crate::{
    backend::Backend, error::Result, log_sum::LogSumExp, pairs::Pairs, points::Points, progress::Watch,
};

impl Uniformity {
    /// The log mean over several sets of pairs together, from the value of each and how many pairs it has; −∞ where all
    /// of them are, NaN where there are no pairs or one of the values is NaN.
    pub fn pooled(parts: &[(f64, u64)]) -> f64 {
        let pairs: u64 = parts.iter().map(|(_, count)| count).sum();
        if pairs == 0 || parts.iter().any(|(mean, _)| mean.is_nan()) {
            return f64::NAN;
        }
        let logs = parts.iter().map(|&(mean, count)| mean + (count as f64).ln());
        // A sum of nothing has no exponent to be relative to.
        let sum: LogSumExp =
            logs.filter(|&log| log != f64::NEG_INFINITY).map(LogSumExp::from_exponent).collect();
        sum.log_mean(pairs).min(0.0)
    }

    /// The squared maximum mean discrepancy of two sets, without bias, from the U-statistic of either and the value across
    /// (Gretton et al. 2012, eq. 3); across all pairs of independent sets, or across the unpaired rows of paired ones (eq. 4).
    pub fn squared_mmd(x: f64, y: f64, cross: f64) -> f64 {
        // E k(x, x′) + E k(y, y′) − 2 E k(x, y) for k = exp(−t‖·‖²).
        (x.exp() - cross.exp()) + (y.exp() - cross.exp())
    }
}

/// Uniformity of two sets together.
pub(crate) fn pooled(
    backend: &dyn Backend,
    x: &Points,
    y: &Points,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<f64>> {
    let values = |pairs: Pairs<'_>| Ok((Uniformity::values(backend, pairs, ts, watch)?, pairs.count()));
    let parts = parts(x, y).map(values).into_iter().collect::<Result<Vec<_>>>()?;
    let at = |i: usize| parts.iter().map(|(values, count)| (values[i], *count)).collect::<Vec<_>>();
    Ok((0..ts.len()).map(|i| Uniformity::pooled(&at(i))).collect())
}

/// How far the distributions of two sets are apart, by the pairs across them that count.
pub(crate) fn squared_mmd(
    backend: &dyn Backend,
    across: Pairs<'_>,
    metric: Uniformity,
    watch: &Watch<'_>,
) -> Result<f64> {
    let (x, y) = across.sides();
    let sets = [across, Pairs::Within(x), Pairs::Within(y)];
    // What is refused is refused before anything is computed.
    sets.iter().try_for_each(|&pairs| metric.check(pairs).map(drop))?;
    let [cross, x, y] = sets.map(|pairs| metric.value(backend, pairs, watch));
    Ok(Uniformity::squared_mmd(x?, y?, cross?))
}

fn parts<'a>(x: &'a Points, y: &'a Points) -> [Pairs<'a>; 3] {
    [Pairs::Within(x), Pairs::Within(y), Pairs::Across(x, y)]
}
