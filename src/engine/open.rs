//! Engines: on which device, and in which precision.

use std::{ops::ControlFlow, sync::Arc};

use super::{Engine, backend::AnyBackend};
use crate::{
    cpu::Cpu,
    device::{Device, DeviceChoice},
    error::{Error, Result},
    pending::{Pending, block_on},
    precision::{Precision, Storage},
    progress::Progress,
};

#[cfg(feature = "gpu")]
use crate::gpu::Gpu;

impl Engine {
    /// The best real GPU, else the CPU; never a software adapter. Where a GPU is here and fails to open, the log (crate
    /// `log`) is told why in a warning, and the CPU serves.
    ///
    /// # Errors
    ///
    /// [`Error::MustAwait`] in a browser, where [`new_async`](Self::new_async) serves. Else none: the CPU always serves.
    pub fn new() -> Result<Self> {
        Self::on(&DeviceChoice::Auto)
    }

    /// Native code on all cores of this machine.
    pub fn cpu() -> Self {
        Self::with(AnyBackend::Cpu(Arc::new(Cpu::new())))
    }

    /// The CPU by every instruction set that it has, the best first, for tests. The name of the device ends with the set's.
    #[doc(hidden)]
    pub fn cpus() -> Vec<Self> {
        Cpu::of_all_isas().into_iter().map(|cpu| Self::with(AnyBackend::Cpu(Arc::new(cpu)))).collect()
    }

    /// The best adapter, a software one where there is no other.
    ///
    /// # Errors
    ///
    /// [`Error::NoDevice`] where there is none; what the driver says where it fails.
    pub fn gpu() -> Result<Self> {
        Self::on(&DeviceChoice::Gpu)
    }

    /// The device of a choice.
    ///
    /// # Errors
    ///
    /// As [`gpu`](Self::gpu), with the names of what is here.
    pub fn on(choice: &DeviceChoice) -> Result<Self> {
        block_on(Self::on_async(choice))
    }

    /// As [`new`](Self::new), for a task that awaits the device while its executor goes on: in a browser, the only way to a
    /// GPU.
    ///
    /// # Errors
    ///
    /// None, as for [`new`](Self::new).
    pub fn new_async() -> Pending<'static, Self> {
        Self::on_async(&DeviceChoice::Auto)
    }

    /// As [`on`](Self::on), for a task that awaits the device while its executor goes on.
    ///
    /// # Errors
    ///
    /// Those of [`on`](Self::on).
    pub fn on_async(choice: &DeviceChoice) -> Pending<'static, Self> {
        let choice = choice.clone();
        Box::pin(async move {
            match choice {
                DeviceChoice::Cpu => Ok(Self::cpu()),
                #[cfg(feature = "gpu")]
                DeviceChoice::Auto => Ok(match Gpu::open(choice).await {
                    Ok(gpu) => Self::with(AnyBackend::of_gpu(gpu)),
                    Err(error) => {
                        match error {
                            Error::NoDevice { .. } => log::debug!("no GPU is here; computing on the CPU"),
                            error => log::warn!("no GPU could be opened, so the CPU computes: {error}"),
                        }
                        Self::cpu()
                    }
                }),
                #[cfg(feature = "gpu")]
                _ => Gpu::open(choice).await.map(|gpu| Self::with(AnyBackend::of_gpu(gpu))),
                #[cfg(not(feature = "gpu"))]
                DeviceChoice::Auto => Ok(Self::cpu()),
                #[cfg(not(feature = "gpu"))]
                _ => Err(Error::NoDevice { wanted: choice.to_string(), available: vec!["cpu".into()] }),
            }
        })
    }

    /// An engine on a device that the caller owns; handles are reference-counted. The engine keeps within the
    /// limits that the device was made with, and leaves its error handlers alone.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] where the device was made with less than WebGPU's default limits for compute.
    #[cfg(feature = "gpu")]
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        Gpu::from_wgpu(device, queue, None).map(|gpu| Self::with(AnyBackend::of_gpu(gpu)))
    }

    /// As [`from_wgpu`](Self::from_wgpu), with the adapter that made the device. With it,
    /// [`with_precision`](Self::with_precision) offers the precisions that need cooperative matrices, where the device was made with the
    /// features `EXPERIMENTAL_COOPERATIVE_MATRIX`, `SHADER_F16` and `SUBGROUP`.
    ///
    /// # Errors
    ///
    /// Those of [`from_wgpu`](Self::from_wgpu).
    #[cfg(feature = "gpu")]
    pub fn from_wgpu_with_adapter(
        device: wgpu::Device,
        queue: wgpu::Queue,
        adapter: &wgpu::Adapter,
    ) -> Result<Self> {
        Gpu::from_wgpu(device, queue, Some(adapter)).map(|gpu| Self::with(AnyBackend::of_gpu(gpu)))
    }

    fn with(backend: AnyBackend) -> Self {
        Self { backend, precision: Precision::F32, observer: None }
    }

    /// The same engine, which calls `observer` after every block of pairs. An observer that uses the wgpu device
    /// itself leaves no error scope open.
    #[must_use]
    pub fn observed_by(
        mut self,
        observer: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The same engine, which multiplies coordinates in this precision. Its points, and those of the engine that it
    /// comes from, serve both.
    ///
    /// Any but [`Precision::F32`] is tried at its first use on a device, in about a second on a GPU: a small set, whose
    /// value and gradient must be as exact as they should be; and its speed, as single precision may be faster where
    /// matrices are emulated, of which the log (crate `log`) is told in a warning. A device that the caller owns offers
    /// single precision only, as it does not tell which matrices it has; [its adapter](Self::from_wgpu_with_adapter) does.
    ///
    /// # Errors
    ///
    /// [`Error::Precision`] where the device has not the cooperative matrices that it takes, or fails the trial;
    /// [`Error::OutOfMemory`], [`Error::DeviceLost`].
    pub fn with_precision(self, precision: Precision) -> Result<Self> {
        block_on(self.with_precision_async(precision))
    }

    /// As [`with_precision`](Self::with_precision), for a task that awaits the trial while its executor goes on.
    ///
    /// # Errors
    ///
    /// Those of [`with_precision`](Self::with_precision).
    pub fn with_precision_async(self, precision: Precision) -> Pending<'static, Self> {
        Box::pin(async move {
            #[cfg(feature = "gpu")]
            if let Some(gpu) = self.backend.gpu()
                && let Some(gpu) = gpu.with_precision(precision).await?
            {
                return Ok(Self { backend: AnyBackend::of_gpu(gpu), precision, ..self });
            }
            if precision == Precision::F32 {
                return Ok(self);
            }
            let device = self.device().name.clone();
            Err(Error::Precision { precision, device, reason: offers(precision).await })
        })
    }

    /// The same engine, which keeps points that it is given from now on in this precision, on the device. Both sets of
    /// a call are to be kept in the same. Raw points are kept in f32 in any case.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] where the device is the CPU, which keeps points in f32.
    pub fn with_storage(self, storage: Storage) -> Result<Self> {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = self.backend.gpu() {
            let backend = AnyBackend::of_gpu(gpu.with_storage(storage));
            return Ok(Self { backend, ..self });
        }
        if storage == Storage::F32 { Ok(self) } else { Err(Error::Storage { storage }) }
    }

    /// The same engine, whose kernels keep the tiles that suit the kind of its device, as do those of its clones.
    ///
    /// Otherwise the first work of 2·10¹¹ multiply-adds or more on a real GPU takes about a second longer: all tiles are
    /// timed there, and the fastest remembered in the user's cache directory, in `unisphere/tiles/`. The choice of tiles
    /// shows in the last digits of a result. To be called before that work. The variable `UNISPHERE_TILES` names tiles, or
    /// is `default` to the same end as this.
    #[must_use]
    pub fn without_tuning(self) -> Self {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = self.backend.gpu() {
            gpu.leave_untimed();
        }
        self
    }

    /// The way in which points that this engine is given are kept.
    pub fn storage(&self) -> Storage {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = self.backend.gpu() {
            return gpu.storage();
        }
        Storage::F32
    }

    /// The precision in which coordinates are multiplied: [`Precision::F32`] unless another was asked for.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The precisions in which this engine and its clones have made sums over pairs so far, the most accurate first: single
    /// precision is among them where a grade could not keep its word. On the CPU, always single precision.
    pub fn precisions_used(&self) -> Vec<Precision> {
        self.backend.backend().precisions_used()
    }

    /// The device that this engine computes on.
    pub fn device(&self) -> &Device {
        self.backend.backend().device()
    }

    /// What this device could do at best: operations per second of fused multiply-adds in f32, of which each is two, and
    /// nothing else. Measured now, in some tenths of a second; the best of several trials counts.
    ///
    /// On the CPU it is the innermost loop of the kernels on all cores, on a GPU a shader that leaves no register. A
    /// value over n points of d dimensions takes n(n−1)d such operations, and with its gradient three times as many.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] where the result is wrong; [`Error::DeviceLost`]; [`Error::MustAwait`] on a GPU in a browser.
    pub fn ceiling(&self) -> Result<f64> {
        block_on(self.backend.backend().ceiling())
    }
}

/// The devices of this machine that offer a precision, as a sentence.
async fn offers(precision: Precision) -> String {
    #[cfg(feature = "gpu")]
    let adapters = crate::gpu::adapters_async().await.unwrap_or_default();
    #[cfg(not(feature = "gpu"))]
    let adapters = Vec::<crate::device::Adapter>::new();
    let names: Vec<_> =
        adapters.into_iter().filter(|a| a.precisions.contains(&precision)).map(|a| a.name).collect();
    match &*names {
        [] => "it takes a GPU with cooperative matrices, and there is none here; use f32".into(),
        names => format!(
            "it takes cooperative matrices, which these have where the engine opens them itself: {}",
            names.join("; ")
        ),
    }
}
