//! Reductions of the pairs' similarities: one total, one sum per row or group, histograms, lists.

pub(crate) mod blocks;
pub(crate) mod classes;
pub(crate) mod close_pairs;
pub(crate) mod distances;
pub(crate) mod dominant_rows;
pub(crate) mod groups;
pub(crate) mod histogram;
pub(crate) mod mapped;
pub(crate) mod moments;
pub(crate) mod paired;
pub(crate) mod row_sums;
pub(crate) mod rows;
pub(crate) mod total;
