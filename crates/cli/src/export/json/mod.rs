//! The report as one JSON object on one line, of the form in schema/eval.json.

mod absent;
pub(super) mod analysis;
mod compare;
mod metrics;
mod retrieval;
mod unpaired;
mod views;

use serde_json::{Map, Value, json};
use unisphere::{Precision, Scaling};
use unisphere_eval::Report;

use super::{Checkpoint, ComparisonDocument, Document, Exporter, UnpairedDocument, ViewsDocument, rounding};
use crate::json as common;
use absent::settle;

pub(super) use compare::comparison;
pub(super) use unpaired::unpaired;
pub(super) use views::views;

/// The exporter.
pub(crate) struct Json;

impl Exporter<UnpairedDocument> for Json {
    fn export(&self, document: &UnpairedDocument) -> String {
        format!("{}\n", unpaired(document))
    }
}

impl Exporter<ViewsDocument> for Json {
    fn export(&self, document: &ViewsDocument) -> String {
        format!("{}\n", views(document))
    }
}

impl Exporter<ComparisonDocument> for Json {
    fn export(&self, document: &ComparisonDocument) -> String {
        format!("{}\n", comparison(document))
    }
}

impl Exporter<Checkpoint<'_>> for Json {
    fn export(&self, of: &Checkpoint<'_>) -> String {
        format!("{}\n", comparison(of.document)["models"][0])
    }
}

impl Exporter<Document> for Json {
    fn export(&self, document: &Document) -> String {
        format!("{}\n", evaluation(document))
    }
}

/// The object of a report on sets or pairs.
pub(super) fn evaluation(document: &Document) -> Value {
    let Document { report, skipped, .. } = document;
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.into(), value);
    put("unisphere", common::VERSION.into());
    put("files", of_roles(&document.files));
    if document.read.as_object().is_some_and(|given| !given.is_empty()) {
        put("read", document.read.clone());
    }
    circumstances(document, &mut put);
    put("rows", report.rows.into());
    put("dims", report.dims.into());
    put("normalized", (report.scaling == Scaling::Unit).into());
    put("weights", report.weighed.name().into());
    if let Some(skipped) = skipped {
        put("skipped", json!({"rows": skipped.rows, "queue": skipped.queue}));
    }
    sections(document, put);
    let mut object = Value::Object(object);
    settle(&mut object);
    // Parts are computed at many times.
    if report.seconds.is_finite() {
        object["seconds"] = report.seconds.into();
    }
    object
}

/// Puts how many the files are, and who computed.
fn circumstances(document: &Document, mut put: impl FnMut(&str, Value) -> Option<Value>) {
    let Document { report, large, .. } = document;
    if let Some(large) = large.as_ref().filter(|large| !large.file_counts.is_empty()) {
        put("file_counts", of_roles(&large.file_counts));
    }
    if let Some(class) = large.as_ref().and_then(|large| large.device_class.clone()) {
        put("device_class", class.into());
        return;
    }
    put("device", common::device(&report.device));
    if let Some(large) = large.as_ref().filter(|large| large.devices.len() > 1) {
        put("devices", large.devices.iter().map(common::device).collect());
    }
    put("precision", report.precision.to_string().into());
    put("precisions_used", report.precisions_used.iter().map(Precision::to_string).collect());
    put("storage", report.storage.to_string().into());
}

/// An object with a key for each role.
pub(crate) fn of_roles<T: Clone + Into<Value>>(values: &[(&'static str, T)]) -> Value {
    Value::Object(values.iter().map(|(role, value)| ((*role).to_owned(), value.clone().into())).collect())
}

/// Puts each section that there is under its key.
fn sections(document: &Document, mut put: impl FnMut(&str, Value) -> Option<Value>) {
    let report: &Report = &document.report;
    put("protocol", report.protocol.as_ref().map_or_else(|| json!({"name": "none"}), metrics::protocol));
    let sections = [
        ("alignment", report.summary.alignment.as_ref().map(metrics::alignment)),
        ("uniformity", Some(metrics::uniformity(report))),
        ("rounding", rounding::object(&report.moved_by_rounding())),
        ("estimates", report.estimates.as_deref().map(metrics::estimates)),
        ("scores", report.scores.as_ref().map(metrics::scores)),
        ("sweep", report.sweep.as_ref().map(metrics::sweep)),
        ("contrastive", report.contrastive.as_ref().map(metrics::contrastive)),
        ("sigmoid", report.sigmoid.as_deref().map(metrics::sigmoid)),
        ("supcon", report.supcon.as_ref().map(metrics::supcon)),
        ("retrieval", report.retrieval.as_ref().map(retrieval::retrieval)),
        ("modality_gap", report.modality_gap.as_ref().map(retrieval::modality_gap)),
    ];
    for (key, section) in sections {
        section.map(|section| put(key, section));
    }
    for (key, section) in document.sections().to_json() {
        put(key, section);
    }
    if let Some(work) = document.large.as_ref().and_then(|large| large.work.clone()) {
        put("work", work);
    }
}
