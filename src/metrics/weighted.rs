use super::{Alignment, Uniformity, finite};
use crate::{
    backend::Backend,
    error::{Error, Result},
    kernel::Exponent,
    log_sum::LogSumExp,
    pairs::Pairs,
    points::{Matrix, Points},
    progress::Watch,
    weights::{PairWeights, PointWeights},
};

/// Positive weights next to a greater one that single precision still tells from none, whatever they multiply.
const LEAST: f64 = 1e-30;

/// The weights, one per row, in proportion, with the greatest 1: so that no product of two and no sum of many overflows.
/// As many as needed are positive, and none is negative.
fn proportions(weights: &[f64], rows: usize, needed: usize) -> Result<Vec<f64>> {
    let refused = |problem: String| Err(Error::Weights { problem });
    if weights.len() != rows {
        return refused(format!("are {}, and there are {rows} rows; give one per row", weights.len()));
    }
    if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        let weight = weights[row];
        return refused(format!("may not be negative or without end, and that of row {row} is {weight}"));
    }
    let positive = weights.iter().filter(|&&w| w > 0.0).count();
    if positive < needed {
        return refused(format!("must be positive for at least {needed} rows, and are for {positive}"));
    }
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    if let Some(row) = weights.iter().position(|&w| w > 0.0 && w / greatest < LEAST) {
        let weight = weights[row];
        return refused(format!(
            "may differ by a factor of 1e30 at most, and that of row {row} is {weight:e} next to {greatest:e}; make it 0"
        ));
    }
    Ok(weights.iter().map(|w| w / greatest).collect())
}

impl Uniformity {
    pub(crate) fn weighted_value(
        self,
        backend: &dyn Backend,
        x: &Points,
        weights: &[f64],
        watch: &Watch<'_>,
    ) -> Result<f64> {
        let t = self.check(Pairs::Within(x))?;
        let weights = proportions(weights, x.rows(), 2)?;
        let sum = weighted_sum(backend, x, &weights, t, watch)?;
        Self::log_mean_of(sum, &weights)
    }

    pub(crate) fn weighted_value_with_grad(
        self,
        backend: &dyn Backend,
        x: &Points,
        weights: &[f64],
        watch: &Watch<'_>,
    ) -> Result<(f64, Matrix)> {
        let t = self.check(Pairs::Within(x))?;
        let weights = proportions(weights, x.rows(), 2)?;
        let sum = weighted_sum(backend, x, &weights, t, &watch.again())?;
        let value = Self::log_mean_of(sum, &weights)?;
        let logs: Vec<_> = weights.iter().map(|w| w.ln() - sum.log() / 2.0).collect();
        let (exponent, weighing) = (Exponent::Gaussian { t }, PairWeights::Product { p: &logs, q: &logs });
        let gradients = backend.weighted_grad(Pairs::Within(x), exponent, weighing, None, watch)?;
        Ok((value, gradients.x))
    }

    fn log_mean_of(sum: LogSumExp, weights: &[f64]) -> Result<f64> {
        Ok(finite("weighted uniformity", sum.log() - log_pairs(weights))?.min(0.0))
    }
}

/// Σ wᵢwⱼ exp(−t‖xᵢ−xⱼ‖²) over i < j.
fn weighted_sum(
    backend: &dyn Backend,
    x: &Points,
    weights: &[f64],
    t: f64,
    watch: &Watch<'_>,
) -> Result<LogSumExp> {
    let (pairs, exponent) = (Pairs::Within(x), Exponent::Gaussian { t });
    let masses = PointWeights { x: weights, y: weights };
    let rows = backend.row_log_sums(pairs, exponent, Some(masses), watch)?.x;
    // Each pair is in the sums of both of its points.
    let halves = weights.iter().zip(rows).filter(|(w, _)| **w > 0.0);
    Ok(halves.map(|(w, row)| LogSumExp::from_exponent((w / 2.0).ln() + row)).collect())
}

/// log Σ wᵢwⱼ over i < j.
fn log_pairs(weights: &[f64]) -> f64 {
    let (mut sum, mut before) = (0.0, 0.0);
    for w in weights {
        sum += w * before;
        before += w;
    }
    f64::ln(sum)
}

impl Alignment {
    pub(crate) fn weighted_value(
        self,
        backend: &dyn Backend,
        x: &Points,
        y: &Points,
        weights: &[f64],
    ) -> Result<f64> {
        let alpha = self.check(x, y)?;
        let weights = proportions(weights, x.rows(), 1)?;
        self.mean(alpha, &backend.paired_squared_distances(x, y)?, Some(&weights))
    }

    pub(crate) fn weighted_value_with_grad(
        self,
        backend: &dyn Backend,
        x: &Points,
        y: &Points,
        weights: &[f64],
    ) -> Result<(f64, Matrix, Matrix)> {
        self.check(x, y)?;
        let weights = proportions(weights, x.rows(), 1)?;
        self.value_with_grad(backend, x, y, (1.0, Some(&weights)), None)
    }
}
