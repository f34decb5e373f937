//! Points and matrices on an engine's device.

use std::{any::Any, fmt, sync::Arc};

use super::embeddings::Scaling;
use crate::{
    error::{Error, Result},
    memory::filled,
    pending::{Pending, block_on},
};

/// n points of d dimensions on an engine's device, checked and, unless raw, scaled to unit length. Clones are handles of the
/// same points.
#[derive(Clone)]
pub struct Points {
    pub(crate) rows: usize,
    pub(crate) dims: usize,
    pub(crate) scaling: Scaling,
    pub(crate) storage: Arc<dyn Any + Send + Sync>,
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
    pub(crate) storage: Arc<dyn MatrixStorage>,
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
        block_on(self.read_async())
    }

    /// As [`read`](Self::read), for a task that awaits the values while its executor goes on.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_async(&self) -> Pending<'_, Vec<f32>> {
        Box::pin(async {
            let (rows, cols) = self.shape();
            let mut values = filled(0.0, rows, cols, || format!("a matrix of {rows} × {cols}"))?;
            self.storage.read(&mut values).await?;
            Ok(values)
        })
    }

    /// The values, row-major: without a copy where they lie in the memory of the host and nobody else has a handle of them.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn into_values(self) -> Result<Vec<f32>> {
        let Self { rows, cols, storage } = self;
        match storage.into_values() {
            Ok(values) => Ok(values),
            Err(storage) => Self { rows, cols, storage }.read(),
        }
    }

    /// Copies the values, row-major, from the device into `values`, whose length is rows × columns.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the slice is of another length; those of [`read`](Self::read).
    pub fn read_into(&self, values: &mut [f32]) -> Result<()> {
        block_on(self.read_into_async(values))
    }

    /// As [`read_into`](Self::read_into), for a task that awaits the values while its executor goes on. Dropped before it is
    /// ready, it may leave some of the values in the slice.
    ///
    /// # Errors
    ///
    /// Those of [`read_into`](Self::read_into).
    pub fn read_into_async<'a>(&'a self, values: &'a mut [f32]) -> Pending<'a, ()> {
        let (rows, cols) = self.shape();
        if values.len() != rows * cols {
            let error = Error::Shape { values: values.len(), rows, dims: cols };
            return Box::pin(std::future::ready(Err(error)));
        }
        self.storage.read(values)
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matrix({} × {})", self.rows, self.cols)
    }
}

/// Where a matrix lives.
pub(crate) trait MatrixStorage: Any + Send + Sync {
    /// Copies all values, row-major; there are as many in `values`.
    fn read<'a>(&'a self, values: &'a mut [f32]) -> Pending<'a, ()>;

    /// The values themselves, or what they cannot be taken out of.
    fn into_values(self: Arc<Self>) -> std::result::Result<Vec<f32>, Arc<dyn MatrixStorage>>;
}

/// The storage of points or a matrix as a backend's own type, or [`Error::OtherDevice`].
#[cfg(feature = "gpu")]
pub(crate) fn own<T: 'static>(storage: &dyn Any) -> Result<&T> {
    storage.downcast_ref().ok_or(Error::OtherDevice)
}
