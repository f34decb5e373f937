use super::Uniformity;
use crate::{
    LogSum, Points, Result,
    backend::{Backend, Pairs},
    progress::Watch,
};

/// Uniformity of two sets together.
pub(crate) fn pooled(
    backend: &dyn Backend,
    x: &Points,
    y: &Points,
    ts: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<f64>> {
    let (mut sums, mut count) = (vec![LogSum::EMPTY; ts.len()], 0);
    for pairs in parts(x, y) {
        Uniformity::check_all(pairs, ts)?;
        count += pairs.count();
        let part = backend.log_sums(pairs, ts, watch)?;
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum = sum.combine(part));
    }
    sums.into_iter().map(|sum| Uniformity::log_mean(sum, count)).collect()
}

/// E k(x, x′) + E k(y, y′) − 2 E k(x, y) for k = exp(−t‖·‖²), without the diagonals.
pub(crate) fn squared_mmd(
    backend: &dyn Backend,
    x: &Points,
    y: &Points,
    metric: Uniformity,
    watch: &Watch<'_>,
) -> Result<f64> {
    let mean = |pairs| Ok::<_, crate::Error>(metric.value(backend, pairs, watch)?.exp());
    let [xx, yy, xy] = parts(x, y);
    Ok(mean(xx)? + mean(yy)? - 2.0 * mean(xy)?)
}

fn parts<'a>(x: &'a Points, y: &'a Points) -> [Pairs<'a>; 3] {
    [Pairs::Within(x), Pairs::Within(y), Pairs::Across(x, y)]
}
