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
/// where the stacks of later threads have left no memory for it.
fn begin(worker: ThreadBuilder) -> io::Result<()> {
    let (runs, running) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        // Nobody else has the other end.
        let _ = runs.send(());
        worker.run();
    })?;
    running.recv().map_err(io::Error::other)
}
