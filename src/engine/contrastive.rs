//! The contrastive loss.

use super::Engine;
use crate::{Contrastive, ContrastiveValue, Matrix, Points, Result};

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
        let watch = self.watch(metric.pairs(x, queue));
        metric.value(&*self.backend, (x, y, queue), &watch)
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
        let watch = self.watch(metric.pairs(x, queue));
        metric.value_with_grad(&*self.backend, (x, y, queue), &watch)
    }
}
