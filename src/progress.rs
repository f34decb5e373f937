//! How far a computation is, and the way to stop it.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::error::{Error, Result};

/// How far a computation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Pairs finished.
    pub done: u64,
    /// Pairs in all.
    pub total: u64,
}

impl Progress {
    /// So many pairs finished, of so many.
    pub fn new(done: u64, total: u64) -> Self {
        Self { done, total }
    }
}

/// Called after every block of pairs, from whichever thread finished it; [`ControlFlow::Break`] ends the
/// computation with [`Error::Stopped`].
pub type Observer = dyn Fn(Progress) -> ControlFlow<()> + Send + Sync;

/// One computation's progress, shared by the threads that do it. Clones are of the same computation.
#[derive(Clone)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    /// This pass repeats pairs already counted: report no progress.
    silent: bool,
}

struct Shared {
    observer: Option<Arc<Observer>>,
    done: AtomicU64,
    total: u64,
    /// Nobody waits for the result any more.
    abandoned: AtomicBool,
}

impl Watch {
    pub(crate) fn new(observer: Option<Arc<Observer>>, total: u64) -> Self {
        let (done, abandoned) = Default::default();
        Self { shared: Arc::new(Shared { observer, done, total, abandoned }), silent: false }
    }

    /// A watch for one more pass over pairs already counted: the observer may stop it, and sees no progress.
    pub(crate) fn silent(&self) -> Self {
        Self { silent: true, ..self.clone() }
    }

    /// For several passes over the same pairs.
    pub(crate) fn passes(&self) -> Passes<'_> {
        Passes { watch: self, begun: false, again: None }
    }

    /// Counts `pairs` more as done, and fails where the observer has had enough, or nobody waits any more.
    pub(crate) fn advance(&self, pairs: u64) -> Result<()> {
        let Shared { observer, done, total, abandoned } = &*self.shared;
        if abandoned.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        let pairs = if self.silent { 0 } else { pairs };
        let done = done.fetch_add(pairs, Ordering::Relaxed) + pairs;
        match observer.as_ref().map(|observe| observe(Progress { done, total: *total })) {
            Some(ControlFlow::Break(())) => Err(Error::Stopped),
            _ => Ok(()),
        }
    }

    /// A guard that ends the computation when it is dropped: threads may be at it whose result nobody awaits any more.
    pub(crate) fn stop_when_dropped(&self) -> impl Drop + Send + use<> {
        Abandoned(self.shared.clone())
    }
}

struct Abandoned(Arc<Shared>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }
}

/// Pairs count in the first of several passes, however often they are gone through.
pub(crate) struct Passes<'a> {
    watch: &'a Watch,
    begun: bool,
    again: Option<Watch>,
}

impl Passes<'_> {
    /// For the next pass.
    pub(crate) fn next(&mut self) -> &Watch {
        if std::mem::replace(&mut self.begun, true) {
            self.again.insert(self.watch.silent())
        } else {
            self.watch
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_awaits_is_stopped_and_observed_no_more() {
        let seen = Arc::new(AtomicU64::new(0));
        let counted = seen.clone();
        let observer = move |progress: Progress| {
            counted.store(progress.done, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let watch = Watch::new(Some(Arc::new(observer)), 9);
        let (on_a_thread, guard) = (watch.clone(), watch.stop_when_dropped());
        assert_eq!(on_a_thread.advance(2), Ok(()));
        assert_eq!(on_a_thread.silent().advance(3), Ok(()));
        assert_eq!(seen.load(Ordering::Relaxed), 2);
        drop(guard);
        assert_eq!(on_a_thread.advance(4), Err(Error::Stopped));
        assert_eq!(watch.silent().advance(4), Err(Error::Stopped));
        assert_eq!(seen.load(Ordering::Relaxed), 2);
    }
}
