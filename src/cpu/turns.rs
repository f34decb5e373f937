//! What several threads change in a fixed order.

use std::{
    ops::{Deref, DerefMut},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// A value that changes hands in numbered turns, from 0 on.
///
/// Turns are to be handed out before they are waited for, all in one order: then the first that is still out
/// never waits, whoever has the others.
pub(super) struct InTurn<T> {
    state: Mutex<State<T>>,
    moved_on: Condvar,
}

struct State<T> {
    turn: usize,
    value: T,
}

impl<T> InTurn<T> {
    pub(super) fn new(value: T) -> Self {
        Self { state: Mutex::new(State { turn: 0, value }), moved_on: Condvar::new() }
    }

    /// The value, once all earlier turns are over.
    pub(super) fn wait(&self, turn: usize) -> Turn<'_, T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Not `wait_while`, which gives up where a turn has panicked.
        while state.turn != turn {
            state = self.moved_on.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Turn { of: self, state }
    }

    pub(super) fn into_inner(self) -> T {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }
}

/// A turn, which ends when it is dropped: by a panic, too, so that nobody waits for ever.
pub(super) struct Turn<'a, T> {
    of: &'a InTurn<T>,
    state: MutexGuard<'a, State<T>>,
}

impl<T> Deref for Turn<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.state.value
    }
}

impl<T> DerefMut for Turn<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state.value
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        self.state.turn += 1;
        self.of.moved_on.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn in_order_whoever_comes_first_and_after_a_panic() {
        let order = InTurn::new(Vec::new());
        thread::scope(|scope| {
            for turn in [3, 0, 2, 4] {
                let order = &order;
                scope.spawn(move || order.wait(turn).push(turn));
            }
            let panicked = scope.spawn(|| {
                let _turn = order.wait(1);
                panic!("in its turn");
            });
            assert!(panicked.join().is_err());
        });
        assert_eq!(order.into_inner(), [0, 2, 3, 4]);
    }
}
