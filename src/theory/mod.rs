//! What numbers mean: floors, bounds, intervals and significance, as pure functions.

mod calibration;
mod estimate;
mod floor;
mod gamma;
mod significance;
mod spearman;

pub use estimate::Estimate;
pub use significance::Significance;
pub use spearman::spearman;

#[cfg(test)]
pub(crate) use gamma::upper_tail;
#[cfg(test)]
pub(crate) use significance::Moments;

/// The Gaussian potential exp(−t‖x−y‖²) between points of the unit sphere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gaussian {
    pub(crate) t: f64,
}
