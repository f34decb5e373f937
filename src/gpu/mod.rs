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
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use device::adapters::{adapters, adapters_async};

use crate::{
    backend::{
        Backend, Diagnostics, FoundPairs, GroupPairs, Sums, Term, block_sums_of_gathered,
        row_gradient_in_two_passes, total_gradient_in_two_passes, total_of_rows,
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
    pending::{Pending, beside},
    points::{Embeddings, HostRows, Matrix, Moments, Points, ReadRows, Scaling},
    precision::{Precision, Storage},
    progress::Watch,
    schedule::Block,
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
    pub(crate) async fn open(choice: DeviceChoice) -> Result<Self> {
        let opened = beside(async move { adapters::open(&choice).await });
        let (description, (device, queue, matrices)) = opened.await?;
        let context = Arc::new(Context::new(device, queue)?);
        context.listen();
        Ok(Self::new(description, context, matrices))
    }

    /// A device of an app's own, whose listeners are left alone, and the adapter that made it.
    pub(crate) fn from_wgpu(
        device: wgpu::Device,
        queue: wgpu::Queue,
        adapter: Option<&wgpu::Adapter>,
    ) -> Result<Self> {
        let description = adapters::identify(&device.adapter_info());
        // Only an adapter tells its matrices, and only devices made with them have them.
        let made_with_them = device.features().contains(Matrices::FEATURES);
        let matrices = adapter.filter(|_| made_with_them).and_then(Matrices::of);
        let context = Arc::new(Context::new(device, queue)?);
        Ok(Self::new(description, context, matrices))
    }

    fn new(device: Device, context: Arc<Context>, matrices: Option<Matrices>) -> Self {
        let (storage, proven, precisions_used) = Default::default();
        Self { device, context, storage, matrices, asked: None, proven, precisions_used }
    }

    /// The same device, which multiplies coordinates so; none where it has not what that takes. A grade is tried at its
    /// first use on a device.
    pub(crate) async fn with_precision(&self, precision: Precision) -> Result<Option<Self>> {
        if precision == Precision::F32 {
            return Ok(Some(Self { asked: None, precisions_used: Arc::default(), ..self.clone() }));
        }
        let Some(asked) = self.matrices.and_then(|matrices| Cooperative::new(matrices, precision)) else {
            return Ok(None);
        };
        let known = self.proven().get(&asked).cloned();
        let outcome = match known {
            Some(known) => known,
            None => check::check(&self.context, precision, asked).await,
        };
        // A device that had no memory left may have some again.
        if matches!(outcome, Ok(()) | Err(Error::Precision { .. })) {
            self.proven().insert(asked, outcome.clone());
        }
        outcome?;
        Ok(Some(Self { asked: Some(asked), precisions_used: Arc::default(), ..self.clone() }))
    }

    fn proven(&self) -> MutexGuard<'_, HashMap<Cooperative, Result<()>>> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
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
    pub(crate) async fn points_from_buffer(
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
        panels::place(&self.context, source, (rows, dims), scaling, self.storage, None).await
    }

    /// A matrix to part of an app's buffer.
    pub(crate) async fn copy_to_buffer(&self, matrix: &Matrix, target: wgpu::BufferSlice<'_>) -> Result<()> {
        let (rows, cols) = matrix.shape();
        usable(target, rows, cols, "target", wgpu::BufferUsages::COPY_DST)?;
        GpuMatrix::of(matrix, &self.context)?.copy_to(target.buffer(), target.offset()).await
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
    fn ceiling(&self) -> Pending<'_, f64> {
        Box::pin(ceiling::ceiling(&self.context))
    }

    fn precisions_used(&self) -> Vec<Precision> {
        self.precisions_used.all()
    }
}

impl Backend for Gpu {
    fn device(&self) -> &Device {
        &self.device
    }

    fn upload<'a>(&'a self, points: Embeddings<'a>, reused: Option<Points>) -> Pending<'a, Points> {
        Box::pin(async move {
            let (rows, dims, scaling) = (points.rows(), points.dims(), points.scaling());
            let source = Source::Host(&points);
            panels::place(&self.context, source, (rows, dims), scaling, self.storage, reused).await
        })
    }

    fn on_host<'a>(&'a self, points: &'a Points, watch: &'a Watch) -> Pending<'a, Arc<dyn HostRows>> {
        Box::pin(async move {
            let reading = gather::read_all(&self.context, points, watch);
            let values = self.context.scoped("reading points", reading).await?;
            Ok(Arc::new(ReadRows::new(values, points.dims(), points.scaling())?) as Arc<dyn HostRows>)
        })
    }

    fn upload_matrix<'a>(&'a self, values: &'a [f32], rows: usize, cols: usize) -> Pending<'a, Matrix> {
        Box::pin(GpuMatrix::upload(&self.context, values, rows, cols))
    }

    fn gather<'a>(&'a self, points: &'a Points, rows: &'a [usize]) -> Pending<'a, Points> {
        Box::pin(gather::gather(&self.context, points, rows))
    }

    fn log_sum<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernels: &'a [Kernel],
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>> {
        Box::pin(async move {
            match *kernels {
                _ if kernels.iter().any(|kernel| kernel.map != Map::Gaussian) => {
                    total_of_rows(self, pairs, kernels, watch).await
                }
                [] => Ok(Vec::new()),
                [kernel] => {
                    let pass = Pass::new(&self.context, pairs, kernel, self.asked).await?;
                    Ok(vec![pass.noted_in(&self.precisions_used).log_sum(watch).await?])
                }
                _ => {
                    self.precisions_used.note(None);
                    total::log_sums(&self.context, pairs, kernels, watch).await
                }
            }
        })
    }

    fn row_log_sums<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernels: &'a [Kernel],
        weights: Option<PointWeights<'a>>,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<RowLogSums>> {
        Box::pin(async move {
            self.precisions_used.note(None);
            rows::row_log_sums(&self.context, pairs, kernels, weights, watch).await
        })
    }

    fn group_log_sums<'a>(
        &'a self,
        x: &'a Points,
        ends: &'a [usize],
        kernel: Kernel,
        which: GroupPairs,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>> {
        Box::pin(async move {
            self.precisions_used.note(None);
            if kernel.map != Map::Gaussian {
                return Err(Error::missing("the sum of logits of each group"));
            }
            groups::group_log_sums(&self.context, x, Groups { ends, which }, kernel, watch).await
        })
    }

    fn block_log_sums<'a>(
        &'a self,
        pairs: Pairs<'a>,
        blocks: &'a [Block],
        kernel: Kernel,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>> {
        Box::pin(block_sums_of_gathered(self, pairs, blocks, kernel, watch))
    }

    fn gradient<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernel: Kernel,
        normalizer: Normalizer<'a>,
        watch: &'a Watch,
    ) -> Pending<'a, (Sums, Gradients)> {
        Box::pin(async move {
            match normalizer {
                Normalizer::Total { scale } if kernel.map != Map::Gaussian => {
                    let (sum, gradients) =
                        total_gradient_in_two_passes(self, pairs, kernel, scale, watch).await?;
                    Ok((Sums::Total(sum), gradients))
                }
                Normalizer::Total { scale } => {
                    let pass = Pass::new(&self.context, pairs, kernel, self.asked).await?;
                    let pass = pass.noted_in(&self.precisions_used);
                    let (sum, gradients) = pass.log_sum_with_grad(scale, watch).await?;
                    Ok((Sums::Total(sum), gradients))
                }
                Normalizer::Rows { extra, scale } => {
                    let (sums, gradients) =
                        row_gradient_in_two_passes(self, pairs, kernel, (extra, scale), watch).await?;
                    Ok((Sums::Rows(sums), gradients))
                }
                Normalizer::Given { weights, scale, into } => {
                    self.precisions_used.note(None);
                    let sum = WeightedSum { kernel, weights, scale };
                    let gradients = weighted_grad(&self.context, pairs, sum, into, watch).await?;
                    Ok((Sums::None, gradients))
                }
                // The products for the right are made too: the evidence of what cancels is of both sides.
                Normalizer::GivenOnLeft { weights, scale } => {
                    self.precisions_used.note(None);
                    let sum = WeightedSum { kernel, weights, scale };
                    let gradients = weighted_grad(&self.context, pairs, sum, None, watch).await?;
                    Ok((Sums::None, Gradients { y: None, ..gradients }))
                }
            }
        })
    }

    fn function_sum<'a>(
        &'a self,
        pairs: Pairs<'a>,
        function: PairFunction<'a>,
        watch: &'a Watch,
    ) -> Pending<'a, f64> {
        self.precisions_used.note(None);
        Box::pin(function_sum(&self.context, pairs, function, watch))
    }

    fn function_gradient<'a>(
        &'a self,
        pairs: Pairs<'a>,
        function: PairFunction<'a>,
        scale: f64,
        into: Option<Gradients>,
        watch: &'a Watch,
    ) -> Pending<'a, (FunctionSums, Gradients)> {
        self.precisions_used.note(None);
        Box::pin(function_gradient(&self.context, pairs, function, scale, into, watch))
    }

    fn cosine_histogram<'a>(
        &'a self,
        pairs: Pairs<'a>,
        bins: usize,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<u64>> {
        Box::pin(histogram::cosines(&self.context, pairs, bins, watch))
    }

    fn close_pairs<'a>(
        &'a self,
        pairs: Pairs<'a>,
        square: f64,
        limit: usize,
        watch: &'a Watch,
    ) -> Pending<'a, FoundPairs> {
        Box::pin(close_pairs::close_pairs(&self.context, pairs, square, limit, watch))
    }

    fn moments<'a>(&'a self, x: &'a Points, watch: &'a Watch) -> Pending<'a, Moments> {
        Box::pin(moments::moments(&self.context, x, watch))
    }

    fn paired<'a>(&'a self, x: &'a Points, y: &'a Points, term: Term) -> Pending<'a, Vec<f64>> {
        match term {
            Term::Dot => Box::pin(paired::dots(&self.context, x, y)),
            Term::SquaredDistance => Box::pin(paired::squared_distances(&self.context, x, y)),
        }
    }

    fn paired_gradient<'a>(
        &'a self,
        x: &'a Points,
        y: &'a Points,
        term: Term,
        coefficients: &'a [f64],
        into: Option<(Matrix, Matrix)>,
    ) -> Pending<'a, (Matrix, Matrix)> {
        match term {
            Term::Dot => Box::pin(gradient::paired::dots_grad(&self.context, x, y, coefficients, into)),
            Term::SquaredDistance => {
                Box::pin(gradient::paired::grad(&self.context, x, y, coefficients, into))
            }
        }
    }

    fn squared_distances<'a>(&'a self, x: &'a Points, y: &'a Points) -> Pending<'a, Matrix> {
        Box::pin(distances::squared_distances(&self.context, x, y))
    }

    fn squared_distances_grad<'a>(
        &'a self,
        x: &'a Points,
        y: &'a Points,
        upstream: &'a Matrix,
    ) -> Pending<'a, (Matrix, Matrix)> {
        Box::pin(gradient::distances::grad(&self.context, x, y, upstream))
    }
}
