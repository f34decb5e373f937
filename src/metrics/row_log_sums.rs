//! Sums of a kernel row by row, of sets in pieces: those of several pieces are joined.

use super::{
    check::{pairs_of_points, positive},
    pair_sets::PairSet,
};
use crate::{
    error::Result,
    kernel::Kernel,
    pending::Pending,
    request::{Metric, Run, Sealed},
};

/// What the sums of the contrastive loss are called in errors.
pub(super) const ANCHORS: &str = "the sums of the contrastive loss's anchors";

/// A request for log Σⱼ k(xᵢ, yⱼ) of every row i of x, for several scales of the kernel: exp(⟨x, y⟩/τ) of the
/// [contrastive loss](crate::Contrastive::log_sums_across), exp(−t‖x−y‖²) of
/// [uniformity](crate::Uniformities::log_sums_across). `P` is the set of pairs.
///
/// Its value has, for every scale, one number for each row of x; −∞ where a row is in no pair. The log sums over several y are
/// joined by [`LogSumExp`](crate::LogSumExp).
#[derive(Clone, Copy, Debug)]
pub struct RowLogSumsOver<'a, P> {
    pairs: P,
    kernel: RowKernel<'a>,
}

/// The kernel, and its scales.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowKernel<'a> {
    /// exp(⟨x, y⟩/τ)
    Logit(&'a [f64]),
    /// exp(−t‖x−y‖²)
    Gaussian(&'a [f64]),
}

impl RowKernel<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Logit(_) => ANCHORS,
            Self::Gaussian(_) => "the potentials of rows",
        }
    }

    /// The kernel of every scale, which is to be positive and finite.
    fn kernels(self) -> Result<Vec<Kernel>> {
        let (name, scales, kernel): (_, _, fn(f64) -> Kernel) = match self {
            Self::Logit(taus) => ("tau", taus, Kernel::logit),
            Self::Gaussian(ts) => ("t", ts, Kernel::gaussian),
        };
        scales.iter().map(|&scale| positive(name, scale).map(kernel)).collect()
    }
}

impl<'a, P: PairSet<'a>> RowLogSumsOver<'a, P> {
    pub(super) fn new(pairs: P, kernel: RowKernel<'a>) -> Self {
        Self { pairs, kernel }
    }
}

impl<P> Sealed for RowLogSumsOver<'_, P> {}

impl<'a, P: PairSet<'a>> Metric for RowLogSumsOver<'a, P> {
    type Value = Vec<Vec<f64>>;

    fn pairs(&self) -> u64 {
        self.pairs.pairs().count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<Vec<f64>>> {
        Box::pin(async move {
            pairs_of_points(self.kernel.name(), self.pairs.pairs())?;
            let (pairs, kernels) = (self.pairs.pairs(), self.kernel.kernels()?);
            if pairs.count() == 0 {
                return Ok(vec![vec![f64::NEG_INFINITY; pairs.sides().0.rows()]; kernels.len()]);
            }
            let sums = on.backend.row_log_sums(pairs, &kernels, None, on.watch).await?;
            Ok(sums.into_iter().map(|sums| sums.x).collect())
        })
    }
}
