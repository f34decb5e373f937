//! What an evaluation may use.

use std::{fmt, path::PathBuf, sync::Arc};

use unisphere::Observer;

/// What the work may use, and who is told of it.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Resources {
    /// Memory for points and results, in bytes; None for as much as it takes. The program itself and the device's driver come
    /// on top.
    pub max_memory: Option<u64>,
    /// Memory on each GPU for panels, in bytes; None for half of what its driver says it has, or for as much as `max_memory`
    /// allows where the driver says nothing. At least four panels have to fit.
    pub max_device_memory: Option<u64>,
    /// A file that keeps finished blocks: a run that was stopped goes on from it.
    pub journal: Option<PathBuf>,
    /// Told of the pairs that are done; ends the work by [`Break`](std::ops::ControlFlow::Break), with what is done kept in
    /// the journal.
    pub observer: Option<Arc<Observer>>,
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_memory, max_device_memory, journal, .. } = self;
        f.debug_struct("Resources")
            .field("max_memory", max_memory)
            .field("max_device_memory", max_device_memory)
            .field("journal", journal)
            .finish_non_exhaustive()
    }
}
