//! Compute kernels: the table of shaders, their parameters and tiles, and the arithmetic of a pair.

pub(crate) mod accuracy;
pub(crate) mod cooperative;
pub(crate) mod exponent;
pub(crate) mod params;
pub(crate) mod precisions_used;
pub(crate) mod rate;
pub(crate) mod table;
pub(crate) mod tiling;
