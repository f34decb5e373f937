//! Points and matrices on an engine's device.

use std::{any::Any, fmt};

use super::embeddings::Scaling;
use crate::error::{Error, Result};

/// n points of d dimensions on an engine's device, checked and, unless raw, scaled to unit length.
pub struct Points {
    pub(crate) rows: usize,
    pub(crate) dims: usize,
    pub(crate) scaling: Scaling,
    pub(crate) storage: Box<dyn Any + Send + Sync>,
}

impl Points {
    /// How many points.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Of how many dimensions.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Scaled to unit length, or raw.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.rows, self.dims)
    }
}

impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Points({} × {}, {:?})", self.rows, self.dims, self.scaling)
    }
}

/// A matrix of f32 on an engine's device: a gradient, or squared distances.
pub struct Matrix {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) storage: Box<dyn MatrixStorage>,
}

impl Matrix {
    /// (rows, columns).
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The values, row-major, copied from the device.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`].
    pub fn read(&self) -> Result<Vec<f32>> {
        self.storage.read()
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matrix({} × {})", self.rows, self.cols)
    }
}

/// Where a matrix lives.
pub(crate) trait MatrixStorage: Any + Send + Sync {
    fn read(&self) -> Result<Vec<f32>>;
}

/// The storage of points or a matrix as a backend's own type, or [`Error::OtherDevice`].
pub(crate) fn own<T: 'static>(storage: &dyn Any) -> Result<&T> {
    storage.downcast_ref().ok_or(Error::OtherDevice)
}
