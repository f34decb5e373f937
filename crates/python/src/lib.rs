//! The native half of the Python package `unisphere`: checked rows in, numbers and arrays out. Whatever Python people see is in
//! `python/unisphere/`, which calls this.
//!
//! - [`rows`]: f32 rows in the memory of NumPy, without a copy.
//! - [`sets`]: one or two of them on the device, and the argument that an error is about.
//! - [`source`]: sets that are arrays or files.
//! - [`call`]: every computation runs there: detached from the interpreter, stopped by Ctrl-C, refused after a fork.
//! - [`uniformity`], [`metrics`], [`analysis`], [`evaluate`], [`labels`], [`large`], [`compare`]: the functions.
//! - [`program`]: the command line.
//! - [`fault`]: what can go wrong, and the exception that it becomes; [`warned`]: what is only warned of.

#![expect(
    unreachable_pub,
    reason = "PyO3 makes functions public, and a module of Python has no other use of it"
)]

mod analysis;
mod call;
mod compare;
mod engine;
mod evaluate;
mod fault;
mod labels;
mod large;
mod metrics;
mod program;
mod report;
mod rows;
mod sets;
mod source;
mod uniformity;
mod warned;

use pyo3::prelude::*;

/// The module `unisphere._native`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::{
        analysis::{close_pairs, floor, histogram, pair_distances, potentials, spectrum},
        compare::compare,
        engine::Engine,
        evaluate::evaluate,
        labels::{alignment_by_label, group_uniformity, retrieval, unpaired},
        large::{estimate, evaluate_in_pieces, merge},
        metrics::{alignment, contrastive, loss, mmd, sigmoid, supcon},
        program::run_program,
        report::Report,
        uniformity::uniformity,
    };

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name that Python modules give it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
