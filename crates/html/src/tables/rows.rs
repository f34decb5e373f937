//! Rows to look at: the most crowded ones, the farthest pairs, and copies.

use maud::{Markup, html};
use unisphere_eval::sections::{Duplicates, RankedRow, SetDuplicates, WorstRows};

use super::{text, titled};
use crate::{
    known::Known,
    number::{formula, plain, plural, short, value, whole},
};

/// Groups of equal rows and close pairs that are listed at most, of each sort.
const MAX_LISTED: usize = 10;
/// Crowded rows and farthest pairs that are listed at most.
pub(crate) const MAX_RANKED: usize = 100;

pub(crate) fn worst_rows(worst: &WorstRows, known: &Known) -> Markup {
    html! {
        div.lists {
            @for of in &worst.crowded {
                (ranked(&format!("Most crowded rows of {}", of.set), "potential (nats)", &of.rows, known))
            }
            @if let Some(rows) = &worst.apart {
                (ranked("Pairs that lie farthest apart", "distance", rows, known))
            }
        }
        p.note {
            "Crowded: the greatest " (formula("log mean exp(−t|x − x′|²)")) " over all other rows. "
            @if worst.weighted { "Rows of weight 0 are not listed. " }
            "Rows are counted from 0."
        }
    }
}

fn ranked(title: &str, what: &str, rows: &[RankedRow], known: &Known) -> Markup {
    let has_text = !known.texts.is_empty();
    let row = |ranked: &RankedRow| {
        let mut cells = vec![value(ranked.value)];
        if has_text {
            cells.push(html! { span.text { (known.text(ranked.row).unwrap_or_default()) } });
        }
        (text(ranked.row.to_string()), cells)
    };
    let left = rows.len().saturating_sub(MAX_RANKED);
    let rows: Vec<_> = rows.iter().take(MAX_RANKED).map(row).collect();
    let head: &[&str] = if has_text { &["row", what, "text"] } else { &["row", what] };
    let note = html! { @if left > 0 { p.note { (plural(left as u64, "row")) " more are not listed." } } };
    let table = titled(title, head, &rows, &note);
    html! { @if has_text { div.texts { (table) } } @else { div { (table) } } }
}

pub(crate) fn duplicates(duplicates: &Duplicates) -> Markup {
    let row = |of: &SetDuplicates| {
        let equal = of.spare_rows().map_or_else(|_| text("not known"), |rows| whole(rows as u64));
        (text(of.set.as_str()), vec![equal, whole(of.close_pairs), examples(of)])
    };
    let rows: Vec<_> = duplicates.sets.iter().map(row).collect();
    let close = format!("pairs within {}", plain(duplicates.distance));
    let note = html! {
        @match duplicates.sets.iter().find_map(|of| of.spare_rows().err()) {
            Some(reason) => p.note { "Equal rows are not known: " (reason.reason()) "." }
            None => p.note { "Equal rows repeat an earlier one in every value, as f32 and before scaling." }
        }
    };
    let head = ["set", "equal rows", &close, "for example"];
    html! { div.texts { (titled("Equal rows and close pairs", &head, &rows, &note)) } }
}

/// The first equal rows, and the closest of the pairs that are listed.
fn examples(of: &SetDuplicates) -> Markup {
    let mut close: Vec<_> = of.listed().iter().filter(|pair| pair.distance > 0.0).collect();
    close.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    html! {
        @for group in of.groups().unwrap_or_default().iter().take(MAX_LISTED) {
            div.left { (group[0]) " = " (group.get(1).copied().unwrap_or_default())
                @if group.len() > 2 { " and " (plural(group.len() as u64 - 2, "more row")) } }
        }
        @for pair in close.iter().take(MAX_LISTED) {
            div.left { (pair.i) " ~ " (pair.j) ", " (short(pair.distance)) " apart" }
        }
    }
}
