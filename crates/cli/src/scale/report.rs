//! A report on a set of any size: values, intervals of those that are estimated, and what it took.

use std::path::PathBuf;

use unisphere::{Engine, Precision, Scaling, Storage, Uniformity, unordered_pairs};
use unisphere_scale::{Cost, Found, Interval, Shape};

/// The name of both sets, between which pairs run.
pub(super) const ACROSS: &str = "xy";

/// The numbers, and the circumstances.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) files: Vec<(&'static str, PathBuf)>,
    /// How many files each of them names; empty where none was opened.
    pub(super) file_counts: Vec<usize>,
    pub(super) shape: Shape,
    pub(super) scaling: Scaling,
    pub(super) device: Device,
    pub(super) alignment: Option<Alignment>,
    pub(super) uniformity: Vec<Row>,
    /// None of an estimate.
    pub(super) exact: Option<Exact>,
    /// Seconds from the first to the last, reading included.
    pub(super) seconds: Option<f64>,
}

/// Who computed.
#[derive(Clone, Debug)]
pub(super) enum Device {
    /// One device of this machine.
    Here { device: unisphere::Device, precision: Precision, storage: Storage },
    /// Devices of one class, on any machines.
    Class(String),
}

impl Device {
    pub(super) fn of(engine: &Engine) -> Self {
        let (precision, storage) = (engine.precision(), engine.storage());
        Self::Here { device: engine.device().clone(), precision, storage }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Alignment {
    pub(super) alpha: f64,
    pub(super) value: f64,
    pub(super) pairs: u64,
}

/// Uniformity of a set at one t.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) set: &'static str,
    pub(super) t: f64,
    pub(super) value: f64,
    /// Pairs of the set.
    pub(super) pairs: u64,
    /// The uniformity of the uniform distribution; NaN where there is none.
    pub(super) floor: f64,
    /// How it was estimated; None of a value that was computed in pieces.
    pub(super) interval: Option<Interval>,
}

/// What exact values took.
#[derive(Clone, Debug)]
pub(super) struct Exact {
    pub(super) panel_rows: usize,
    pub(super) cost: Cost,
    pub(super) bytes_read: f64,
    /// Bytes of memory that points and results take.
    pub(super) memory: Option<u64>,
    pub(super) journal: Option<PathBuf>,
    pub(super) parts: Option<usize>,
}

/// Rows of the values of all pairs.
pub(super) fn rows(found: &Found, ts: &[f64], shape: Shape, scaling: Scaling) -> Vec<Row> {
    let sets = [("x", Some(&found.x), Some(shape.x_rows)), ("y", found.y.as_ref(), shape.y_rows)];
    let mut rows = Vec::new();
    for (set, values, count) in sets {
        if let (Some(values), Some(count)) = (values, count) {
            rows.extend(ts.iter().zip(values).map(|(&t, &value)| row(set, t, value, count, shape, scaling)));
        }
    }
    let across = found.across.as_deref().unwrap_or_default();
    rows.extend(ts.iter().zip(across).map(|(&t, &value)| row_across(t, value, shape, scaling)));
    rows
}

/// Cross uniformity at one t.
pub(super) fn row_across(t: f64, value: f64, shape: Shape, scaling: Scaling) -> Row {
    let pairs = shape.x_rows as u64 * shape.y_rows.unwrap_or(0) as u64;
    Row { pairs, ..row(ACROSS, t, value, shape.x_rows, shape, scaling) }
}

pub(super) fn row(set: &'static str, t: f64, value: f64, rows: usize, shape: Shape, scaling: Scaling) -> Row {
    let floor = if scaling == Scaling::Unit { Uniformity::new(t).floor(shape.dims) } else { f64::NAN };
    Row { set, t, value, pairs: unordered_pairs(rows), floor, interval: None }
}
