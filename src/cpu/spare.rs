//! Memory of points and matrices that is used again: fresh pages from the system take as long as the work on few points.

use std::{
    collections::VecDeque,
    ops::{Deref, DerefMut},
    sync::{Mutex, MutexGuard, PoisonError},
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
        spare().keep(std::mem::take(&mut self.0));
    }
}

/// An empty list with room for so many rows of so many values, or the error that says what there is no memory for.
pub(crate) fn reserved(rows: usize, cols: usize, what: impl FnOnce() -> String) -> Result<Vec<f32>> {
    let Some(mut list) = spare().take(rows, cols) else { return memory::reserved(rows, cols, what) };
    list.clear();
    Ok(list)
}

/// Values of any content for a matrix, or the error that says how much memory is missing.
pub(crate) fn unwritten(rows: usize, cols: usize) -> Result<Vec<f32>> {
    let Some(mut values) = spare().take(rows, cols) else { return zeros(rows, cols) };
    values.resize(rows * cols, 0.0);
    if cfg!(test) {
        // It shows in every result what nobody wrote.
        values.fill(f32::NAN);
    }
    Ok(values)
}

/// Zeros for a matrix, or the error that says how much memory is missing.
pub(crate) fn zeros(rows: usize, cols: usize) -> Result<Vec<f32>> {
    let mut values = reserved(rows, cols, || format!("a matrix of {rows} × {cols}"))?;
    values.resize(rows * cols, 0.0);
    Ok(values)
}

fn spare() -> MutexGuard<'static, Spare> {
    static SPARE: Mutex<Spare> = Mutex::new(Spare(VecDeque::new()));
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lists that nobody has, the oldest first, with what was in them.
struct Spare(VecDeque<Vec<f32>>);

impl Spare {
    /// Most values of all lists together: a batch of training, with its gradients.
    const MAX_VALUES: usize = (8 << 20) / size_of::<f32>();
    /// Fewest values of a list: for less, the allocator has pages at hand.
    const MIN_VALUES: usize = (64 << 10) / size_of::<f32>();

    /// Keeps a list, in place of the oldest where there is too much.
    fn keep(&mut self, list: Vec<f32>) {
        if !(Self::MIN_VALUES..=Self::MAX_VALUES).contains(&list.capacity()) {
            return;
        }
        self.0.push_back(list);
        while self.0.iter().map(Vec::capacity).sum::<usize>() > Self::MAX_VALUES {
            self.0.pop_front();
        }
    }

    /// The newest list that is as large as asked for, and no more than twice as large.
    fn take(&mut self, rows: usize, cols: usize) -> Option<Vec<f32>> {
        let len = rows.checked_mul(cols)?;
        let fits = |list: &Vec<f32>| (len..=len.saturating_mul(2)).contains(&list.capacity());
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
        spare.keep(vec![1.0; few - 1]);
        spare.keep(vec![1.0; Spare::MAX_VALUES + 1]);
        assert!(spare.0.is_empty());
        for value in [2.0, 3.0] {
            spare.keep(vec![value; len]);
        }
        for (rows, cols) in [(1, len + 1), (1, len / 2 - 1), (usize::MAX, 2), (0, 5)] {
            assert_eq!(spare.take(rows, cols), None, "{rows} × {cols}");
        }
        assert_eq!(spare.take(2, len / 2), Some(vec![3.0; len]));
        assert_eq!(spare.take(1, len / 2), Some(vec![2.0; len]));
        for value in 0..6 {
            spare.keep(vec![value as f32; len]);
        }
        assert!(spare.0.iter().map(|list| list[0]).eq([2.0, 3.0, 4.0, 5.0]));
    }
}
