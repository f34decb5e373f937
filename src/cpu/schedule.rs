//! Schedule on the CPU's threads: blocks side by side, results merged in one order.

use std::{
    ops::{Deref, DerefMut},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use rayon::prelude::*;

use crate::{
    cpu::{
        block::pack::{Pool, Scratch},
        pairs::PairSet,
        simd::float::Float,
    },
    error::Result,
    progress::Watch,
    schedule::Block,
};

/// Blocks handed out at a time, which bounds the memory of their results.
const BLOCKS_PER_BATCH: usize = 256;

/// Computes `one` of every block, and merges the results in the order of the blocks.
pub(crate) fn for_each_block<T: Float, R: Send>(
    pairs: PairSet<'_>,
    watch: &Watch,
    one: impl Fn(&Block, &mut Scratch<T>) -> R + Sync,
    merge: impl FnMut(&Block, R),
) -> Result<()> {
    for_each_of(pairs.blocks(), watch, |block| pairs.count_in(block), one, merge)
}

/// The same of certain blocks, of whose pairs `counted` are reported as progress.
pub(crate) fn for_each_of<T: Float, R: Send>(
    mut blocks: impl Iterator<Item = Block>,
    watch: &Watch,
    counted: impl Fn(&Block) -> u64 + Sync,
    one: impl Fn(&Block, &mut Scratch<T>) -> R + Sync,
    mut merge: impl FnMut(&Block, R),
) -> Result<()> {
    let pool = Pool::new();
    let one = |block: &Block| {
        let result = pool.with(|scratch| one(block, scratch));
        watch.advance(counted(block)).map(|()| result)
    };
    loop {
        let batch: Vec<_> = blocks.by_ref().take(BLOCKS_PER_BATCH).collect();
        // A hand-off to other threads takes longer than a single small block.
        let results = match &*batch {
            [] => return Ok(()),
            [block] => vec![one(block)?],
            _ => batch.par_iter().map(one).collect::<Result<_>>()?,
        };
        batch.iter().zip(results).for_each(|(block, result)| merge(block, result));
    }
}

/// Ticket lock: a value that threads change one after the other, in the order of their tickets, from 0 on.
///
/// Tickets are to be handed out before they are waited for, all in one order: then the first that is still out
/// never waits, whoever has the others.
pub(crate) struct TicketLock<T> {
    state: Mutex<State<T>>,
    moved_on: Condvar,
}

struct State<T> {
    serving: usize,
    value: T,
}

impl<T> TicketLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { state: Mutex::new(State { serving: 0, value }), moved_on: Condvar::new() }
    }

    /// Value for the holder of this ticket, once all earlier tickets are done.
    pub(crate) fn wait(&self, ticket: usize) -> Section<'_, T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Not `wait_while`, which gives up where a section has panicked.
        while state.serving != ticket {
            state = self.moved_on.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Section { lock: self, state }
    }

    pub(crate) fn into_inner(self) -> T {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }
}

/// In-order section, which ends when it is dropped: by a panic, too, so that nobody waits for ever.
pub(crate) struct Section<'a, T> {
    lock: &'a TicketLock<T>,
    state: MutexGuard<'a, State<T>>,
}

impl<T> Deref for Section<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.state.value
    }
}

impl<T> DerefMut for Section<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state.value
    }
}

impl<T> Drop for Section<'_, T> {
    fn drop(&mut self) {
        self.state.serving += 1;
        self.lock.moved_on.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn in_order_whoever_comes_first_and_after_a_panic() {
        let order = TicketLock::new(Vec::new());
        thread::scope(|scope| {
            for ticket in [3, 0, 2, 4] {
                let order = &order;
                scope.spawn(move || order.wait(ticket).push(ticket));
            }
            let panicked = scope.spawn(|| {
                let _section = order.wait(1);
                panic!("in its section");
            });
            assert!(panicked.join().is_err());
        });
        assert_eq!(order.into_inner(), [0, 2, 3, 4]);
    }
}
