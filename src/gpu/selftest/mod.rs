//! Tests of a device before it is used: which tiles work and are fast, and whether a precision holds.

pub(crate) mod autotune;
pub(crate) mod check;
#[cfg(test)]
mod contract;
pub(crate) mod memory;
#[cfg(test)]
mod spirv;
