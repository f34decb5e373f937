//! The program as its users meet it: files in, stdout, stderr and an exit code out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod devices;
mod eval;
#[cfg(unix)]
mod pipes;
mod refusals;
mod support;
