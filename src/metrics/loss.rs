//! The paper's training loss: alignment and uniformity together.

use super::{
    alignment::Alignment,
    check::{finite, finite_parameter},
    uniformity::Uniformity,
};
use crate::{
    error::Result,
    pairs::Pairs,
    pending::Pending,
    points::{Matrix, Points},
    request::{Differentiable, Metric, Parametric, Run, Sealed, WithParameter, without_parameter},
};

/// The paper's training loss: weight · alignment(x, y) + (uniformity(x) + uniformity(y)) / 2
/// (Wang & Isola 2020, §5 and its code).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// The weight of alignment; finite.
    pub weight: f64,
    /// The alignment of the pairs.
    pub alignment: Alignment,
    /// The uniformity of either set.
    pub uniformity: Uniformity,
}

impl Default for Loss {
    /// Weight 1, α = 2, t = 2.
    fn default() -> Self {
        Self { weight: 1.0, alignment: Alignment::default(), uniformity: Uniformity::default() }
    }
}

/// The loss and its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LossValue {
    /// weight · alignment + (uniformity_x + uniformity_y) / 2.
    pub loss: f64,
    /// The alignment of the pairs.
    pub alignment: f64,
    /// The uniformity of the first set.
    pub uniformity_x: f64,
    /// The uniformity of the second set.
    pub uniformity_y: f64,
}

/// A request for the loss of positive pairs.
#[derive(Clone, Copy, Debug)]
pub struct LossOver<'a> {
    loss: Loss,
    x: &'a Points,
    y: &'a Points,
    scale: f64,
}

impl Loss {
    /// The loss of the pairs of x (n, d) and y (n, d), row by row; the gradients are (n, d) each.
    pub fn paired<'a>(self, x: &'a Points, y: &'a Points) -> LossOver<'a> {
        LossOver { loss: self, x, y, scale: 1.0 }
    }

    fn total(self, alignment: f64, uniformity_x: f64, uniformity_y: f64) -> Result<LossValue> {
        let loss = finite("the loss", self.weight * alignment + (uniformity_x + uniformity_y) / 2.0)?;
        Ok(LossValue { loss, alignment, uniformity_x, uniformity_y })
    }

    fn check(self) -> Result<()> {
        finite_parameter("weight", self.weight).map(drop)
    }
}

impl LossOver<'_> {
    /// The same with its gradients multiplied by `scale`, such as the upstream gradient of automatic differentiation. The
    /// value stays as it is.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The gradients become a pair: those for the points, and the derivative for the t of its uniformities. Both are multiplied by the factor of
    /// [`scaled`](Self::scaled). It costs no further pass.
    #[must_use]
    pub fn with_t(self) -> WithParameter<Self> {
        WithParameter(self)
    }
}

impl Sealed for LossOver<'_> {}

impl Metric for LossOver<'_> {
    type Value = LossValue;

    fn pairs(&self) -> u64 {
        Pairs::Within(self.x).count() + Pairs::Within(self.y).count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, LossValue> {
        Box::pin(async move {
            let Self { loss, x, y, .. } = *self;
            loss.check()?;
            let alignment = loss.alignment.paired(x, y).measure(on).await?;
            let uniformity_x = loss.uniformity.within(x).measure(on).await?;
            let uniformity_y = loss.uniformity.within(y).measure(on).await?;
            loss.total(alignment, uniformity_x, uniformity_y)
        })
    }
}

impl Differentiable for LossOver<'_> {
    without_parameter!((Matrix, Matrix));
}

impl Parametric for LossOver<'_> {
    fn differentiate_with_parameter<'r>(
        &'r self,
        on: &'r Run<'r>,
    ) -> Pending<'r, (LossValue, ((Matrix, Matrix), f64))> {
        Box::pin(async move {
            let Self { loss, x, y, scale } = *self;
            loss.check()?;
            let half = |points| loss.uniformity.within(points).scaled(0.5 * scale);
            let (uniformity_x, (gx, by_t_of_x)) = half(x).differentiate_with_parameter(on).await?;
            let (uniformity_y, (gy, by_t_of_y)) = half(y).differentiate_with_parameter(on).await?;
            let alignment = loss.alignment.paired(x, y).scaled(loss.weight * scale);
            let (alignment, gradients) = alignment.differentiate_into(on, Some((gx, gy))).await?;
            Ok((loss.total(alignment, uniformity_x, uniformity_y)?, (gradients, by_t_of_x + by_t_of_y)))
        })
    }
}
