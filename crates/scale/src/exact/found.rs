//! What an evaluation finds, and what it takes.

use unisphere::ContrastiveValue;
#[cfg(doc)]
use unisphere::SquaredMmd;

use super::{counts::Counts, groups::FoundGroups, rows::Rows};

/// Values over all pairs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// Alignment; None without pairs.
    pub alignment: Option<f64>,
    /// Uniformity of x at every t.
    pub x: Vec<f64>,
    /// Uniformity of y at every t.
    pub y: Option<Vec<f64>>,
    /// Cross uniformity at every t, where it or the squared discrepancy was asked for.
    pub across: Option<Vec<f64>>,
    /// The squared maximum mean discrepancy of x and y at every t, where it was asked for: over the pairs i ≠ j of sets of as many
    /// rows, which are paired ([`SquaredMmd::unpaired`]), and over all pairs of others ([`SquaredMmd::across`]). None at a t where
    /// both sets have collapsed so far that their sums do not tell it ([`SquaredMmd::needs_points`]).
    pub squared_mmd: Option<Vec<Option<f64>>>,
    /// The contrastive loss at every temperature, where it was asked for.
    pub contrastive: Option<Vec<ContrastiveValue>>,
    /// How crowded every row is, and how far from its partner, where it was asked for.
    pub rows: Option<Rows>,
    /// The pairs of x, and of y where there is one, counted as was asked for; empty where it was not.
    pub counts: Vec<Counts>,
    /// What groups of rows have, where the sets have labels.
    pub groups: Option<FoundGroups>,
    /// The class of the device: others may give other last digits.
    pub device: String,
    /// What it took.
    pub cost: Cost,
}

/// What a run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// Blocks in all, where a strip is one, and so is a group of up to a panel.
    pub blocks: u64,
    /// Blocks that a journal had already.
    pub blocks_recovered: u64,
    /// Pairs that were computed.
    pub pairs_computed: u64,
    /// Rows that were read, each as often as it was.
    pub rows_read: u64,
    /// Bytes that were cut off the journal: what was written when the run before was stopped.
    pub bytes_discarded: u64,
}

/// What a run will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// Pairs in all, whatever a journal has of them.
    pub pairs: u64,
    /// Blocks in all, where a strip is one: at most so many parts are of use.
    pub blocks: u64,
    /// Rows that will be read, each as often as it will be.
    pub rows_read: u64,
    /// Bytes of memory for points and results at once.
    pub memory: u64,
    /// Bytes of memory for points on each GPU at once; 0 where there is none.
    pub device_memory: u64,
    /// Rows of a panel.
    pub panel_rows: usize,
}
