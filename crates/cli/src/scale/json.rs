//! Parts that the JSON of sets of any size has beside those of sets in memory, in schema/eval.json, and that of gradients.

use serde_json::{Map, Value, json};

use super::{
    NamedSets,
    report::{Device, Exact},
};
use crate::{export::of_roles, json as common};

/// What a gradient was read from, and who computed it.
pub(super) fn head(sets: &NamedSets, file_counts: &[usize], device: &Device) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.into(), value);
    put("unisphere", common::VERSION.into());
    put("files", of_roles(&sets.files_told().collect::<Vec<_>>()));
    let read = sets.reading.to_json();
    if read.as_object().is_some_and(|given| !given.is_empty()) {
        put("read", read);
    }
    let counts = sets.counted(file_counts);
    if !counts.is_empty() {
        put("file_counts", of_roles(&counts));
    }
    if let Device::Here { devices, precision, storage, .. } = device {
        put("device", devices.first().map_or(Value::Null, common::device));
        put("precision", precision.to_string().into());
        put("storage", storage.to_string().into());
    }
    object
}

/// What values of all pairs took.
pub(super) fn work(of: &Exact) -> Value {
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
