//! The report on several views, as tables and sentences.

use unisphere_eval::{
    Measured,
    views::{ViewsReport, ViewsUniformity},
};

use super::{
    super::reasons::{cell, reasons},
    super::rounding::note,
    super::{
        ViewsDocument,
        table::{Section, Table},
    },
};
use crate::text::{circumstances, decimal, device, plain, points};

pub(in crate::export) const NOTES: &str = "\
Alignment: mean |x-y|^alpha over the rows of two views. The error of their mean is that of the rows, each with its mean over the pairs.
Uniformity: log mean exp(-t |x-x'|^2) over the pairs i < j of one view (U-statistic). Loss: the mean alignment + the mean uniformity.
Intervals: for rows that were drawn independently.
";

pub(super) fn export(document: &ViewsDocument) -> String {
    let ViewsDocument { report, files, .. } = document;
    let tables: Vec<_> = sections(report).iter().map(Section::to_text).collect();
    format!("{}\n{}\n{NOTES}{}", circumstances(&head(report, files)), tables.join("\n"), rounding(report))
}

/// What rounding may have moved; empty where that is negligible.
pub(in crate::export) fn rounding(report: &ViewsReport) -> String {
    note(report.rounding, &report.moved_by_rounding(), &[])
}

/// Alignment, and uniformity at each t.
pub(in crate::export) fn sections(report: &ViewsReport) -> Vec<Section> {
    std::iter::once(alignment(report)).chain(report.uniformity.iter().map(uniformity)).collect()
}

pub(in crate::export) fn head(report: &ViewsReport, files: &[String]) -> Vec<(&'static str, String)> {
    let told = match files {
        [array] => vec![format!("0 to {} in {array}", report.views - 1)],
        files => files.iter().enumerate().map(|(view, file)| format!("{view}: {file}")).collect(),
    };
    let names = ["views"].into_iter().chain(std::iter::repeat(""));
    let mut lines: Vec<_> = names.zip(told).collect();
    let precision = report.precision.to_string();
    lines.push((
        "points",
        format!("{} views of {}", report.views, points(report.rows, report.dims, report.scaling)),
    ));
    lines.push(("device", device(&report.device, &precision, report.storage)));
    lines.push(("time", format!("{:.3} s, reading excluded", report.seconds)));
    lines
}

/// Titles of what was measured with its error, under the name of a metric and its parameter.
fn titles<'a>(metric: &'a str, parameter: &'a str) -> [&'a str; 6] {
    [metric, parameter, "value", "std. error", "95 % from", "to"]
}

fn line(what: String, measured: &Measured) -> Vec<String> {
    let numbers = [measured.standard_error, measured.low, measured.high].map(cell);
    [what, String::new(), decimal(measured.value)].into_iter().chain(numbers).collect()
}

fn alignment(report: &ViewsReport) -> Section {
    let of = &report.alignment;
    let pairs = of.pairs.iter().map(|pair| {
        let [i, j] = pair.views;
        line(format!("{i} and {j}"), &pair.measured)
    });
    let mut lines: Vec<_> = pairs.collect();
    lines.push(line("their mean".into(), &of.mean));
    let parameter = format!("alpha = {}", plain(of.metric.alpha));
    let below = reasons([("standard error of alignment", &of.mean.standard_error)]);
    Section { table: Table::new(&titles("alignment", &parameter), 2, lines), below }
}

fn uniformity(row: &ViewsUniformity) -> Section {
    let alone = |what: &str, number| vec![what.into(), String::new(), number];
    let views = row.views.iter().enumerate();
    let mut lines: Vec<_> = views.map(|(view, measured)| line(view.to_string(), measured)).collect();
    lines.push(alone("their mean", decimal(row.mean)));
    lines.push(alone("floor", cell(row.floor)));
    lines.push(alone("loss", decimal(row.loss)));
    let missing = row.views.iter().map(|view| ("standard error of uniformity", &view.standard_error));
    let parameter = format!("t = {}", plain(row.t));
    let below = reasons(missing.chain([("floor", &row.floor)]));
    Section { table: Table::new(&titles("uniformity", &parameter), 2, lines), below }
}
