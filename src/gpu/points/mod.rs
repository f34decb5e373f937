//! Points and matrices on the device.

pub(crate) mod gather;
pub(crate) mod halves;
pub(crate) mod matrix;
pub(crate) mod panels;
