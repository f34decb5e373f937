//! Pending results: waited for by a thread that blocks, or by a task whose executor goes on.
//!
//! One future serves both. Its waker tells who waits: where that is [`block_on`]'s, whatever takes long is done in place, and
//! the future is ready at its first poll, on the caller's thread; with any other waker, it is done elsewhere and the task is
//! woken.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::{Pin, pin},
    sync::{Arc, LazyLock},
    task::{Context, Poll, Wake, Waker},
};

use crate::{
    error::{Error, Result},
    oneshot::oneshot,
};

/// A result that may take time: the type of all futures of this crate.
///
/// Dropping one before it is ready loses its result and nothing else: work under way ends soon, and engine, points and
/// matrices stay as they are.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Waker of [`block_on`]: a mark that the caller's thread may be blocked. There is nobody to wake.
struct Blocked;

impl Wake for Blocked {
    fn wake(self: Arc<Self>) {}
}

static BLOCKED: LazyLock<Waker> = LazyLock::new(|| Waker::from(Arc::new(Blocked)));

/// The result of a future whose waits block this thread.
///
/// # Errors
///
/// [`Error::MustAwait`] where the platform lets no thread wait for a GPU, as browsers do.
pub(crate) fn block_on<T>(pending: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(pending).poll(&mut Context::from_waker(&BLOCKED)) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::MustAwait),
    }
}

/// Whether the caller blocks.
fn blocks() -> impl Future<Output = bool> {
    poll_fn(|context| Poll::Ready(context.waker().will_wake(&BLOCKED)))
}

/// The results of two futures: side by side on rayon's pool where `joined` asks for it and the caller blocks, and else one after the
/// other.
pub(crate) async fn join_if<A: Send, B: Send>(
    joined: bool,
    a: impl Future<Output = Result<A>> + Send,
    b: impl Future<Output = Result<B>> + Send,
) -> Result<(A, B)> {
    if joined && blocks().await {
        let (a, b) = rayon::join(|| block_on(a), || block_on(b));
        return Ok((a?, b?));
    }
    Ok((a.await?, b.await?))
}

/// Something to be done on another thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The result of a job that takes long, or blocks: run in place where the caller blocks, and else where `spawn` takes it.
/// A panic in it goes on in the caller.
pub(crate) async fn offload<T: Send + 'static>(
    spawn: impl FnOnce(Job),
    job: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if cfg!(target_arch = "wasm32") || blocks().await {
        return job();
    }
    let (sender, answer) = oneshot();
    spawn(Box::new(move || sender.send(catch_unwind(AssertUnwindSafe(job)))));
    match answer.await {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(Error::missing("a thread, or its result,")),
    }
}

/// The result of a future whose polls block, as those of a native driver do: on a thread of its own where the caller awaits.
#[cfg(feature = "gpu")]
pub(crate) async fn beside<T: Send + 'static>(
    pending: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    #[cfg(target_arch = "wasm32")]
    return pending.await;
    #[cfg(not(target_arch = "wasm32"))]
    // Without a thread, the task ends with an error.
    offload(|job| drop(on_a_thread("unisphere", job)), || block_on(pending)).await
}

/// Runs a job on rayon's pool; in place where the caller is one of its threads, which might wait for itself otherwise.
pub(crate) fn on_the_pool(job: Job) {
    if rayon::current_thread_index().is_some() { job() } else { rayon::spawn(job) }
}

/// Runs a job on a thread of its own; where none can be started, the job is dropped.
pub(crate) fn on_a_thread(name: &str, job: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.into()).spawn(job).map(drop)
}

/// [`block_on`] at the end of a call.
#[cfg(test)]
pub(crate) trait Block<T> {
    fn block(self) -> Result<T>;
}

#[cfg(test)]
impl<T, F: Future<Output = Result<T>>> Block<T> for F {
    fn block(self) -> Result<T> {
        block_on(self)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn thread_of_job(spawned: bool) -> impl Future<Output = Result<(bool, thread::ThreadId)>> {
        let spawn = move |job: Job| {
            assert!(spawned, "a caller that blocks runs its jobs");
            on_a_thread("a job", job).expect("a thread");
        };
        offload(spawn, || Ok((true, thread::current().id())))
    }

    #[test]
    fn jobs_run_in_place_where_the_caller_blocks_and_elsewhere_where_not() {
        let here = thread::current().id();
        assert_eq!(block_on(thread_of_job(false)), Ok((true, here)));
        let there = pollster::block_on(thread_of_job(true));
        assert!(there.is_ok_and(|(done, thread)| done && thread != here));
    }

    #[test]
    fn two_are_joined_on_the_pool_where_the_caller_blocks_and_asks_for_it() {
        let are_on_the_pool = |joined| {
            let one = async || Ok(rayon::current_thread_index().is_some());
            join_if(joined, one(), one())
        };
        assert_eq!(block_on(are_on_the_pool(true)), Ok((true, true)));
        assert_eq!(block_on(are_on_the_pool(false)), Ok((false, false)));
        assert_eq!(pollster::block_on(are_on_the_pool(true)), Ok((false, false)));
        let fails = || async { Err::<(), _>(Error::Stopped) };
        assert_eq!(block_on(join_if(true, async { Ok(1) }, fails())), Err(Error::Stopped));
        assert_eq!(block_on(join_if(true, fails(), async { Ok(1) })), Err(Error::Stopped));
    }

    #[test]
    fn a_panic_of_a_job_goes_on_in_the_caller() {
        let job = || -> Result<()> { panic!("in a job") };
        let spawn = |job| on_a_thread("a job", job).expect("a thread");
        let here = catch_unwind(|| block_on(offload(spawn, job)));
        let there = catch_unwind(|| pollster::block_on(offload(spawn, job)));
        for outcome in [here, there] {
            let panic = outcome.expect_err("a panic");
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"in a job"));
        }
    }

    #[test]
    fn threads_of_the_pool_do_not_wait_for_themselves() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        let awaited = || pollster::block_on(offload(on_the_pool, || Ok(7)));
        assert_eq!(pool.install(awaited), Ok(7));
    }

    #[test]
    fn a_future_that_waits_for_others_cannot_block() {
        assert_eq!(block_on(std::future::pending::<Result<()>>()), Err(Error::MustAwait));
    }
}
