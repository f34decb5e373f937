//! The program as its users meet it: files in, stdout, stderr and an exit code out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod analysis;
mod bench;
mod checkpoints;
mod compare;
mod compare_faults;
mod csv;
mod devices;
mod door;
mod eval;
mod formats;
mod gradient;
mod html;
mod labels;
#[cfg(unix)]
mod limits;
mod manual;
mod origin;
mod pieces;
#[cfg(unix)]
mod pipes;
mod printable;
mod protocols;
mod refusals;
#[cfg(unix)]
mod row_files;
mod scale;
mod schema;
mod scores;
mod support;
mod unpaired;
mod views;
mod watch;
