//! The thread that waits for a device where tasks await: it is there while somebody awaits, and a moment longer.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::pending::{Job, on_a_thread};

/// How long the thread stays when there is nothing to wait for.
const IDLE_TIME: Duration = Duration::from_millis(500);

/// The thread that waits for tasks.
#[derive(Default)]
pub(crate) struct Waiter(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    grown: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    running: bool,
}

impl Waiter {
    pub(super) fn spawn(&self, job: Job) {
        let mut queue = self.0.lock();
        queue.jobs.push_back(job);
        if queue.running {
            self.0.grown.notify_one();
            return;
        }
        let shared = self.0.clone();
        match on_a_thread("unisphere", move || shared.run()) {
            Ok(()) => queue.running = true,
            // Without their jobs, the tasks end with an error. They may be woken as jobs go, so that the queue is left first.
            Err(_) => {
                let gone = std::mem::take(&mut queue.jobs);
                drop(queue);
                drop(gone);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut queue = self.lock();
        loop {
            let idle = self.grown.wait_timeout_while(queue, IDLE_TIME, |queue| queue.jobs.is_empty());
            queue = idle.unwrap_or_else(PoisonError::into_inner).0;
            let Some(job) = queue.jobs.pop_front() else {
                queue.running = false;
                return;
            };
            drop(queue);
            // A job's own panics go to its task; a waker's, which is the app's code, must not end this thread.
            drop(catch_unwind(AssertUnwindSafe(job)));
            queue = self.lock();
        }
    }
}
