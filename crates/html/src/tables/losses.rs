//! Uniformity over t, and the losses.

use maud::{Markup, html};
use unisphere_eval::{
    Maybe,
    sections::{ContrastiveTable, PairSweep, ProtocolNumbers, SigmoidRow, SupConTable, Sweep},
};

use super::{text, titled};
use crate::number::{count, maybe, plain, plural, reasons, value, whole};

pub(crate) fn sweep(sweep: &Sweep) -> Markup {
    let has_pair = sweep.rows.iter().any(|row| row.pair.is_some());
    let of_pair = |pair: &PairSweep| {
        [pair.y, pair.mean, pair.cross, pair.pooled, pair.squared_mmd]
            .map(maybe)
            .into_iter()
            .collect::<Vec<_>>()
    };
    let row = |row: &unisphere_eval::sections::SweepRow| {
        let mut cells = vec![maybe(row.x)];
        cells.extend(row.pair.as_ref().map(of_pair).unwrap_or_default());
        cells.push(maybe(row.floor));
        (text(format!("t = {}", plain(row.t))), cells)
    };
    let rows: Vec<_> = sweep.rows.iter().map(row).collect();
    let head: &[&str] = match has_pair {
        true => &["", "x", "y", "their mean", "across", "both together", "squared MMD", "floor"],
        false => &["", "x", "floor"],
    };
    let missing = sweep.rows.iter().flat_map(|row| {
        let pair = row.pair.iter().flat_map(|pair| {
            [
                ("value across", &pair.cross),
                ("value of both", &pair.pooled),
                ("squared MMD", &pair.squared_mmd),
            ]
        });
        [("floor", &row.floor)].into_iter().chain(pair)
    });
    let note = html! {
        (reasons(missing))
        @if has_pair {
            p.note {
                "Across: all pairs of a row of x and a row of y. Squared MMD: how differently x and y are distributed, over rows that are "
                "no partners, without bias: about 0 for one distribution."
            }
        }
    };
    titled("Uniformity at several t", head, &rows, &note)
}

pub(crate) fn protocol(numbers: &ProtocolNumbers) -> Markup {
    let settings = numbers.settings;
    let mut rows = vec![
        (text("alignment"), vec![value(numbers.alignment), text("")]),
        (text("uniformity"), vec![value(numbers.uniformity), text(settings.pooling.name())]),
    ];
    if let (Some(formula), Some(loss)) = (settings.formula(), numbers.loss) {
        rows.push((text("loss"), vec![value(loss), text(formula)]));
    }
    let note = html! { p.note { (plural(numbers.pairs, "pair")) ". Source: " (settings.source) "." } };
    titled(&format!("As the protocol {}", settings.name), &["", "value", "of"], &rows, &note)
}

pub(crate) fn contrastive(table: &Maybe<ContrastiveTable>) -> Markup {
    let table = match table {
        Ok(table) => table,
        Err(reason) => return html! { p.note { "No contrastive loss: " (reason.reason()) "." } },
    };
    let row = |row: &unisphere_eval::sections::ContrastiveRow| {
        let of = &row.value;
        let numbers = [of.loss, of.normalized, of.alignment, of.uniformity, of.residual].map(value);
        let mut cells = vec![whole(of.negatives)];
        cells.extend(numbers);
        cells.extend(row.matching.as_ref().map(|of| maybe(of.negatives)));
        (text(format!("τ = {}", plain(row.tau))), cells)
    };
    let rows: Vec<_> = table.rows.iter().map(row).collect();
    let has_matching = table.rows.iter().any(|row| row.matching.is_some());
    let queue =
        table.queue.map_or(String::new(), |rows| format!(", {} of them from the queue", count(rows as u64)));
    let note = html! {
        (reasons(table.rows.iter().filter_map(|row| Some(("uniformity of negatives", &row.matching.as_ref()?.negatives)))))
        p.note {
            "Candidates: " (table.candidates.name()) ", " (plural(table.anchors, "anchor")) " with M negatives each" (queue)
            ". loss − log M = alignment + uniformity + residual (the paper's theorem 1)."
            @if has_matching { " U(t): uniformity over anchors and their negatives at t = 1/(2τ)." }
        }
    };
    let mut head = vec!["", "M", "loss", "− log M", "alignment", "uniformity", "residual"];
    head.extend(has_matching.then_some("U(t)"));
    titled("Contrastive loss", &head, &rows, &note)
}

pub(crate) fn sigmoid(rows: &[SigmoidRow]) -> Markup {
    let row = |row: &SigmoidRow| {
        (
            text(format!("scale {}, bias {}", plain(row.metric.scale), plain(row.metric.bias))),
            vec![value(row.loss)],
        )
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    let note = html! {
        p.note {
            "Mean over x of the sum over y of log(1 + exp(−z (scale x·y + bias))): z is 1 for the partner of x, −1 for every other y (SigLIP)."
        }
    };
    titled("Sigmoid loss", &["", "loss"], &rows, &note)
}

pub(crate) fn supcon(table: &SupConTable) -> Markup {
    let rows: Vec<_> = table
        .rows
        .iter()
        .map(|row| (text(format!("τ = {}", plain(row.tau))), vec![value(row.loss)]))
        .collect();
    let of = if table.views == 2 { "of both views" } else { "of x" };
    let note = html! {
        p.note {
            "Mean over " (plural(table.anchors as u64, "anchor")) " " (of)
            " of −log softmax at the other rows of the same label (SupCon, the form L_out)."
        }
    };
    titled("Supervised contrastive loss", &["", "loss"], &rows, &note)
}
