//! Alignment, uniformity and losses in JSON.

use serde_json::{Value, json};
use unisphere::Contrastive;
use unisphere_eval::{
    Maybe, Measured, MinScore, Report,
    sections::{
        AlignmentSummary, Calibration, ContrastiveRow, ContrastiveTable, Estimated, ProtocolNumbers,
        Quantity, Scores, SigmoidRow, SupConTable, Sweep, SweepRow,
    },
};

use super::absent::{absent, maybe, number};
use crate::json as common;

pub(super) fn alignment(alignment: &AlignmentSummary) -> Value {
    let mut object = json!({
        "alpha": number(alignment.metric.alpha),
        "value": number(alignment.measured.value),
        "pairs": alignment.pairs,
    });
    put_error(&mut object, &alignment.measured);
    object
}

pub(super) fn uniformity(report: &Report) -> Value {
    let summary = &report.summary;
    let mut object = json!({
        "t": number(summary.metric.t),
        "estimator": summary.estimator.name(),
        "pairs": summary.pairs,
    });
    for set in &summary.sets {
        object[set.set.as_str()] = seen(set.measured.value);
    }
    if let Some(mean) = summary.mean {
        object["mean"] = seen(mean.value);
    }
    object["floor"] = maybe(summary.floor);
    object["least"] = maybe(summary.least);
    for set in &summary.sets {
        let mut of = calibration(set.calibration);
        put_error(&mut of, &set.measured);
        of["effective_dims"] = maybe(set.effective_dims);
        let quantity = Quantity::Uniformity(set.set);
        let mut estimates = report.estimates.iter().flatten();
        if let Some(found) = estimates.find(|of| of.quantity == quantity && of.parameter == summary.metric.t)
        {
            of["estimate"] = interval(found);
        }
        object[format!("of_{}", set.set)] = of;
    }
    if let Some(mean) = summary.mean {
        object["of_mean"] = calibration(mean);
    }
    object
}

/// Every value that was estimated.
pub(super) fn estimates(estimates: &[Estimated]) -> Value {
    let estimate = |of: &Estimated| {
        let (quantity, set) = match of.quantity {
            Quantity::Uniformity(set) => ("uniformity", set.as_str()),
            Quantity::CrossUniformity => ("cross_uniformity", "xy"),
            Quantity::SquaredMmd => ("squared_mmd", "xy"),
            _ => ("contrastive", "xy"),
        };
        let mut object = json!({"quantity": quantity, "set": set});
        object[of.quantity.parameter()] = number(of.parameter);
        object["value"] = seen(of.value);
        object["estimate"] = interval(of);
        object
    };
    estimates.iter().map(estimate).collect()
}

/// How a value was estimated.
fn interval(of: &Estimated) -> Value {
    let end =
        |end: f64| if end.is_finite() { number(end) } else { absent("the draw does not bound the value") };
    let mut object = json!({
        "method": of.method,
        "proven": of.proven,
        "low": end(of.low),
        "high": end(of.high),
        "confidence": number(of.confidence),
        "tolerance": number(of.tolerance),
        "reached": of.reached,
        "seed": of.seed,
        "panel_rows": of.panel_rows,
        "blocks": of.blocks,
        "pairs": of.pairs,
        "share": number(of.share),
    });
    if let Some(error) = of.row_error {
        object["row_error"] = number(error);
    }
    object
}

fn calibration(of: Calibration) -> Value {
    if of.value.is_finite() {
        json!({"gap": maybe(of.gap), "score": maybe(of.score)})
    } else {
        json!({"gap": seen(of.value), "score": seen(of.value)})
    }
}

/// A value, unless an estimate has seen nothing of it.
fn seen(value: f64) -> Value {
    if value == f64::NEG_INFINITY || value.is_nan() { absent(UNSEEN) } else { number(value) }
}

/// The same, or why there is none.
fn maybe_seen(value: Maybe<f64>) -> Value {
    value.map_or_else(|reason| absent(reason.reason()), seen)
}

/// Why an estimate has no value.
const UNSEEN: &str =
    "the sum is too small to be seen: less than double precision holds, or than a draw has met";

pub(super) fn put_error(object: &mut Value, measured: &Measured) {
    object["standard_error"] = maybe(measured.standard_error);
    object["low"] = maybe(measured.low);
    object["high"] = maybe(measured.high);
}

pub(super) fn scores(scores: &Scores) -> Value {
    let mut object = json!({"pairs": scores.pairs});
    object["spearman"] = maybe(scores.spearman.as_ref().map(|found| found.value).map_err(|reason| *reason));
    if let Ok(found) = &scores.spearman {
        put_error(&mut object, found);
    }
    if let Some(positives) = &scores.positives {
        let (key, score) = match positives.min_score {
            MinScore::AtLeast(score) => ("at_least", score),
            MinScore::Above(score) => ("above", score),
        };
        object["positives"] = json!({key: number(score), "pairs": positives.pairs});
    }
    object
}

pub(super) fn sweep(sweep: &Sweep) -> Value {
    let row = |row: &SweepRow| match &row.pair {
        None => json!({"t": number(row.t), "x": maybe_seen(row.x), "floor": maybe(row.floor)}),
        Some(pair) => json!({
            "t": number(row.t),
            "x": maybe_seen(row.x),
            "y": maybe_seen(pair.y),
            "mean": maybe_seen(pair.mean),
            "cross": maybe_seen(pair.cross),
            "pooled": maybe_seen(pair.pooled),
            "squared_mmd": maybe(pair.squared_mmd),
            "floor": maybe(row.floor),
        }),
    };
    sweep.rows.iter().map(row).collect()
}

pub(super) fn protocol(numbers: &ProtocolNumbers) -> Value {
    let settings = numbers.settings;
    let mut object = json!({
        "name": settings.name,
        "source": settings.source,
        "t": number(settings.uniformity.t),
        "alpha": number(settings.alignment.alpha),
        "pooling": settings.pooling.name(),
        "weights": numbers.weighed.name(),
        "alignment": number(numbers.alignment),
        "uniformity": number(numbers.uniformity),
        "pairs": numbers.pairs,
    });
    let none = || absent("this protocol has no loss");
    object["formula"] = settings.formula().map_or_else(none, Value::from);
    object["loss"] = numbers.loss.map_or_else(none, number);
    object
}

pub(super) fn contrastive(table: &Maybe<ContrastiveTable>) -> Value {
    let table = match table {
        Ok(table) => table,
        Err(reason) => return absent(reason.reason()),
    };
    table.rows.iter().map(|row| loss(table, row)).collect()
}

fn loss(table: &ContrastiveTable, row: &ContrastiveRow) -> Value {
    let ContrastiveRow { tau, value, matching, .. } = row;
    let mut loss =
        common::contrastive(Contrastive { tau: *tau, candidates: table.candidates }, table.anchors, value);
    if let Some(matching) = matching {
        loss["matching"] = json!({
            "t": number(matching.t),
            "x": maybe(matching.x),
            "y": maybe(matching.y),
            "mean": maybe(matching.mean),
            "cross": maybe(matching.cross),
            "negatives": maybe(matching.negatives),
        });
    }
    if let Some(queue) = table.queue {
        loss["queue"] = queue.into();
    }
    loss
}

pub(super) fn sigmoid(rows: &[SigmoidRow]) -> Value {
    let row = |row: &SigmoidRow| {
        let metric = row.metric;
        json!({"scale": number(metric.scale), "bias": number(metric.bias), "loss": number(row.loss)})
    };
    rows.iter().map(row).collect()
}

pub(super) fn supcon(table: &SupConTable) -> Value {
    let rows = table.rows.iter().map(|row| json!({"tau": number(row.tau), "loss": number(row.loss)}));
    json!({"views": table.views, "anchors": table.anchors, "rows": rows.collect::<Value>()})
}
