//! Alignment and uniformity as tables.

use unisphere_eval::{
    Estimator, Maybe, Measured, Report, Weighed,
    sections::{Calibration, SetUniformity, Summary},
};

use super::{
    super::reasons::{cell, reasons},
    super::rounding::note,
    super::table::{Section, Table},
};
use crate::text::{count, decimal, digits, plain};

pub(super) fn summary(report: &Report) -> String {
    let [values, calibration] = sections(&report.summary).map(|section| section.to_text());
    format!("{values}\n{calibration}\n{}", notes(report))
}

/// The values with their errors, and what to compare them with.
pub(in crate::export) fn sections(summary: &Summary) -> [Section; 2] {
    [values(summary), calibration(summary)]
}

fn name_of(summary: &Summary, set: &SetUniformity) -> String {
    if summary.sets.len() == 1 { "uniformity".into() } else { format!("uniformity of {}", set.set) }
}

fn values(summary: &Summary) -> Section {
    let row = |what: String, parameter: String, value: &Measured, pairs: u64| {
        let interval = [cell(value.standard_error), cell(value.low), cell(value.high), count(pairs)];
        [what, parameter, decimal(value.value)].into_iter().chain(interval).collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    if let Some(of) = &summary.alignment {
        let parameter = format!("alpha = {}", plain(of.metric.alpha));
        rows.push(row("alignment".into(), parameter, &of.measured, of.pairs as u64));
    }
    let t = format!("t = {}", plain(summary.metric.t));
    rows.extend(
        summary.sets.iter().map(|set| row(name_of(summary, set), t.clone(), &set.measured, summary.pairs)),
    );
    if let Some(mean) = summary.mean {
        let cells = ["their mean".into(), t, decimal(mean.value)].into_iter();
        rows.push(cells.chain([const { String::new() }; 3]).chain([count(summary.pairs)]).collect());
    }
    let measured = summary.alignment.iter().map(|of| ("standard error of alignment", &of.measured));
    let measured =
        measured.chain(summary.sets.iter().map(|of| ("standard error of uniformity", &of.measured)));
    let table = Table::new(&["", "", "value", "std. error", "95 % from", "to", "pairs"], 2, rows);
    Section { table, below: reasons(measured.map(|(what, measured)| (what, &measured.standard_error))) }
}

fn calibration(summary: &Summary) -> Section {
    let row = |what: String, of: Calibration, dims: String| {
        let score = of.score.map_or("-".into(), |score| format!("{score:.4}"));
        vec![what, cell(summary.floor), cell(summary.least), cell(of.gap), score, dims]
    };
    let dims = |of: Maybe<f64>| of.map_or("-".into(), digits);
    let sets = summary.sets.iter();
    let mut rows: Vec<_> =
        sets.map(|set| row(name_of(summary, set), set.calibration, dims(set.effective_dims))).collect();
    rows.extend(summary.mean.map(|mean| row("their mean".into(), mean, String::new())));
    let missing = [("floor", &summary.floor), ("least value", &summary.least)].into_iter();
    let dims = summary.sets.iter().map(|set| ("effective dims", &set.effective_dims));
    let missing = missing.chain(dims.filter(|_| summary.floor.is_ok()));
    let table = Table::new(&["", "floor", "least", "above floor", "score", "effective dims"], 1, rows);
    Section { table, below: reasons(missing) }
}

pub(in crate::export) fn notes(report: &Report) -> String {
    let Report { summary, weighed, .. } = report;
    let pairs = match summary.estimator {
        Estimator::U => "the pairs i < j of one set, without the diagonal (U-statistic)",
        Estimator::V => "all ordered pairs of one set, each point with itself too (V-statistic)",
    };
    let alignment = match (&summary.alignment, weighed) {
        (None, _) | (_, Weighed::Nothing) => "",
        _ => "Alignment: weighted mean over the positive pairs, its interval by the normal distribution.\n",
    };
    let mean = if *weighed == Weighed::RowsAndPairs { "weighted mean" } else { "mean" };
    let intervals = if summary.sets.iter().any(|set| set.measured.low.is_ok()) {
        "Intervals: by the jackknife, for rows that were drawn independently.\n"
    } else {
        ""
    };
    format!(
        "{alignment}Uniformity: log {mean} over {pairs}.\n{}{intervals}{}",
        scale(summary),
        rounding(report)
    )
}

/// How far rounding may have moved what values; empty where that is negligible.
pub(crate) fn rounding(report: &Report) -> String {
    note(report.rounding, &report.moved_by_rounding(), &report.without_bound())
}

/// The meaning of the second table's columns, where there is a floor.
fn scale(summary: &Summary) -> String {
    if summary.floor.is_err() {
        return String::new();
    }
    let least = match (summary.estimator, &summary.least) {
        (_, Err(_)) => "",
        (Estimator::U, _) => {
            "Least: a bound that no n points go below. It may be below the floor, as no point is paired with itself.\n"
        }
        (Estimator::V, _) => "Least: a bound that no n points go below.\n",
    };
    format!(
        "Floor: the value of points spread evenly over the whole sphere, the least of any distribution.\n{least}\
         Score: 0 where all points are equal, 1 at the floor.\n\
         Effective dims: the number of dimensions in which the floor is this value.\n"
    )
}
