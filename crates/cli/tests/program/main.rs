//! The program as its users meet it: files in, stdout, stderr and an exit code out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod analysis;
mod bench;
mod devices;
mod eval;
mod formats;
mod gradient;
mod labels;
mod pieces;
#[cfg(unix)]
mod pipes;
mod protocols;
mod refusals;
mod scale;
mod schema;
mod support;
mod unpaired;
