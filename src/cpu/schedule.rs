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
    let one = |block: &Block, scratch: &mut Scratch<T>| Ok(one(block, scratch));
    let mut merge = |block: &Block, result| {
        merge(block, result);
        Ok(())
    };
    try_for_each_of(&mut blocks, watch, &counted, &one, &mut merge)
}

/// The same of all blocks of some pairs, until one or its merging fails.
pub(crate) fn try_for_each_block<T: Float, R: Send>(
    pairs: PairSet<'_>,
    watch: &Watch,
    one: impl Fn(&Block, &mut Scratch<T>) -> Result<R> + Sync,
    mut merge: impl FnMut(&Block, R) -> Result<()>,
) -> Result<()> {
    try_for_each_of(&mut pairs.blocks(), watch, &|block| pairs.count_in(block), &one, &mut merge)
}

/// The same, compiled once for a kind of result.
fn try_for_each_of<T: Float, R: Send>(
    blocks: &mut dyn Iterator<Item = Block>,
    watch: &Watch,
    counted: &(dyn Fn(&Block) -> u64 + Sync),
    one: &(dyn Fn(&Block, &mut Scratch<T>) -> Result<R> + Sync),
    merge: &mut dyn FnMut(&Block, R) -> Result<()>,
) -> Result<()> {
    let pool = Pool::new();
    let one = |block: &Block| {
        let result = pool.with(|scratch| one(block, scratch))?;
        watch.advance(counted(block)).map(|()| result)
    };
    loop {
        let batch: Vec<_> = (&mut *blocks).take(BLOCKS_PER_BATCH).collect();
        // A hand-off to other threads takes longer than a single small block.
        let results = match &*batch {
            [] => return Ok(()),
            [block] => vec![one(block)?],
            _ => batch.par_iter().map(one).collect::<Result<_>>()?,
        };
        batch.iter().zip(results).try_for_each(|(block, result)| merge(block, result))?;
    }
}

/// Runs work of several steps on a thread of the pool, for which it is quick to share out each of them. Work that is quick stays
/// where it is: a hand-off takes longer.
pub(crate) fn in_steps<T: Send>(quick: bool, work: impl FnOnce() -> T + Send) -> T {
    if quick || rayon::current_thread_index().is_some() { work() } else { rayon::scope(|_| work()) }
}

/// Two pieces of work side by side, or one after the other where they are quick.
pub(crate) fn both<A: Send, B: Send>(
    quick: bool,
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    if quick { (a(), b()) } else { rayon::join(a, b) }
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
    /// A ticket is lost: its holder panicked before its turn. The value is of no use any more, and the panic goes on in the
    /// caller.
    lost: bool,
    value: T,
}

impl<T> TicketLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { state: Mutex::new(State { serving: 0, lost: false, value }), moved_on: Condvar::new() }
    }

    /// Ticket of this number. Dropped before its turn, as by a panic, it lets nobody wait for ever.
    pub(crate) fn ticket(&self, number: usize) -> Ticket<'_, T> {
        Ticket { lock: self, number }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn into_inner(self) -> T {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }
}

/// Place in the order of a [`TicketLock`].
pub(crate) struct Ticket<'a, T> {
    lock: &'a TicketLock<T>,
    number: usize,
}

impl<'a, T> Ticket<'a, T> {
    /// Value for the holder of this ticket, once all earlier tickets are done.
    pub(crate) fn wait(self) -> Section<'a, T> {
        let (lock, number) = (self.lock, self.number);
        std::mem::forget(self);
        let mut state = lock.lock();
        // Not `wait_while`, which gives up where a section has panicked.
        while state.serving != number && !state.lost {
            state = lock.moved_on.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Section { lock, state }
    }
}

impl<T> Drop for Ticket<'_, T> {
    fn drop(&mut self) {
        self.lock.lock().lost = true;
        self.lock.moved_on.notify_all();
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
                scope.spawn(move || order.ticket(ticket).wait().push(ticket));
            }
            let panicked = scope.spawn(|| {
                let _section = order.ticket(1).wait();
                panic!("in its section");
            });
            assert!(panicked.join().is_err());
        });
        assert_eq!(order.into_inner(), [0, 2, 3, 4]);
    }

    #[test]
    fn nobody_waits_for_a_ticket_that_a_panic_lost() {
        let order = TicketLock::new(Vec::new());
        thread::scope(|scope| {
            for ticket in [1, 2] {
                let order = &order;
                scope.spawn(move || order.ticket(ticket).wait().push(ticket));
            }
            let panicked = scope.spawn(|| {
                let _ticket = order.ticket(0);
                panic!("before its turn");
            });
            assert!(panicked.join().is_err());
        });
        assert_eq!(order.into_inner().len(), 2);
    }
}
