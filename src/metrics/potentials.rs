//! Uniformity by rows: who is crowded, and how sure the value is.

use super::{
    check::positive,
    pair_sets::{Across, Within},
    row_log_sums::{RowKernel, RowLogSumsOver},
    uniformity::{Uniformities, Uniformity},
};
use crate::{
    error::{Error, Result},
    kernel::Kernel,
    log_sum::LogSumExp,
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
    theory::Estimate,
};

/// The potential of every point of a set: log Σ_{j≠i} exp(−t‖xᵢ−xⱼ‖²) / (n−1). A point with others close by has a great
/// one, up to 0 where they all coincide with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Potentials {
    metric: Uniformity,
    logs: Vec<f64>,
}

/// A request for the potential of every point of a set.
#[derive(Clone, Copy, Debug)]
pub struct PotentialsOver<'a> {
    metric: Uniformity,
    x: &'a Points,
}

/// Exponents from here down may lie beyond those that backends tell apart.
const MIN_LOG_POTENTIAL: f64 = -1e299;

impl Uniformity {
    /// The potential of every point of x (n, d): how crowded it is. Uniformity and its uncertainty follow from these. Two rows
    /// are needed.
    pub fn potentials(self, x: &Points) -> PotentialsOver<'_> {
        PotentialsOver { metric: self, x }
    }
}

impl Sealed for PotentialsOver<'_> {}

impl Metric for PotentialsOver<'_> {
    type Value = Potentials;

    fn pairs(&self) -> u64 {
        Pairs::Within(self.x).count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Potentials> {
        Box::pin(async move {
            let pairs = Pairs::Within(self.x);
            let kernel = Kernel::gaussian(self.metric.check(pairs)?);
            let sums = on.backend.row_log_sums(pairs, &[kernel], None, on.watch).await?.pop();
            let sums = sums.ok_or_else(|| Error::missing("the potential of each point"))?.x;
            Potentials::of_log_sums(self.metric, sums)
        })
    }
}

impl<'a> Uniformities<'a> {
    /// log Σⱼ exp(−t‖xᵢ−yⱼ‖²) of every row i of x (n, d) over all rows of y (m, d), for every t: a part of what
    /// [`Potentials::of_log_sums`] takes, of sets in pieces.
    pub fn log_sums_across(self, x: &'a Points, y: &'a Points) -> RowLogSumsOver<'a, Across<'a>> {
        RowLogSumsOver::new(Across(x, y), RowKernel::Gaussian(self.ts()))
    }

    /// The same over the other rows of x (n, d) itself.
    pub fn log_sums_within(self, x: &'a Points) -> RowLogSumsOver<'a, Within<'a>> {
        RowLogSumsOver::new(Within(x), RowKernel::Gaussian(self.ts()))
    }
}

impl Potentials {
    /// The potentials of rows whose log Σ_{j≠i} exp(−t‖xᵢ−xⱼ‖²) over all n − 1 other rows is known, in the order of the rows.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless t is positive and finite, and [`Error::Overflow`] where the sum of a row is too small for f64.
    pub fn of_log_sums(metric: Uniformity, log_sums: Vec<f64>) -> Result<Self> {
        positive("t", metric.t)?;
        if log_sums.iter().all(|&sum| sum > MIN_LOG_POTENTIAL) {
            Ok(Self::new(metric, log_sums))
        } else {
            Err(Error::Overflow { metric: "the potential of a point" })
        }
    }

    /// From log Σ_{j≠i} exp(−t‖xᵢ−xⱼ‖²) of every row.
    pub(crate) fn new(metric: Uniformity, mut log_sums: Vec<f64>) -> Self {
        let others = (log_sums.len() as f64 - 1.0).ln();
        log_sums.iter_mut().for_each(|log| *log -= others);
        Self { metric, logs: log_sums }
    }

    /// With which t.
    pub fn metric(&self) -> Uniformity {
        self.metric
    }

    /// The log of each point's mean potential, in the order of the rows.
    pub fn logs(&self) -> &[f64] {
        &self.logs
    }

    /// Uniformity of the set, over its pairs i < j: the log of the mean of all potentials. NaN for no points.
    pub fn uniformity(&self) -> f64 {
        match self.logs.len() {
            0 => f64::NAN,
            n => self.total().log_mean(n as u64).min(0.0),
        }
    }

    /// Uniformity with its standard error, by leaving out one row after the other (the jackknife, which the potentials give
    /// exactly), and a 95 % interval by Student's t distribution.
    ///
    /// The standard error is that of the mean, divided by it: with rᵢ the potential of row i over the mean of all,
    /// √(4(n−1)/n · Σ(rᵢ−1)²) / (n−2), for n ≥ 3 (Arvesen 1969, *Jackknifing U-statistics*). It says how far the value may
    /// be from that of the distribution that the rows are independent draws of. In sets that are as even as the uniform
    /// distribution, rows differ by chance alone and the interval is too wide rather than too narrow: ask
    /// [`significance`](Uniformity::significance) there.
    pub fn estimate(&self) -> Estimate {
        let n = self.logs.len() as f64;
        let total = self.total();
        let variance = |log: f64| ((log - total.max).exp() / (total.sum / n) - 1.0).powi(2);
        let sum: f64 = self.logs.iter().map(|&log| variance(log)).sum();
        let error = if n < 3.0 { f64::INFINITY } else { (4.0 * (n - 1.0) / n * sum).sqrt() / (n - 2.0) };
        Estimate::new(self.uniformity(), error, self.logs.len(), [f64::NEG_INFINITY, 0.0])
    }

    /// The rows with the greatest potentials and those potentials, greatest first, of equal ones the first row first: `k`,
    /// or as many as there are.
    pub fn most_crowded(&self, k: usize) -> Vec<(usize, f64)> {
        let order = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        let mut rows = Vec::new();
        for row in self.logs.iter().copied().enumerate() {
            rows.push(row);
            // Memory for as many as are asked for, and not for all.
            if rows.len() > k.saturating_mul(2) {
                rows.select_nth_unstable_by(k, order);
                rows.truncate(k);
            }
        }
        rows.sort_unstable_by(order);
        rows.truncate(k);
        rows
    }

    fn total(&self) -> LogSumExp {
        self.logs
            .iter()
            .copied()
            .filter(|&log| log > f64::NEG_INFINITY)
            .map(LogSumExp::from_exponent)
            .collect()
    }
}
