//! The program as its users meet it: files in, stdout, stderr and an exit code out.

mod devices;
mod eval;
#[cfg(unix)]
mod pipes;
mod refusals;
mod support;
