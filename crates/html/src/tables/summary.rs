//! Alignment and uniformity, what they are compared with, and what each says in a sentence.

use maud::{Markup, html};
use unisphere_eval::{
    Estimator, Measured, Report, SetName, Weighed,
    sections::{Calibration, Summary},
};

use super::{text, titled};
use crate::number::{digits, maybe, percent, plain, reasons, value, whole};

fn name_of(summary: &Summary, set: SetName) -> String {
    if summary.sets.len() == 1 { "uniformity".into() } else { format!("uniformity of {set}") }
}

/// The values with their errors and intervals.
pub(crate) fn values(report: &Report) -> Markup {
    let summary = &report.summary;
    let row = |what: String, parameter: String, of: &Measured, pairs: u64| {
        let cells = vec![
            text(parameter),
            value(of.value),
            maybe(of.standard_error),
            maybe(of.low),
            maybe(of.high),
            whole(pairs),
        ];
        (text(what), cells)
    };
    let mut rows = Vec::new();
    if let Some(of) = &summary.alignment {
        let parameter = format!("α = {}", plain(of.metric.alpha));
        rows.push(row("alignment".into(), parameter, &of.measured, of.pairs as u64));
    }
    let t = format!("t = {}", plain(summary.metric.t));
    for of in &summary.sets {
        rows.push(row(name_of(summary, of.set), t.clone(), &of.measured, summary.pairs));
    }
    if let Some(mean) = summary.mean {
        let empty = || text("");
        rows.push((
            text("their mean"),
            vec![text(t), value(mean.value), empty(), empty(), empty(), whole(summary.pairs)],
        ));
    }
    let errors =
        summary.alignment.iter().map(|of| ("standard error of alignment", &of.measured.standard_error));
    let errors = errors
        .chain(summary.sets.iter().map(|of| ("standard error of uniformity", &of.measured.standard_error)));
    let head = ["", "parameter", "value", "std. error", "95 % from", "to", "pairs"];
    titled("Alignment and uniformity", &head, &rows, &html! { (reasons(errors)) p.note { (how(report)) } })
}

/// How the values were computed.
fn how(report: &Report) -> String {
    let pairs = match report.summary.estimator {
        Estimator::U => "the pairs i < j of one set, without the diagonal (U-statistic)",
        Estimator::V => "all ordered pairs of one set, each point with itself too (V-statistic)",
    };
    let mean = if report.weighed == Weighed::RowsAndPairs { "weighted mean" } else { "mean" };
    let alignment = match (&report.summary.alignment, report.weighed) {
        (None, _) => "",
        (Some(_), Weighed::Nothing) => "Alignment: mean |x − y|^α over the positive pairs. ",
        (Some(_), _) => "Alignment: weighted mean of |x − y|^α over the positive pairs. ",
    };
    let intervals = if report.summary.sets.iter().any(|set| set.measured.low.is_ok()) {
        " Intervals: by the jackknife, for rows that were drawn independently."
    } else {
        ""
    };
    format!("{alignment}Uniformity: log {mean} exp(−t|x − x′|²) over {pairs}.{intervals}")
}

/// The values beside the floor.
pub(crate) fn calibration(summary: &Summary) -> Markup {
    let row = |what: String, of: Calibration, dims: Markup| {
        (text(what), vec![maybe(summary.floor), maybe(summary.least), maybe(of.gap), maybe(of.score), dims])
    };
    let mut rows: Vec<_> = summary
        .sets
        .iter()
        .map(|of| row(name_of(summary, of.set), of.calibration, maybe(of.effective_dims)))
        .collect();
    rows.extend(summary.mean.map(|mean| row("their mean".into(), mean, text(""))));
    let missing = [("floor", &summary.floor), ("least value", &summary.least)].into_iter();
    let dims = summary.sets.iter().map(|of| ("effective dimensions", &of.effective_dims));
    let dims = dims.filter(|_| summary.floor.is_ok());
    let notes = html! {
        (reasons(missing.chain(dims)))
        p.note {
            "Floor: the value of points spread evenly over the whole sphere, the least of any distribution. Least: a bound that no set of "
            "so many points goes below. Score: 0 where all points are equal, 1 at the floor. Effective dimensions: the number of "
            "dimensions in which the floor is this value."
        }
    };
    let head = ["", "floor", "least", "above floor", "score", "effective dimensions"];
    titled("Uniformity beside its floor", &head, &rows, &notes)
}

/// A sentence for each number.
pub(crate) fn meaning(report: &Report) -> Markup {
    let summary = &report.summary;
    html! {
        dl.meaning {
            @if let Some(of) = &summary.alignment {
                dt { "Alignment " (value(of.measured.value)) }
                dd {
                    @if of.metric.alpha == 2.0 && summary.floor.is_ok() {
                        "Partners lie " (digits(of.measured.value.sqrt())) " apart (root mean square), where 0 is the same point and random points "
                        "of many dimensions are √2 apart. "
                    }
                    "Less is better: an encoder that ignores what differs within a pair has 0."
                }
            }
            @for of in &summary.sets {
                dt { (name_of(summary, of.set)) " " (value(of.measured.value)) }
                dd {
                    @match of.calibration.score {
                        Ok(score) => {
                            "It has gone " (percent(score)) " of the way from all points equal to points spread evenly"
                            @if let Some(dims) = of.effective_dims.ok().filter(|&dims| dims <= report.dims as f64) {
                                "; points spread evenly in " (digits(dims)) " dimensions would have the same value"
                            }
                            ". "
                        }
                        Err(_) => { "Without unit length there is no floor to compare it with. " }
                    }
                    "Less is better: more of the sphere is used."
                }
            }
            @if let Some(mean) = summary.mean {
                dt { "Their mean " (value(mean.value)) }
                dd { "What is compared between models, at one t, beside alignment: either alone can be perfect for a useless encoder." }
            }
        }
    }
}
