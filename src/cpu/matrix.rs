//! Matrices in memory.

use std::any::Any;

use crate::{
    error::{Error, Result},
    points::{Matrix, MatrixStorage, own},
};

/// Values of a matrix, row-major.
struct Values(Vec<f32>);

impl MatrixStorage for Values {
    fn read(&self) -> Result<Vec<f32>> {
        Ok(self.0.clone())
    }
}

pub(crate) fn matrix(values: Vec<f32>, rows: usize, cols: usize) -> Matrix {
    Matrix { rows, cols, storage: Box::new(Values(values)) }
}

/// Values of a matrix that this backend has made.
pub(crate) fn values(matrix: &Matrix) -> Result<&[f32]> {
    own::<Values>(&*matrix.storage).map(|values| &*values.0)
}

/// Values of a matrix that this backend has made, without a copy.
pub(crate) fn into_values(matrix: Matrix) -> Result<Vec<f32>> {
    let storage: Box<dyn Any> = matrix.storage;
    storage.downcast::<Values>().map(|values| values.0).map_err(|_| Error::OtherDevice)
}
