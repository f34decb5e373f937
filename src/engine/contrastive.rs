//! The contrastive loss.

use super::Engine;
use crate::{
    error::Result,
    metrics::{Candidates, Contrastive, ContrastiveValue},
    points::{Matrix, Points},
};

impl Engine {
    /// The contrastive loss of the positive pairs of x (n, d) and y (n, d), row by row, and its decomposition (Wang & Isola
    /// 2020, Theorem 1). The rows of `queue` (m, d), where given, are negatives of every anchor besides.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`](crate::Error::Mismatch), [`Error::MixedScaling`](crate::Error::MixedScaling),
    /// [`Error::TooFewRows`](crate::Error::TooFewRows) where an anchor has no negative,
    /// [`Error::Parameter`](crate::Error::Parameter), and the device's own.
    pub fn contrastive(
        &self,
        x: &Points,
        y: &Points,
        queue: Option<&Points>,
        metric: Contrastive,
    ) -> Result<ContrastiveValue> {
        let watch = self.watch(metric.pairs(x.rows(), queue.map_or(0, Points::rows)));
        metric.value(&*self.backend, (x, y, queue), &watch)
    }

    /// The contrastive loss for every temperature τ, at little more than the cost of one: of one from τ = 0.025 on, and of
    /// one below, where products take more precision (on a GPU, τ = 0.067).
    ///
    /// # Errors
    ///
    /// Those of [`contrastive`](Self::contrastive).
    pub fn contrastives(
        &self,
        x: &Points,
        y: &Points,
        queue: Option<&Points>,
        candidates: Candidates,
        taus: &[f64],
    ) -> Result<Vec<ContrastiveValue>> {
        let metric = Contrastive { candidates, ..Contrastive::default() };
        let watch = self.watch(metric.pairs(x.rows(), queue.map_or(0, Points::rows)));
        candidates.values(&*self.backend, (x, y, queue), taus, &watch)
    }

    /// The contrastive loss, its decomposition, and its gradients for x and y, (n, d) each. A queue is taken as constant.
    ///
    /// # Errors
    ///
    /// Those of [`contrastive`](Self::contrastive).
    pub fn contrastive_with_grad(
        &self,
        x: &Points,
        y: &Points,
        queue: Option<&Points>,
        metric: Contrastive,
    ) -> Result<(ContrastiveValue, Matrix, Matrix)> {
        let watch = self.watch(metric.pairs(x.rows(), queue.map_or(0, Points::rows)));
        metric.value_with_grad(&*self.backend, (x, y, queue), &watch)
    }
}
