//! Compute shaders on any adapter.

use crate::{
    Adapter, Device, DeviceChoice, Embeddings, LogSum, Matrix, Points, Result,
    backend::{Backend, Gradients, Pairs},
    progress::Watch,
};

/// A GPU.
#[derive(Debug)]
pub(crate) struct Gpu {
    device: Device,
}

impl Gpu {
    pub(crate) fn open(_choice: &DeviceChoice) -> Result<Self> {
        todo!()
    }

    pub(crate) fn from_wgpu(_a: wgpu::Adapter, _d: wgpu::Device, _q: wgpu::Queue) -> Result<Self> {
        todo!()
    }
}

/// The adapters of this machine, the best first.
pub fn adapters() -> Vec<Adapter> {
    todo!()
}

/// Part of a buffer of an app's own.
#[derive(Clone, Copy, Debug)]
pub struct BufferSlice<'a> {
    /// The buffer.
    pub buffer: &'a wgpu::Buffer,
    /// Where the part begins, in bytes; a multiple of 4.
    pub offset: u64,
}

impl Backend for Gpu {
    fn device(&self) -> &Device {
        &self.device
    }

    fn upload(&self, _points: Embeddings<'_>) -> Result<Points> {
        todo!()
    }

    fn upload_matrix(&self, _values: &[f32], _rows: usize, _cols: usize) -> Result<Matrix> {
        todo!()
    }

    fn log_sum(&self, _pairs: Pairs<'_>, _t: f64, _watch: &Watch<'_>) -> Result<LogSum> {
        todo!()
    }

    fn log_sum_with_grad(
        &self,
        _pairs: Pairs<'_>,
        _t: f64,
        _weight: f64,
        _watch: &Watch<'_>,
    ) -> Result<(LogSum, Gradients)> {
        todo!()
    }

    fn paired_squared_distances(&self, _x: &Points, _y: &Points) -> Result<Vec<f64>> {
        todo!()
    }

    fn paired_grad(
        &self,
        _x: &Points,
        _y: &Points,
        _coefficients: &[f64],
        _sum: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)> {
        todo!()
    }

    fn squared_distances(&self, _x: &Points, _y: &Points) -> Result<Matrix> {
        todo!()
    }

    fn squared_distances_grad(
        &self,
        _x: &Points,
        _y: &Points,
        _upstream: &Matrix,
    ) -> Result<(Matrix, Matrix)> {
        todo!()
    }
}
