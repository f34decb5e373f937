//! What `eval` has measured.

use std::{path::PathBuf, time::Duration};

use unisphere::{Alignment, Device, Precision, Scaling, Storage, Uniformity, unordered_pairs};

/// One set, or two of the same shape, and their metrics.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) device: Device,
    pub(crate) precision: Precision,
    pub(crate) storage: Storage,
    pub(crate) rows: usize,
    pub(crate) dims: usize,
    pub(crate) scaling: Scaling,
    pub(crate) uniformity: Uniformity,
    pub(crate) x: Measured,
    pub(crate) paired: Option<Paired>,
    /// Upload, scaling and metrics; reading excluded.
    pub(crate) computing: Duration,
}

/// A set and its uniformity.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) path: PathBuf,
    pub(crate) uniformity: f64,
}

/// The second set, and how the two go together.
#[derive(Debug)]
pub(crate) struct Paired {
    pub(crate) y: Measured,
    pub(crate) metric: Alignment,
    pub(crate) alignment: f64,
}

impl Report {
    /// The mean of the two sets' uniformity.
    pub(crate) fn mean(&self) -> Option<f64> {
        self.paired.as_ref().map(|paired| (self.x.uniformity + paired.y.uniformity) / 2.0)
    }

    /// The least uniformity of a distribution on the sphere; raw points have none.
    pub(crate) fn floor(&self) -> Option<f64> {
        match self.scaling {
            Scaling::Unit => Some(self.uniformity.floor(self.dims)),
            Scaling::Raw => None,
        }
    }

    /// The pairs within one set.
    pub(crate) fn pairs(&self) -> u64 {
        unordered_pairs(self.rows)
    }
}
