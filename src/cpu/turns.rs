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
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.moved_on.wait_while(state, |state| state.turn != turn);
        Turn { of: self, state: state.unwrap_or_else(PoisonError::into_inner) }
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
