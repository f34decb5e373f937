//! A channel for one value, for a task that awaits it or a thread that blocks.

use std::{
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

#[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
use std::time::Duration;

/// Both ends of a channel.
pub(crate) fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Arc::new(Slot { state: Mutex::new(State::Empty(None)), changed: Condvar::new() });
    (Sender(slot.clone()), Receiver(slot))
}

struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

enum State<T> {
    /// The task to wake, if one has asked.
    Empty(Option<Waker>),
    Sent(T),
    /// The sender is gone, or the value is taken.
    Gone,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, new: State<T>) {
        let old = {
            let mut state = self.lock();
            if !matches!(*state, State::Empty(_)) {
                return;
            }
            std::mem::replace(&mut *state, new)
        };
        self.changed.notify_all();
        if let State::Empty(Some(waker)) = old {
            waker.wake();
        }
    }
}

/// The end that gives a value.
pub(crate) struct Sender<T>(Arc<Slot<T>>);

impl<T> Sender<T> {
    /// Gives the value; a receiver that is gone lets it drop.
    pub(crate) fn send(self, value: T) {
        self.0.put(State::Sent(value));
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.put(State::Gone);
    }
}

/// The end that takes it, as a future: `None` where the sender is gone without.
pub(crate) struct Receiver<T>(Arc<Slot<T>>);

impl<T> Receiver<T> {
    /// The value, as soon as this thread has it; pending where the time is over.
    #[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
    pub(crate) fn wait(&self, timeout: Duration) -> Poll<Option<T>> {
        let empty = |state: &mut State<T>| matches!(state, State::Empty(_));
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), timeout, empty);
        taken(&mut waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

fn taken<T>(state: &mut State<T>) -> Poll<Option<T>> {
    if matches!(state, State::Empty(_)) {
        return Poll::Pending;
    }
    match std::mem::replace(state, State::Gone) {
        State::Sent(value) => Poll::Ready(Some(value)),
        State::Empty(_) | State::Gone => Poll::Ready(None),
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.lock();
        if let State::Empty(waker) = &mut *state {
            *waker = Some(context.waker().clone());
        }
        taken(&mut state)
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn a_value_arrives_before_and_after_it_is_awaited() {
        let (sender, receiver) = oneshot();
        sender.send(1);
        assert_eq!(pollster::block_on(receiver), Some(1));
        let (sender, receiver) = oneshot();
        let late = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            sender.send(2);
        });
        assert_eq!(pollster::block_on(receiver), Some(2));
        late.join().expect("a sender");
    }

    #[test]
    fn a_sender_that_is_gone_ends_the_wait() {
        let (sender, receiver) = oneshot::<()>();
        let gone = thread::spawn(move || drop(sender));
        assert_eq!(pollster::block_on(receiver), None);
        gone.join().expect("a sender");
    }
}
