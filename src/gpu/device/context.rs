//! A device with its queue: limits, errors, waiting.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

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
/// How long a device may stay silent before it counts as lost.
const WAIT_TIMEOUT: Duration = Duration::from_secs(120);

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
    pub(crate) fn scoped<T>(&self, context: &str, commands: impl FnOnce() -> Result<T>) -> Result<T> {
        let scopes =
            [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::OutOfMemory]
                .map(|filter| self.device.push_error_scope(filter));
        let result = commands();
        // Last in, first out; the first command that failed explains the others.
        let mut caught = None;
        for scope in scopes.into_iter().rev() {
            caught = caught.or(pollster::block_on(scope.pop()));
        }
        match (caught, result) {
            (None, result) => result,
            (Some(_), Err(Error::Stopped)) => Err(Error::Stopped),
            (Some(error), _) => {
                self.alive().and_then(|()| self.responds()).and(Err(translate(context, error)))
            }
        }
    }

    /// Waits for a submission, and so for the buffers that it lets the host map.
    pub(crate) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(WAIT_TIMEOUT) };
        self.poll(wait)?;
        self.alive()
    }

    fn poll(&self, how: wgpu::PollType) -> Result<()> {
        let lost = |reason: String| Error::DeviceLost { reason };
        // Of a lost device, wgpu 30 tells by a panic, after its own locks are released.
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(how))) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(lost(error.to_string())),
            Err(panic) => Err(lost(panic.downcast_ref::<String>().cloned().unwrap_or_default())),
        }
    }

    /// The answer to a mapping, after a wait. Another thread that polls may have taken the callback and not
    /// yet called it; a lost device drops it.
    pub(crate) fn mapped(&self, answer: &Receiver<Result<(), wgpu::BufferAsyncError>>) -> Result<()> {
        let lost = |reason: &str| Error::DeviceLost { reason: reason.into() };
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            match answer.recv_timeout(Duration::from_millis(10)) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => return Err(lost(&error.to_string())),
                Err(RecvTimeoutError::Disconnected) => return Err(lost("it dropped a result")),
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => {
                    return Err(lost("it never answered"));
                }
                Err(RecvTimeoutError::Timeout) => self.poll(wgpu::PollType::Poll)?,
            }
        }
    }

    /// A lost device of an app's own tells nobody, but makes nothing that could be used.
    fn responds(&self) -> Result<()> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let descriptor = wgpu::BufferDescriptor {
            label: Some("a probe"),
            size: 4,
            usage: wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        };
        self.queue.write_buffer(&self.device.create_buffer(&descriptor), 0, &[0; 4]);
        match pollster::block_on(scope.pop()) {
            None => Ok(()),
            Some(_) => Err(Error::DeviceLost { reason: "it makes no buffers any more".into() }),
        }
    }

    fn alive(&self) -> Result<()> {
        lock(&self.lost).clone().map_or(Ok(()), |reason| Err(Error::DeviceLost { reason }))
    }
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
