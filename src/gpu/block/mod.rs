//! Blocks of pairs: what a pass multiplies, the table of a block's similarities, and sums over its parts.

pub(crate) mod map;
pub(crate) mod operands;
pub(crate) mod pass;
pub(crate) mod segments;
pub(crate) mod similarities;
