use super::{Alignment, Uniformity, finite};
use crate::{
    backend::Backend,
    error::{Error, Result},
    pairs::Pairs,
    points::{Matrix, Points},
    progress::Watch,
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

impl Loss {
    pub(crate) fn value(
        self,
        backend: &dyn Backend,
        x: &Points,
        y: &Points,
        watch: &Watch<'_>,
    ) -> Result<LossValue> {
        self.check()?;
        let alignment = self.alignment.value(backend, x, y)?;
        let uniformity_x = self.uniformity.value(backend, Pairs::Within(x), watch)?;
        let uniformity_y = self.uniformity.value(backend, Pairs::Within(y), watch)?;
        self.total(alignment, uniformity_x, uniformity_y)
    }

    pub(crate) fn value_with_grad(
        self,
        backend: &dyn Backend,
        x: &Points,
        y: &Points,
        watch: &Watch<'_>,
    ) -> Result<(LossValue, Matrix, Matrix)> {
        self.check()?;
        let half = |points| self.uniformity.value_with_grad(backend, Pairs::Within(points), 0.5, watch);
        let (uniformity_x, gx) = half(x)?;
        let (uniformity_y, gy) = half(y)?;
        let sum = Some((gx.x, gy.x));
        let (alignment, gx, gy) = self.alignment.value_with_grad(backend, x, y, (self.weight, None), sum)?;
        Ok((self.total(alignment, uniformity_x, uniformity_y)?, gx, gy))
    }

    fn total(self, alignment: f64, uniformity_x: f64, uniformity_y: f64) -> Result<LossValue> {
        let loss = finite("the loss", self.weight * alignment + (uniformity_x + uniformity_y) / 2.0)?;
        Ok(LossValue { loss, alignment, uniformity_x, uniformity_y })
    }

    fn check(self) -> Result<()> {
        if self.weight.is_finite() {
            return Ok(());
        }
        Err(Error::Parameter { name: "weight", value: self.weight, expected: "finite" })
    }
}
