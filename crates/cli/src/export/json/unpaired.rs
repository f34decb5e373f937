//! The report on two sets that are not paired, of the form in schema/unpaired.json.

use serde_json::{Value, json};
use unisphere::Scaling;
use unisphere_eval::{
    sections::ClosePair,
    unpaired::{NearAcross, PermutationTest, PositivesByLabel, UnpairedRow},
};

use super::{
    super::{UnpairedDocument, rounding},
    absent::{self, maybe, number},
    retrieval,
};
use crate::json as common;

/// The object.
pub(in crate::export) fn unpaired(document: &UnpairedDocument) -> Value {
    let UnpairedDocument { report, files, read } = document;
    let files = files.iter().map(|(role, file)| ((*role).to_owned(), file.clone().into()));
    let mut object = json!({
        "unisphere": common::VERSION,
        "files": Value::Object(files.collect()),
        "device": common::device(&report.device),
        "precision": report.precision.to_string(),
        "storage": report.storage.to_string(),
        "rows": of_sets(report.rows.map(Value::from)),
        "dims": report.dims,
        "normalized": report.scaling == Scaling::Unit,
        "values": report.values.iter().map(values).collect::<Value>(),
    });
    if read.as_object().is_some_and(|given| !given.is_empty()) {
        object["read"] = read.clone();
    }
    if let Some(moved) = rounding::object(&report.moved_by_rounding()) {
        object["rounding"] = moved;
    }
    if let Some(of) = &report.positives {
        object["positives"] = positives(of);
    }
    if let Some(of) = &report.test {
        object["test"] = test(of);
    }
    if let Some(of) = &report.near {
        object["near"] = near(of);
    }
    absent::settle(&mut object);
    object["seconds"] = report.seconds.into();
    object
}

fn of_sets([x, y]: [Value; 2]) -> Value {
    json!({"x": x, "y": y})
}

fn values(row: &UnpairedRow) -> Value {
    let [x, y] = row.within;
    json!({
        "t": number(row.t),
        "x": number(x),
        "y": number(y),
        "cross": number(row.cross),
        "pooled": number(row.pooled),
        "squared_mmd": number(row.squared_mmd),
        "floor": maybe(row.floor),
    })
}

fn positives(of: &PositivesByLabel) -> Value {
    let [x_to_y, y_to_x] = of.ways.each_ref().map(retrieval::way);
    let [in_y, in_x] = of.candidates;
    json!({
        "pairs": of.pairs,
        "alignment": {"value": number(of.alignment), "alpha": number(of.metric.alpha)},
        "retrieval": {"candidates": {"x_to_y": in_y, "y_to_x": in_x}, "x_to_y": x_to_y, "y_to_x": y_to_x},
        "modality_gap": retrieval::modality_gap(&of.modality_gap),
    })
}

fn test(test: &PermutationTest) -> Value {
    json!({
        "t": number(test.t),
        "rows": of_sets(test.rows.map(Value::from)),
        "group": test.group,
        "squared_mmd": number(test.squared_mmd),
        "permutations": test.permutations,
        "p_value": number(test.p_value),
    })
}

fn near(near: &NearAcross) -> Value {
    let pair = |pair: &ClosePair| json!([pair.i, pair.j, number(pair.distance)]);
    json!({
        "distance": number(near.distance),
        "count": near.count,
        "pairs": near.pairs.iter().map(pair).collect::<Value>(),
    })
}
