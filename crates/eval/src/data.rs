//! Sets on a device, and what goes with their rows.

use std::fmt;

use unisphere::Points;

use crate::shadow::Shadow;

/// The name of a set in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetName {
    /// The first.
    X,
    /// The second, the positive partners of the first.
    Y,
}

impl SetName {
    /// `x` or `y`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
        }
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set on a device, as [`Session::upload`](crate::Session::upload) makes it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Set {
    /// Its points.
    pub points: Points,
    /// Groups of equal rows, where the plan wants close pairs: each in order, and the groups by their first row.
    pub equal: Vec<Vec<usize>>,
    /// Its points in two dimensions, where the plan wants figures.
    pub(crate) shadow: Option<Shadow>,
}

/// The sets, and what goes with their rows.
#[derive(Debug)]
#[non_exhaustive]
pub struct Data {
    /// The first set.
    pub x: Set,
    /// The second, whose row i is the positive partner of row i of the first.
    pub y: Option<Set>,
    /// More negatives for the contrastive loss, or the keys of a protocol.
    pub queue: Option<Points>,
    /// The group of each row.
    pub labels: Option<Vec<i64>>,
    /// The names of groups, where labels are places in them.
    pub label_names: Option<Vec<String>>,
    /// The weight of each row and pair.
    pub weights: Option<Vec<f64>>,
    /// The score of each pair: how similar it is said to be.
    pub scores: Option<Vec<f64>>,
    /// The number of each row in its source, where the source has rows that were left out: reports name rows by it.
    pub row_numbers: Option<Vec<usize>>,
}

impl Data {
    /// One set, and nothing with it.
    pub fn new(x: Set) -> Self {
        Self {
            x,
            y: None,
            queue: None,
            labels: None,
            label_names: None,
            weights: None,
            scores: None,
            row_numbers: None,
        }
    }
}
