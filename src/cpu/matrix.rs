//! Matrices in memory.

use std::{any::Any, sync::Arc};

use crate::{
    cpu::spare::SpareValues,
    error::{Error, Result},
    pending::Pending,
    points::{Matrix, MatrixStorage},
};

/// Values of a matrix, row-major.
pub(crate) struct Values(SpareValues);

impl MatrixStorage for Values {
    fn read<'a>(&'a self, values: &'a mut [f32]) -> Pending<'a, ()> {
        Box::pin(async {
            values.copy_from_slice(&self.0);
            Ok(())
        })
    }

    fn into_values(self: Arc<Self>) -> std::result::Result<Vec<f32>, Arc<dyn MatrixStorage>> {
        Arc::try_unwrap(self).map(|values| values.0.into_vec()).map_err(|shared| shared as _)
    }
}

pub(crate) fn matrix(values: Vec<f32>, rows: usize, cols: usize) -> Matrix {
    Matrix { rows, cols, storage: Arc::new(Values(values.into())) }
}

impl Values {
    /// Values of a matrix that this backend has made.
    pub(crate) fn of(matrix: &Matrix) -> Result<Arc<Self>> {
        let storage: Arc<dyn Any + Send + Sync> = matrix.storage.clone();
        storage.downcast().map_err(|_| Error::OtherDevice)
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.0
    }
}

/// Values of a matrix that this backend has made, without a copy where nobody else has a handle of it.
pub(crate) fn into_values(matrix: Matrix) -> Result<Vec<f32>> {
    let storage: Arc<dyn Any + Send + Sync> = matrix.storage;
    let values = storage.downcast::<Values>().map_err(|_| Error::OtherDevice)?;
    Ok(Arc::try_unwrap(values).map_or_else(|values| values.0.to_vec(), |values| values.0.into_vec()))
}
