use super::{at_least, comparable, finite, mismatch, positive};
use crate::{
    backend::Backend,
    error::{Error, Result},
    points::{Matrix, Points},
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
const STEEPEST: f64 = 1e30;

impl Alignment {
    const NAME: &str = "alignment";

    pub(crate) fn value(self, backend: &dyn Backend, x: &Points, y: &Points) -> Result<f64> {
        let alpha = self.check(x, y)?;
        self.mean(alpha, &backend.paired_squared_distances(x, y)?, None)
    }

    /// The value, and the gradients of `factor` times it, added to `sum` where given; each pair counts as its weight says,
    /// of which there are none below 0 or above 1. The gradient of a pair that coincides is 0.
    pub(crate) fn value_with_grad(
        self,
        backend: &dyn Backend,
        x: &Points,
        y: &Points,
        (factor, weights): (f64, Option<&[f64]>),
        sum: Option<(Matrix, Matrix)>,
    ) -> Result<(f64, Matrix, Matrix)> {
        let alpha = self.check(x, y)?;
        let squares = backend.paired_squared_distances(x, y)?;
        let value = self.mean(alpha, &squares, weights)?;
        let scale = factor * alpha / weights.map_or(squares.len() as f64, |weights| weights.iter().sum());
        if scale.abs() > STEEPEST {
            return Err(Error::Overflow { metric: Self::NAME });
        }
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let coefficients = squares.iter().enumerate().map(|(row, &square)| match square {
            0.0 => Ok(0.0),
            _ => {
                let steepness = scale * weight(row) * square.powf(alpha / 2.0 - 1.0);
                if alpha > 2.0 && steepness.abs() > STEEPEST {
                    return Err(Error::Overflow { metric: Self::NAME });
                }
                Ok(steepness.clamp(-STEEPEST, STEEPEST))
            }
        });
        let coefficients = coefficients.collect::<Result<Vec<_>>>()?;
        let (gx, gy) = backend.paired_grad(x, y, &coefficients, sum)?;
        Ok((value, gx, gy))
    }

    pub(super) fn mean(self, alpha: f64, squares: &[f64], weights: Option<&[f64]>) -> Result<f64> {
        let powers = squares.iter().map(|square| square.powf(alpha / 2.0));
        let mean = match weights {
            None => powers.sum::<f64>() / squares.len() as f64,
            Some(weights) => {
                powers.zip(weights).map(|(power, w)| power * w).sum::<f64>() / weights.iter().sum::<f64>()
            }
        };
        finite(Self::NAME, mean)
    }

    pub(super) fn check(self, x: &Points, y: &Points) -> Result<f64> {
        check_pairs(x, y)?;
        at_least(Self::NAME, x, 1)?;
        positive("alpha", self.alpha)
    }
}

/// ‖xᵢ−yᵢ‖ of every row.
pub(crate) fn pair_distances(backend: &dyn Backend, x: &Points, y: &Points) -> Result<Vec<f64>> {
    check_pairs(x, y)?;
    Ok(backend.paired_squared_distances(x, y)?.into_iter().map(f64::sqrt).collect())
}

fn check_pairs(x: &Points, y: &Points) -> Result<()> {
    const WHAT: &str = "alignment pairs row i of one set with row i of the other";
    if x.rows() != y.rows() {
        return Err(mismatch(WHAT, x.shape(), y.shape()));
    }
    comparable(WHAT, x, y)
}
