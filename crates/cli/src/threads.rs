//! The threads that compute.

use std::{io, sync::mpsc, thread};

use rayon::ThreadBuilder;

use crate::exit::Failure;

/// Starts them, as many as RAYON_NUM_THREADS says, or one for each core: where the system refuses one, this can be told now, and
/// is a panic later.
pub(crate) fn start() -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new().spawn_handler(begin).build_global().map_err(|error| {
        Failure::Machine(format!(
            "the system gives no more threads: {error}\n\
             set RAYON_NUM_THREADS to fewer, such as 1, or raise the limits of threads and memory (ulimit -u, -v)"
        ))
    })
}

/// Starts a thread and waits until it runs. What it takes itself at its start is a stack for signals, and the process is aborted
/// where its own stack or those of later threads have left no memory for it.
fn begin(worker: ThreadBuilder) -> io::Result<()> {
    #[cfg(unix)]
    room::check()?;
    let (runs, running) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        // Nobody else has the other end.
        let _ = runs.send(());
        worker.run();
    })?;
    running.recv().map_err(io::Error::other)
}

/// Whether there is memory for a thread.
#[cfg(unix)]
mod room {
    use std::{io, ptr};

    /// What a thread takes: the stack that the standard library gives it, and room for what it takes itself.
    const BYTES_OF_THREAD: usize = (2 << 20) + (1 << 20);

    /// Fails where the system does not give so much memory at once.
    pub(super) fn check() -> io::Result<()> {
        let (anywhere, flags) = (ptr::null_mut(), libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, of no file and at no place that is asked for, takes the place of no other.
        let mapped = unsafe { libc::mmap(anywhere, BYTES_OF_THREAD, libc::PROT_NONE, flags, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: this is the whole of the mapping, which nobody else knows.
        unsafe { libc::munmap(mapped, BYTES_OF_THREAD) };
        Ok(())
    }
}
