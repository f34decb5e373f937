//! What is timed.

use std::fmt;

use unisphere::{Engine, Matrix, Points, Uniformity};

use super::Size;

/// The paper's t.
pub(super) const METRIC: Uniformity = Uniformity { t: 2.0 };

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Work {
    /// A value on the host.
    Uniformity,
    /// A value on the host, and a finished gradient on the device.
    UniformityWithGrad,
}

impl Work {
    pub(crate) const ALL: [Self; 2] = [Self::Uniformity, Self::UniformityWithGrad];

    pub(super) fn run(self, engine: &Engine, x: &Points) -> unisphere::Result<(f64, Option<Matrix>)> {
        Ok(match self {
            Self::Uniformity => (engine.uniformity(x, METRIC)?, None),
            Self::UniformityWithGrad => {
                let (value, grad) = engine.uniformity_with_grad(x, METRIC)?;
                (value, Some(grad))
            }
        })
    }

    /// Multiplications and additions that it takes at the least: a product of d coordinates for every pair, and for the
    /// gradient two more, each pair's weight by both of its points.
    pub(super) fn operations(self, Size { n, d }: Size) -> f64 {
        let value = n as f64 * (n as f64 - 1.0) * d as f64;
        match self {
            Self::Uniformity => value,
            Self::UniformityWithGrad => 3.0 * value,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Uniformity => "uniformity",
            Self::UniformityWithGrad => "uniformity_with_grad",
        })
    }
}
