//! One set or two on a device, for the time of a measurement.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use unisphere::{DeviceKind, Engine, Points, Scaling};

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
    let is_on_cpu = engine.device().kind == DeviceKind::Cpu;
    let upload = |rows: &Rows, name| {
        let spare = if is_on_cpu { SPARE.take(rows.shape()) } else { None };
        rows.upload(engine, name, scaling(raw), spare)
    };
    let x = upload(x, "x")?;
    let y = y.map(|y| upload(y, "y")).transpose()?;
    let measured = measure(&x, y.as_ref()).map_err(|fault| named(fault, &x, y.as_ref()));
    if is_on_cpu {
        [x].into_iter().chain(y).for_each(|points| SPARE.keep(points));
    }
    measured
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

/// Points of the CPU that calls leave behind for the next of the same shape: in a training loop, fresh pages of memory would take as
/// long as a part of the work.
static SPARE: Spare = Spare(Mutex::new(Vec::new()));

struct Spare(Mutex<Vec<Points>>);

impl Spare {
    /// Most values of points that are kept: those of a batch.
    const MAX_VALUES: usize = 1 << 20;
    /// Most points that are kept: two sets of two threads.
    const MAX_COUNT: usize = 4;

    fn take(&self, shape: (usize, usize)) -> Option<Points> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|points| (points.rows(), points.dims()) == shape)?;
        Some(kept.remove(place))
    }

    /// Keeps points, and drops the first that were kept where these are one too many.
    fn keep(&self, points: Points) {
        if points.rows() * points.dims() > Self::MAX_VALUES {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == Self::MAX_COUNT {
            kept.remove(0);
        }
        kept.push(points);
    }
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
