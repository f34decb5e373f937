//! Tests of a device before it is used: which tiles work and are fast, and whether a precision holds.

pub(crate) mod autotune;
pub(crate) mod check;
#[cfg(test)]
pub(super) mod contract;
#[cfg(test)]
mod hlsl;
#[cfg(test)]
mod kernels;
pub(crate) mod memory;
#[cfg(test)]
mod msl;
#[cfg(test)]
mod spirv;
