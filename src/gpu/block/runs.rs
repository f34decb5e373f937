//! What the tile sums are of that come back one by one, in the order of the work.

use std::{cell::RefCell, collections::VecDeque};

/// Runs of sums to come, each with what it is of.
pub(crate) struct Runs<T> {
    /// What a run is of, how many of its sums have come, and how many there are.
    queue: RefCell<VecDeque<(T, usize, usize)>>,
}

impl<T: Clone> Runs<T> {
    pub(crate) fn new() -> Self {
        Self { queue: RefCell::default() }
    }

    /// `count` more sums are under way.
    pub(crate) fn expect(&self, of: T, count: usize) {
        if count > 0 {
            self.queue.borrow_mut().push_back((of, 0, count));
        }
    }

    /// What the next sum is of, and its number in the run.
    pub(crate) fn next(&self) -> Option<(T, usize)> {
        let mut queue = self.queue.borrow_mut();
        let (of, come, count) = queue.front_mut()?;
        let next = (of.clone(), *come);
        *come += 1;
        if come == count {
            queue.pop_front();
        }
        Some(next)
    }
}
