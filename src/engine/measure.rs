//! Measuring: requests, and short names for the common ones.

use super::Engine;
use crate::{
    error::Result,
    metrics::{Alignment, Contrastive, ContrastiveValue, Loss, LossValue, Uniformity, comparable, mismatch},
    pending::{Pending, block_on},
    points::{Matrix, Points},
    progress::Watch,
    request::{Differentiable, Metric, Run},
};

impl Engine {
    /// The value of a request.
    ///
    /// ```
    /// # use unisphere::{Embeddings, Engine, SquaredMmd, Uniformity};
    /// # let engine = Engine::cpu();
    /// # let x = engine.upload(&Embeddings::new(&[1.0, 0.0, 0.0, 1.0, -1.0, 0.0], 3, 2)?)?;
    /// # let y = engine.upload(&Embeddings::new(&[0.0, 1.0, 1.0, 0.0], 2, 2)?)?;
    /// let across = engine.value(Uniformity::new(2.0).across(&x, &y))?;
    /// let curve = engine.value(Uniformity::at(&[0.5, 1.0, 2.0]).within(&x))?; // one value for each t
    /// let weighted = engine.value(Uniformity::new(2.0).within(&x).weighted(&[1.0, 2.0, 0.5]))?;
    /// let discrepancy = engine.value(SquaredMmd::new(2.0).across(&x, &y))?;
    /// # assert!(across < 0.0 && curve.len() == 3 && weighted < 0.0 && discrepancy.is_finite());
    /// # Ok::<(), unisphere::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::TooFewRows`](crate::Error::TooFewRows), [`Error::Mismatch`](crate::Error::Mismatch),
    /// [`Error::MixedScaling`](crate::Error::MixedScaling), [`Error::Parameter`](crate::Error::Parameter) and others that
    /// the request's own methods name; [`Error::Overflow`](crate::Error::Overflow),
    /// [`Error::Stopped`](crate::Error::Stopped), and the device's own.
    pub fn value<M: Metric>(&self, request: M) -> Result<M::Value> {
        block_on(self.value_async(request))
    }

    /// As [`value`](Self::value), for a task that awaits the value while its executor goes on: the CPU's work is done by the
    /// threads of [rayon](https://docs.rs/rayon)'s global pool, and a small thread of the engine waits for a GPU.
    ///
    /// ```
    /// # use unisphere::{Embeddings, Engine, Uniformity};
    /// # pollster::block_on(async {
    /// # let engine = Engine::cpu();
    /// let x = engine.upload_async(&Embeddings::new(&[1.0, 0.0, 0.0, 1.0, -1.0, 0.0], 3, 2)?).await?;
    /// let u = engine.value_async(Uniformity::new(2.0).within(&x)).await?;
    /// # assert_eq!(u, engine.value(Uniformity::new(2.0).within(&x))?);
    /// # Ok::<(), unisphere::Error>(())
    /// # })?;
    /// # Ok::<(), unisphere::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn value_async<'a, M: Metric + 'a>(&'a self, request: M) -> Pending<'a, M::Value> {
        Box::pin(async move {
            let watch = Watch::new(self.observer.clone(), request.pairs());
            let _stop = watch.stop_when_dropped();
            request.measure(&Run { backend: self.backend.backend(), watch: &watch }).await
        })
    }

    /// The value of a request and its gradient with respect to the points, on the device until
    /// [read](Matrix::read). The value may differ from [`value`](Self::value)'s in the eighth digit, as it is summed in
    /// another order.
    ///
    /// ```
    /// # use unisphere::{Embeddings, Engine, Uniformity};
    /// # let engine = Engine::cpu();
    /// # let x = engine.upload(&Embeddings::new(&[1.0, 0.0, 0.0, 1.0, -1.0, 0.0], 3, 2)?)?;
    /// let upstream = 0.5;
    /// let (u, grad) = engine.value_and_grad(Uniformity::new(2.0).within(&x).scaled(upstream))?;
    /// assert_eq!(grad.shape(), (3, 2));
    /// # Ok::<(), unisphere::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn value_and_grad<M: Differentiable>(&self, request: M) -> Result<(M::Value, M::Gradients)> {
        block_on(self.value_and_grad_async(request))
    }

    /// As [`value_and_grad`](Self::value_and_grad), for a task that awaits both while its executor goes on: see
    /// [`value_async`](Self::value_async).
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn value_and_grad_async<'a, M: Differentiable + 'a>(
        &'a self,
        request: M,
    ) -> Pending<'a, (M::Value, M::Gradients)> {
        Box::pin(async move {
            let watch = Watch::new(self.observer.clone(), request.pairs());
            let _stop = watch.stop_when_dropped();
            request.differentiate(&Run { backend: self.backend.backend(), watch: &watch }).await
        })
    }

    /// Uniformity of x (n, d), over its pairs i < j: the value of [`Uniformity::within`].
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn uniformity(&self, x: &Points, metric: Uniformity) -> Result<f64> {
        self.value(metric.within(x))
    }

    /// Uniformity of x (n, d), and its gradient (n, d).
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn uniformity_with_grad(&self, x: &Points, metric: Uniformity) -> Result<(f64, Matrix)> {
        self.value_and_grad(metric.within(x))
    }

    /// Alignment of the pairs of x (n, d) and y (n, d), row by row: the value of [`Alignment::paired`].
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn alignment(&self, x: &Points, y: &Points, metric: Alignment) -> Result<f64> {
        self.value(metric.paired(x, y))
    }

    /// Alignment of x (n, d) and y (n, d), and its gradients, (n, d) each.
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn alignment_with_grad(
        &self,
        x: &Points,
        y: &Points,
        metric: Alignment,
    ) -> Result<(f64, Matrix, Matrix)> {
        let (value, (gx, gy)) = self.value_and_grad(metric.paired(x, y))?;
        Ok((value, gx, gy))
    }

    /// The paper's training loss of x (n, d) and y (n, d), and its parts: the value of [`Loss::paired`].
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn loss(&self, x: &Points, y: &Points, loss: Loss) -> Result<LossValue> {
        self.value(loss.paired(x, y))
    }

    /// The paper's training loss, its parts, and its gradients for x and y, (n, d) each.
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn loss_with_grad(&self, x: &Points, y: &Points, loss: Loss) -> Result<(LossValue, Matrix, Matrix)> {
        let (value, (gx, gy)) = self.value_and_grad(loss.paired(x, y))?;
        Ok((value, gx, gy))
    }

    /// The contrastive loss of the positive pairs of x (n, d) and y (n, d), row by row, and its decomposition (Wang & Isola
    /// 2020, Theorem 1): the value of [`Contrastive::paired`].
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn contrastive(&self, x: &Points, y: &Points, metric: Contrastive) -> Result<ContrastiveValue> {
        self.value(metric.paired(x, y))
    }

    /// The contrastive loss, its decomposition, and its gradients for x and y, (n, d) each.
    ///
    /// # Errors
    ///
    /// Those of [`value`](Self::value).
    pub fn contrastive_with_grad(
        &self,
        x: &Points,
        y: &Points,
        metric: Contrastive,
    ) -> Result<(ContrastiveValue, Matrix, Matrix)> {
        let (value, (gx, gy)) = self.value_and_grad(metric.paired(x, y))?;
        Ok((value, gx, gy))
    }

    /// ‖xᵢ−yⱼ‖² (n, m) for x (n, d) and y (m, d), by direct difference: equal points are 0 apart, exactly.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`](crate::Error::Mismatch), [`Error::MixedScaling`](crate::Error::MixedScaling), and
    /// the device's own.
    pub fn squared_distances(&self, x: &Points, y: &Points) -> Result<Matrix> {
        block_on(self.squared_distances_async(x, y))
    }

    /// As [`squared_distances`](Self::squared_distances), for a task that awaits them while its executor goes on.
    ///
    /// # Errors
    ///
    /// Those of [`squared_distances`](Self::squared_distances).
    pub fn squared_distances_async<'a>(&'a self, x: &'a Points, y: &'a Points) -> Pending<'a, Matrix> {
        Box::pin(async move {
            comparable("squared distances between two sets", x, y)?;
            self.backend.backend().squared_distances(x, y).await
        })
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
        block_on(self.squared_distances_grad_async(x, y, upstream))
    }

    /// As [`squared_distances_grad`](Self::squared_distances_grad), for a task that awaits the gradients while its executor
    /// goes on.
    ///
    /// # Errors
    ///
    /// Those of [`squared_distances`](Self::squared_distances).
    pub fn squared_distances_grad_async<'a>(
        &'a self,
        x: &'a Points,
        y: &'a Points,
        upstream: &'a Matrix,
    ) -> Pending<'a, (Matrix, Matrix)> {
        Box::pin(async move {
            comparable("squared distances between two sets", x, y)?;
            let shape = (x.rows(), y.rows());
            if upstream.shape() != shape {
                return Err(mismatch(
                    "the upstream gradient has the shape of the distances",
                    upstream.shape(),
                    shape,
                ));
            }
            self.backend.backend().squared_distances_grad(x, y, upstream).await
        })
    }
}
