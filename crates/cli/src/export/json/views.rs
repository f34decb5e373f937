//! The report on several views, of the form in schema/views.json.

use serde_json::{Value, json};
use unisphere::Scaling;
use unisphere_eval::{
    Measured,
    views::{PairAlignment, ViewsAlignment, ViewsUniformity},
};

use super::{
    super::{ViewsDocument, rounding},
    absent::{self, maybe, number},
    metrics::put_error,
};
use crate::json as common;

/// The object.
pub(in crate::export) fn views(document: &ViewsDocument) -> Value {
    let ViewsDocument { report, files, read } = document;
    let mut object = json!({
        "unisphere": common::VERSION,
        "files": files,
        "device": common::device(&report.device),
        "precision": report.precision.to_string(),
        "storage": report.storage.to_string(),
        "views": report.views,
        "rows": report.rows,
        "dims": report.dims,
        "normalized": report.scaling == Scaling::Unit,
        "alignment": alignment(&report.alignment),
        "uniformity": report.uniformity.iter().map(uniformity).collect::<Value>(),
    });
    if read.as_object().is_some_and(|given| !given.is_empty()) {
        object["read"] = read.clone();
    }
    if let Some(moved) = rounding::object(&report.moved_by_rounding()) {
        object["rounding"] = moved;
    }
    absent::settle(&mut object);
    object["seconds"] = report.seconds.into();
    object
}

fn measured(measured: &Measured) -> Value {
    let mut object = json!({"value": number(measured.value)});
    put_error(&mut object, measured);
    object
}

fn alignment(alignment: &ViewsAlignment) -> Value {
    let pair = |pair: &PairAlignment| {
        let mut object = measured(&pair.measured);
        object["views"] = json!(pair.views);
        object
    };
    json!({
        "alpha": number(alignment.metric.alpha),
        "mean": measured(&alignment.mean),
        "pairs": alignment.pairs.iter().map(pair).collect::<Value>(),
    })
}

fn uniformity(row: &ViewsUniformity) -> Value {
    json!({
        "t": number(row.t),
        "views": row.views.iter().map(measured).collect::<Value>(),
        "mean": number(row.mean),
        "floor": maybe(row.floor),
        "loss": number(row.loss),
    })
}
