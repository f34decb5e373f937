//! The report as one JSON object on one line, of the form in schema/scale.json.

use serde_json::{Map, Value, json};
use unisphere::{Contrastive, Estimate, Scaling};
use unisphere_scale::Interval;

use super::{
    NamedSets,
    report::{Device, Exact, Report, Row},
};
use crate::{export::settle, json as common};

pub(super) fn export(report: &Report) -> String {
    let mut object = head(&report.task.sets, &report.file_counts, &report.device);
    let mut put = |key: &str, value: Value| object.insert(key.into(), value);
    put("rows", report.shape.x_rows.into());
    put("dims", report.shape.dims.into());
    put("normalized", (report.task.sets.scaling == Scaling::Unit).into());
    if let Some(value) = report.alignment {
        let (alpha, pairs) = (report.task.alpha, report.shape.x_rows);
        let mut object = json!({"alpha": alpha, "value": value, "pairs": pairs});
        put_error(&mut object, report.alignment_of_sample);
        put("alignment", object);
    }
    put("uniformity", report.uniformity.iter().map(row).collect());
    if !report.contrastive.is_empty() {
        put("contrastive", contrastive(report));
    }
    for (key, section) in report.analysis.sections().to_json() {
        put(key, section);
    }
    if !report.contrastive_intervals.is_empty() {
        put("contrastive_estimates", contrastive_estimates(report));
    }
    if let Some(of) = &report.exact {
        put("work", work(of));
    }
    if let Some(seconds) = report.seconds {
        put("seconds", seconds.into());
    }
    let mut object = Value::Object(object);
    settle(&mut object);
    format!("{object}\n")
}

/// What was read, and who computed.
pub(super) fn head(sets: &NamedSets, file_counts: &[usize], device: &Device) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.into(), value);
    put("unisphere", common::VERSION.into());
    for (role, set) in sets.files() {
        put(role, set.path().to_string_lossy().into());
    }
    let read = sets.reading.to_json();
    if read.as_object().is_some_and(|given| !given.is_empty()) {
        put("read", read);
    }
    if file_counts.iter().any(|&files| files > 1) {
        put("files", file_counts.into());
    }
    match device {
        Device::Class(class) => {
            put("device_class", class.clone().into());
        }
        Device::Here { devices, precision, storage, .. } => {
            match devices.as_slice() {
                [device] => put("device", common::device(device)),
                several => put("devices", several.iter().map(common::device).collect()),
            };
            put("precision", precision.to_string().into());
            put("storage", storage.to_string().into());
        }
    }
    object
}

fn contrastive(report: &Report) -> Value {
    let metric = |&tau| Contrastive { tau, candidates: report.task.candidates };
    let values = report.task.taus.iter().map(metric).zip(&report.contrastive);
    let anchors = |metric: Contrastive| metric.anchors(report.shape.x_rows);
    values.map(|(metric, value)| common::contrastive(metric, anchors(metric), value)).collect()
}

fn contrastive_estimates(report: &Report) -> Value {
    let (candidates, rows) = (report.task.candidates, report.shape.x_rows);
    let of_tau = |(&tau, of): (&f64, &Interval)| {
        let anchors = Contrastive { tau, candidates }.anchors(rows);
        json!({"tau": tau, "candidates": candidates.to_string(), "anchors": anchors, "loss": of.value, "estimate": interval(of)})
    };
    report.task.taus.iter().zip(&report.contrastive_intervals).map(of_tau).collect()
}

fn row(row: &Row) -> Value {
    let mut object = json!({"set": row.set, "t": row.t, "value": finite(row.value), "pairs": row.pairs});
    if !row.floor.is_nan() {
        object["floor"] = row.floor.into();
    }
    if let Some(value) = row.squared_mmd {
        object["squared_mmd"] = finite(value);
    }
    if let Some(of) = row.squared_mmd_interval {
        object["squared_mmd_estimate"] = interval(&of);
    }
    put_error(&mut object, row.of_sample);
    if let Some(of) = row.interval {
        object["estimate"] = interval(&of);
    }
    object
}

/// The standard error of a value as one of a sample of rows, and its 95 % interval; nothing of too few rows.
fn put_error(object: &mut Value, of_sample: Option<Estimate>) {
    if let Some(of) = of_sample.filter(|of| of.standard_error.is_finite()) {
        object["standard_error"] = of.standard_error.into();
        object["low"] = of.low.into();
        object["high"] = of.high.into();
    }
}

fn interval(of: &Interval) -> Value {
    let mut object = json!({
        "method": of.method.name(),
        "proven": of.method.is_proven(),
        "low": finite(of.low),
        "high": finite(of.high),
        "confidence": of.confidence,
        "tolerance": of.tolerance,
        "reached": of.meets_tolerance(),
        "seed": of.seed,
        "panel_rows": of.panel_rows,
        "blocks": of.blocks,
        "pairs": of.pairs,
        "share": of.share,
    });
    if let Some(error) = of.row_error {
        object["row_error"] = error.into();
    }
    object
}

/// A number, or null for a log of 0: the value of a sum that is too small for an estimate to see.
fn finite(value: f64) -> Value {
    if value.is_finite() { value.into() } else { Value::Null }
}

fn work(of: &Exact) -> Value {
    let mut object = json!({
        "panel_rows": of.panel_rows,
        "blocks": of.cost.blocks,
        "blocks_recovered": of.cost.blocks_recovered,
        "pairs_computed": of.cost.pairs_computed,
        "bytes_discarded": of.cost.bytes_discarded,
    });
    match of.parts {
        Some(parts) => object["parts"] = parts.into(),
        None => {
            object["rows_read"] = of.cost.rows_read.into();
            object["bytes_read"] = (of.bytes_read as u64).into();
        }
    }
    if let Some(memory) = of.memory {
        object["memory"] = memory.into();
    }
    if let Some(memory) = of.device_memory {
        object["device_memory"] = memory.into();
    }
    if let Some(journal) = &of.journal {
        object["journal"] = journal.to_string_lossy().into();
    }
    object
}
