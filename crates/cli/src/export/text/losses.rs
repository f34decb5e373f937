//! Losses as tables: those of a protocol, the contrastive ones and the sigmoid loss.

use unisphere_eval::{
    Maybe, Weighed,
    sections::{ContrastiveRow, ContrastiveTable, ProtocolNumbers, SigmoidRow, SupConTable},
};

use super::super::reasons::{cell, reasons};
use crate::text::{
    CONTRASTIVE_NOTE, CONTRASTIVE_TITLES, bold, columns, contrastive as contrastive_cells, count, decimal,
    plain, plural,
};

pub(super) fn protocol(numbers: &ProtocolNumbers) -> String {
    let settings = numbers.settings;
    let (uniformity, pairs) = (decimal(numbers.uniformity), plural(numbers.pairs, "pair"));
    let mut lines = vec![
        bold(&format!("protocol {}", settings.name)),
        format!("alignment   {}", decimal(numbers.alignment)),
        format!("uniformity  {uniformity}  {}, {pairs}", settings.pooling.name()),
    ];
    if let (Some(formula), Some(loss)) = (settings.formula(), numbers.loss) {
        lines.push(format!("loss        {}  {formula}", decimal(loss)));
    }
    if settings.min_score.is_some() && numbers.min_score.is_none() && numbers.weighed == Weighed::Nothing {
        lines.push("Without --scores, all pairs count as positives.".into());
    }
    lines.push(format!("Source: {}.", settings.source));
    lines.join("\n") + "\n"
}

/// What the table of contrastive losses says last, where uniformity of negatives is known.
const MATCHING_NOTE: &str =
    "U(t): log mean exp(-t|x-x'|^2) over anchors and their negatives, at t = 1/(2 tau).\n";

pub(super) fn contrastive(table: &Maybe<ContrastiveTable>) -> String {
    let table = match table {
        Ok(table) => table,
        Err(reason) => return format!("{}\n-  no loss: {reason}.\n", bold("contrastive")),
    };
    let line = |ContrastiveRow { tau, value, matching, .. }: &ContrastiveRow| {
        let mut line = contrastive_cells(*tau, value);
        if let Some(of) = matching {
            line.extend([cell(of.negatives), plain((of.t * 1e4).round() / 1e4)]);
        }
        line
    };
    let has_matching = table.rows.iter().any(|row| row.matching.is_some());
    let (more, note) = if has_matching { (&["U(t)", "t"][..], MATCHING_NOTE) } else { (&[][..], "") };
    let head = [&CONTRASTIVE_TITLES[..], more].concat();
    let rows: Vec<_> = table.rows.iter().map(line).collect();
    let queue = match table.queue {
        Some(rows) => format!(", {} of them from the queue", count(rows as u64)),
        None => String::new(),
    };
    format!(
        "{}{}Candidates: {}, {} with M negatives each{queue}.\n{CONTRASTIVE_NOTE}{note}",
        columns(&head, 1, &rows),
        reasons(table.rows.iter().filter_map(|row| Some(("U(t)", &row.matching.as_ref()?.negatives)))),
        table.candidates,
        plural(table.anchors, "anchor"),
    )
}

pub(super) fn sigmoid(rows: &[SigmoidRow]) -> String {
    let line = |row: &SigmoidRow| vec![plain(row.metric.scale), plain(row.metric.bias), decimal(row.loss)];
    let table = columns(&["scale", "bias", "sigmoid loss"], 0, &rows.iter().map(line).collect::<Vec<_>>());
    table
        + "Mean over x of the sum over y of log(1 + exp(-z (scale x.y + bias))): z is 1 for the partner of x, -1 for\n\
           every other y (SigLIP).\n"
}

pub(super) fn supcon(table: &SupConTable) -> String {
    let rows: Vec<_> =
        table.rows.iter().map(|row| vec![format!("tau = {}", plain(row.tau)), decimal(row.loss)]).collect();
    let of = if table.views == 2 { "of both views" } else { "of x" };
    format!(
        "{}Mean over {} {of} of -log softmax at the other rows of the same label (SupCon, form L_out).\n",
        columns(&["supervised contrastive", "loss"], 1, &rows),
        plural(table.anchors as u64, "anchor"),
    )
}
