//! The sections of a report as tables, each with what its columns mean.

mod estimates;
mod groups;
mod losses;
mod more;
mod rows;
mod summary;

use maud::{Markup, html};

pub(crate) use estimates::estimates;
pub(crate) use groups::{groups, names as group_names};
pub(crate) use losses::{contrastive, protocol, sigmoid, supcon, sweep};
pub(crate) use more::{modality_gap, retrieval, scores, significance, spectrum};
pub(crate) use rows::{MAX_RANKED, duplicates, worst_rows};
pub(crate) use summary::{calibration, meaning, values};

/// A table with its title, the heads of its columns, and its rows: the first cell of each is its name. What goes with it follows.
pub(crate) fn titled(title: &str, head: &[&str], rows: &[(Markup, Vec<Markup>)], notes: &Markup) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label=(title) {
            table {
                caption { (title) }
                thead { tr {
                    @for cell in head {
                        @if cell.is_empty() { td {} } @else { th scope="col" { (cell) } }
                    }
                } }
                tbody { @for (name, cells) in rows { tr {
                    th scope="row" { (name) }
                    @for cell in cells { td { (cell) } }
                } } }
            }
        }
        (notes)
    }
}

/// A text as markup.
pub(crate) fn text(text: impl AsRef<str>) -> Markup {
    html! { (text.as_ref()) }
}
