//! Gradients: pair weights, written block by block, times the points on either side.

pub(crate) mod accumulate;
pub(crate) mod distances;
pub(crate) mod factors;
pub(crate) mod finish;
pub(crate) mod fused_softmax;
pub(crate) mod held;
pub(crate) mod mapped;
pub(crate) mod rounds;
pub(crate) mod softmax;
pub(crate) mod strip;
pub(crate) mod sums;
pub(crate) mod total;
pub(crate) mod weighted;
pub(crate) mod weights;
