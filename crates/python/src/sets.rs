//! One set or two on a device, for the time of a measurement.

use pyo3::prelude::*;
use unisphere::{Engine, Points, Scaling};

use crate::{call::Course, fault::Fault, rows::Rows};

pub(crate) fn scaling(raw: bool) -> Scaling {
    if raw { Scaling::Raw } else { Scaling::Unit }
}

/// Multiply-adds of all pairs of one set, or of two, of which gradients take three times as many.
pub(crate) fn course(x: &Rows, y: Option<&Rows>, grad: bool, progress: Option<Py<PyAny>>) -> Course {
    let others = y.map_or(0, |y| y.shape().0) + x.shape().0;
    Course { work: x.work(others) * if grad { 3.0 } else { 1.0 }, progress }
}

/// Uploads x, and y where there is one, and measures them. An error that tells of a set and not which names the argument.
pub(crate) fn measured<T>(
    engine: &Engine,
    x: &Rows,
    y: Option<&Rows>,
    raw: bool,
    measure: impl FnOnce(&Points, Option<&Points>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let x = x.upload(engine, "x", scaling(raw))?;
    let y = y.map(|y| y.upload(engine, "y", scaling(raw))).transpose()?;
    measure(&x, y.as_ref()).map_err(|fault| named(fault, &x, y.as_ref()))
}

/// The same of two sets.
pub(crate) fn paired<T>(
    engine: &Engine,
    (x, y): (&Rows, &Rows),
    raw: bool,
    measure: impl FnOnce(&Points, &Points) -> Result<T, Fault>,
) -> Result<T, Fault> {
    measured(engine, x, Some(y), raw, |x, y| measure(x, y.unwrap_or(x)))
}

/// Names the argument of an error that tells of a set and not which.
pub(crate) fn named(fault: Fault, x: &Points, y: Option<&Points>) -> Fault {
    use unisphere::Error::{Mismatch, TooFewRows};
    let Fault::Engine("", error) = fault else { return fault };
    let name = match (&error, y) {
        (TooFewRows { rows, .. }, _) if x.rows() == *rows => "x",
        (TooFewRows { rows, .. }, Some(y)) if y.rows() == *rows => "y",
        (Mismatch { .. }, Some(_)) => "x and y",
        _ => "",
    };
    Fault::Engine(name, error)
}
