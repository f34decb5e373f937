//! The command line, from the same library.

use std::ffi::OsString;

use pyo3::prelude::*;

use crate::call::check_process;

/// Runs the program on a line whose first word is its name, and returns its exit code. It takes the process over.
#[pyfunction]
pub fn run_program(py: Python<'_>, line: Vec<OsString>) -> PyResult<u8> {
    check_process()?;
    Ok(py.detach(|| unisphere_cli::run(line)))
}
