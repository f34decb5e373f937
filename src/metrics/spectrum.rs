//! What uniformity cannot see, from the mean and the covariance of the points.

use super::{check::at_least, eigenvalues::eigenvalues};
use crate::{
    error::{Error, Result},
    pending::{Pending, offload, on_a_thread},
    points::{Moments, Points},
    progress::Watch,
    request::{Metric, Run, Sealed},
};

/// The greatest share of the largest eigenvalue that one may lie below 0, and of the mean its square root.
const NEGATIVE_SHARE: f64 = 1e-5;
const MEAN_ROUNDING: f64 = 1e-6;

/// What RankMe adds to each share, as the paper does for f32.
const RANK_ME_EPSILON: f64 = 1e-7;

/// Mean and covariance of a set of points, in the terms that tell a collapse which uniformity hardly shows: in many
/// dimensions a set that fills a tenth of them has nearly the least of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    mean_norm: f64,
    eigenvalues: Vec<f64>,
    rank_me: Option<f64>,
}

/// A request for the spectrum of a set. No pairs are gone through, but an observer is asked several times a second
/// whether to stop.
#[derive(Clone, Copy, Debug)]
pub struct SpectrumOver<'a>(&'a Points);

impl Sealed for SpectrumOver<'_> {}

impl Metric for SpectrumOver<'_> {
    type Value = Spectrum;

    fn pairs(&self) -> u64 {
        0
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Spectrum> {
        Box::pin(async move {
            let x = self.0;
            at_least("the spectrum", x, 1)?;
            let (moments, rows, watch) = (on.backend.moments(x, on.watch).await?, x.rows(), on.watch.clone());
            // Without a thread, the task ends with an error.
            let spawn = |job| drop(on_a_thread("spectrum", job));
            offload(spawn, move || Spectrum::of(moments, rows, &watch)).await
        })
    }
}

impl Spectrum {
    /// The mean of x (n, d), the eigenvalues of its covariance, and the ranks and distance made of them. One row is needed.
    pub fn within(x: &Points) -> SpectrumOver<'_> {
        SpectrumOver(x)
    }

    /// From the moments of so many rows. Eigenvalues that would be rounding are 0: past rank n − 1, and as small as the square
    /// of the mean's last digits.
    pub(crate) fn of(moments: Moments, rows: usize, watch: &Watch) -> Result<Self> {
        let Moments { mean, scatter, side, .. } = &moments;
        let (side, dims) = (*side, mean.len());
        let mean_norm = mean.iter().map(|value| value * value).sum::<f64>().sqrt();
        if !mean_norm.is_finite() || scatter.iter().any(|value| !value.is_finite()) {
            return Err(Error::Overflow { metric: "the spectrum" });
        }
        let rank_me = match moments.about_zero()? {
            Some(products) => Some(rank_me(&eigenvalues(products, side, watch)?, rows.min(dims))),
            None => None,
        };
        let mut eigenvalues = eigenvalues(moments.scatter, side, watch)?;
        // Products in single precision may leave so much of an eigenvalue that is 0.
        let (largest, least) = (eigenvalues.first().copied(), eigenvalues.last().copied());
        let (largest, least) = (largest.unwrap_or(0.0), least.unwrap_or(0.0));
        let negative = NEGATIVE_SHARE * largest + (MEAN_ROUNDING * mean_norm).powi(2);
        if least < -negative {
            let reason = format!("one of them is {least:e}, where a covariance has none below 0");
            return Err(Error::Spectrum { side, reason });
        }
        eigenvalues.resize(dims, 0.0);
        eigenvalues.iter_mut().skip(rows.saturating_sub(1)).for_each(|value| *value = 0.0);
        let rounding = rows as f64 * (8.0 * f64::EPSILON * mean_norm).powi(2);
        eigenvalues.iter_mut().filter(|value| **value <= rounding).for_each(|value| *value = 0.0);
        Ok(Self { mean_norm, eigenvalues, rank_me })
    }

    /// ‖mean‖. On the unit sphere, 0 says that the points balance and 1 that they coincide: it tells a narrow cone, which
    /// uniformity mixes with how the points spread within.
    pub fn mean_norm(&self) -> f64 {
        self.mean_norm
    }

    /// The eigenvalues of the covariance, greatest first, none below 0: how much the points vary along each of their
    /// principal axes. On the unit sphere they and the square of [`mean_norm`](Self::mean_norm) add up to 1.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// exp of the entropy of the eigenvalues' shares λ/Σλ (Roy & Vetterli 2007, *The effective rank*): how many axes
    /// are in use, of which weak ones count in part. From 1, all on one line, to dims, the same spread along all axes; 0 where
    /// there is no spread.
    pub fn effective_rank(&self) -> f64 {
        let sum = self.variance();
        if sum == 0.0 {
            return 0.0;
        }
        exp_entropy(self.eigenvalues.iter().map(|value| value / sum).filter(|&share| share != 0.0))
    }

    /// RankMe (Garrido, Balestriero, Najman & LeCun 2023, arXiv 2210.02885): exp of the entropy −Σ pₖ ln pₖ, where
    /// pₖ = σₖ/Σσ + 1e-7 are of the min(n, d) singular values σ of the points, not about their mean, as metrics see them: at unit
    /// length, unless raw. From 1, all on one line through 0, to min(n, d), up to the 1e-7; 0 where all are 0. It is another number
    /// than the [effective rank](Self::effective_rank): σ are roots, so that weak axes count for more, and the mean counts as an axis.
    ///
    /// None of a GPU's points that are not fewer than their dimensions: it takes sums in double precision, without which squares of
    /// small σ are lost. Those below 1e-8 of the greatest are lost all the same, as in the rounding of f32.
    pub fn rank_me(&self) -> Option<f64> {
        self.rank_me
    }

    /// (Σλ)² / Σλ²: how many axes carry the most of it; as the [effective rank](Self::effective_rank), which it never
    /// exceeds, but weak axes hardly count.
    pub fn participation_ratio(&self) -> f64 {
        let sum = self.variance();
        if sum == 0.0 {
            return 0.0;
        }
        self.eigenvalues.iter().map(|value| (value / sum).powi(2)).sum::<f64>().recip()
    }

    /// The quadratic Wasserstein distance between two normal distributions, one of the mean and covariance of the points and
    /// N(0, I/dims), which unit rows spread evenly come close to: √(‖mean‖² + 1 + tr Σ − (2/√dims) tr Σ^½) (Fang, Li, Sun
    /// & Wang 2024, *Rethinking the uniformity metric in self-supervised learning*, arXiv 2403.00642). From 0, the best, to
    /// √2 where unit rows coincide: it grows with every axis that is lost, and copies of points leave it as it is.
    pub fn wasserstein(&self) -> f64 {
        // As squares, of which nothing cancels.
        let even = (self.eigenvalues.len() as f64).sqrt().recip();
        let spread: f64 = self.eigenvalues.iter().map(|value| (value.sqrt() - even).powi(2)).sum();
        self.mean_norm.hypot(spread.sqrt())
    }

    fn variance(&self) -> f64 {
        self.eigenvalues.iter().sum()
    }
}

/// RankMe of the greatest `count` of these squares of singular values, whatever they are divided by.
fn rank_me(squares: &[f64], count: usize) -> f64 {
    // Rounding may leave less than 0.
    let values = || squares.iter().take(count).map(|square| square.max(0.0).sqrt());
    let sum: f64 = values().sum();
    if sum == 0.0 {
        return 0.0;
    }
    exp_entropy(values().map(|value| value / sum + RANK_ME_EPSILON))
}

/// exp of the entropy of shares, none of which is 0.
fn exp_entropy(shares: impl Iterator<Item = f64>) -> f64 {
    (-shares.map(|share| share * share.ln()).sum::<f64>()).exp()
}
