//! The public door: which device, and how. What is measured on it is in the files beside this.

mod analysis;
mod contrastive;
mod metrics;

use std::{fmt, ops::ControlFlow, sync::Arc};

use crate::{
    backend::Backend,
    cpu::Cpu,
    device::{Device, DeviceChoice},
    error::{Error, Result},
    pairs::Pairs,
    points::{Embeddings, Matrix, Points, not_finite},
    precision::{Precision, Storage},
    progress::{Observer, Progress, Watch},
};

/// A device, and everything that can be measured on it.
///
/// Values are f64, gradients are matrices of f32 of the shape of the points, on the device until
/// [read](Matrix::read). The same call gives the same bits in every run on one device, for any number of
/// threads; on a GPU, with the same tiles, which [`without_tuning`](Self::without_tuning) keeps.
///
/// ```
/// use unisphere::{Embeddings, Engine, Uniformity};
///
/// let engine = Engine::new()?; // the best GPU here, else the CPU
/// let points = [1.0, 0.0, 0.0, 1.0, -1.0, 0.0];
/// let x = engine.upload(&Embeddings::new(&points, 3, 2)?)?; // (3, 2), on the unit sphere
/// let (u, grad) = engine.uniformity_with_grad(&x, Uniformity { t: 2.0 })?; // grad: (3, 2)
/// assert!((u - ((2.0 * (-4.0f64).exp() + (-8.0f64).exp()) / 3.0).ln()).abs() < 1e-6);
/// assert_eq!(grad.read()?.len(), 6);
/// # Ok::<(), unisphere::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    backend: Arc<dyn Backend>,
    #[cfg(feature = "gpu")]
    gpu: Option<Arc<crate::gpu::Gpu>>,
    precision: Precision,
    observer: Option<Arc<Observer>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("device", self.device()).finish_non_exhaustive()
    }
}

impl Engine {
    /// The best real GPU, else the CPU; never a software adapter.
    ///
    /// # Errors
    ///
    /// None today: where every GPU fails to open, the CPU serves.
    pub fn new() -> Result<Self> {
        Self::on(&DeviceChoice::Auto)
    }

    /// Native code on all cores of this machine.
    pub fn cpu() -> Self {
        Self {
            backend: Arc::new(Cpu::new()),
            #[cfg(feature = "gpu")]
            gpu: None,
            precision: Precision::F32,
            observer: None,
        }
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
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            #[cfg(feature = "gpu")]
            DeviceChoice::Auto => {
                Ok(crate::gpu::Gpu::open(choice).map_or_else(|_| Self::cpu(), Self::from_gpu))
            }
            #[cfg(feature = "gpu")]
            _ => crate::gpu::Gpu::open(choice).map(Self::from_gpu),
            #[cfg(not(feature = "gpu"))]
            DeviceChoice::Auto => Ok(Self::cpu()),
            #[cfg(not(feature = "gpu"))]
            _ => Err(Error::NoDevice { wanted: choice.to_string(), available: vec!["cpu".into()] }),
        }
    }

    /// An engine on a device that the caller owns; handles are reference-counted. The engine keeps within the
    /// limits that the device was made with, and leaves its error handlers alone.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] where the device was made with less than WebGPU's default limits for compute.
    #[cfg(feature = "gpu")]
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        crate::gpu::Gpu::from_wgpu(device, queue).map(Self::from_gpu)
    }

    #[cfg(feature = "gpu")]
    fn from_gpu(gpu: crate::gpu::Gpu) -> Self {
        let gpu = Arc::new(gpu);
        Self { backend: gpu.clone(), gpu: Some(gpu), precision: Precision::F32, observer: None }
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
    /// single precision only, as it does not tell which matrices it has.
    ///
    /// # Errors
    ///
    /// [`Error::Precision`] where the device has not the cooperative matrices that it takes, or fails the trial;
    /// [`Error::OutOfMemory`], [`Error::DeviceLost`].
    pub fn with_precision(self, precision: Precision) -> Result<Self> {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = &self.gpu
            && let Some(gpu) = gpu.with_precision(precision)?
        {
            let gpu = Arc::new(gpu);
            return Ok(Self { backend: gpu.clone(), gpu: Some(gpu), precision, ..self });
        }
        if precision == Precision::F32 {
            return Ok(self);
        }
        let device = self.device().name.clone();
        Err(Error::Precision { precision, device, reason: offers(precision) })
    }

    /// The same engine, which keeps points that it is given from now on in this precision, on the device. Both sets of
    /// a call are to be kept in the same. Raw points are kept in f32 in any case.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] where the device is the CPU, which keeps points in f32.
    pub fn with_storage(self, storage: Storage) -> Result<Self> {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = &self.gpu {
            let gpu = Arc::new(gpu.with_storage(storage));
            return Ok(Self { backend: gpu.clone(), gpu: Some(gpu), ..self });
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
        if let Some(gpu) = &self.gpu {
            gpu.leave_untimed();
        }
        self
    }

    /// How points are kept that this engine is given.
    pub fn storage(&self) -> Storage {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = &self.gpu {
            return gpu.storage();
        }
        Storage::F32
    }

    /// In which precision coordinates are multiplied: [`Precision::F32`] unless another was asked for.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// In which precisions this engine and its clones have made sums over pairs so far, the most accurate first: single
    /// precision is among them where a grade could not keep its word. On the CPU, always single precision.
    pub fn precisions_used(&self) -> Vec<Precision> {
        self.backend.precisions_used()
    }

    /// Where this engine computes.
    pub fn device(&self) -> &Device {
        self.backend.device()
    }

    /// What this device could do at best: operations per second of fused multiply-adds in f32, of which each is two, and
    /// nothing else. Measured now, in some tenths of a second; the best of several trials counts.
    ///
    /// On the CPU it is the innermost loop of the kernels on all cores, on a GPU a shader that leaves no register. A
    /// value over n points of d dimensions takes n(n−1)d such operations, and with its gradient three times as many.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] where the result is wrong; [`Error::DeviceLost`].
    pub fn ceiling(&self) -> Result<f64> {
        self.backend.ceiling()
    }

    /// Copies points to the device and, unless raw, scales them to unit length there.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`], [`Error::OutOfMemory`],
    /// [`Error::DeviceLost`].
    pub fn upload(&self, points: &Embeddings<'_>) -> Result<Points> {
        self.backend.upload(points.borrowed())
    }

    /// As [`upload`](Self::upload), reusing the memory of points that are owned where the device is the CPU.
    ///
    /// # Errors
    ///
    /// Those of [`upload`](Self::upload).
    pub fn upload_owned(&self, points: Embeddings<'_>) -> Result<Points> {
        self.backend.upload(points)
    }

    /// Copies a matrix of `rows` × `cols` values, row-major, to the device.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`], [`Error::NotFinite`] and those of [`upload`](Self::upload).
    pub fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix> {
        if rows.checked_mul(cols) != Some(values.len()) {
            return Err(Error::Shape { values: values.len(), rows, dims: cols });
        }
        if let Some(at) = not_finite(values) {
            return Err(Error::NotFinite { row: at / cols, dim: at % cols });
        }
        self.backend.upload_matrix(values, rows, cols)
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
        scaling: crate::Scaling,
    ) -> Result<Points> {
        self.own_gpu("points")?.points_from_buffer(values, rows, dims, scaling)
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
        self.own_gpu("target")?.copy_to_buffer(matrix, target)
    }

    #[cfg(feature = "gpu")]
    fn own_gpu(&self, what: &'static str) -> Result<&crate::gpu::Gpu> {
        self.gpu.as_deref().ok_or_else(|| {
            let problem = "is a GPU's, and this engine computes on the CPU".into();
            Error::Buffer { what, problem }
        })
    }

    fn watch(&self, pairs: u64) -> Watch<'_> {
        Watch::new(self.observer.as_deref(), pairs)
    }

    /// All pairs of the union of two sets.
    fn watch_union(&self, x: &Points, y: &Points) -> Watch<'_> {
        self.watch(Pairs::Within(x).count() + Pairs::Within(y).count() + Pairs::Across(x, y).count())
    }

    fn watch_both(&self, x: &Points, y: &Points) -> Watch<'_> {
        self.watch(Pairs::Within(x).count() + Pairs::Within(y).count())
    }
}

/// Which devices of this machine offer a precision.
fn offers(precision: Precision) -> String {
    #[cfg(feature = "gpu")]
    let adapters = crate::adapters();
    #[cfg(not(feature = "gpu"))]
    let adapters = Vec::<crate::Adapter>::new();
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
