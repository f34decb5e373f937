//! A report as one JSON object on one line, its keys in a fixed order.

use serde_json::{Map, Value, json};
use unisphere::{Device, Scaling};

use crate::report::Report;

/// The version of the program, which is the version of the object's form.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn eval(report: &Report) -> String {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.into(), value);
    put("unisphere", VERSION.into());
    put("device", device(&report.device));
    put("precision", report.precision.to_string().into());
    put("storage", report.storage.to_string().into());
    put("rows", report.rows.into());
    put("dims", report.dims.into());
    put("normalized", (report.scaling == Scaling::Unit).into());
    if let Some(paired) = &report.paired {
        put(
            "alignment",
            json!({"alpha": paired.metric.alpha, "value": paired.alignment, "pairs": report.rows}),
        );
    }
    put("uniformity", uniformity(report));
    put("seconds", report.computing.as_secs_f64().into());
    format!("{}\n", Value::Object(object))
}

fn uniformity(report: &Report) -> Value {
    let mut object = json!({
        "t": report.uniformity.t,
        "estimator": "U",
        "pairs": report.pairs(),
        "x": report.x.uniformity,
    });
    if let Some(paired) = &report.paired {
        object["y"] = paired.y.uniformity.into();
        object["mean"] = report.mean().into();
    }
    object["floor"] = report.floor().into();
    object
}

pub(crate) fn device(device: &Device) -> Value {
    let mut object = json!({"kind": device.kind.to_string(), "name": device.name});
    if device.software {
        object["software"] = true.into();
    }
    object
}
