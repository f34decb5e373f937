//! A device with its queue: limits, errors, waiting.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{self, Poll, Waker},
};

#[cfg(not(target_arch = "wasm32"))]
use crate::gpu::device::waiter::Waiter;

use crate::{
    error::{Error, Result},
    gpu::kernel::{table::Shader, tiling::Choice},
    precision::Storage,
};

/// Rows that lie together; panels are powers of two times this. Also what small tiles are high and wide.
pub(crate) const TILE: usize = 64;
/// What the kernels take of a device; WebGPU's default limits offer it.
pub(crate) const STORAGE_BUFFERS: u32 = 8;
pub(crate) const INVOCATIONS: u32 = 256;
pub(crate) const WORKGROUP_MEMORY: u32 = 16384;

/// The most rows of a panel: blocks of 4096² pairs are large enough to fill a GPU.
const MAX_PANEL_ROWS: usize = 4096;

/// The pipelines compiled so far.
type Pipelines = HashMap<(Shader, Storage), wgpu::ComputePipeline>;

/// A wgpu device, this crate's own or an app's.
pub(crate) struct Context {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) limits: wgpu::Limits,
    /// Whether kernels keep the driver's bounds checks even where they have been shown to need none.
    pub(crate) checked: bool,
    pipelines: Mutex<Pipelines>,
    choice: Mutex<Choice>,
    untimed: AtomicBool,
    no_subgroups: AtomicBool,
    /// What the driver said when it dropped the device; told only of devices of this crate's own.
    lost: Arc<Mutex<Option<String>>>,
    receipts: AtomicU64,
    /// Multiply-adds per second, as f64 bits, of the submissions so far; 0 before the first.
    rate: AtomicU64,
    /// What waits for the device where tasks await it.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) waiter: Waiter,
}

impl Context {
    /// # Errors
    ///
    /// [`Error::Limit`] where the kernels do not fit.
    pub(crate) fn new(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        let limits = device.limits();
        let needs = [
            ("storage buffers of a kernel", STORAGE_BUFFERS, limits.max_storage_buffers_per_shader_stage),
            ("invocations of a workgroup", INVOCATIONS, limits.max_compute_invocations_per_workgroup),
            (
                "invocations in the first dimension of a workgroup",
                INVOCATIONS,
                limits.max_compute_workgroup_size_x,
            ),
            ("bytes of workgroup memory", WORKGROUP_MEMORY, limits.max_compute_workgroup_storage_size),
            ("workgroups of a dispatch", MAX_PANEL_ROWS as u32, limits.max_compute_workgroups_per_dimension),
        ];
        for (what, needed, limit) in needs {
            if limit < needed {
                let cure = "make the device with wgpu::Limits::default() or better";
                return Err(Error::Limit { what, needed: needed.into(), limit: limit.into(), cure });
            }
        }
        let (pipelines, untimed, no_subgroups, lost, receipts, rate) = Default::default();
        let choice = Mutex::new(Choice::Open);
        Ok(Self {
            device,
            queue,
            limits,
            checked: false,
            pipelines,
            choice,
            untimed,
            no_subgroups,
            lost,
            receipts,
            rate,
            #[cfg(not(target_arch = "wasm32"))]
            waiter: Waiter::default(),
        })
    }

    /// Listens for errors that no scope caught, and for the loss of the device; for a device of this crate's
    /// own only, as there is one listener each.
    pub(crate) fn listen(&self) {
        let lost = self.lost.clone();
        self.device.set_device_lost_callback(move |_, reason| {
            *lock(&lost) = Some(reason);
        });
        // All commands run in error scopes; the default listener would panic on what a driver says later.
        self.device.on_uncaptured_error(Arc::new(|_| {}));
    }

    pub(crate) fn pipelines(&self) -> MutexGuard<'_, Pipelines> {
        lock(&self.pipelines)
    }

    /// Which tiles the kernels take.
    pub(crate) fn choice(&self) -> MutexGuard<'_, Choice> {
        lock(&self.choice)
    }

    /// Leaves tiles at the default of the device's kind.
    pub(crate) fn leave_untimed(&self) {
        self.untimed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn untimed(&self) -> bool {
        self.untimed.load(Ordering::Relaxed)
    }

    /// A number that no other submission has.
    pub(crate) fn next_receipt(&self) -> u64 {
        self.receipts.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn rate(&self) -> Option<f64> {
        Some(f64::from_bits(self.rate.load(Ordering::Relaxed))).filter(|&rate| rate > 0.0)
    }

    pub(crate) fn set_rate(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// Whether workgroups can add up by subgroups.
    pub(crate) fn has_subgroups(&self) -> bool {
        self.device.features().contains(wgpu::Features::SUBGROUP)
            && !self.no_subgroups.load(Ordering::Relaxed)
    }

    /// Lets workgroups add up without subgroups from here on.
    pub(crate) fn leave_subgroups(&self) {
        self.no_subgroups.store(true, Ordering::Relaxed);
    }

    /// The largest part of a buffer that a kernel can see, in bytes; kernels count in 32 bits, whatever the
    /// device allows.
    pub(crate) fn max_binding(&self) -> u64 {
        const COUNTED: u64 = (1 << 31) - 4;
        self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size).min(COUNTED)
    }

    /// How many rows of `row_bytes` a panel holds.
    pub(crate) fn panel_rows(&self, what: &'static str, row_bytes: u64) -> Result<usize> {
        // The weights of a block of two panels are one binding too.
        let square = (self.max_binding() / 4).isqrt();
        let rows = (self.max_binding() / row_bytes).min(square).min(MAX_PANEL_ROWS as u64) as usize;
        if rows < TILE {
            let (needed, limit) = (row_bytes.saturating_mul(TILE as u64), self.max_binding());
            let cure = "use fewer dimensions or columns, a device with larger bindings, or the CPU";
            return Err(Error::Limit { what, needed, limit, cure });
        }
        Ok(TILE << (rows / TILE).ilog2())
    }

    /// Runs commands and catches what the device has against them.
    pub(crate) async fn scoped<T>(
        &self,
        context: &str,
        commands: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.handles().scoped(context, commands).await
    }

    /// What catching errors takes, for other threads too.
    pub(super) fn handles(&self) -> Handles {
        Handles { device: self.device.clone(), queue: self.queue.clone(), lost: self.lost.clone() }
    }

    pub(super) fn alive(&self) -> Result<()> {
        alive(&self.lost)
    }
}

/// A device, its queue, and what its driver said when it dropped the device.
pub(super) struct Handles {
    pub(super) device: wgpu::Device,
    queue: wgpu::Queue,
    lost: Arc<Mutex<Option<String>>>,
}

impl Handles {
    /// Runs commands and catches what the device has against them.
    ///
    /// Scopes for errors belong to a thread, and tasks go from one to another: every poll of the commands has its own.
    pub(super) async fn scoped<T>(
        &self,
        context: &str,
        commands: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut commands = pin!(commands);
        let (mut caught, mut scopes_left) = (None, Vec::new());
        let result = poll_fn(|task| {
            let scopes =
                [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::OutOfMemory]
                    .map(|filter| self.device.push_error_scope(filter));
            let polled = commands.as_mut().poll(task);
            // Last in, first out. Native devices answer at once, and browsers later: nobody is woken for that.
            scopes_left.extend(scopes.into_iter().rev().map(|scope| Box::pin(scope.pop())));
            let mut nobody = task::Context::from_waker(Waker::noop());
            scopes_left.retain_mut(|scope| match scope.as_mut().poll(&mut nobody) {
                Poll::Pending => true,
                Poll::Ready(error) => {
                    // The first command that failed explains the others.
                    caught = caught.take().or(error);
                    false
                }
            });
            match polled {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if caught.is_some() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        for scope in scopes_left {
            let error = scope.await;
            caught = caught.or(error);
        }
        match (caught, result) {
            (None, Some(result)) => result,
            (None, None) => Err(Error::missing("the reason of a failure")),
            (Some(_), Some(Err(Error::Stopped))) => Err(Error::Stopped),
            (Some(error), _) => {
                alive(&self.lost)?;
                self.responds().await?;
                Err(translate(context, error))
            }
        }
    }

    /// A lost device of an app's own tells nobody, but makes nothing that could be used.
    async fn responds(&self) -> Result<()> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let descriptor = wgpu::BufferDescriptor {
            label: Some("a probe"),
            size: 4,
            usage: wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        };
        self.queue.write_buffer(&self.device.create_buffer(&descriptor), 0, &[0; 4]);
        let popped = scope.pop();
        match popped.await {
            None => Ok(()),
            Some(_) => Err(Error::DeviceLost { reason: "it makes no buffers any more".into() }),
        }
    }
}

fn alive(lost_reason: &Mutex<Option<String>>) -> Result<()> {
    lock(lost_reason).clone().map_or(Ok(()), |reason| Err(lost(reason)))
}

/// The error of a device that is gone.
pub(super) fn lost(reason: impl Into<String>) -> Error {
    Error::DeviceLost { reason: reason.into() }
}

/// What the device has against a command, in this crate's terms.
fn translate(context: &str, error: wgpu::Error) -> Error {
    let reason = format!("{context}: {error}");
    match error {
        wgpu::Error::OutOfMemory { .. } => Error::OutOfMemory { context: context.into() },
        _ if reason.contains("device is lost") => Error::DeviceLost { reason },
        _ => Error::Device { reason },
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// A panic of another thread leaves what these locks guard as it was.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_loss_and_refusals_have_their_own_errors() {
        let validation = |description: &str| wgpu::Error::Validation {
            source: "source".into(),
            description: description.into(),
        };
        let memory = wgpu::Error::OutOfMemory { source: "source".into() };
        assert_eq!(translate("working", memory), Error::OutOfMemory { context: "working".into() });
        let lost = translate("working", validation("Parent device is lost"));
        assert_eq!(lost, Error::DeviceLost { reason: "working: Parent device is lost".into() });
        let refused = translate("working", validation("no"));
        assert_eq!(refused, Error::Device { reason: "working: no".into() });
    }
}
