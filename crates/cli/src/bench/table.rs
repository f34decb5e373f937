//! The report as a table.

use super::report::Report;
use crate::text::{digits, magnitude, seconds, table};

/// Characters of the longest bar.
const BAR_WIDTH: f64 = 24.0;

const LEGEND: &str = "\
TFLOP/s: 2d operations for each pair i < j, three times as many with the gradient; for each pair (i, j) three or,
both ways, four times as many for the contrastive loss and its gradients; the bar's length.
Share: of the device's highest ceiling in f32, observed between the runs; products in f16 may exceed it.
Time: the median of the runs, from points on the device to a value here and a gradient there.
Before, the values were held against the formula in f64, and the gradients' first, middle and last row.";

pub(super) fn bench(report: &Report) -> String {
    format!("{}\n{}\n{LEGEND}\n", circumstances(report), rows(report))
}

fn circumstances(report: &Report) -> String {
    let mut lines = Vec::new();
    for place in &report.places {
        let software = if place.device().software { " (software)" } else { "" };
        lines.push((&*place.label, format!("{}{software}", place.device().name)));
        let ceilings = place.ceilings.iter();
        lines
            .extend(ceilings.map(|c| ("", format!("ceiling {} TFLOP/s: {}", digits(c.rate / 1e12), c.name))));
    }
    lines.extend(report.skipped.iter().map(|s| ("skipped", format!("{}: {}", s.device, s.reason))));
    lines.iter().map(|(what, value)| format!("{what:<9}{value}\n")).collect()
}

fn rows(report: &Report) -> String {
    let fastest = report.rows.iter().map(|row| row.rate()).fold(0.0, f64::max);
    let cells = report.rows.iter().map(|row| {
        [
            row.work.to_string(),
            report.places[row.place].label.clone(),
            row.precision.to_string(),
            row.size.to_string(),
            row.runs.to_string(),
            seconds(row.seconds),
            magnitude(row.pair_rate()),
            digits(row.rate() / 1e12),
            format!("{:.0} %", 100.0 * report.share(row)),
            bar(row.rate() / fastest),
        ]
    });
    let head = ["", "device", "precision", "n × d", "runs", "time", "pairs/s", "TFLOP/s", "share", ""];
    table(head, 3, &cells.collect::<Vec<_>>())
}

/// A bar padded to the longest one's width, as columns on the right are flush right.
fn bar(share: f64) -> String {
    let full = (BAR_WIDTH * share).round().max(1.0) as usize;
    format!("{:<1$}", "█".repeat(full), BAR_WIDTH as usize)
}
