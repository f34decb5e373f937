//! Rows of f32 in the memory of NumPy.

use std::fmt;

use numpy::{Element, PyArray1, PyArray2, PyArrayMethods as _, PyUntypedArrayMethods as _};
use pyo3::{exceptions::PyTypeError, prelude::*};
use unisphere::{Embeddings, Engine, Matrix, Points, Scaling};

use crate::fault::Fault;

/// (rows, dims) values of an array that this keeps alive, row-major. No copy is made.
pub struct Rows {
    /// Whose memory it is. Another thread of Python may write into it meanwhile, as into that of every other computation that lets
    /// other threads run: the numbers are wrong then, and the checks may have seen others.
    _array: Py<PyArray2<f32>>,
    first: *const f32,
    rows: usize,
    dims: usize,
}

// SAFETY: `first` is only read from, and what it points to belongs to `_array`, which may be sent.
unsafe impl Send for Rows {}
// SAFETY: nothing here writes to the values, so that several threads may read them.
unsafe impl Sync for Rows {}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows({} × {})", self.rows, self.dims)
    }
}

impl FromPyObject<'_, '_> for Rows {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let array = value.cast::<PyArray2<f32>>()?;
        if !array.is_c_contiguous() || !array.is_aligned() {
            return Err(PyTypeError::new_err("rows must be contiguous and aligned"));
        }
        let [rows, dims] = [array.shape()[0], array.shape()[1]];
        Ok(Self { first: array.data(), rows, dims, _array: array.to_owned().unbind() })
    }
}

impl Rows {
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.rows, self.dims)
    }

    /// Multiply-adds of all pairs of these and others.
    pub(crate) fn work(&self, others: usize) -> f64 {
        self.rows as f64 * others as f64 * self.dims as f64
    }

    pub(crate) fn values(&self) -> &[f32] {
        if self.rows * self.dims == 0 {
            return &[];
        }
        // SAFETY: an aligned, contiguous array of so many values begins there, and lives as long as this.
        unsafe { std::slice::from_raw_parts(self.first, self.rows * self.dims) }
    }

    /// The points, checked: an error names the argument.
    pub(crate) fn embeddings(&self, name: &'static str, scaling: Scaling) -> Result<Embeddings<'_>, Fault> {
        let points = Embeddings::with_scaling(self.values(), self.rows, self.dims, scaling);
        points.map_err(|error| Fault::Engine(name, error))
    }

    /// The points on the device, in the memory of others of this shape where those are given.
    pub(crate) fn upload(
        &self,
        engine: &Engine,
        name: &'static str,
        scaling: Scaling,
        spare: Option<Points>,
    ) -> Result<Points, Fault> {
        let points = self.embeddings(name, scaling)?;
        let uploaded = match spare {
            Some(spare) => engine.upload_into(&points, spare),
            None => engine.upload(&points),
        };
        uploaded.map_err(|error| Fault::Engine(name, error))
    }
}

/// One value a row, copied from an array.
pub struct Column<T>(pub(crate) Vec<T>);

impl<T: Element + Copy> FromPyObject<'_, '_> for Column<T> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Ok(Self(value.cast::<PyArray1<T>>()?.to_vec()?))
    }
}

/// A matrix as it was read from the device.
pub(crate) struct Values {
    values: Vec<f32>,
    shape: [usize; 2],
}

impl Values {
    pub(crate) fn read(matrix: Matrix) -> Result<Self, Fault> {
        let (rows, cols) = matrix.shape();
        Ok(Self { values: matrix.into_values()?, shape: [rows, cols] })
    }

    /// An array that takes over its memory.
    pub(crate) fn into_array(self, py: Python<'_>) -> PyResult<Bound<'_, PyArray2<f32>>> {
        PyArray1::from_vec(py, self.values).reshape(self.shape)
    }
}
