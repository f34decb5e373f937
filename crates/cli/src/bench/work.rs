//! The works that are timed.

use std::fmt;

use unisphere::{Candidates, Contrastive, Engine, Matrix, Points, Uniformity};

use super::size::Size;

/// The paper's t.
pub(super) const METRIC: Uniformity = Uniformity { t: 2.0 };
/// The temperature of the contrastive loss.
pub(super) const TAU: f64 = 0.1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Work {
    /// A value on the host.
    Uniformity,
    /// A value on the host, and a finished gradient on the device.
    UniformityWithGrad,
    /// The contrastive loss of two sets one way, and both of its gradients.
    OneWayContrastiveWithGrad,
    /// The contrastive loss of two sets both ways, and both of its gradients.
    ContrastiveWithGrad,
}

/// Points on a device: one set, and a second where some work takes two.
pub(super) struct Sets {
    pub(super) x: Points,
    pub(super) y: Option<Points>,
}

impl Work {
    /// The works that are timed by default.
    pub(crate) const DEFAULT: [Self; 2] = [Self::Uniformity, Self::UniformityWithGrad];

    /// Copies of the points that the works take at once: the points and their copy on the device; a gradient there and
    /// its copy here; all of it twice for two sets.
    pub(super) fn copies(works: &[Self]) -> u64 {
        match works {
            works if works.iter().any(|work| work.contrastive().is_some()) => 8,
            works if works.contains(&Self::UniformityWithGrad) => 4,
            _ => 2,
        }
    }

    /// The loss, if it is one.
    pub(super) fn contrastive(self) -> Option<Contrastive> {
        let candidates = match self {
            Self::Uniformity | Self::UniformityWithGrad => return None,
            Self::OneWayContrastiveWithGrad => Candidates::OneWay,
            Self::ContrastiveWithGrad => Candidates::BothWays,
        };
        Some(Contrastive { tau: TAU, candidates })
    }

    /// The value, and the gradient for x.
    pub(super) fn run(self, engine: &Engine, sets: &Sets) -> unisphere::Result<(f64, Option<Matrix>)> {
        let x = &sets.x;
        Ok(match (self.contrastive(), &sets.y) {
            (Some(metric), y) => {
                let (value, gx, _) = engine.contrastive_with_grad(x, y.as_ref().unwrap_or(x), metric)?;
                (value.loss, Some(gx))
            }
            _ if self == Self::Uniformity => (engine.uniformity(x, METRIC)?, None),
            _ => {
                let (value, grad) = engine.uniformity_with_grad(x, METRIC)?;
                (value, Some(grad))
            }
        })
    }

    /// Multiplications and additions that it takes at the least: a product of d coordinates for every pair, and for the
    /// gradient two more, each pair's weight by both of its points. Both ways of the contrastive loss need one more: no
    /// weight is known before all sums are.
    pub(super) fn operations(self, Size { n, d }: Size) -> f64 {
        let value = n as f64 * (n as f64 - 1.0) * d as f64;
        value
            * match self {
                Self::Uniformity => 1.0,
                Self::UniformityWithGrad => 3.0,
                Self::OneWayContrastiveWithGrad => 6.0,
                Self::ContrastiveWithGrad => 8.0,
            }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Uniformity => "uniformity",
            Self::UniformityWithGrad => "uniformity_with_grad",
            Self::OneWayContrastiveWithGrad => "one_way_contrastive_with_grad",
            Self::ContrastiveWithGrad => "contrastive_with_grad",
        })
    }
}
