//! What the integration tests share. Each takes its part of it.
#![allow(dead_code, reason = "no test uses all of it")]

pub(crate) mod anchors;
pub(crate) mod cases;
pub(crate) mod compare;
pub(crate) mod devices;
pub(crate) mod losses;
pub(crate) mod oracle;
pub(crate) mod random;
pub(crate) mod set;
pub(crate) mod verses;
