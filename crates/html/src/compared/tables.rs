//! The numbers of a comparison.

use maud::{Markup, html};
use unisphere_eval::{
    Maybe,
    compare::{Change, Correlation, Metric},
};

use super::Compared;
use crate::{
    number::{count, maybe, plain, reasons, short, value, whole},
    tables::{text, titled},
};

type Row = (Markup, Vec<Markup>);

fn none() -> Markup {
    text("none")
}

/// A p-value; what double precision hardly holds is told as a bound.
pub(super) fn p_value(p: f64) -> Markup {
    if p < 1e-300 {
        html! { data value=(format!("{p:?}")) { "< 1e−300" } }
    } else {
        short(p)
    }
}

/// A row for each model.
pub(super) fn models(of: &Compared<'_>) -> Markup {
    let steps = of.models.iter().any(|model| model.place.step.is_some());
    let scores = of.models.iter().any(|model| model.place.score.is_some());
    let mut head = vec!["model"];
    head.extend(steps.then_some("step"));
    head.extend(scores.then_some("score"));
    head.extend(["n", "d"]);
    for metric in of.metrics() {
        head.extend([metric.name(), "95 % from", "to"]);
    }
    head.extend((!of.is_raw()).then_some("above floor"));
    let optional = |number: Option<f64>| number.map_or_else(none, |number| text(plain(number)));
    let rows: Vec<Row> = of
        .models
        .iter()
        .map(|named| {
            let mut cells = Vec::new();
            cells.extend(steps.then(|| optional(named.place.step)));
            cells.extend(scores.then(|| optional(named.place.score)));
            cells.extend([whole(named.model.rows as u64), whole(named.model.dims as u64)]);
            for &metric in of.metrics() {
                cells.extend(match named.model.measured(metric) {
                    Some(found) => [value(found.value), maybe(found.low), maybe(found.high)],
                    None => [none(), none(), none()],
                });
            }
            cells.extend((!of.is_raw()).then(|| maybe(named.model.gap)));
            (text(&named.name), cells)
        })
        .collect();
    let measured = of.models.iter().flat_map(|named| {
        of.metrics()
            .iter()
            .filter_map(|&metric| Some(("interval", &named.model.measured(metric)?.standard_error)))
    });
    titled("Models", &head, &rows, &reasons(measured))
}

/// The differences of a metric to the baseline.
pub(super) fn differences(of: &Compared<'_>, metric: Metric) -> Markup {
    let (mut rows, mut why): (Vec<Row>, Vec<String>) = (Vec::new(), Vec::new());
    for (named, differences) in of.models.iter().zip(&of.comparison.differences) {
        let Some(difference) = differences.iter().find(|of| of.metric == metric) else { continue };
        let cells = match &difference.found {
            Ok(found) => {
                let paired = &found.paired;
                let numbers = [paired.value, paired.standard_error, paired.low, paired.high].map(value);
                numbers.into_iter().chain([paired.p_value, found.p_holm].map(p_value)).collect()
            }
            Err(reason) => {
                why.push(format!("No difference of {}: {reason}.", named.name));
                (0..6).map(|_| none()).collect()
            }
        };
        rows.push((text(&named.name), cells));
    }
    let title = format!("{}, less the baseline’s", metric.name());
    let head = ["model", "difference", "std. error", "95 % from", "to", "p", "p (Holm)"];
    html! {
        @if !rows.is_empty() { (titled(&title, &head, &rows, &html! { @for line in why { p.note { (line) } } })) }
    }
}

/// The correlations of each metric with the score.
pub(super) fn correlations(of: &Compared<'_>) -> Markup {
    let found = &of.comparison.correlations;
    let cells = |found: &Maybe<Correlation>| match found {
        Ok(found) => [value(found.value), maybe(found.low), maybe(found.high)],
        Err(_) => [none(), none(), none()],
    };
    let row = |of: &unisphere_eval::compare::ScoreCorrelation| {
        let mut row = vec![whole(of.with_score.pairs as u64)];
        row.extend([&of.with_score.spearman, &of.with_score.kendall].into_iter().flat_map(cells));
        (text(of.metric.name()), row)
    };
    let rows: Vec<Row> = found.iter().map(row).collect();
    let values: Vec<_> = found
        .iter()
        .flat_map(|of| [&of.with_score.spearman, &of.with_score.kendall])
        .flat_map(|found| {
            [("correlation", found.map(|of| of.value)), ("interval of it", found.and_then(|of| of.low))]
        })
        .collect();
    let notes = html! {
        (reasons(values.iter().map(|(what, found)| (*what, found))))
        p.note {
            "Kendall: τ_b. Intervals: from " (count(of.bootstrap.resamples as u64)) " resamples of the models, of seed "
            (of.bootstrap.seed) ". Less is better for both metrics, so that one which foretells the score has a negative correlation."
        }
    };
    let head = ["metric", "models", "Spearman’s ρ", "95 % from", "to", "Kendall’s τ", "95 % from", "to"];
    html! { @if !rows.is_empty() { (titled("Correlation with the score", &head, &rows, &notes)) } }
}

/// A metric from step to step.
pub(super) fn steps(of: &Compared<'_>, metric: Metric) -> Markup {
    let row = |Change { model, changes, .. }: &Change| -> Option<Row> {
        let named = of.models.get(*model)?;
        let mut cells = vec![
            text(&named.name),
            named.model.measured(metric).map_or_else(none, |found| value(found.value)),
        ];
        let change = changes.iter().find(|change| change.metric == metric);
        cells.extend(match change.map(|change| change.found) {
            None => [text(""), text(""), text("")],
            Some(Ok(found)) => [found.value, found.low, found.high].map(value),
            Some(Err(_)) => [none(), none(), none()],
        });
        Some((text(named.place.step.map_or(String::new(), plain)), cells))
    };
    let rows: Vec<_> = of.comparison.trajectory.iter().filter_map(row).collect();
    let changes = of.comparison.trajectory.iter().flat_map(|of| &of.changes);
    let missing: Vec<_> =
        changes.filter(|of| of.metric == metric).map(|of| of.found.map(|found| found.value)).collect();
    let title = format!("{} from step to step", metric.name());
    let head = ["step", "model", metric.name(), "change", "95 % from", "to"];
    html! {
        @if !rows.is_empty() { (titled(&title, &head, &rows, &reasons(missing.iter().map(|found| ("change", found))))) }
    }
}

/// Where each model came from.
pub(super) fn files(of: &Compared<'_>) -> Markup {
    let rows: Vec<Row> = of
        .models
        .iter()
        .flat_map(|named| {
            let row = |(role, file): &(String, String)| {
                (text(&named.name), vec![text(role), html! { span.left { (file) } }])
            };
            named.files.iter().map(row)
        })
        .collect();
    titled("Files", &["model", "as", "file"], &rows, &html! {})
}
