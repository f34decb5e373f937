//! In which grades an engine's sums were made: where one cannot keep its word, single precision takes its place.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{gpu::kernel::cooperative::Cooperative, precision::Precision};

/// The grades so far.
#[derive(Debug, Default)]
pub(crate) struct PrecisionsUsed(Mutex<Vec<Precision>>);

impl PrecisionsUsed {
    /// A sum was made by these products, or in single precision.
    pub(crate) fn note(&self, by: Option<Cooperative>) {
        let grade = match by {
            None => Precision::F32,
            Some(Cooperative { split: true, .. }) => Precision::F16x2,
            Some(Cooperative { split: false, .. }) => Precision::F16,
        };
        let mut grades = self.lock();
        if !grades.contains(&grade) {
            grades.push(grade);
        }
    }

    /// All of them, the most accurate first.
    pub(crate) fn all(&self) -> Vec<Precision> {
        let grades = self.lock();
        Precision::ALL.iter().copied().filter(|grade| grades.contains(grade)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Precision>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
