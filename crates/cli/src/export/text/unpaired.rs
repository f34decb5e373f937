//! The report on two sets that are not paired, as tables and sentences.

use unisphere_eval::{
    sections::ClosePair,
    unpaired::{NearAcross, PermutationTest, PositivesByLabel, UnpairedReport, UnpairedRow},
};

use super::{
    super::reasons::{cell, reasons},
    super::rounding::note,
    super::{
        UnpairedDocument,
        table::{Section, Table},
    },
    retrieval,
};
use crate::text::{circumstances, columns, count, decimal, device, digits, plain, plural, points};

/// Close pairs that are listed at most.
const SHOWN_PAIRS: usize = 10;

const NOTES: &str = "\
Within: log mean exp(-t |x-x'|^2) over the pairs i < j of a set (U-statistic). Cross: over all pairs of a row of either set.
Squared MMD: without bias; about 0 where both sets have one distribution, and perhaps below.
";

pub(super) fn export(document: &UnpairedDocument) -> String {
    let UnpairedDocument { report, files, .. } = document;
    let values = values(report).to_text() + &rounding(report);
    let sections: Vec<_> = [values].into_iter().chain(more(report)).collect();
    format!("{}\n{}", circumstances(&head(report, files)), sections.join("\n"))
}

pub(in crate::export) fn head(
    report: &UnpairedReport,
    files: &[(&'static str, String)],
) -> Vec<(&'static str, String)> {
    let of = |file: &String, rows| format!("{file}: {}", points(rows, report.dims, report.scaling));
    let precision = report.precision.to_string();
    let told = files.iter().enumerate().map(|(place, (role, file))| match report.rows.get(place) {
        Some(&rows) => (*role, of(file, rows)),
        None => (if *role == "labels_y" { "of y" } else { *role }, file.clone()),
    });
    let device = ("device", device(&report.device, &precision, report.storage));
    let time = ("time", format!("{:.3} s, reading excluded", report.seconds));
    told.chain([device, time]).collect()
}

/// The sections beside the values.
pub(in crate::export) fn more(report: &UnpairedReport) -> Vec<String> {
    let sections = [
        report.positives.as_ref().map(positives),
        report.test.as_ref().map(test),
        report.near.as_ref().map(near),
    ];
    sections.into_iter().flatten().collect()
}

/// The values at each t.
pub(in crate::export) fn values(report: &UnpairedReport) -> Section {
    let line = |row: &UnpairedRow| {
        let numbers = [row.within[0], row.within[1], row.cross, row.pooled].map(decimal);
        let rest = [format!("{:.3e}", row.squared_mmd), cell(row.floor)];
        [format!("t = {}", plain(row.t))].into_iter().chain(numbers).chain(rest).collect()
    };
    let lines: Vec<_> = report.values.iter().map(line).collect();
    let floors = report.values.iter().map(|row| ("floor", &row.floor));
    let head = ["", "within x", "within y", "cross", "pooled", "squared MMD", "floor"];
    Section { table: Table::new(&head, 1, lines), below: reasons(floors) + NOTES }
}

/// What rounding may have moved; empty where that is negligible.
pub(in crate::export) fn rounding(report: &UnpairedReport) -> String {
    note(report.rounding, &report.moved_by_rounding(), &report.without_bound())
}

fn positives(of: &PositivesByLabel) -> String {
    let row = [vec![format!("alpha = {}", plain(of.metric.alpha)), decimal(of.alignment), count(of.pairs)]];
    let [in_y, in_x] = of.candidates.map(|candidates| plural(candidates as u64, "row"));
    format!(
        "{}Alignment: mean |x-y|^alpha over all pairs of a row of x and a row of y with one label.\n\n\
         {}Ranks of the best row with the same label, among {in_y} of y and {in_x} of x by x.y; its other rows do not count.\n\
         1 is the best. MRR: mean of 1 / rank.\n{}\
         Cross, pooled and squared MMD count positives too: they do not tell whether both sets have one distribution.\n\n{}",
        columns(&["positives by label", "alignment", "pairs"], 1, &row),
        retrieval::ways(&of.ways),
        retrieval::ties(&of.ways),
        retrieval::modality_gap(&of.modality_gap),
    )
}

fn test(test: &PermutationTest) -> String {
    let [x, y] = test.rows.map(|rows| count(rows as u64));
    let together = match test.group {
        1 => String::new(),
        group => format!(", {group} at a time"),
    };
    format!(
        "One distribution: p = {}, squared MMD {:.3e} at t = {}.\n\
         By {} of {x} random rows of x and {y} of y between the sets{together}.\n",
        digits(test.p_value),
        test.squared_mmd,
        plain(test.t),
        plural(test.permutations as u64, "random exchange"),
    )
}

fn near(near: &NearAcross) -> String {
    let found = plural(near.count, "pair");
    let text = format!(
        "Close across: {found} of a row of x and a row of y at most {} apart.\n",
        plain(near.distance)
    );
    let mut closest: Vec<&ClosePair> = near.pairs.iter().collect();
    closest.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    closest.truncate(SHOWN_PAIRS);
    if closest.is_empty() {
        return text;
    }
    let line = |pair: &&ClosePair| vec![count(pair.i as u64), count(pair.j as u64), decimal(pair.distance)];
    let listed = near.pairs.len() as u64;
    let of = match near.count > listed {
        true => format!("of the first {} in the order of their rows", plural(listed, "pair")),
        false => "of all".into(),
    };
    let title = format!("The closest {of}:\n");
    text + &title
        + &columns(&["row of x", "row of y", "distance"], 0, &closest.iter().map(line).collect::<Vec<_>>())
}
