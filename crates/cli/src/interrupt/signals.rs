//! Signals that ask a program to end. It ends of the same signal, so that a shell ends its loop and a scheduler knows why.

use std::{
    mem, process, ptr,
    sync::atomic::{AtomicI32, Ordering},
    thread,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level::emulate_default_handler,
};

use super::request;

/// The first of them that came.
static CAME: AtomicI32 = AtomicI32::new(0);

/// Listens from now on, to those that the caller of the program has not told it to ignore, as `nohup` and `trap '' INT` do.
pub(crate) fn listen() {
    let heeded: Vec<_> =
        [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !is_ignored(signal)).collect();
    // Where there is no thread to be had, or no handler can be set, the system's own ends the program.
    let _ = thread::Builder::new().name("signals".into()).spawn(move || {
        let Ok(mut signals) = Signals::new(heeded) else { return };
        for signal in signals.forever() {
            let _ = CAME.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
            if request() {
                end();
            }
        }
    });
}

fn is_ignored(signal: i32) -> bool {
    // SAFETY: a struct of numbers, a set of bits and addresses that may be null, for all of which zeros are valid.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: no new action is given, so that this only asks; the place of the answer lives through the call.
    let asked = unsafe { libc::sigaction(signal, ptr::null(), &mut action) };
    asked == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// Ends the program by the signal that asked for it.
pub(crate) fn end() -> ! {
    let signal = match CAME.load(Ordering::SeqCst) {
        0 => SIGINT,
        came => came,
    };
    // The first process of a container does not die of a signal that it sends itself.
    if process::id() != 1 {
        let _ = emulate_default_handler(signal);
    }
    process::exit(128 + signal)
}
