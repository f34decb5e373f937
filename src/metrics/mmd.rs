//! Two sets together: the uniformity of their union, and how far their distributions are apart.

use super::{
    pair_sets::{Across, PairSet, Unpaired},
    uniformity::{Uniformities, Uniformity},
};
use crate::{
    error::{Error, Result},
    function::PairFunction,
    kernel::Kernel,
    log_sum::LogSumExp,
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
};

/// A request for the uniformity of the union of two sets. `T` is one t or several.
#[derive(Clone, Copy, Debug)]
pub struct UniformityOfUnion<'a, T = f64> {
    x: &'a Points,
    y: &'a Points,
    t: T,
}

/// The squared maximum mean discrepancy of two sets under the kernel exp(−t‖x−y‖²), without bias, so that it may be
/// negative (Gretton et al. 2012, *A kernel two-sample test*).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquaredMmd {
    /// How fast the kernel falls with the squared distance; positive and finite.
    pub t: f64,
}

/// A request for the squared maximum mean discrepancy of two sets. `P` is the set of pairs across them.
#[derive(Clone, Copy, Debug)]
pub struct SquaredMmdOver<P> {
    pairs: P,
    t: f64,
}

impl Uniformity {
    /// Uniformity of the union of x (n, d) and y (m, d): of both sets together, pairs across them included. Two rows of
    /// either set are needed.
    pub fn pooled<'a>(self, x: &'a Points, y: &'a Points) -> UniformityOfUnion<'a> {
        UniformityOfUnion { x, y, t: self.t }
    }

    /// The log mean over several sets of pairs together, from the value of each and how many pairs it has; −∞ where all
    /// of them are, NaN where there are no pairs or one of the values is NaN.
    pub fn pooled_value(parts: &[(f64, u64)]) -> f64 {
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
    /// Of collapsed sets see [`SquaredMmd::needs_points`].
    pub fn squared_mmd(x: f64, y: f64, cross: f64) -> f64 {
        // E k(x, x′) + E k(y, y′) − 2 E k(x, y) for k = exp(−t‖·‖²).
        (x.exp() - cross.exp()) + (y.exp() - cross.exp())
    }
}

impl<'a> Uniformities<'a> {
    /// As [`Uniformity::pooled`], for every t.
    pub fn pooled(self, x: &'a Points, y: &'a Points) -> UniformityOfUnion<'a, &'a [f64]> {
        UniformityOfUnion { x, y, t: self.ts() }
    }
}

impl SquaredMmd {
    /// The discrepancy of parameter t, which is to be positive and finite.
    pub fn new(t: f64) -> Self {
        Self { t }
    }

    /// Whether the uniformities of two sets, and across them, are all so near 0 that their difference would lose its digits.
    /// Of such collapsed sets a request measures the discrepancy from the points.
    pub fn needs_points(x: f64, y: f64, cross: f64) -> bool {
        [x, y, cross].iter().all(|&value| value >= MIN_COLLAPSED)
    }

    /// The discrepancy of x (n, d) and y (m, d) over all pairs across them (eq. 3). 0 is expected of two sets of one
    /// distribution, drawn independently: not of positive pairs, for which there is [`unpaired`](Self::unpaired). Two
    /// rows of either set are needed.
    pub fn across<'a>(self, x: &'a Points, y: &'a Points) -> SquaredMmdOver<Across<'a>> {
        SquaredMmdOver { pairs: Across(x, y), t: self.t }
    }

    /// The discrepancy of x (n, d) and y (n, d) whose rows i are positive pairs. These are left out (eq. 4), since a pair is
    /// closer than its sets are.
    pub fn unpaired<'a>(self, x: &'a Points, y: &'a Points) -> SquaredMmdOver<Unpaired<'a>> {
        SquaredMmdOver { pairs: Unpaired(x, y), t: self.t }
    }
}

/// The uniformity from which on a set counts as collapsed.
const MIN_COLLAPSED: f64 = -1.0 / 64.0;

impl<T> UniformityOfUnion<'_, T> {
    fn parts(&self) -> [Pairs<'_>; 3] {
        [Pairs::Within(self.x), Pairs::Within(self.y), Pairs::Across(self.x, self.y)]
    }
}

impl<T> Sealed for UniformityOfUnion<'_, T> {}

impl Metric for UniformityOfUnion<'_, f64> {
    type Value = f64;

    fn pairs(&self) -> u64 {
        self.parts().iter().map(Pairs::count).sum()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
        Box::pin(async move {
            let values = Uniformity::at(&[self.t]).pooled(self.x, self.y).measure(on).await?;
            values.into_iter().next().ok_or_else(|| Error::missing("the uniformity of the union"))
        })
    }
}

impl Metric for UniformityOfUnion<'_, &[f64]> {
    type Value = Vec<f64>;

    fn pairs(&self) -> u64 {
        self.parts().iter().map(Pairs::count).sum()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<f64>> {
        Box::pin(async move {
            let all = Uniformity::at(self.t);
            let (x, y) = (self.x, self.y);
            let parts = [
                all.within(x).measure(on).await?,
                all.within(y).measure(on).await?,
                all.across(x, y).measure(on).await?,
            ];
            let counts = self.parts().map(|pairs| pairs.count());
            let at = |i: usize| [0, 1, 2].map(|part| (parts[part][i], counts[part]));
            Ok((0..self.t.len()).map(|i| Uniformity::pooled_value(&at(i))).collect())
        })
    }
}

impl<P> Sealed for SquaredMmdOver<P> {}

impl<'a, P: PairSet<'a>> SquaredMmdOver<P> {
    /// The discrepancy from the means of 1 − k, which keep their digits where every kernel is next to 1.
    async fn of_losses(&self, on: &Run<'_>) -> Result<f64> {
        let (loss, silent) = (PairFunction::GaussianLoss { t: self.t }, on.watch.silent());
        let mut means = [0.0; 3];
        for (mean, pairs) in means.iter_mut().zip(self.parts()) {
            *mean = on.backend.function_sum(pairs, loss, &silent).await? / pairs.count() as f64;
        }
        let [cross, x, y] = means;
        Ok((cross - x) + (cross - y))
    }

    /// The pairs across the sets, and those within either.
    fn parts(&self) -> [Pairs<'a>; 3] {
        let across = self.pairs.pairs();
        let (x, y) = across.sides();
        [across, Pairs::Within(x), Pairs::Within(y)]
    }
}

impl<'a, P: PairSet<'a>> Metric for SquaredMmdOver<P> {
    type Value = f64;

    fn pairs(&self) -> u64 {
        self.parts().iter().map(Pairs::count).sum()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
        Box::pin(async move {
            let metric = Uniformity { t: self.t };
            // Faults of any part are found before anything is computed.
            self.parts().iter().try_for_each(|&pairs| metric.check(pairs).map(drop))?;
            let mut values = [0.0; 3];
            for (value, pairs) in values.iter_mut().zip(self.parts()) {
                let sum = on.backend.log_sum(pairs, &[Kernel::gaussian(self.t)], on.watch).await?;
                *value = Uniformity::log_mean(sum.into_iter().collect::<LogSumExp>(), pairs.count())?;
            }
            let [cross, x, y] = values;
            if SquaredMmd::needs_points(x, y, cross) {
                return self.of_losses(on).await;
            }
            Ok(Uniformity::squared_mmd(x, y, cross))
        })
    }
}
