//! Waits for the device: a submission's end, and with it the buffers that it lets the host map.
//!
//! A caller that blocks polls the device itself. For tasks that await, a thread of the device's own does, one wait after
//! the other in the order of the submissions; it is there while somebody awaits, and a moment longer. In a browser nobody
//! polls: the page's own loop tells.

use crate::{
    error::Result,
    gpu::device::{
        clock::Instant,
        context::{Context, lost},
    },
    oneshot::Receiver,
};

/// The device's word on a mapping.
pub(crate) type Mapping = Receiver<Result<(), wgpu::BufferAsyncError>>;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        task::Poll,
        time::Duration,
    };

    use super::{Context, Instant, Mapping, Result, lost};
    use crate::pending::offload;

    /// How long a device may stay silent before it counts as lost.
    const WAIT_TIMEOUT: Duration = Duration::from_secs(120);
    /// How long a mapping's answer is waited for before the device is polled again.
    const POLL_INTERVAL: Duration = Duration::from_millis(10);

    impl Context {
        /// Waits for a submission.
        pub(crate) async fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
            self.wait_for(submission, None).await.map(drop)
        }

        /// Waits for a submission, and for a mapping that it lets the host have; tells when that was. The task may hear of it
        /// much later, from a busy executor.
        pub(crate) async fn mapped(
            &self,
            submission: wgpu::SubmissionIndex,
            mapping: Mapping,
        ) -> Result<Instant> {
            self.wait_for(submission, Some(mapping)).await
        }

        async fn wait_for(
            &self,
            submission: wgpu::SubmissionIndex,
            mapping: Option<Mapping>,
        ) -> Result<Instant> {
            let device = self.device.clone();
            let wait = move || {
                let how =
                    wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(WAIT_TIMEOUT) };
                poll(&device, how)?;
                mapping.map_or(Ok(()), |mapping| answered(&device, &mapping))?;
                Ok(Instant::now())
            };
            let waited = offload(|job| self.waiter.spawn(job), wait).await;
            // The driver's own word on a loss comes first.
            self.alive().and(waited)
        }
    }

    fn poll(device: &wgpu::Device, how: wgpu::PollType) -> Result<()> {
        // Of a lost device, wgpu 30 tells by a panic, after its own locks are released.
        match catch_unwind(AssertUnwindSafe(|| device.poll(how))) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(lost(error.to_string())),
            Err(panic) => Err(lost(panic.downcast_ref::<String>().cloned().unwrap_or_default())),
        }
    }

    /// The answer to a mapping, after a wait. Another thread that polls may have taken the callback and not
    /// yet called it; a lost device drops it.
    fn answered(device: &wgpu::Device, mapping: &Mapping) -> Result<()> {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            match mapping.wait(POLL_INTERVAL) {
                Poll::Ready(Some(Ok(()))) => return Ok(()),
                Poll::Ready(Some(Err(error))) => return Err(lost(error.to_string())),
                Poll::Ready(None) => return Err(lost("it dropped a result")),
                Poll::Pending if Instant::now() > deadline => return Err(lost("it never answered")),
                Poll::Pending => poll(device, wgpu::PollType::Poll)?,
            }
        }
    }
}

#[cfg(target_arch = "wasm32")]
impl Context {
    /// Waits for all submissions so far.
    pub(crate) async fn wait(&self, _: wgpu::SubmissionIndex) -> Result<()> {
        let (sender, done) = crate::oneshot::oneshot();
        self.queue.on_submitted_work_done(move || sender.send(()));
        let waited = done.await.ok_or_else(|| lost("it dropped a result"));
        self.alive().and(waited)
    }

    /// Waits for a mapping; tells when the task heard of it.
    pub(crate) async fn mapped(&self, _: wgpu::SubmissionIndex, mapping: Mapping) -> Result<Instant> {
        let answer: Result<()> = match mapping.await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(lost(error.to_string())),
            None => Err(lost("it dropped a result")),
        };
        self.alive().and(answer).map(|()| Instant::now())
    }
}
