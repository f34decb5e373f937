use super::{Alignment, Uniformity};
use crate::{
    Error, LogSum, Matrix, Points, Result,
    backend::{Backend, Exponent, Masses, Pairs, Weighing},
    progress::Watch,
};

/// Of these weights, one per row, as many as needed are positive and none is negative.
pub(super) fn check(weights: &[f64], rows: usize, needed: usize) -> Result<()> {
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
    Ok(())
}

/// The weights, in proportion, with the greatest 1: so that no product of two and no sum of many overflows.
pub(super) fn scaled(weights: &[f64]) -> Vec<f64> {
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    weights.iter().map(|w| w / greatest).collect()
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
        check(weights, x.rows(), 2)?;
        let sum = weighted_sum(backend, x, &scaled(weights), t, watch)?;
        Ok((sum.log() - log_pairs(&scaled(weights))).min(0.0))
    }

    pub(crate) fn weighted_value_with_grad(
        self,
        backend: &dyn Backend,
        x: &Points,
        weights: &[f64],
        watch: &Watch<'_>,
    ) -> Result<(f64, Matrix)> {
        let t = self.check(Pairs::Within(x))?;
        check(weights, x.rows(), 2)?;
        let weights = scaled(weights);
        let sum = weighted_sum(backend, x, &weights, t, &watch.again())?.log();
        let logs: Vec<_> = weights.iter().map(|w| w.ln() - sum / 2.0).collect();
        let (exponent, weighing) = (Exponent::Gaussian { t }, Weighing::Product { p: &logs, q: &logs });
        let gradients = backend.weighted_grad(Pairs::Within(x), exponent, weighing, None, watch)?;
        Ok(((sum - log_pairs(&weights)).min(0.0), gradients.x))
    }
}

/// Σ wᵢwⱼ exp(−t‖xᵢ−xⱼ‖²) over i < j.
fn weighted_sum(
    backend: &dyn Backend,
    x: &Points,
    weights: &[f64],
    t: f64,
    watch: &Watch<'_>,
) -> Result<LogSum> {
    let (pairs, exponent) = (Pairs::Within(x), Exponent::Gaussian { t });
    let masses = Masses { x: weights, y: weights };
    let rows = backend.row_log_sums(pairs, exponent, Some(masses), watch)?.x;
    // Each pair is in the sums of both of its points.
    let halves = weights.iter().zip(rows).filter(|(w, _)| **w > 0.0);
    Ok(halves.map(|(w, row)| LogSum::from_exponent((w / 2.0).ln() + row)).collect())
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
        check(weights, x.rows(), 1)?;
        self.mean(alpha, &backend.paired_squared_distances(x, y)?, Some(&scaled(weights)))
    }

    pub(crate) fn weighted_value_with_grad(
        self,
        backend: &dyn Backend,
        x: &Points,
        y: &Points,
        weights: &[f64],
    ) -> Result<(f64, Matrix, Matrix)> {
        self.check(x, y)?;
        check(weights, x.rows(), 1)?;
        self.value_with_grad(backend, x, y, (1.0, Some(&scaled(weights))), None)
    }
}
