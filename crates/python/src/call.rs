//! Where every computation runs: detached from the interpreter, so that other threads of Python go on.
//!
//! What takes a few milliseconds is waited for: the smallest calls run on the caller's thread, larger ones on a thread of the engine's
//! pool. All else runs on a thread of its own, while the caller's thread looks for signals, shows progress, and stops the work where
//! either raises.

use std::{
    any::Any,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use pyo3::prelude::*;
use unisphere::{DeviceKind, Engine, Progress};
use unisphere_cli::Caller;

use crate::{
    fault::{Fault, forked},
    warned::Warned,
};

/// Multiply-adds that a single thread is done with before another has woken.
const WORK_OF_THE_CALLER: f64 = 2e6;
/// Multiply-adds that take some milliseconds, and in the finest arithmetic some tens of them.
const WORK_WAITED_FOR: f64 = 1e8;
/// Time between two looks for signals.
const TICK: Duration = Duration::from_millis(40);
/// Time that a stopped computation is waited for, so that it leaves its memory and threads to the next.
const GRACE: Duration = Duration::from_millis(60);

/// The process that first called, whose threads a fork does not have.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Fails in a fork of a process that has computed: it would wait for threads that it has not.
pub(crate) fn check_process() -> PyResult<()> {
    let here = process::id();
    if *PROCESS.get_or_init(|| here) == here {
        return Ok(());
    }
    Err(forked(
        "this process was forked from one that has used unisphere, whose threads it does not have; start processes by \
         multiprocessing's 'spawn' or 'forkserver', or fork before the first call",
    ))
}

/// Where and how to compute.
#[derive(Default)]
pub(crate) struct Course {
    /// Multiply-adds, about.
    pub(crate) work: f64,
    /// Called with what is done and the total, in pairs.
    pub(crate) progress: Option<Py<PyAny>>,
}

/// What the thread that computes and the one that waits tell each other.
#[derive(Default)]
struct Talk {
    stop: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Talk {
    fn engine(self: &Arc<Self>, engine: &Engine) -> Engine {
        let talk = Arc::clone(self);
        engine.clone().observed_by(move |progress| talk.heed(progress))
    }

    fn heed(&self, progress: Progress) -> ControlFlow<()> {
        self.done.fetch_max(progress.done, Ordering::Relaxed);
        if self.total.swap(progress.total, Ordering::Relaxed) != progress.total {
            self.done.store(progress.done, Ordering::Relaxed);
        }
        self.control()
    }

    fn control(&self) -> ControlFlow<()> {
        if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn show(&self, py: Python<'_>, progress: Option<&Py<PyAny>>) -> PyResult<()> {
        let total = self.total.load(Ordering::Relaxed);
        match progress {
            Some(progress) if total > 0 => {
                progress.call1(py, (self.done.load(Ordering::Relaxed).min(total), total)).map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// Whether the caller wants the work to go on.
pub(crate) struct Control(Option<Arc<Talk>>);

impl Control {
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        self.0.as_ref().map_or(ControlFlow::Continue(()), |talk| talk.control())
    }

    /// The same for work of the program's.
    pub(crate) fn caller(&self) -> Caller {
        let talk = self.0.clone().unwrap_or_default();
        let told = Arc::clone(&talk);
        Caller {
            observer: Arc::new(move |progress| told.heed(progress)),
            control: Arc::new(move || talk.control()),
        }
    }
}

/// Computes.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    engine: &Engine,
    course: Course,
    job: impl FnOnce(&Engine, &Control) -> Result<T, Fault> + Send + 'static,
) -> PyResult<T> {
    check_process()?;
    let is_short = course.work <= WORK_WAITED_FOR && engine.device().kind == DeviceKind::Cpu;
    if is_short && course.progress.is_none() {
        let work = || job(engine, &Control(None));
        // A thread of the pool shares its work with the others at once. Any other thread hands each step over and waits for it.
        let here_or_there =
            || if course.work <= WORK_OF_THE_CALLER { work() } else { rayon::scope(|_| work()) };
        return Ok(py.detach(|| guarded(here_or_there))?);
    }
    let talk = Arc::<Talk>::default();
    let (sender, mut answer) = mpsc::sync_channel(1);
    let (observed, control) = (talk.engine(engine), Control(Some(Arc::clone(&talk))));
    let warned = Arc::<Warned>::default();
    let of_work = Arc::clone(&warned);
    let work = move || {
        // Nobody waits any more where this fails.
        let _ = sender.send(Warned::during(&of_work, || guarded(|| job(&observed, &control))));
    };
    thread::Builder::new().name("unisphere".into()).spawn(work).map_err(Fault::Thread)?;
    loop {
        let waited;
        (answer, waited) = py.detach(move || {
            let waited = answer.recv_timeout(TICK);
            (answer, waited)
        });
        match waited {
            Ok(result) => {
                talk.show(py, course.progress.as_ref())?;
                let result = result?;
                warned.tell(py)?;
                return Ok(result);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Fault::Panic("a thread ended without a result".into()).into());
            }
            Err(RecvTimeoutError::Timeout) => {
                let looked = py.check_signals().and_then(|()| talk.show(py, course.progress.as_ref()));
                if let Err(raised) = looked {
                    talk.stop.store(true, Ordering::Relaxed);
                    py.detach(move || drop(answer.recv_timeout(GRACE)));
                    return Err(raised);
                }
            }
        }
    }
}

/// The result, or the panic as a fault: none crosses the boundary.
fn guarded<T>(job: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|panic| Err(Fault::Panic(said(&*panic))))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
