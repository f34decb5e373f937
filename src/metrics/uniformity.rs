//! Uniformity, over any set of pairs.

use super::{
    check::{at_least, comparable, finite, positive, row_by_row},
    pair_sets::{Across, PairSet, Unpaired, Within},
    weights::{PairedWeights, weighted_sums},
};
use crate::{
    error::{Error, Result},
    kernel::Kernel,
    log_sum::LogSumExp,
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Differentiable, Metric, Parametric, Run, Sealed, WithParameter, without_parameter},
    weights::{Normalizer, PairWeights},
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

/// Uniformity for several t at once: see [`Uniformity::at`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniformities<'t> {
    ts: &'t [f64],
}

/// A request for uniformity over the pairs of certain points. `P` is the set of pairs, and `T` one t or several.
#[derive(Clone, Copy, Debug)]
pub struct UniformityOver<'a, P, T = f64> {
    pairs: P,
    t: T,
    weights: Option<PairedWeights<'a>>,
    scale: f64,
}

impl Uniformity {
    const NAME: &str = "uniformity";

    /// Uniformity of parameter t, which is to be positive and finite.
    pub fn new(t: f64) -> Self {
        Self { t }
    }

    /// Uniformity for every t of a list, at little more than the cost of one on the CPU. Its values are a vector.
    pub fn at(ts: &[f64]) -> Uniformities<'_> {
        Uniformities { ts }
    }

    /// Uniformity of x (n, d), over its pairs i < j; the gradient is (n, d). Two rows are needed.
    pub fn within(self, x: &Points) -> UniformityOver<'_, Within<'_>> {
        UniformityOver::new(Within(x), self.t)
    }

    /// Cross uniformity over all pairs of x (n, d) with y (m, d); the gradients are (n, d) and (m, d).
    pub fn across<'a>(self, x: &'a Points, y: &'a Points) -> UniformityOver<'a, Across<'a>> {
        UniformityOver::new(Across(x, y), self.t)
    }

    /// Cross uniformity of x (n, d) with y (n, d) over the pairs i ≠ j: without the positive pairs, row i of one set with row
    /// i of the other. Two rows are needed.
    pub fn unpaired<'a>(self, x: &'a Points, y: &'a Points) -> UniformityOver<'a, Unpaired<'a>> {
        UniformityOver::new(Unpaired(x, y), self.t)
    }

    pub(crate) fn log_mean(sum: LogSumExp, count: u64) -> Result<f64> {
        Self::of_log_mean(sum.log_mean(count))
    }

    /// The value from the log of a mean.
    pub(super) fn of_log_mean(log: f64) -> Result<f64> {
        let value = finite(Self::NAME, log)?;
        // No exponent is above 0, but rounding may lift a mean of near 1 by its last digit.
        Ok(value.min(0.0))
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
                row_by_row(WHAT, x, y)?;
            }
        }
        positive("t", self.t)
    }
}

impl<'a> Uniformities<'a> {
    /// As [`Uniformity::within`], for every t.
    pub fn within(self, x: &'a Points) -> UniformityOver<'a, Within<'a>, &'a [f64]> {
        UniformityOver::new(Within(x), self.ts)
    }

    /// As [`Uniformity::across`], for every t.
    pub fn across(self, x: &'a Points, y: &'a Points) -> UniformityOver<'a, Across<'a>, &'a [f64]> {
        UniformityOver::new(Across(x, y), self.ts)
    }

    /// As [`Uniformity::unpaired`], for every t.
    pub fn unpaired(self, x: &'a Points, y: &'a Points) -> UniformityOver<'a, Unpaired<'a>, &'a [f64]> {
        UniformityOver::new(Unpaired(x, y), self.ts)
    }

    pub(super) fn ts(self) -> &'a [f64] {
        self.ts
    }
}

impl<'a, P, T> UniformityOver<'a, P, T> {
    fn new(pairs: P, t: T) -> Self {
        Self { pairs, t, weights: None, scale: 1.0 }
    }
}

impl<'a, T> UniformityOver<'a, Within<'a>, T> {
    /// The same where row i counts `weights[i]` times: log Σ wᵢwⱼ exp(−t‖xᵢ−xⱼ‖²) / Σ wᵢwⱼ over i < j.
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Weights`] unless there is one weight per row, none negative, two of them positive and
    /// these within a factor of 1e30.
    #[must_use]
    pub fn weighted(mut self, weights: &'a [f64]) -> Self {
        self.weights = Some(PairedWeights { x: weights, y: weights });
        self
    }
}

macro_rules! weighted_across {
    ($pairs:ident) => {
        impl<'a, T> UniformityOver<'a, $pairs<'a>, T> {
            /// The same where row i of x counts `of_x[i]` times and row j of y `of_y[j]` times.
            ///
            /// # Errors
            ///
            /// The request fails with [`Error::Weights`] unless there is one weight per row, none negative, at least one of
            /// either set positive and these within a factor of 1e30.
            #[must_use]
            pub fn weighted(mut self, of_x: &'a [f64], of_y: &'a [f64]) -> Self {
                self.weights = Some(PairedWeights { x: of_x, y: of_y });
                self
            }
        }
    };
}

weighted_across!(Across);
weighted_across!(Unpaired);

impl<P> UniformityOver<'_, P, f64> {
    /// The same with its gradient multiplied by `scale`, such as the upstream gradient of automatic differentiation; finite.
    /// The value stays as it is.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The gradients become a pair: those for the points, and the derivative for t. Both are multiplied by the factor of
    /// [`scaled`](Self::scaled). It costs no further pass.
    #[must_use]
    pub fn with_t(self) -> WithParameter<Self> {
        WithParameter(self)
    }
}

impl<P, T> Sealed for UniformityOver<'_, P, T> {}

impl<'a, P: PairSet<'a>> Metric for UniformityOver<'a, P, f64> {
    type Value = f64;

    fn pairs(&self) -> u64 {
        self.pairs.pairs().count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
        Box::pin(async move {
            let values =
                UniformityOver { pairs: self.pairs, t: &[self.t][..], weights: self.weights, scale: 1.0 }
                    .measure(on)
                    .await?;
            values.into_iter().next().ok_or_else(|| Error::missing(Uniformity::NAME))
        })
    }
}

impl<'a, P: PairSet<'a>> Metric for UniformityOver<'a, P, &[f64]> {
    type Value = Vec<f64>;

    fn pairs(&self) -> u64 {
        self.pairs.pairs().count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<f64>> {
        Box::pin(async move {
            let pairs = self.pairs.pairs();
            self.t.iter().try_for_each(|&t| Uniformity { t }.check(pairs).map(drop))?;
            let kernels: Vec<_> = self.t.iter().map(|&t| Kernel::gaussian(t)).collect();
            match self.weights {
                None => {
                    let sums = on.backend.log_sum(pairs, &kernels, on.watch).await?;
                    sums.into_iter().map(|sum| Uniformity::log_mean(sum, pairs.count())).collect()
                }
                Some(weights) => {
                    let weights = weights.proportions(pairs)?;
                    let sums = weighted_sums(on, pairs, &weights, &kernels).await?;
                    sums.into_iter().map(|sum| weights.log_mean(pairs, sum)).collect()
                }
            }
        })
    }
}

impl<'a, P: PairSet<'a>> Differentiable for UniformityOver<'a, P, f64> {
    without_parameter!(P::Gradients);
}

impl<'a, P: PairSet<'a>> Parametric for UniformityOver<'a, P, f64> {
    fn differentiate_with_parameter<'r>(
        &'r self,
        on: &'r Run<'r>,
    ) -> Pending<'r, (f64, (P::Gradients, f64))> {
        Box::pin(async move {
            let pairs = self.pairs.pairs();
            let kernel = Kernel::gaussian(Uniformity { t: self.t }.check(pairs)?);
            let scale = finite("the scale of a gradient", self.scale)?;
            let Some(weights) = self.weights else {
                let (sums, gradients) =
                    on.backend.gradient(pairs, kernel, Normalizer::Total { scale }, on.watch).await?;
                let value = Uniformity::log_mean(sums.total()?, pairs.count())?;
                let by_t = gradients.by_log_scale / self.t;
                return Ok((value, (P::gradients(gradients)?, by_t)));
            };
            let weights = weights.proportions(pairs)?;
            let first = Run { watch: &on.watch.silent(), ..*on };
            let sum = weighted_sums(&first, pairs, &weights, &[kernel]).await?.pop();
            let sum = sum.ok_or_else(|| Error::missing("the weighted sum over all pairs"))?;
            let value = weights.log_mean(pairs, sum)?;
            // A factor of all weights is one of their sum's inverse.
            let (p, q) = weights.logs(pairs, sum.log());
            let weights = PairWeights::Product { p: &p, q: &q };
            let normalizer = Normalizer::Given { weights, scale, into: None };
            let (_, gradients) = on.backend.gradient(pairs, kernel, normalizer, on.watch).await?;
            let by_t = gradients.by_log_scale / self.t;
            Ok((value, (P::gradients(gradients)?, by_t)))
        })
    }
}
