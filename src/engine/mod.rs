//! The public door: which device, what lies on it, and what is measured there.

mod backend;
mod measure;
mod open;
mod points;

use std::{fmt, sync::Arc};

use self::backend::AnyBackend;
use crate::{precision::Precision, progress::Observer};

/// A device, and everything that can be measured on it.
///
/// Values are f64, gradients are matrices of f32 of the shape of the points, on the device until
/// [read](crate::Matrix::read). The same call gives the same bits in every run on one device, for any number of
/// threads; on a GPU, with the same tiles, which [`without_tuning`](Self::without_tuning) keeps.
///
/// ```
/// use unisphere::{Embeddings, Engine, Uniformity};
///
/// let engine = Engine::new()?; // the best GPU here, else the CPU
/// let points = [1.0, 0.0, 0.0, 1.0, -1.0, 0.0];
/// let x = engine.upload(&Embeddings::new(&points, 3, 2)?)?; // (3, 2), on the unit sphere
/// let (u, grad) = engine.uniformity_with_grad(&x, Uniformity { t: 2.0 })?; // grad: (3, 2)
/// assert!((u - ((2.0 * (-4.0f64).exp() + (-8.0f64).exp()) / 3.0).ln()).abs() < 1e-6);
/// assert_eq!(grad.read()?.len(), 6);
/// # Ok::<(), unisphere::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    backend: AnyBackend,
    precision: Precision,
    observer: Option<Arc<Observer>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("device", self.device()).finish_non_exhaustive()
    }
}
