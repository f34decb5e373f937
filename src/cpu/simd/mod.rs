//! Instruction sets and arithmetic on vectors.

pub(crate) mod exp;
pub(crate) mod float;
pub(crate) mod isa;
pub(crate) mod lanes;
