//! Ctrl-C and the closing of its window, where there are no signals.

use std::process;

use super::request;

/// As shells show a program that SIGINT has ended.
const INTERRUPTED: u8 = 130;

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
