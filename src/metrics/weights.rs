//! Weights of rows: their checks, and sums that they weigh.

use crate::{
    error::{Error, Result},
    kernel::Kernel,
    log_sum::LogSumExp,
    memory::listed,
    pairs::Pairs,
    request::Run,
    weights::PointWeights,
};

use super::check::finite;

/// The least positive weight next to the greatest: single precision still tells it from 0, whatever they multiply.
const MIN_WEIGHT_RATIO: f64 = 1e-30;

/// The weights, one per row, in proportion, with the greatest 1: so that no product of two and no sum of many overflows.
/// As many as needed are positive, and none is negative.
pub(super) fn proportions(weights: &[f64], rows: usize, needed: usize) -> Result<Vec<f64>> {
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
    if let Some(row) = weights.iter().position(|&w| w > 0.0 && w / greatest < MIN_WEIGHT_RATIO) {
        let weight = weights[row];
        return refused(format!(
            "may differ by a factor of 1e30 at most, and that of row {row} is {weight:e} next to {greatest:e}; make it 0"
        ));
    }
    scaled(weights)
}

/// Weights next to the greatest, which is then 1.
fn scaled(weights: &[f64]) -> Result<Vec<f64>> {
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    listed(weights.iter().map(|w| w / greatest), || format!("the weights of {} rows", weights.len()))
}

/// The weights of the rows on either side of a set of pairs, as the caller gave them.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairedWeights<'a> {
    pub(super) x: &'a [f64],
    pub(super) y: &'a [f64],
}

/// The same in proportion: the greatest of either side is 1.
pub(super) struct Proportions {
    x: Vec<f64>,
    /// Only for two sets.
    y: Option<Vec<f64>>,
}

impl PairedWeights<'_> {
    pub(super) fn proportions(self, pairs: Pairs<'_>) -> Result<Proportions> {
        let (x, y) = pairs.sides();
        let weights = match pairs {
            Pairs::Within(_) => Proportions { x: proportions(self.x, x.rows(), 2)?, y: None },
            _ => Proportions {
                x: proportions(self.x, x.rows(), 1)?,
                y: Some(proportions(self.y, y.rows(), 1)?),
            },
        };
        if weights.log_total(pairs) == f64::NEG_INFINITY {
            let problem = "leave no pair: the rows that count are each other's positives alone".into();
            return Err(Error::Weights { problem });
        }
        Ok(weights)
    }
}

impl Proportions {
    /// Checked weights of the rows of one set, two of them at least and all positive.
    pub(super) fn of_checked(weights: &[f64]) -> Result<Self> {
        Ok(Self { x: scaled(weights)?, y: None })
    }

    fn y(&self) -> &[f64] {
        self.y.as_deref().unwrap_or(&self.x)
    }

    /// The log mean of a weighted sum over the pairs.
    pub(super) fn log_mean(&self, pairs: Pairs<'_>, sum: LogSumExp) -> Result<f64> {
        Ok(finite("weighted uniformity", sum.log() - self.log_total(pairs))?.min(0.0))
    }

    /// log Σ wᵢwⱼ over the pairs.
    fn log_total(&self, pairs: Pairs<'_>) -> f64 {
        let y = self.y();
        match pairs {
            Pairs::Within(_) => log_pairs(&self.x),
            Pairs::Across(..) => (self.x.iter().sum::<f64>() * y.iter().sum::<f64>()).ln(),
            Pairs::Unpaired(..) => {
                let after: f64 = y.iter().sum();
                // Others of row i are those before it and those after it: nothing is subtracted from a sum it dominates.
                let mut rest = vec![0.0; y.len()];
                let mut from_end = 0.0;
                for (rest, w) in rest.iter_mut().zip(y).rev() {
                    *rest = from_end;
                    from_end += w;
                }
                debug_assert!((from_end - after).abs() <= 1e-9 * after);
                let mut before = 0.0;
                let mut sum = 0.0;
                for ((w, own), rest) in self.x.iter().zip(y).zip(rest) {
                    sum += w * (before + rest);
                    before += own;
                }
                sum.ln()
            }
        }
    }

    /// The logs of the factors of each row whose products weigh the pairs, divided by a sum of this log.
    pub(super) fn logs(&self, pairs: Pairs<'_>, log_sum: f64) -> (Vec<f64>, Vec<f64>) {
        let logs = |weights: &[f64], less: f64| weights.iter().map(|w| w.ln() - less).collect::<Vec<_>>();
        match pairs {
            Pairs::Within(_) => {
                let logs = logs(&self.x, log_sum / 2.0);
                (logs.clone(), logs)
            }
            _ => (logs(&self.x, log_sum), logs(self.y(), 0.0)),
        }
    }
}

/// Σ wᵢwⱼ k(xᵢ, yⱼ) over the pairs, for every kernel.
pub(super) async fn weighted_sums(
    on: &Run<'_>,
    pairs: Pairs<'_>,
    weights: &Proportions,
    kernels: &[Kernel],
) -> Result<Vec<LogSumExp>> {
    let points = PointWeights { x: &weights.x, y: weights.y() };
    // Within one set, each pair is in the sums of both of its points.
    let share = if matches!(pairs, Pairs::Within(_)) { 2.0 } else { 1.0 };
    let total = |rows: Vec<f64>| {
        let terms = weights.x.iter().zip(rows).filter(|(w, _)| **w > 0.0);
        terms.map(|(w, row)| LogSumExp::from_exponent((w / share).ln() + row)).collect()
    };
    let sums = on.backend.row_log_sums(pairs, kernels, Some(points), on.watch).await?;
    Ok(sums.into_iter().map(|sums| total(sums.x)).collect())
}

/// log Σ wᵢwⱼ over i < j.
fn log_pairs(weights: &[f64]) -> f64 {
    sum_of_pairs(weights.iter().copied()).ln()
}

/// Σ wᵢwⱼ over i < j. No square is subtracted from a sum that it dominates.
pub(super) fn sum_of_pairs(weights: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut before) = (0.0, 0.0);
    for w in weights {
        sum += w * before;
        before += w;
    }
    sum
}
