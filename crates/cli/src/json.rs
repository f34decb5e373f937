//! Parts that all JSON objects of the program have.

use serde_json::{Value, json};
use unisphere::{Contrastive, ContrastiveValue, Device};

/// The version of the program, which is the version of the object's form.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The program with its version, as pages name it.
pub(crate) const PROGRAM: &str = concat!("unisphere ", env!("CARGO_PKG_VERSION"));

/// The contrastive loss of so many anchors.
pub(crate) fn contrastive(metric: Contrastive, anchors: u64, value: &ContrastiveValue) -> Value {
    // Zero has one sign.
    json!({
        "tau": metric.tau,
        "candidates": metric.candidates.to_string(),
        "anchors": anchors,
        "negatives": value.negatives,
        "loss": value.loss + 0.0,
        "normalized": value.normalized + 0.0,
        "alignment": value.alignment + 0.0,
        "uniformity": value.uniformity + 0.0,
        "residual": value.residual + 0.0,
    })
}

pub(crate) fn device(device: &Device) -> Value {
    let mut object = json!({"kind": device.kind.to_string(), "name": device.name});
    if device.software {
        object["software"] = true.into();
    }
    object
}
