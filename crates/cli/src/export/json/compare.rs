//! The comparison of models as one JSON object on one line, of the form in schema/compare.json.

use serde_json::{Map, Value, json};
use unisphere::Scaling;
use unisphere_eval::{
    Maybe,
    compare::{BASELINE, Change, Correlation, Difference, OfMetric, PairedDifference, ScoreCorrelation},
};

use super::{
    super::{ComparedModel, ComparisonDocument, FailedModel, rounding},
    absent::{absent, maybe, number, settle},
    metrics::put_error,
    of_roles,
};
use crate::json as common;

/// The object.
pub(in crate::export) fn comparison(document: &ComparisonDocument) -> Value {
    let ComparisonDocument { plan, models, comparison, bootstrap, .. } = document;
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.into(), value);
    put("unisphere", common::VERSION.into());
    put("device", common::device(&document.device));
    if document.read.as_object().is_some_and(|given| !given.is_empty()) {
        put("read", document.read.clone());
    }
    put("normalized", (plan.scaling == Scaling::Unit).into());
    put("t", number(plan.uniformity.t));
    put("alpha", number(plan.alignment.alpha));
    put("baseline", document.baseline.clone().into());
    put(
        "models",
        models.iter().zip(&comparison.differences).map(|(of, found)| model(of, document, found)).collect(),
    );
    put("failed", document.failed.iter().map(failed).collect());
    put("correlations", comparison.correlations.iter().map(correlations).collect());
    put("trajectory", comparison.trajectory.iter().map(|of| change(of, document)).collect());
    if !comparison.correlations.is_empty() {
        put("bootstrap", json!({"resamples": bootstrap.resamples, "seed": bootstrap.seed}));
    }
    let mut object = Value::Object(object);
    settle(&mut object);
    object
}

fn model(of: &ComparedModel, document: &ComparisonDocument, differences: &[OfMetric<Difference>]) -> Value {
    let ComparedModel { model, place, .. } = of;
    let mut object = json!({"name": of.name, "files": of_roles(&of.files)});
    for (key, value) in [("step", place.step), ("score", place.score)] {
        if let Some(value) = value {
            object[key] = number(value);
        }
    }
    if let Some(fingerprint) = &of.fingerprint {
        object["fingerprint"] = fingerprint.clone().into();
    }
    object["rows"] = model.rows.into();
    object["dims"] = model.dims.into();
    if let Some(alignment) = &model.alignment {
        object["alignment"] = json!({"value": number(alignment.value)});
        put_error(&mut object["alignment"], alignment);
    }
    let mut uniformity = json!({"value": number(model.uniformity.value)});
    put_error(&mut uniformity, &model.uniformity);
    if let Some([x, y]) = &model.of_sets {
        uniformity["x"] = number(x.value);
        uniformity["y"] = number(y.value);
    }
    uniformity["floor"] = maybe(model.floor);
    uniformity["gap"] = maybe(model.gap);
    object["uniformity"] = uniformity;
    if !of.skipped.is_empty() {
        object["skipped"] = of.skipped.clone().into();
    }
    if let Some(moved) = rounding::object(&document.moved_by_rounding(of)) {
        object["rounding"] = moved;
    }
    object["difference"] = if of.name == document.baseline {
        absent(BASELINE.reason())
    } else if document.has_baseline() {
        of_metrics(differences, |of_metric, found| {
            let mut object = paired(&found.paired);
            object["p_holm"] = number(found.p_holm);
            with_rounding(object, document.rounding_beyond_difference(of, of_metric))
        })
    } else {
        absent("the baseline could not be measured")
    };
    object["cached"] = of.cached.into();
    object["seconds"] = of.seconds.into();
    object
}

/// A difference, with what rounding may have moved it by where that is more.
fn with_rounding(mut object: Value, by: Option<f64>) -> Value {
    if let Some(by) = by {
        object["rounding"] = by.into();
    }
    object
}

fn of_metrics<T>(found: &[OfMetric<T>], value: impl Fn(&OfMetric<T>, &T) -> Value) -> Value {
    let entry = |of: &OfMetric<T>| {
        let value = of.found.as_ref().map_or_else(|reason| absent(reason.reason()), |found| value(of, found));
        (of.metric.name().to_owned(), value)
    };
    Value::Object(found.iter().map(entry).collect())
}

fn paired(found: &PairedDifference) -> Value {
    json!({
        "value": number(found.value),
        "standard_error": number(found.standard_error),
        "low": number(found.low),
        "high": number(found.high),
        "p_value": number(found.p_value),
    })
}

fn failed(of: &FailedModel) -> Value {
    json!({"name": of.name, "files": of_roles(&of.files), "reason": of.reason})
}

fn correlations(of: &ScoreCorrelation) -> Value {
    let found = &of.with_score;
    json!({
        "metric": of.metric.name(),
        "models": found.pairs,
        "spearman": correlation(found.spearman),
        "kendall": correlation(found.kendall),
    })
}

fn correlation(found: Maybe<Correlation>) -> Value {
    match found {
        Err(reason) => absent(reason.reason()),
        Ok(found) => {
            json!({"value": number(found.value), "low": maybe(found.low), "high": maybe(found.high)})
        }
    }
}

fn change(of: &Change, document: &ComparisonDocument) -> Value {
    let name = |place: usize| document.models.get(place).map_or(Value::Null, |of| of.name.clone().into());
    let mut object = json!({"name": name(of.model)});
    if let Some(step) = document.models.get(of.model).and_then(|of| of.place.step) {
        object["step"] = number(step);
    }
    if let Some(previous) = of.previous {
        object["previous"] = name(previous);
        object["change"] = of_metrics(&of.changes, |of_metric, found| {
            with_rounding(paired(found), document.rounding_beyond_change(of, of_metric))
        });
    }
    object
}
