use super::{at_least, comparable, finite, mismatch, positive};
use crate::{
    backend::{Backend, Gradients},
    error::Result,
    log_sum::LogSumExp,
    pairs::Pairs,
    progress::Watch,
};

/// Uniformity: log mean exp(−t‖x−y‖²) over the pairs of a set, or over all pairs of two sets
/// (Wang & Isola 2020, §4.1.2).
///
/// Within one set the mean runs over the unordered pairs i < j, without the diagonal: the U-statistic, as
/// in the paper's code. On the unit sphere the value lies in [−4t, 0]; the uniform distribution has the
/// least of all distributions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniformity {
    /// How fast the potential falls with the squared distance; positive and finite.
    pub t: f64,
}

impl Default for Uniformity {
    /// t = 2, as in the paper.
    fn default() -> Self {
        Self { t: 2.0 }
    }
}

impl Uniformity {
    const NAME: &str = "uniformity";

    pub(crate) fn value(self, backend: &dyn Backend, pairs: Pairs<'_>, watch: &Watch<'_>) -> Result<f64> {
        let t = self.check(pairs)?;
        Self::log_mean(backend.log_sum(pairs, t, watch)?, pairs.count())
    }

    /// The value for every t.
    pub(crate) fn values(
        backend: &dyn Backend,
        pairs: Pairs<'_>,
        ts: &[f64],
        watch: &Watch<'_>,
    ) -> Result<Vec<f64>> {
        Self::check_all(pairs, ts)?;
        let sums = backend.log_sums(pairs, ts, watch)?;
        sums.into_iter().map(|sum| Self::log_mean(sum, pairs.count())).collect()
    }

    /// The value, and the gradient of `weight` times it.
    pub(crate) fn value_with_grad(
        self,
        backend: &dyn Backend,
        pairs: Pairs<'_>,
        weight: f64,
        watch: &Watch<'_>,
    ) -> Result<(f64, Gradients)> {
        let t = self.check(pairs)?;
        let (sum, gradients) = backend.log_sum_with_grad(pairs, t, weight, watch)?;
        Ok((Self::log_mean(sum, pairs.count())?, gradients))
    }

    pub(super) fn log_mean(sum: LogSumExp, count: u64) -> Result<f64> {
        let value = finite(Self::NAME, sum.log_mean(count))?;
        // No exponent is above 0, but rounding may lift a mean of near 1 by its last digit.
        Ok(value.min(0.0))
    }

    pub(super) fn check_all(pairs: Pairs<'_>, ts: &[f64]) -> Result<()> {
        ts.iter().try_for_each(|&t| Self { t }.check(pairs).map(drop))
    }

    pub(crate) fn check(self, pairs: Pairs<'_>) -> Result<f64> {
        match pairs {
            Pairs::Within(x) => at_least(Self::NAME, x, 2)?,
            Pairs::Across(x, y) => {
                at_least("cross uniformity", x, 1)?;
                at_least("cross uniformity", y, 1)?;
                comparable("cross uniformity of two sets", x, y)?;
            }
            Pairs::Unpaired(x, y) => {
                const WHAT: &str =
                    "cross uniformity of unpaired rows leaves out row i of one set with row i of the other";
                at_least("cross uniformity of unpaired rows", x, 2)?;
                if x.rows() != y.rows() {
                    return Err(mismatch(WHAT, x.shape(), y.shape()));
                }
                comparable(WHAT, x, y)?;
            }
        }
        positive("t", self.t)
    }
}
