//! Groups of rows.

use maud::{Markup, html};
use unisphere_eval::sections::GroupTable;

use super::{text, titled};
use crate::number::{cut, exponent, maybe, plural, reasons, visible, whole};

/// Groups that are listed at most: the largest.
const MAX_LISTED: usize = 100;
/// Characters of a name that are shown at most.
const MAX_CHARACTERS_OF_NAME: usize = 60;

/// The groups' names, of a bounded length, or their numbers.
pub(crate) fn names(groups: &GroupTable) -> Vec<String> {
    let shown = |name: &String| cut(&visible(name), MAX_CHARACTERS_OF_NAME);
    match &groups.names {
        Some(names) => names.iter().map(shown).collect(),
        None => groups.labels.iter().map(i64::to_string).collect(),
    }
}

pub(crate) fn groups(groups: &GroupTable) -> Markup {
    let names = names(groups);
    let places = groups.largest(MAX_LISTED);
    let within: Vec<_> = groups.sets.iter().map(|of| format!("uniformity of {}", of.set)).collect();
    let mut head = vec!["group", "rows"];
    head.extend(groups.alignment.as_ref().map(|_| "alignment"));
    head.extend(within.iter().map(String::as_str));
    let row = |place: usize| {
        let mut cells = vec![whole(groups.sizes[place] as u64)];
        cells.extend(groups.alignment.as_ref().map(|values| maybe(values[place])));
        cells.extend(groups.sets.iter().map(|of| maybe(of.within[place])));
        (text(&names[place]), cells)
    };
    let rows: Vec<_> = places.iter().map(|&place| row(place)).collect();
    let of_rows =
        groups.sets.iter().flat_map(|of| places.iter().map(|&place| ("uniformity", &of.within[place])));
    let of_pairs =
        groups.alignment.iter().flat_map(|values| places.iter().map(|&place| ("alignment", &values[place])));
    let missing =
        of_pairs.chain(of_rows).chain(groups.sets.iter().map(|of| ("alignment by label", &of.alignment)));
    let mean = if groups.weighted { "weighted mean" } else { "mean" };
    let note = html! {
        (reasons(missing))
        @for of in &groups.sets {
            p.note {
                "Alignment by label of " (of.set) ": " (maybe(of.alignment)) ", the " (mean) " of |x − x′|" (exponent(groups.metric.alpha))
                " over rows of one label."
            }
        }
        p.note {
            @if groups.weighted {
                "A pair of rows counts by the product of their weights; listed are rows of a weight above 0. "
            } @else if groups.pairs_weighted {
                "Weights are of pairs alone: alignment of each group is their weighted mean; all else here is not weighted. "
            }
            "Within groups: the " (groups.estimator.name()) "-statistic. The largest group comes first"
            @if places.len() < names.len() { "; " (plural((names.len() - places.len()) as u64, "group")) " more are not listed" }
            "."
        }
    };
    titled("Groups", &head, &rows, &note)
}
