//! Ctrl-C: the first ends the work between two steps of it, or at once while a file is read; the second
//! always at once.

use std::{
    io::{self, IsTerminal as _},
    ops::ControlFlow,
    process,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::exit::{self, Failure};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static AT_ONCE: AtomicBool = AtomicBool::new(false);

/// Listens from now on.
pub(crate) fn listen() {
    // Where no handler can be set, the system's own ends the program.
    let _ = ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) || AT_ONCE.load(Ordering::SeqCst) {
            // The step's line is still there.
            exit::say(if io::stderr().is_terminal() { "\ninterrupted" } else { "interrupted" });
            process::exit(exit::INTERRUPTED.into());
        }
    });
}

/// Fails once Ctrl-C was pressed.
pub(crate) fn check() -> Result<(), Failure> {
    if REQUESTED.load(Ordering::SeqCst) { Err(Failure::Interrupted) } else { Ok(()) }
}

/// The answer of an observer: stop, once Ctrl-C was pressed.
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
