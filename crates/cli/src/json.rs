//! Parts that all JSON objects of the program have.

use serde_json::{Value, json};
use unisphere::Device;

/// The version of the program, which is the version of the object's form.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn device(device: &Device) -> Value {
    let mut object = json!({"kind": device.kind.to_string(), "name": device.name});
    if device.software {
        object["software"] = true.into();
    }
    object
}
