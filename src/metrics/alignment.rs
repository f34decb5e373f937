//! Alignment, over positive pairs.

use super::{
    check::{at_least, finite, positive, row_by_row},
    weights::proportions,
};
use crate::{
    backend::Term,
    error::{Error, Result},
    pending::Pending,
    points::{Matrix, Points},
    request::{Differentiable, Metric, Run, Sealed},
};

/// Alignment: the mean of ‖xᵢ−yᵢ‖^α over positive pairs, row i of one set with row i of the other
/// (Wang & Isola 2020, §4.1.1).
///
/// On the unit sphere the value lies in [0, 2^α]; 0 says that every pair coincides. Below α = 2 the gradient of a
/// closing pair is steep: α‖x−y‖^(α−2) is capped at 1e30 n.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// The power of the distance; positive and finite.
    pub alpha: f64,
}

impl Default for Alignment {
    /// α = 2, as in the paper.
    fn default() -> Self {
        Self { alpha: 2.0 }
    }
}

/// The greatest coefficient that single precision multiplies a difference by. Below α = 2 the coefficient
/// grows without bound as a pair closes, and is capped here; above, it means that the power overflows.
const MAX_COEFFICIENT: f64 = 1e30;

/// A request for the alignment of positive pairs.
#[derive(Clone, Copy, Debug)]
pub struct AlignmentOver<'a> {
    metric: Alignment,
    x: &'a Points,
    y: &'a Points,
    weights: Option<&'a [f64]>,
    scale: f64,
}

/// A request for the distances of positive pairs.
#[derive(Clone, Copy, Debug)]
pub struct PairDistances<'a> {
    x: &'a Points,
    y: &'a Points,
}

impl Alignment {
    const NAME: &str = "alignment";

    /// Alignment of power α, which is to be positive and finite.
    pub fn new(alpha: f64) -> Self {
        Self { alpha }
    }

    /// Alignment of the pairs of x (n, d) and y (n, d), row by row; the gradients are (n, d) each. The gradient of a pair that
    /// coincides is 0.
    pub fn paired<'a>(self, x: &'a Points, y: &'a Points) -> AlignmentOver<'a> {
        AlignmentOver { metric: self, x, y, weights: None, scale: 1.0 }
    }

    /// ‖xᵢ−yᵢ‖ of every row of x (n, d) and y (n, d), by direct difference.
    pub fn distances<'a>(x: &'a Points, y: &'a Points) -> PairDistances<'a> {
        PairDistances { x, y }
    }
}

impl<'a> AlignmentOver<'a> {
    /// The same where pair i counts `weights[i]` times: Σ w‖x−y‖^α / Σ w.
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Weights`] unless there is one weight per row, none negative, one of them positive and
    /// these within a factor of 1e30.
    #[must_use]
    pub fn weighted(self, weights: &'a [f64]) -> Self {
        Self { weights: Some(weights), ..self }
    }

    /// The same with its gradients multiplied by `scale`, such as the upstream gradient of automatic differentiation. The
    /// value stays as it is.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// α and the weights in proportion, checked.
    fn check(&self) -> Result<(f64, Option<Vec<f64>>)> {
        check_pairs(self.x, self.y)?;
        at_least(Alignment::NAME, self.x, 1)?;
        let alpha = positive("alpha", self.metric.alpha)?;
        let weights = self.weights.map(|weights| proportions(weights, self.x.rows(), 1)).transpose()?;
        Ok((alpha, weights))
    }

    /// The value, and the gradients added to `into` where given.
    pub(super) async fn differentiate_into(
        &self,
        on: &Run<'_>,
        into: Option<(Matrix, Matrix)>,
    ) -> Result<(f64, (Matrix, Matrix))> {
        let (alpha, weights) = self.check()?;
        let squares = on.backend.paired(self.x, self.y, Term::SquaredDistance).await?;
        let weights = weights.as_deref();
        let value = mean(alpha, &squares, weights)?;
        let scale = self.scale * alpha / weights.map_or(squares.len() as f64, |weights| weights.iter().sum());
        if scale.is_nan() || scale.abs() > MAX_COEFFICIENT {
            return Err(Error::Overflow { metric: Alignment::NAME });
        }
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let coefficients = squares.iter().enumerate().map(|(row, &square)| match square {
            0.0 => Ok(0.0),
            _ => {
                let steepness = scale * weight(row) * power(square, alpha / 2.0 - 1.0);
                if alpha > 2.0 && steepness.abs() > MAX_COEFFICIENT {
                    return Err(Error::Overflow { metric: Alignment::NAME });
                }
                Ok(steepness.clamp(-MAX_COEFFICIENT, MAX_COEFFICIENT))
            }
        });
        let coefficients = coefficients.collect::<Result<Vec<_>>>()?;
        let gradients =
            on.backend.paired_gradient(self.x, self.y, Term::SquaredDistance, &coefficients, into).await?;
        Ok((value, gradients))
    }
}

impl Sealed for AlignmentOver<'_> {}

impl Metric for AlignmentOver<'_> {
    type Value = f64;

    fn pairs(&self) -> u64 {
        0
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
        Box::pin(async move {
            let (alpha, weights) = self.check()?;
            mean(alpha, &on.backend.paired(self.x, self.y, Term::SquaredDistance).await?, weights.as_deref())
        })
    }
}

impl Differentiable for AlignmentOver<'_> {
    type Gradients = (Matrix, Matrix);

    fn differentiate<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, (f64, (Matrix, Matrix))> {
        Box::pin(self.differentiate_into(on, None))
    }
}

impl Sealed for PairDistances<'_> {}

impl Metric for PairDistances<'_> {
    type Value = Vec<f64>;

    fn pairs(&self) -> u64 {
        0
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<f64>> {
        Box::pin(async move {
            check_pairs(self.x, self.y)?;
            let squares = on.backend.paired(self.x, self.y, Term::SquaredDistance).await?;
            Ok(squares.into_iter().map(f64::sqrt).collect())
        })
    }
}

/// A power of a square; those that α = 2 asks for take no time, and have the same bits.
fn power(square: f64, exponent: f64) -> f64 {
    match exponent {
        0.0 => 1.0,
        1.0 => square,
        _ => square.powf(exponent),
    }
}

/// The mean of ‖x−y‖^α from squared distances.
fn mean(alpha: f64, squares: &[f64], weights: Option<&[f64]>) -> Result<f64> {
    let powers = squares.iter().map(|&square| power(square, alpha / 2.0));
    let mean = match weights {
        None => powers.sum::<f64>() / squares.len() as f64,
        Some(weights) => {
            powers.zip(weights).map(|(power, w)| power * w).sum::<f64>() / weights.iter().sum::<f64>()
        }
    };
    finite(Alignment::NAME, mean)
}

pub(super) fn check_pairs(x: &Points, y: &Points) -> Result<()> {
    row_by_row("alignment pairs row i of one set with row i of the other", x, y)
}
