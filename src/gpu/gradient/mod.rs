//! Gradients of the reductions.

pub(crate) mod distances;
pub(crate) mod finish;
pub(crate) mod mapped;
pub(crate) mod paired;
pub(crate) mod products;
pub(crate) mod total;
pub(crate) mod weighted;
