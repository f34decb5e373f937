//! How far a computation is, and the way to stop it.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::error::{Error, Result};

/// How far a computation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pairs finished.
    pub done: u64,
    /// Pairs in all.
    pub total: u64,
}

/// Called after every block of pairs, from whichever thread finished it; [`ControlFlow::Break`] ends the
/// computation with [`Error::Stopped`].
pub type Observer = dyn Fn(Progress) -> ControlFlow<()> + Send + Sync;

/// One computation's progress, shared by the threads that do it.
pub(crate) struct Watch<'a> {
    observer: Option<&'a Observer>,
    done: AtomicU64,
    total: u64,
    /// This pass repeats pairs already counted: report no progress.
    silent: bool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(observer: Option<&'a Observer>, total: u64) -> Self {
        Self { observer, done: AtomicU64::new(0), total, silent: false }
    }

    /// A watch for one more pass over pairs already counted: the observer may stop it, and sees no progress.
    pub(crate) fn silent(&self) -> Self {
        let done = AtomicU64::new(self.done.load(Ordering::Relaxed));
        Self { observer: self.observer, done, total: self.total, silent: true }
    }

    /// For several passes over the same pairs.
    pub(crate) fn passes(&self) -> Passes<'_> {
        Passes { watch: self, begun: false, again: None }
    }

    /// Counts `pairs` more as done, and fails where the observer has had enough.
    pub(crate) fn advance(&self, pairs: u64) -> Result<()> {
        let pairs = if self.silent { 0 } else { pairs };
        let done = self.done.fetch_add(pairs, Ordering::Relaxed) + pairs;
        match self.observer.map(|observe| observe(Progress { done, total: self.total })) {
            Some(ControlFlow::Break(())) => Err(Error::Stopped),
            _ => Ok(()),
        }
    }
}

/// Pairs count in the first of several passes, however often they are gone through.
pub(crate) struct Passes<'a> {
    watch: &'a Watch<'a>,
    begun: bool,
    again: Option<Watch<'a>>,
}

impl<'a> Passes<'a> {
    /// For the next pass.
    pub(crate) fn next(&mut self) -> &Watch<'a> {
        if std::mem::replace(&mut self.begun, true) {
            self.again.insert(self.watch.silent())
        } else {
            self.watch
        }
    }
}
