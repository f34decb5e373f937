//! Native code on all cores.

use crate::{
    Device, DeviceKind, Embeddings, LogSum, Matrix, Points, Result,
    backend::{Backend, Gradients, Pairs},
    progress::Watch,
};

/// The CPU as a device.
#[derive(Debug)]
pub(crate) struct Cpu {
    device: Device,
}

impl Cpu {
    pub(crate) fn new() -> Self {
        Self { device: Device { kind: DeviceKind::Cpu, name: "cpu".into(), software: false } }
    }
}

impl Backend for Cpu {
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
