//! Retrieval and the modality gap in JSON.

use serde_json::{Value, json};
use unisphere::ModalityGap;
use unisphere_eval::{
    Maybe,
    sections::{Recall, RetrievalTable, RetrievalWay},
};

use super::absent::{absent, number};

pub(super) fn retrieval(table: &Maybe<RetrievalTable>) -> Value {
    let table = match table {
        Ok(table) => table,
        Err(reason) => return absent(reason.reason()),
    };
    let [x_to_y, y_to_x] = table.ways.each_ref().map(way);
    json!({"candidates": table.candidates, "x_to_y": x_to_y, "y_to_x": y_to_x})
}

pub(super) fn way(way: &RetrievalWay) -> Value {
    let recall = |of: &Recall| {
        json!({
            "k": of.k,
            "value": number(of.value),
            "least": number(of.least),
            "greatest": number(of.greatest),
        })
    };
    json!({
        "recall": way.recalls.iter().map(recall).collect::<Value>(),
        "mean_rank": number(way.mean_rank),
        "median_rank": number(way.median_rank),
        "mean_reciprocal_rank": number(way.mean_reciprocal_rank),
        "tied": way.tied,
    })
}

pub(super) fn modality_gap(gap: &ModalityGap) -> Value {
    json!({"distance": number(gap.distance), "separation": number(gap.separation)})
}
