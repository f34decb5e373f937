//! A report on a set of any size: values, intervals of those that are estimated, and what it took.

use std::path::PathBuf;

use unisphere::{
    Alignment, ContrastiveValue, Engine, Estimate, Potentials, Precision, Scaling, Storage, Uniformity,
    unordered_pairs,
};
use unisphere_eval::{Moved, MovedValue, Rounding, SetName};
use unisphere_scale::{Cost, Found, Interval, Shape};

use super::{
    Task,
    analysis::{Analysis, Listing},
};
use crate::exit::Failure;

/// The name of both sets, between which pairs run.
pub(super) const ACROSS: &str = "xy";

/// The numbers, and the circumstances.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) task: Task,
    /// How many files x and y have; empty where none was opened.
    pub(super) file_counts: Vec<usize>,
    /// Files of one value a row under their roles.
    pub(super) columns: Vec<(&'static str, String)>,
    pub(super) shape: Shape,
    /// What rounding has taken of raw points, where that is known.
    pub(super) rounding: Option<Rounding>,
    pub(super) device: Device,
    /// Over the rows as pairs.
    pub(super) alignment: Option<f64>,
    /// The same as one of a sample of pairs, where their distances are known.
    pub(super) alignment_of_sample: Option<Estimate>,
    pub(super) uniformity: Vec<Row>,
    /// At every temperature that was asked for.
    pub(super) contrastive: Vec<ContrastiveValue>,
    /// The same where it was estimated.
    pub(super) contrastive_intervals: Vec<Interval>,
    pub(super) analysis: Analysis,
    /// None of an estimate.
    pub(super) exact: Option<Exact>,
    /// Seconds from the first to the last, reading included.
    pub(super) seconds: Option<f64>,
}

/// Who computed.
#[derive(Clone, Debug)]
pub(super) enum Device {
    /// Devices of this machine, at least one.
    Here {
        devices: Vec<unisphere::Device>,
        precision: Precision,
        /// The precisions of the products that the first device made.
        used: Vec<Precision>,
        storage: Storage,
    },
    /// Devices of one class, on any machines.
    Class(String),
}

impl Device {
    pub(super) fn of(engines: &[Engine]) -> Self {
        let (precision, storage) =
            engines.first().map_or_else(Default::default, |engine| (engine.precision(), engine.storage()));
        let devices = engines.iter().map(|engine| engine.device().clone()).collect();
        let used = engines.first().map_or_else(Vec::new, Engine::precisions_used);
        Self::Here { devices, precision, used, storage }
    }
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
    /// The squared discrepancy, where this is across both sets; NaN where both have collapsed.
    pub(super) squared_mmd: Option<f64>,
    /// How that was estimated; None of a value that was computed in pieces.
    pub(super) squared_mmd_interval: Option<Interval>,
    /// The value as one of a sample of rows, where their potentials are known.
    pub(super) of_sample: Option<Estimate>,
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
    /// Bytes of memory that points take on each GPU, where there is one.
    pub(super) device_memory: Option<u64>,
    pub(super) journal: Option<PathBuf>,
    pub(super) parts: Option<usize>,
}

impl Report {
    /// Whether values have a standard error from what is known of every row.
    pub(super) fn has_errors_of_rows(&self) -> bool {
        self.uniformity.iter().any(|row| row.of_sample.is_some())
    }

    /// The report of the values of all pairs, without the circumstances. It writes the file of rows, where one is asked for.
    pub(super) fn of_all_pairs(
        task: Task,
        shape: Shape,
        device: Device,
        found: Found,
        listing: &Listing,
    ) -> Result<Self, Failure> {
        Ok(Self {
            file_counts: Vec::new(),
            columns: Vec::new(),
            rounding: None,
            shape,
            device,
            alignment: found.alignment,
            alignment_of_sample: alignment_of_sample(&found, &task),
            uniformity: rows(&found, &task, shape),
            analysis: Analysis::of(&found, &task, shape, listing)?,
            contrastive: found.contrastive.unwrap_or_default(),
            contrastive_intervals: Vec::new(),
            task,
            exact: None,
            seconds: None,
        })
    }
}

impl Row {
    pub(super) fn new(task: &Task, shape: Shape, set: &'static str, t: f64, value: f64) -> Self {
        let pairs = match set {
            ACROSS => shape.x_rows as u64 * shape.y_rows.unwrap_or(0) as u64,
            _ => unordered_pairs(shape.x_rows),
        };
        let has_floor = task.sets.scaling == Scaling::Unit;
        let floor = if has_floor { Uniformity::new(t).floor(shape.dims) } else { f64::NAN };
        Self {
            set,
            t,
            value,
            pairs,
            floor,
            squared_mmd: None,
            squared_mmd_interval: None,
            of_sample: None,
            interval: None,
        }
    }
}

impl Report {
    /// Widens all intervals, of estimates and of what took their place, by what rounding may have moved their values, so that they hold
    /// those of the points as the files have them.
    pub(super) fn widen(&mut self) {
        let Some(rounding) = self.rounding else { return };
        let value =
            |set, t| self.uniformity.iter().find(|row| row.set == set && row.t == t).map(|row| row.value);
        let of_row = |row: &Row| {
            let metric = Uniformity::new(row.t);
            let by = match [SetName::X, SetName::Y].into_iter().find(|name| name.as_str() == row.set) {
                Some(set) => rounding.of_uniformity(set, metric, row.value),
                None => rounding.of_cross_uniformity(metric, row.value),
            };
            let of_sets = value("x", row.t).zip(value("y", row.t));
            let of_mmd = of_sets.map(|(x, y)| rounding.of_squared_mmd(metric, [x, y, row.value]));
            (Moved::told(MovedValue::AnyUniformity, by, row.value), of_mmd)
        };
        let moved: Vec<_> = self.uniformity.iter().map(of_row).collect();
        for (row, (uniformity, squared_mmd)) in self.uniformity.iter_mut().zip(moved) {
            widen(row.interval.as_mut(), uniformity);
            let told = |by| Moved::told(MovedValue::SquaredMmd, by, row.squared_mmd.unwrap_or(0.0));
            widen(row.squared_mmd_interval.as_mut(), squared_mmd.and_then(told));
        }
        for (tau, interval) in self.task.taus.iter().zip(&mut self.contrastive_intervals) {
            let moved = Moved::told(MovedValue::Contrastive, rounding.of_softmax(*tau), interval.value);
            widen(Some(interval), moved);
        }
    }
}

fn widen(interval: Option<&mut Interval>, moved: Option<Moved>) {
    if let (Some(interval), Some(Moved { by, .. })) = (interval, moved) {
        *interval = interval.widened(by);
    }
}

/// Rows of the values of all pairs.
fn rows(found: &Found, task: &Task, shape: Shape) -> Vec<Row> {
    let sets = [("x", Some(&found.x)), ("y", found.y.as_ref()), (ACROSS, found.across.as_ref())];
    let of_set = |(set, values): (&'static str, Option<&Vec<f64>>)| {
        let values = values.map_or(&[][..], Vec::as_slice);
        let row = |(&t, &value): (&f64, &f64)| Row::new(task, shape, set, t, value);
        task.ts.iter().zip(values).map(row).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = sets.into_iter().flat_map(of_set).collect();
    let across = rows.iter_mut().filter(|row| row.set == ACROSS);
    for (row, squared_mmd) in across.zip(found.squared_mmd.iter().flatten()) {
        row.squared_mmd = Some(squared_mmd.unwrap_or(f64::NAN));
    }
    if let Some(of) = &found.rows {
        for (set, potentials) in [("x", Some(&of.x)), ("y", of.y.as_ref())] {
            // Potentials are at the first t.
            if let Some(row) = rows.iter_mut().find(|row| row.set == set) {
                row.of_sample = potentials.map(Potentials::estimate);
            }
        }
    }
    rows
}

/// Alignment as one of a sample of pairs, where their distances are known.
fn alignment_of_sample(found: &Found, task: &Task) -> Option<Estimate> {
    let distances = found.rows.as_ref()?.distances.as_ref()?;
    Some(Alignment { alpha: task.alpha }.estimate(distances))
}

/// Rows of the estimates across both sets, with those of the squared discrepancy.
pub(super) fn estimated_across(
    found: Vec<Interval>,
    squared_mmds: Vec<Interval>,
    task: &Task,
    shape: Shape,
) -> Vec<Row> {
    let mut rows = estimated(found, task, shape, ACROSS);
    for (row, interval) in rows.iter_mut().zip(squared_mmds) {
        (row.squared_mmd, row.squared_mmd_interval) = (Some(interval.value), Some(interval));
    }
    rows
}

/// Rows of the estimates of a set.
pub(super) fn estimated(found: Vec<Interval>, task: &Task, shape: Shape, set: &'static str) -> Vec<Row> {
    let row = |(&t, interval): (&f64, Interval)| Row {
        interval: Some(interval),
        ..Row::new(task, shape, set, t, interval.value)
    };
    task.ts.iter().zip(found).map(row).collect()
}
