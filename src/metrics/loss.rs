//! The paper's training loss: alignment and uniformity together.

use super::{
    alignment::{Alignment, check_pairs},
    check::{finite, finite_parameter},
    uniformity::Uniformity,
};
use crate::{
    error::Result,
    pairs::Pairs,
    pending::{Pending, join_if},
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
            check_pairs(x, y)?;
            let [of_x, of_y] = [x, y].map(|points| loss.uniformity.within(points).scaled(0.5 * scale));
            let (of_x, of_y) = (of_x.differentiate_with_parameter(on), of_y.differentiate_with_parameter(on));
            let ((uniformity_x, (gx, by_t_of_x)), (uniformity_y, (gy, by_t_of_y))) =
                join_if(on.backend.gains_from_joining(x, y), of_x, of_y).await?;
            let alignment = loss.alignment.paired(x, y).scaled(loss.weight * scale);
            let (alignment, gradients) = alignment.differentiate_into(on, Some((gx, gy))).await?;
            Ok((loss.total(alignment, uniformity_x, uniformity_y)?, (gradients, by_t_of_x + by_t_of_y)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Embeddings, Engine};

    /// Two sets whose uniformities one thread computes one after the other, and two whose uniformities are computed side by side.
    #[test]
    fn it_is_its_parts() -> Result<()> {
        let engine = Engine::cpu();
        for (rows, dims) in [(20, 8), (200, 64)] {
            let set = |factor: usize| {
                let values: Vec<_> = (0..rows * dims).map(|i| ((i * factor % 1009) as f32).sin()).collect();
                engine.upload(&Embeddings::new(values, rows, dims)?)
            };
            let (x, y, loss) = (set(1)?, set(7)?, Loss { weight: 3.0, ..Loss::default() });
            let value = engine.value(loss.paired(&x, &y))?;
            let request = loss.paired(&x, &y).scaled(2.0).with_t();
            let (with_grad, (gradients, by_t)) = engine.value_and_grad(request)?;
            let (alignment, of_alignment) = engine.value_and_grad(loss.alignment.paired(&x, &y))?;
            assert_eq!([value.alignment, with_grad.alignment], [alignment; 2]);
            let halves = (value.uniformity_x + value.uniformity_y) / 2.0;
            assert_eq!(value.loss, 3.0 * alignment + halves);
            let parts = [
                (&x, [value.uniformity_x, with_grad.uniformity_x], gradients.0, of_alignment.0),
                (&y, [value.uniformity_y, with_grad.uniformity_y], gradients.1, of_alignment.1),
            ];
            let mut sum_by_t = 0.0;
            for (points, got, gradient, of_alignment) in parts {
                let uniformity = engine.value(loss.uniformity.within(points))?;
                let (with_grad, (of_uniformity, by_t)) =
                    engine.value_and_grad(loss.uniformity.within(points).with_t())?;
                assert_eq!(got, [uniformity, with_grad]);
                sum_by_t += by_t;
                let (all, a, u) = (gradient.read()?, of_alignment.read()?, of_uniformity.read()?);
                for (all, part) in all.iter().zip(a.iter().zip(&u).map(|(a, u)| 6.0 * a + u)) {
                    assert!((all - part).abs() < 1e-6, "{all}, not {part}");
                }
            }
            assert!((by_t - sum_by_t).abs() < 1e-9, "{by_t}, not {sum_by_t}");
        }
        Ok(())
    }
}
