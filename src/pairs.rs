//! The pairs of points that a sum runs over.

use crate::{points::Points, schedule::unordered};

/// The pairs that a sum runs over.
#[derive(Clone, Copy, Debug)]
pub enum Pairs<'a> {
    /// i < j within one set.
    Within(&'a Points),
    /// Every point of the first set with every one of the second.
    Across(&'a Points, &'a Points),
    /// Every point i of the first set with every j ≠ i of the second: all but the positive pairs of two sets of as many
    /// rows.
    Unpaired(&'a Points, &'a Points),
}

impl<'a> Pairs<'a> {
    /// The points on the left and those on the right, which are the same within one set.
    pub(crate) fn sides(&self) -> (&'a Points, &'a Points) {
        match *self {
            Self::Within(x) => (x, x),
            Self::Across(x, y) | Self::Unpaired(x, y) => (x, y),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Within(x) => unordered(x.rows),
            Self::Across(x, y) => x.rows as u64 * y.rows as u64,
            Self::Unpaired(x, y) => x.rows as u64 * y.rows.saturating_sub(1) as u64,
        }
    }
}
