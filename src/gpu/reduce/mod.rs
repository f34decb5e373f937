//! Reductions over pairs or rows: one file each.

pub(crate) mod close_pairs;
pub(crate) mod distances;
pub(crate) mod groups;
pub(crate) mod histogram;
pub(crate) mod mapped;
pub(crate) mod moments;
pub(crate) mod paired;
pub(crate) mod rows;
pub(crate) mod total;
