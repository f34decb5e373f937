//! Points and matrices: onto the device of an engine, and back.

use super::Engine;
use crate::{
    error::{Error, Result},
    pending::{Pending, block_on},
    points::{Embeddings, HalfEmbeddings, Matrix, Points, not_finite},
};

impl Engine {
    /// Copies points to the device and, unless raw, scales them to unit length there.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`], [`Error::OutOfMemory`],
    /// [`Error::DeviceLost`].
    pub fn upload(&self, points: &Embeddings<'_>) -> Result<Points> {
        block_on(self.upload_async(points))
    }

    /// As [`upload`](Self::upload), for a task that awaits the points while its executor goes on.
    ///
    /// # Errors
    ///
    /// Those of [`upload`](Self::upload).
    pub fn upload_async<'a>(&'a self, points: &'a Embeddings<'_>) -> Pending<'a, Points> {
        self.backend.backend().upload(points.borrowed(), None)
    }

    /// As [`upload`](Self::upload), reusing the memory of points that are owned where the device is the CPU.
    ///
    /// # Errors
    ///
    /// Those of [`upload`](Self::upload).
    pub fn upload_owned(&self, points: Embeddings<'_>) -> Result<Points> {
        block_on(self.backend.backend().upload(points, None))
    }

    /// Points in half precision, which the CPU keeps so until a metric other than uniformity's sums needs them as f32. Other
    /// devices take them as f32.
    ///
    /// # Errors
    ///
    /// Those of [`upload`](Self::upload).
    pub fn upload_half(&self, points: HalfEmbeddings) -> Result<Points> {
        block_on(self.backend.backend().upload_half(points))
    }

    /// As [`upload`](Self::upload), reusing the memory of `points`, for training loops. It is reused if the shape is the same
    /// and no clone is left; else new memory is taken.
    ///
    /// # Errors
    ///
    /// Those of [`upload`](Self::upload); `points` are gone then.
    pub fn upload_into(&self, embeddings: &Embeddings<'_>, points: Points) -> Result<Points> {
        block_on(self.upload_into_async(embeddings, points))
    }

    /// As [`upload_into`](Self::upload_into), for a task that awaits the points while its executor goes on.
    ///
    /// # Errors
    ///
    /// Those of [`upload`](Self::upload); `points` are gone then.
    pub fn upload_into_async<'a>(
        &'a self,
        embeddings: &'a Embeddings<'_>,
        points: Points,
    ) -> Pending<'a, Points> {
        self.backend.backend().upload(embeddings.borrowed(), Some(points))
    }

    /// Copies a matrix of `rows` × `cols` values, row-major, to the device.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`], [`Error::NotFinite`] and those of [`upload`](Self::upload).
    pub fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix> {
        block_on(self.upload_matrix_async(values, rows, cols))
    }

    /// As [`upload_matrix`](Self::upload_matrix), for a task that awaits the matrix while its executor goes on.
    ///
    /// # Errors
    ///
    /// Those of [`upload_matrix`](Self::upload_matrix).
    pub fn upload_matrix_async<'a>(
        &'a self,
        values: &'a [f32],
        rows: usize,
        cols: usize,
    ) -> Pending<'a, Matrix> {
        Box::pin(async move {
            if rows.checked_mul(cols) != Some(values.len()) {
                return Err(Error::Shape { values: values.len(), rows, dims: cols });
            }
            if let Some(at) = not_finite(values) {
                return Err(Error::NotFinite { row: at / cols, dim: at % cols });
            }
            self.backend.backend().upload_matrix(values, rows, cols).await
        })
    }

    /// Points from part of a buffer of this engine's device: `rows` × `dims` values of f32, row-major, from
    /// the slice's offset on, which is a multiple of 4. They are copied and checked on the device; the host
    /// sees none of them.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the slice is too short, at an odd offset or not made for copying from, or the
    /// device is the CPU; those of [`Embeddings::new`] for bad rows, and of [`upload`](Self::upload).
    #[cfg(feature = "gpu")]
    pub fn points_from_buffer(
        &self,
        values: wgpu::BufferSlice<'_>,
        rows: usize,
        dims: usize,
        scaling: crate::points::Scaling,
    ) -> Result<Points> {
        block_on(self.points_from_buffer_async(values, rows, dims, scaling))
    }

    /// As [`points_from_buffer`](Self::points_from_buffer), for a task that awaits the points while its executor goes on.
    ///
    /// # Errors
    ///
    /// Those of [`points_from_buffer`](Self::points_from_buffer).
    #[cfg(feature = "gpu")]
    pub fn points_from_buffer_async<'a>(
        &'a self,
        values: wgpu::BufferSlice<'a>,
        rows: usize,
        dims: usize,
        scaling: crate::points::Scaling,
    ) -> Pending<'a, Points> {
        Box::pin(async move { self.own_gpu("points")?.points_from_buffer(values, rows, dims, scaling).await })
    }

    /// Copies a matrix to part of a buffer of this engine's device, row-major, from the slice's offset on,
    /// which is a multiple of 4. The host sees none of it.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the slice is too short, at an odd offset or not made for copying to, or the
    /// device is the CPU; [`Error::OtherDevice`].
    #[cfg(feature = "gpu")]
    pub fn copy_to_buffer(&self, matrix: &Matrix, target: wgpu::BufferSlice<'_>) -> Result<()> {
        block_on(self.copy_to_buffer_async(matrix, target))
    }

    /// As [`copy_to_buffer`](Self::copy_to_buffer), for browsers, where the GPU reports a refused command only later. Elsewhere neither waits: the copy is done in the order of the queue.
    ///
    /// # Errors
    ///
    /// Those of [`copy_to_buffer`](Self::copy_to_buffer).
    #[cfg(feature = "gpu")]
    pub fn copy_to_buffer_async<'a>(
        &'a self,
        matrix: &'a Matrix,
        target: wgpu::BufferSlice<'a>,
    ) -> Pending<'a, ()> {
        Box::pin(async move { self.own_gpu("target")?.copy_to_buffer(matrix, target).await })
    }

    #[cfg(feature = "gpu")]
    fn own_gpu(&self, what: &'static str) -> Result<&crate::gpu::Gpu> {
        self.backend.gpu().ok_or_else(|| {
            let problem = "is a GPU's, and this engine computes on the CPU".into();
            Error::Buffer { what, problem }
        })
    }
}
