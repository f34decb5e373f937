//! Compute shaders on any Vulkan, Metal or DX12 device.
//!
//! Points lie on the device in panels, one buffer each, so that no set is too large for a binding. The pairs
//! are walked in blocks of two panels, in submissions of about 50 ms ([`stream`](device::stream)). The kernels are in
//! `shaders/`, joined in [`kernel::table`]; a test holds what the host sends against them.
//!
//! | | |
//! |---|---|
//! | [`device`] | adapters, buffers, pipelines; submissions in a [`stream`](device::stream) |
//! | [`kernel`] | the [`table`](kernel::table) of shaders, their parameters and tiles; the [`accuracy`](kernel::accuracy) of sums |
//! | [`points`] | points and matrices on the device |
//! | [`block`] | a [`pass`](block::pass) over blocks of pairs, and a block's [`similarities`](block::similarities) |
//! | [`reduce`], [`gradient`] | one file each reduction, and its gradient |
//! | [`selftest`] | which tiles and precisions work on a device |

mod block;
mod device;
mod gradient;
mod kernel;
mod points;
mod reduce;
mod selftest;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

pub use device::adapters::adapters;

use crate::{
    backend::{
        Backend, Diagnostics, FoundPairs, GroupPairs, Moments, Sums, Term, row_gradient_in_two_passes,
        total_gradient_in_two_passes, total_of_rows,
    },
    device::{Device, DeviceChoice},
    error::{Error, Result},
    function::{FunctionSums, PairFunction},
    gpu::{
        block::pass::Pass,
        device::{adapters, ceiling, context::Context},
        gradient::{
            mapped::function_gradient,
            weighted::{WeightedSum, weighted_grad},
        },
        kernel::{
            cooperative::{Cooperative, Matrices},
            precisions_used::PrecisionsUsed,
        },
        points::{
            gather,
            matrix::GpuMatrix,
            panels::{self, Source},
        },
        reduce::{
            close_pairs, distances,
            groups::{self, Groups},
            histogram,
            mapped::function_sum,
            moments, paired, rows, total,
        },
        selftest::check,
    },
    kernel::{Kernel, Map},
    log_sum::LogSumExp,
    pairs::Pairs,
    points::{Embeddings, Matrix, Points, Scaling},
    precision::{Precision, Storage},
    progress::Watch,
    weights::{Gradients, Normalizer, PointWeights, RowLogSums},
};

/// A GPU as a device.
#[derive(Clone, Debug)]
pub(crate) struct Gpu {
    device: Device,
    context: Arc<Context>,
    /// How points are stored that come here.
    storage: Storage,
    /// What the device can multiply.
    matrices: Option<Matrices>,
    /// What it is asked to multiply, as far as that keeps its word.
    asked: Option<Cooperative>,
    /// What has been tried on this device, and how that went.
    proven: Arc<Mutex<HashMap<Cooperative, Result<()>>>>,
    /// What sums over pairs were made in.
    precisions_used: Arc<PrecisionsUsed>,
}

impl Gpu {
    /// The adapter of a choice.
    pub(crate) fn open(choice: &DeviceChoice) -> Result<Self> {
        let (description, (device, queue, matrices)) = adapters::open(choice)?;
        let context = Arc::new(Context::new(device, queue)?);
        context.listen();
        Ok(Self::new(description, context, matrices))
    }

    /// A device of an app's own, whose listeners are left alone.
    pub(crate) fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        let description = adapters::identify(&device.adapter_info());
        let context = Arc::new(Context::new(device, queue)?);
        // Only an adapter tells its matrices, and only devices made with them have them.
        Ok(Self::new(description, context, None))
    }

    fn new(device: Device, context: Arc<Context>, matrices: Option<Matrices>) -> Self {
        let (storage, proven, precisions_used) = Default::default();
        Self { device, context, storage, matrices, asked: None, proven, precisions_used }
    }

    /// The same device, which multiplies coordinates so; none where it has not what that takes. A grade is tried at its
    /// first use on a device.
    pub(crate) fn with_precision(&self, precision: Precision) -> Result<Option<Self>> {
        if precision == Precision::F32 {
            return Ok(Some(Self { asked: None, precisions_used: Arc::default(), ..self.clone() }));
        }
        let Some(asked) = self.matrices.and_then(|matrices| Cooperative::new(matrices, precision)) else {
            return Ok(None);
        };
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match proven.get(&asked) {
            Some(known) => known.clone(),
            None => check::check(&self.context, precision, asked),
        };
        // A device that had no memory left may have some again.
        if matches!(outcome, Ok(()) | Err(Error::Precision { .. })) {
            proven.insert(asked, outcome.clone());
        }
        outcome?;
        Ok(Some(Self { asked: Some(asked), precisions_used: Arc::default(), ..self.clone() }))
    }

    /// Leaves the tiles of the kernels at the default of the device's kind.
    pub(crate) fn leave_untimed(&self) {
        self.context.leave_untimed();
    }

    /// How points are stored that come here.
    pub(crate) fn storage(&self) -> Storage {
        self.storage
    }

    /// The same device, which stores points so.
    pub(crate) fn with_storage(&self, storage: Storage) -> Self {
        Self { storage, ..self.clone() }
    }

    /// Points from part of an app's buffer, checked on the device.
    pub(crate) fn points_from_buffer(
        &self,
        values: wgpu::BufferSlice<'_>,
        rows: usize,
        dims: usize,
        scaling: Scaling,
    ) -> Result<Points> {
        if dims == 0 {
            return Err(Error::NoDims);
        }
        usable(values, rows, dims, "points", wgpu::BufferUsages::COPY_SRC)?;
        let source = Source::Device(values.buffer(), values.offset());
        panels::place(&self.context, source, (rows, dims), scaling, self.storage)
    }

    /// A matrix to part of an app's buffer.
    pub(crate) fn copy_to_buffer(&self, matrix: &Matrix, target: wgpu::BufferSlice<'_>) -> Result<()> {
        let (rows, cols) = matrix.shape();
        usable(target, rows, cols, "target", wgpu::BufferUsages::COPY_DST)?;
        GpuMatrix::of(matrix, &self.context)?.copy_to(target.buffer(), target.offset())
    }
}

/// Checks what wgpu would refuse, to say it in the caller's terms.
fn usable(
    slice: wgpu::BufferSlice<'_>,
    rows: usize,
    cols: usize,
    what: &'static str,
    usage: wgpu::BufferUsages,
) -> Result<()> {
    let needed = (rows as u64).checked_mul(cols as u64).and_then(|values| values.checked_mul(4));
    let problem = if needed.is_none_or(|needed| needed > slice.size()) {
        format!("holds {} bytes from its offset on, and {rows} × {cols} values of 4 take more", slice.size())
    } else if !slice.offset().is_multiple_of(4) {
        format!("begins at byte {}, and must begin at a multiple of 4", slice.offset())
    } else if !slice.buffer().usage().contains(usage) {
        format!("must be made with wgpu::{usage:?}")
    } else {
        return Ok(());
    };
    Err(Error::Buffer { what, problem })
}

impl Diagnostics for Gpu {
    fn ceiling(&self) -> Result<f64> {
        ceiling::ceiling(&self.context)
    }

    fn precisions_used(&self) -> Vec<Precision> {
        self.precisions_used.all()
    }
}

impl Backend for Gpu {
    fn device(&self) -> &Device {
        &self.device
    }

    fn upload(&self, points: Embeddings<'_>, _reused: Option<Points>) -> Result<Points> {
        let (rows, dims, scaling) = (points.rows(), points.dims(), points.scaling());
        panels::place(&self.context, Source::Host(&points), (rows, dims), scaling, self.storage)
    }

    fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix> {
        GpuMatrix::upload(&self.context, values, rows, cols)
    }

    fn gather(&self, points: &Points, rows: &[usize]) -> Result<Points> {
        gather::gather(&self.context, points, rows)
    }

    fn log_sum(&self, pairs: Pairs<'_>, kernels: &[Kernel], watch: &Watch<'_>) -> Result<Vec<LogSumExp>> {
        match *kernels {
            _ if kernels.iter().any(|kernel| kernel.map != Map::Gaussian) => {
                total_of_rows(self, pairs, kernels, watch)
            }
            [] => Ok(Vec::new()),
            [kernel] => {
                let pass = Pass::new(&self.context, pairs, kernel, self.asked)?;
                Ok(vec![pass.noted_in(&self.precisions_used).log_sum(watch)?])
            }
            _ => {
                self.precisions_used.note(None);
                total::log_sums(&self.context, pairs, kernels, watch)
            }
        }
    }

    fn row_log_sums(
        &self,
        pairs: Pairs<'_>,
        kernels: &[Kernel],
        weights: Option<PointWeights<'_>>,
        watch: &Watch<'_>,
    ) -> Result<Vec<RowLogSums>> {
        self.precisions_used.note(None);
        rows::row_log_sums(&self.context, pairs, kernels, weights, watch)
    }

    fn group_log_sums(
        &self,
        x: &Points,
        ends: &[usize],
        kernel: Kernel,
        which: GroupPairs,
        watch: &Watch<'_>,
    ) -> Result<Vec<LogSumExp>> {
        self.precisions_used.note(None);
        if kernel.map != Map::Gaussian {
            return Err(Error::missing("the sum of logits of each group"));
        }
        groups::group_log_sums(&self.context, x, Groups { ends, which }, kernel, watch)
    }

    fn gradient(
        &self,
        pairs: Pairs<'_>,
        kernel: Kernel,
        normalizer: Normalizer<'_>,
        watch: &Watch<'_>,
    ) -> Result<(Sums, Gradients)> {
        match normalizer {
            Normalizer::Total { scale } if kernel.map != Map::Gaussian => {
                let (sum, gradients) = total_gradient_in_two_passes(self, pairs, kernel, scale, watch)?;
                Ok((Sums::Total(sum), gradients))
            }
            Normalizer::Total { scale } => {
                let pass = Pass::new(&self.context, pairs, kernel, self.asked)?;
                let pass = pass.noted_in(&self.precisions_used);
                let (sum, gradients) = pass.log_sum_with_grad(scale, watch)?;
                Ok((Sums::Total(sum), gradients))
            }
            Normalizer::Rows { extra, scale } => {
                let (sums, gradients) =
                    row_gradient_in_two_passes(self, pairs, kernel, (extra, scale), watch)?;
                Ok((Sums::Rows(sums), gradients))
            }
            Normalizer::Given { weights, scale, into } => {
                self.precisions_used.note(None);
                let sum = WeightedSum { kernel, weights, scale };
                let gradients = weighted_grad(&self.context, pairs, sum, into, watch)?;
                Ok((Sums::None, gradients))
            }
        }
    }

    fn function_sum(&self, pairs: Pairs<'_>, function: PairFunction<'_>, watch: &Watch<'_>) -> Result<f64> {
        self.precisions_used.note(None);
        function_sum(&self.context, pairs, function, watch)
    }

    fn function_gradient(
        &self,
        pairs: Pairs<'_>,
        function: PairFunction<'_>,
        scale: f64,
        into: Option<Gradients>,
        watch: &Watch<'_>,
    ) -> Result<(FunctionSums, Gradients)> {
        self.precisions_used.note(None);
        function_gradient(&self.context, pairs, function, scale, into, watch)
    }

    fn cosine_histogram(&self, pairs: Pairs<'_>, bins: usize, watch: &Watch<'_>) -> Result<Vec<u64>> {
        histogram::cosines(&self.context, pairs, bins, watch)
    }

    fn close_pairs(
        &self,
        pairs: Pairs<'_>,
        square: f64,
        limit: usize,
        watch: &Watch<'_>,
    ) -> Result<FoundPairs> {
        close_pairs::close_pairs(&self.context, pairs, square, limit, watch)
    }

    fn moments(&self, x: &Points, watch: &Watch<'_>) -> Result<Moments> {
        moments::moments(&self.context, x, watch)
    }

    fn paired(&self, x: &Points, y: &Points, term: Term) -> Result<Vec<f64>> {
        match term {
            Term::Dot => paired::dots(&self.context, x, y),
            Term::SquaredDistance => paired::squared_distances(&self.context, x, y),
        }
    }

    fn paired_gradient(
        &self,
        x: &Points,
        y: &Points,
        term: Term,
        coefficients: &[f64],
        into: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)> {
        match term {
            Term::Dot => gradient::paired::dots_grad(&self.context, x, y, coefficients, into),
            Term::SquaredDistance => gradient::paired::grad(&self.context, x, y, coefficients, into),
        }
    }

    fn squared_distances(&self, x: &Points, y: &Points) -> Result<Matrix> {
        distances::squared_distances(&self.context, x, y)
    }

    fn squared_distances_grad(&self, x: &Points, y: &Points, upstream: &Matrix) -> Result<(Matrix, Matrix)> {
        gradient::distances::grad(&self.context, x, y, upstream)
    }
}
