//! Requests to end: Ctrl-C, SIGTERM, SIGHUP. The first ends the work between two steps of it, or at once while a file is read; the
//! second always at once.

#[cfg(not(unix))]
mod console;
#[cfg(unix)]
mod signals;

#[cfg(not(unix))]
use console as system;
#[cfg(unix)]
use signals as system;

pub(crate) use system::{end, listen};

use std::{
    io::{self, IsTerminal as _},
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::exit::{self, Failure};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static AT_ONCE: AtomicBool = AtomicBool::new(false);

/// Takes a request to end. True where nobody will come by [`check`] soon, and the program is to end here and now.
fn request() -> bool {
    let is_now = REQUESTED.swap(true, Ordering::SeqCst) || AT_ONCE.load(Ordering::SeqCst);
    if is_now {
        // The step's line is still there.
        exit::say(if io::stderr().is_terminal() { "\ninterrupted" } else { "interrupted" });
    }
    is_now
}

/// Fails once the program was asked to end.
pub(crate) fn check() -> Result<(), Failure> {
    if REQUESTED.load(Ordering::SeqCst) { Err(Failure::Interrupted) } else { Ok(()) }
}

/// The answer of an observer: stop, once the program was asked to end.
pub(crate) fn control() -> ControlFlow<()> {
    if REQUESTED.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Does what may take long and can be left at any point: no device is busy meanwhile.
pub(crate) fn leaving_at_once<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    AT_ONCE.store(true, Ordering::SeqCst);
    check()?;
    let done = work();
    AT_ONCE.store(false, Ordering::SeqCst);
    check()?;
    Ok(done)
}
