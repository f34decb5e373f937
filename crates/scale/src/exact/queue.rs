//! The queue between the reader and the devices: blocks whose panels are in memory, and room for as many panels as may be there.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
};

use unisphere::{Embeddings, Points};

use super::blocks::{Block, SetName};

/// Room for so many panels in memory.
pub(super) struct Room {
    /// Panels that still fit; None once nobody is to read any more.
    free: Mutex<Option<usize>>,
    changed: Condvar,
}

/// The place of one panel; free again when dropped.
pub(super) struct Place<'r>(&'r Room);

/// Closes a room when dropped, so that the reader waits for no device that has left.
pub(super) struct Closing<'r>(&'r Room);

impl Room {
    pub(super) fn new(panels: usize) -> Self {
        Self { free: Mutex::new(Some(panels)), changed: Condvar::new() }
    }

    /// Waits for a place; None where the room is closed.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            self.changed.wait_while(free, |free| *free == Some(0)).unwrap_or_else(PoisonError::into_inner);
        *free = Some((*free)?.saturating_sub(1));
        Some(Place(self))
    }

    pub(super) fn closing(&self) -> Closing<'_> {
        Closing(self)
    }

    fn change(&self, change: impl FnOnce(Option<usize>) -> Option<usize>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = change(*free);
        self.changed.notify_all();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.change(|free| free.map(|free| free + 1));
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.change(|_| None);
    }
}

/// A panel in the memory of this machine.
pub(super) struct Panel<'r> {
    pub(super) set: SetName,
    pub(super) number: usize,
    /// As it was read, for every GPU to copy; none where no device is one.
    pub(super) values: Option<Embeddings<'static>>,
    /// Points that all engines of the CPU share; none where no device is one.
    pub(super) points: Option<Points>,
    pub(super) _place: Place<'r>,
}

/// A block that can be computed.
pub(super) struct Job<'r> {
    pub(super) block: Block,
    pub(super) left: Arc<Panel<'r>>,
    pub(super) right: Arc<Panel<'r>>,
    /// Whether the right panel is a left one of later blocks of its lot.
    pub(super) right_stays: bool,
    /// Lot of left panels, which later lots do not need.
    pub(super) lot: usize,
}

/// Blocks in the order of the schedule, which devices take as they are free.
pub(super) struct Queue<'r>(Mutex<Waiting<'r>>);

struct Waiting<'r> {
    arrivals: Receiver<Vec<Job<'r>>>,
    /// Blocks of the arrival that devices are at.
    jobs: VecDeque<Job<'r>>,
}

impl<'r> Queue<'r> {
    pub(super) fn new() -> (Sender<Vec<Job<'r>>>, Self) {
        let (sender, arrivals) = channel();
        (sender, Self(Mutex::new(Waiting { arrivals, jobs: VecDeque::new() })))
    }

    /// The next blocks of one arrival, at most so many; none once the reader is gone and all are taken.
    pub(super) fn take(&self, most: usize) -> Vec<Job<'r>> {
        // Those who come later wait for the lock, and this one for the reader.
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.jobs.is_empty() {
            match waiting.arrivals.recv() {
                Ok(jobs) => waiting.jobs = jobs.into(),
                Err(_) => return Vec::new(),
            }
        }
        let taken = waiting.jobs.len().min(most);
        waiting.jobs.drain(..taken).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn a_place_is_waited_for_until_it_is_free_or_the_room_is_closed() {
        let room = Room::new(1);
        let first = room.place();
        assert!(first.is_some());
        thread::scope(|scope| {
            let second = scope.spawn(|| room.place().is_some());
            thread::sleep(Duration::from_millis(20));
            assert!(!second.is_finished());
            drop(first);
            assert!(second.join().unwrap());
            let held = room.place();
            let third = scope.spawn(|| room.place().is_some());
            drop(room.closing());
            assert!(held.is_some() && !third.join().unwrap());
        });
    }
}
