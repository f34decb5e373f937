//! Memory of points and matrices that is used again: fresh pages from the system take as long as the work on few points.

use std::{
    collections::VecDeque,
    ops::{Deref, DerefMut},
    sync::{Mutex, MutexGuard},
};

use crate::{error::Result, memory};

/// Values of points or of a matrix, whose memory is spare when they are dropped.
pub(crate) struct SpareValues(Vec<f32>);

impl SpareValues {
    pub(crate) fn into_vec(mut self) -> Vec<f32> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<f32>> for SpareValues {
    fn from(values: Vec<f32>) -> Self {
        Self(values)
    }
}

impl Deref for SpareValues {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for SpareValues {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for SpareValues {
    fn drop(&mut self) {
        let list = std::mem::take(&mut self.0);
        let dropped = spare().map(|mut spare| spare.keep(list));
        // The system takes back what is too much once others may come by.
        drop(dropped);
    }
}

/// An empty list with room for so many rows of so many values, or the error that says what there is no memory for.
pub(crate) fn reserved(rows: usize, cols: usize, what: impl FnOnce() -> String) -> Result<Vec<f32>> {
    let Some(mut list) = take(rows, cols) else { return memory::reserved(rows, cols, what) };
    list.clear();
    Ok(list)
}

/// Values of any content for a matrix, or the error that says how much memory is missing.
pub(crate) fn unwritten(rows: usize, cols: usize) -> Result<Vec<f32>> {
    let mut values = match take(rows, cols) {
        Some(values) => values,
        None => memory::reserved(rows, cols, || what(rows, cols))?,
    };
    values.resize(rows * cols, 0.0);
    if cfg!(debug_assertions) {
        // It shows in every result what nobody wrote.
        values.fill(f32::NAN);
    }
    Ok(values)
}

/// Zeros for a matrix, or the error that says how much memory is missing.
pub(crate) fn zeros(rows: usize, cols: usize) -> Result<Vec<f32>> {
    let mut values = reserved(rows, cols, || what(rows, cols))?;
    values.resize(rows * cols, 0.0);
    Ok(values)
}

fn take(rows: usize, cols: usize) -> Option<Vec<f32>> {
    spare()?.take(rows, cols)
}

/// What there is no memory for.
pub(crate) fn what(rows: usize, cols: usize) -> String {
    format!("a matrix of {rows} × {cols}")
}

/// None while another thread has it: nobody waits for what is there to save time. A process that was forked at such a moment never
/// gets it.
fn spare() -> Option<MutexGuard<'static, Spare>> {
    static SPARE: Mutex<Spare> = Mutex::new(Spare(VecDeque::new()));
    SPARE.try_lock().ok()
}

/// Lists that nobody has, the oldest first, with what was in them.
struct Spare(VecDeque<Vec<f32>>);

impl Spare {
    /// Most values of all lists together: a batch of training, with its gradients.
    const MAX_VALUES: usize = (8 << 20) / size_of::<f32>();
    /// Fewest values of a list: for less, the allocator has pages at hand.
    const MIN_VALUES: usize = (64 << 10) / size_of::<f32>();

    /// Keeps a list, and returns what is too much: the oldest, or one that is too small or too large.
    fn keep(&mut self, list: Vec<f32>) -> Vec<Vec<f32>> {
        if !(Self::MIN_VALUES..=Self::MAX_VALUES).contains(&list.capacity()) {
            return vec![list];
        }
        self.0.push_back(list);
        let mut values: usize = self.0.iter().map(Vec::capacity).sum();
        let mut too_much = Vec::new();
        while values > Self::MAX_VALUES {
            let Some(oldest) = self.0.pop_front() else { break };
            values -= oldest.capacity();
            too_much.push(oldest);
        }
        too_much
    }

    /// The newest list that is as large as asked for, and no more than a quarter larger: matrices that people keep have it.
    fn take(&mut self, rows: usize, cols: usize) -> Option<Vec<f32>> {
        let len = rows.checked_mul(cols)?;
        let fits = |list: &Vec<f32>| (len..=len.saturating_add(len / 4)).contains(&list.capacity());
        let place = self.0.iter().rposition(fits)?;
        self.0.remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_to_the_next_of_about_its_size_and_the_oldest_go_first() {
        let mut spare = Spare(VecDeque::new());
        let (few, len) = (Spare::MIN_VALUES, Spare::MAX_VALUES / 4);
        for len in [few - 1, Spare::MAX_VALUES + 1] {
            assert_eq!(spare.keep(vec![1.0; len]).len(), 1);
        }
        assert!(spare.0.is_empty());
        for value in [2.0, 3.0] {
            assert!(spare.keep(vec![value; len]).is_empty());
        }
        for (rows, cols) in [(1, len + 1), (1, len * 3 / 4), (usize::MAX, 2), (0, 5)] {
            assert_eq!(spare.take(rows, cols), None, "{rows} × {cols}");
        }
        assert_eq!(spare.take(2, len / 2), Some(vec![3.0; len]));
        assert_eq!(spare.take(1, len * 7 / 8), Some(vec![2.0; len]));
        for value in 0..6 {
            assert_eq!(spare.keep(vec![value as f32; len]).len(), usize::from(value >= 4));
        }
        assert!(spare.0.iter().map(|list| list[0]).eq([2.0, 3.0, 4.0, 5.0]));
    }
}
