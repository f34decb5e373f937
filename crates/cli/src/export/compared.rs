//! The tables of a comparison of models, which text and Markdown show alike.

use unisphere_eval::{
    Maybe,
    compare::{Change, Correlation, Metric, OfMetric, PairedDifference},
};
use unisphere_io::printable;

use super::{
    Checkpoint, ComparedModel, ComparisonDocument, below_rounding,
    reasons::{cell, reasons},
    rounding::values,
    table::{Section, Table},
};
use crate::text::{self, count, decimal, digits, plain};

const NOTES: &str = "\
Alignment: mean |x-y|^alpha over the positive pairs. Uniformity: log mean exp(-t |x-x'|^2) over the pairs i < j of a set (U-statistic);
of pairs of sets, the mean of both. Of both, less is better. Above floor: over the value of points spread evenly over the sphere.
Intervals: 95 %, by the jackknife, for rows that were drawn independently.
";
const NOTES_OF_DIFFERENCES: &str = "\
Differences leave the same row out of both models at once, so that what rows have in common cancels: row i of every model is taken
for the same thing. p: by Student's t distribution, of one comparison alone. p (Holm): corrected for all differences above.
";
const NOTES_OF_WIDTHS: &str = "\
The models have different widths d, and floors with them: values of uniformity say how even points are, and heights above the floor
how far each model is from the best of its own width.
";

/// All tables that there are, in order.
pub(super) fn sections(document: &ComparisonDocument) -> Vec<Section> {
    let mut sections = vec![models(document)];
    let metrics = document.metrics();
    let of_differences: Vec<_> = metrics.iter().filter_map(|&metric| differences(document, metric)).collect();
    let last = of_differences.len().saturating_sub(1);
    for (place, mut section) in of_differences.into_iter().enumerate() {
        if place == last {
            section.below += NOTES_OF_DIFFERENCES;
        }
        sections.push(section);
    }
    sections.extend(correlations(document));
    sections.extend(metrics.iter().filter_map(|&metric| trajectory(document, metric)));
    sections
}

/// A model on a line.
pub(super) fn line(of: &Checkpoint<'_>) -> String {
    let Some(named) = of.document.models.first() else { return String::new() };
    let mut said = vec![printable(&named.name)];
    for metric in of.document.metrics() {
        let Some(found) = named.model.measured(*metric) else { continue };
        let interval = match (found.low, found.high) {
            (Ok(low), Ok(high)) => format!(" ({} to {})", decimal(low), decimal(high)),
            _ => String::new(),
        };
        said.push(format!("{} {}{interval}", metric.name(), decimal(found.value)));
    }
    said.push(text::seconds(named.seconds));
    said.join("  ") + "\n"
}

/// A table with a row for each model.
fn models(document: &ComparisonDocument) -> Section {
    let ComparisonDocument { models, .. } = document;
    let has = |of: fn(&ComparedModel) -> bool| models.iter().any(of);
    let (steps, scores) = (has(|of| of.place.step.is_some()), has(|of| of.place.score.is_some()));
    let raw = models.iter().all(|of| of.model.floor.is_err());
    let mut head = vec!["model"];
    head.extend(steps.then_some("step"));
    head.extend(scores.then_some("score"));
    head.extend(["n", "d"]);
    for metric in document.metrics() {
        head.extend([metric.name(), "95 % from", "to"]);
    }
    head.extend((!raw).then_some("above floor"));
    let optional = |number: Option<f64>| number.map_or(String::new(), plain);
    let row = |of: &ComparedModel| {
        let mut row = vec![printable(&of.name)];
        row.extend(steps.then(|| optional(of.place.step)));
        row.extend(scores.then(|| optional(of.place.score)));
        row.extend([count(of.model.rows as u64), count(of.model.dims as u64)]);
        for metric in document.metrics() {
            row.extend(match of.model.measured(*metric) {
                Some(found) => [decimal(found.value), cell(found.low), cell(found.high)],
                None => ["-"; 3].map(String::from),
            });
        }
        row.extend((!raw).then(|| cell(of.model.gap)));
        row
    };
    let measured = models
        .iter()
        .flat_map(|of| document.metrics().iter().map(|metric| (metric, of.model.measured(*metric))));
    let missing = measured.filter_map(|(metric, found)| Some((interval_of(*metric), &found?.standard_error)));
    let mut below = reasons(missing) + NOTES;
    if models.windows(2).any(|two| two[0].model.dims != two[1].model.dims) && !raw {
        below += NOTES_OF_WIDTHS;
    }
    below.extend(document.skipped_rows().map(|sentence| sentence + "\n"));
    below.extend(models.iter().filter_map(|of| rounding_of(document, of)));
    if document.failed.iter().any(|of| of.name == document.baseline) {
        below += "No differences: the baseline was not measured; --baseline NAME takes another model.\n";
    }
    below.extend(
        document
            .failed
            .iter()
            .map(|of| format!("Not measured: {}: {}.\n", printable(&of.name), of.reason_in_line())),
    );
    Section { table: Table::new(&head, 1, models.iter().map(row).collect()), below }
}

/// How far rounding may have moved the values of a model, where that is not negligible.
fn rounding_of(document: &ComparisonDocument, of: &ComparedModel) -> Option<String> {
    let moved = document.moved_by_rounding(of);
    let name = printable(&of.name);
    (!moved.is_empty()).then(|| {
        format!(
            "Rounding: points of {name} have more digits than single precision holds, which may move {} at most.\n",
            values(&moved)
        )
    })
}

fn interval_of(metric: Metric) -> &'static str {
    match metric {
        Metric::Alignment => "interval of alignment",
        Metric::Uniformity => "interval of uniformity",
    }
}

/// The differences of a metric to the baseline; None where nothing is to be compared.
fn differences(document: &ComparisonDocument, metric: Metric) -> Option<Section> {
    let ComparisonDocument { models, comparison, .. } = document;
    let title = format!("{}, less the baseline's", metric.name());
    let head = [title.as_str(), "difference", "std. error", "95 % from", "to", "p", "p (Holm)"];
    let (mut rows, mut why) = (Vec::new(), Vec::new());
    for (of, differences) in models.iter().zip(&comparison.differences) {
        let Some(difference) = differences.iter().find(|of| of.metric == metric) else { continue };
        let mut row = vec![printable(&of.name)];
        row.extend(match &difference.found {
            Ok(found) => {
                let [value, error, low, high] = numbers(&found.paired);
                vec![value, error, low, high, p_value(found.paired.p_value), p_value(found.p_holm)]
            }
            Err(reason) => {
                why.push(format!("-  no difference of {}: {reason}.\n", printable(&of.name)));
                vec!["-".into(); 6]
            }
        });
        rows.push(row);
    }
    let of_metric = document.differences_below_rounding().filter(|(of, _)| *of == metric);
    why.extend(of_metric.map(|(_, sentence)| sentence + "\n"));
    (!rows.is_empty()).then(|| Section { table: Table::new(&head, 1, rows), below: why.concat() })
}

fn numbers(found: &PairedDifference) -> [String; 4] {
    [found.value, found.standard_error, found.low, found.high].map(decimal)
}

fn p_value(p: f64) -> String {
    // The least that double precision holds.
    if p < 1e-300 { "<1e-300".into() } else { digits(p) }
}

fn correlations(document: &ComparisonDocument) -> Option<Section> {
    let found = &document.comparison.correlations;
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for of in found {
        let both = [of.with_score.spearman, of.with_score.kendall];
        let mut row = vec![of.metric.name().to_owned(), count(of.with_score.pairs as u64)];
        row.extend(both.iter().flat_map(correlation));
        rows.push(row);
        for found in both {
            values.push(("correlation", found.map(|found| found.value)));
            values.extend(found.ok().map(|found| ("interval", found.low)));
        }
    }
    if rows.is_empty() {
        return None;
    }
    let head = ["against the score", "models", "Spearman", "95 % from", "to", "Kendall", "95 % from", "to"];
    let notes = format!(
        "Kendall: tau-b. Intervals: from {} resamples of the models, of seed {}; of few models they are rough.\n",
        count(document.bootstrap.resamples as u64),
        document.bootstrap.seed
    );
    let below = reasons(values.iter().map(|(what, value)| (*what, value))) + &notes;
    Some(Section { table: Table::new(&head, 1, rows), below })
}

fn correlation(found: &Maybe<Correlation>) -> [String; 3] {
    match found {
        Ok(found) => [decimal(found.value), cell(found.low), cell(found.high)],
        Err(_) => ["-"; 3].map(String::from),
    }
}

/// A metric from step to step; None without steps.
fn trajectory(document: &ComparisonDocument, metric: Metric) -> Option<Section> {
    let head = ["step", "model", metric.name(), "change", "95 % from", "to"];
    let (mut rows, mut why) = (Vec::new(), Vec::new());
    for step_change in &document.comparison.trajectory {
        let Change { model, changes, .. } = step_change;
        let of = document.models.get(*model)?;
        let step = of.place.step.map_or(String::new(), plain);
        let value = of.model.measured(metric).map_or("-".into(), |found| decimal(found.value));
        let mut row = vec![step, printable(&of.name), value];
        let change = changes.iter().find(|change| change.metric == metric);
        if let Some(by) = change.and_then(|found| document.rounding_beyond_change(step_change, found)) {
            why.push(below_rounding(&format!("change of {}", printable(&of.name)), by) + "\n");
        }
        row.extend(match change.map(|OfMetric { found, .. }| found) {
            None => [const { String::new() }; 3],
            Some(Ok(found)) => [found.value, found.low, found.high].map(decimal),
            Some(Err(reason)) => {
                why.push(format!("-  no change of {}: {reason}.\n", printable(&of.name)));
                ["-"; 3].map(String::from)
            }
        });
        rows.push(row);
    }
    (!rows.is_empty()).then(|| Section { table: Table::new(&head, 2, rows), below: why.concat() })
}

/// What was measured, of what, and where.
pub(super) fn head(document: &ComparisonDocument) -> Vec<(&'static str, String)> {
    let ComparisonDocument { plan, models, failed, .. } = document;
    let all = count((models.len() + failed.len()) as u64);
    let cached = models.iter().filter(|of| of.cached).count();
    let told = [(failed.len(), "not measured"), (cached, "from the cache")];
    let told = told.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    let rows = match plan.scaling {
        unisphere::Scaling::Unit => "rows scaled to unit length",
        unisphere::Scaling::Raw => "raw rows",
    };
    let t = format!("t = {}", plain(plan.uniformity.t));
    let parameters = match document.metrics() {
        [_, _] => format!("alpha = {}, {t}, {rows}", plain(plan.alignment.alpha)),
        _ => format!("{t}, {rows}"),
    };
    vec![
        ("models", all + &told.collect::<String>()),
        ("against", document.baseline.clone()),
        ("at", parameters),
        ("device", text::device(&document.device, "f32", unisphere::Storage::F32)),
        ("time", format!("{:.3} s, reading included", document.seconds())),
    ]
}
