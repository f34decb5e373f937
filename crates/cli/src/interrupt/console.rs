//! Ctrl-C and the closing of its window, where there are no signals.

use std::process;

use super::request;
use crate::exit::INTERRUPTED;

/// Listens from now on.
pub(crate) fn listen() {
    // Where no handler can be set, the system's own ends the program.
    let _ = ctrlc::set_handler(|| {
        if request() {
            end();
        }
    });
}

/// Ends the program as one that was asked to.
pub(crate) fn end() -> ! {
    process::exit(INTERRUPTED.into())
}
