//! Alignment, uniformity, the loss of both, and the distances that they are made of.

use super::Engine;
use crate::{
    error::{Error, Result},
    metrics::{Alignment, Loss, LossValue, Uniformity, comparable, mismatch},
    pairs::Pairs,
    points::{Matrix, Points},
};

impl Engine {
    /// Uniformity of x (n, d), over its pairs i < j.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewRows`] below two rows,
    /// [`Error::Parameter`], [`Error::Stopped`], and the
    /// device's own.
    pub fn uniformity(&self, x: &Points, metric: Uniformity) -> Result<f64> {
        metric.value(&*self.backend, Pairs::Within(x), &self.watch(Pairs::Within(x).count()))
    }

    /// Uniformity of x (n, d), and its gradient (n, d), in one pass. The value may differ from
    /// [`uniformity`](Self::uniformity)'s in the eighth digit, as it is summed in another order.
    ///
    /// # Errors
    ///
    /// Those of [`uniformity`](Self::uniformity).
    pub fn uniformity_with_grad(&self, x: &Points, metric: Uniformity) -> Result<(f64, Matrix)> {
        let pairs = Pairs::Within(x);
        let (value, gradients) =
            metric.value_with_grad(&*self.backend, pairs, 1.0, &self.watch(pairs.count()))?;
        Ok((value, gradients.x))
    }

    /// Uniformity over all pairs of x (n, d) with y (m, d).
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`], [`Error::MixedScaling`] and
    /// those of [`uniformity`](Self::uniformity).
    pub fn cross_uniformity(&self, x: &Points, y: &Points, metric: Uniformity) -> Result<f64> {
        let pairs = Pairs::Across(x, y);
        metric.value(&*self.backend, pairs, &self.watch(pairs.count()))
    }

    /// Cross uniformity of x (n, d) with y (m, d), and its gradients (n, d) and (m, d), in one pass.
    ///
    /// # Errors
    ///
    /// Those of [`cross_uniformity`](Self::cross_uniformity).
    pub fn cross_uniformity_with_grad(
        &self,
        x: &Points,
        y: &Points,
        metric: Uniformity,
    ) -> Result<(f64, Matrix, Matrix)> {
        let pairs = Pairs::Across(x, y);
        let (value, gradients) =
            metric.value_with_grad(&*self.backend, pairs, 1.0, &self.watch(pairs.count()))?;
        match gradients.y {
            Some(y) => Ok((value, gradients.x, y)),
            None => Err(Error::missing("the second gradient")),
        }
    }

    /// Alignment of the pairs of x (n, d) and y (n, d), row by row.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`], [`Error::MixedScaling`],
    /// [`Error::TooFewRows`] for none,
    /// [`Error::Parameter`], and the device's own.
    pub fn alignment(&self, x: &Points, y: &Points, metric: Alignment) -> Result<f64> {
        metric.value(&*self.backend, x, y)
    }

    /// Alignment of x (n, d) and y (n, d), and its gradients, (n, d) each. The gradient of a pair that
    /// coincides is 0.
    ///
    /// # Errors
    ///
    /// Those of [`alignment`](Self::alignment).
    pub fn alignment_with_grad(
        &self,
        x: &Points,
        y: &Points,
        metric: Alignment,
    ) -> Result<(f64, Matrix, Matrix)> {
        metric.value_with_grad(&*self.backend, x, y, (1.0, None), None)
    }

    /// The paper's training loss of x (n, d) and y (n, d), and its parts.
    ///
    /// # Errors
    ///
    /// Those of [`alignment`](Self::alignment) and [`uniformity`](Self::uniformity).
    pub fn loss(&self, x: &Points, y: &Points, loss: Loss) -> Result<LossValue> {
        loss.value(&*self.backend, x, y, &self.watch_both(x, y))
    }

    /// The paper's training loss, its parts, and its gradients for x and y, (n, d) each.
    ///
    /// # Errors
    ///
    /// Those of [`loss`](Self::loss).
    pub fn loss_with_grad(&self, x: &Points, y: &Points, loss: Loss) -> Result<(LossValue, Matrix, Matrix)> {
        loss.value_with_grad(&*self.backend, x, y, &self.watch_both(x, y))
    }

    /// ‖xᵢ−yⱼ‖² (n, m) for x (n, d) and y (m, d), by direct difference: equal points are 0 apart, exactly.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`], [`Error::MixedScaling`], and
    /// the device's own.
    pub fn squared_distances(&self, x: &Points, y: &Points) -> Result<Matrix> {
        comparable("squared distances between two sets", x, y)?;
        self.backend.squared_distances(x, y)
    }

    /// The gradients for x (n, d) and y (m, d) of a function of their squared distances, whose gradient for
    /// those distances is `upstream` (n, m).
    ///
    /// # Errors
    ///
    /// Those of [`squared_distances`](Self::squared_distances).
    pub fn squared_distances_grad(
        &self,
        x: &Points,
        y: &Points,
        upstream: &Matrix,
    ) -> Result<(Matrix, Matrix)> {
        comparable("squared distances between two sets", x, y)?;
        let shape = (x.rows(), y.rows());
        if upstream.shape() != shape {
            return Err(mismatch(
                "the upstream gradient has the shape of the distances",
                upstream.shape(),
                shape,
            ));
        }
        self.backend.squared_distances_grad(x, y, upstream)
    }
}
