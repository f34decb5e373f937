//! Groups of rows as tables.

use unisphere_eval::sections::{GroupTable, SetGroups};
use unisphere_io::printable;

use super::super::reasons::{cell, reasons};
use crate::text::{columns, count, plain, plural};

/// Groups whose matrix is printed at most.
const SHOWN_ACROSS: usize = 8;
/// Groups that are listed at most.
const SHOWN_GROUPS: usize = 24;
/// Characters of a name that are printed at most.
const MAX_CHARACTERS_OF_NAME: usize = 32;

pub(in crate::export) fn groups(groups: &GroupTable) -> String {
    let count_of_groups = groups.labels.len();
    let names = names(groups);
    let within: Vec<_> = groups.sets.iter().map(|of| format!("within {}", of.set)).collect();
    let alignment = groups.alignment.as_ref().map(|_| "alignment");
    let head = ["group", "rows"].into_iter().chain(alignment).chain(within.iter().map(String::as_str));
    let head: Vec<_> = head.collect();
    let line = |a: usize| {
        let mut line = vec![names[a].clone(), count(groups.sizes[a] as u64)];
        line.extend(groups.alignment.as_ref().map(|values| cell(values[a])));
        line.extend(groups.sets.iter().map(|of| cell(of.within[a])));
        line
    };
    let shown = count_of_groups.min(SHOWN_GROUPS);
    let missing = groups.sets.iter().flat_map(|of| &of.within[..shown]);
    let missing = missing.map(|value| ("uniformity", value));
    let of_pairs = groups.alignment.iter().flat_map(|values| &values[..shown]);
    let missing = of_pairs.map(|value| ("alignment", value)).chain(missing);
    let mut text = columns(&head, 1, &(0..shown).map(line).collect::<Vec<_>>());
    text += &reasons(missing);
    if shown < count_of_groups {
        let more = plural((count_of_groups - shown) as u64, "group");
        text += &format!("and {more} more: --json lists them all\n");
    }
    if groups.sets.iter().all(|of| of.across.is_none()) {
        text += "Uniformity across each two groups: eval --across-groups adds it, of points in memory.\n";
    } else if count_of_groups > SHOWN_ACROSS {
        text += "The matrix across groups is in --json.\n";
    } else {
        for of in &groups.sets {
            text += &format!("\n{}", matrix(groups, of));
        }
    }
    for of in &groups.sets {
        let alpha = plain(groups.metric.alpha);
        let mean = if groups.weighted { "weighted mean" } else { "mean" };
        let value = cell(of.alignment);
        text += &format!(
            "Alignment by label of {}: {value}, the {mean} of |x-x'|^{alpha} over rows of one label.\n",
            of.set
        );
    }
    text += &reasons(groups.sets.iter().map(|of| ("alignment by label", &of.alignment)));
    if groups.weighted {
        text +=
            "A pair of rows counts by the product of their weights; listed are rows of a weight above 0.\n";
    } else if groups.pairs_weighted {
        text += "Weights are of pairs alone: alignment of each group is their weighted mean; all else here is not weighted.\n";
    }
    text + &format!("Within groups: the {}-statistic.\n", groups.estimator.name())
}

/// The groups' names, safe to print and of a bounded width; or their numbers.
fn names(groups: &GroupTable) -> Vec<String> {
    let shown = |name: &String| {
        let mut text = printable(name.chars().take(MAX_CHARACTERS_OF_NAME).collect::<String>());
        if name.chars().nth(MAX_CHARACTERS_OF_NAME).is_some() {
            text += "...";
        }
        text
    };
    match &groups.names {
        Some(names) => names.iter().map(shown).collect(),
        None => groups.labels.iter().map(i64::to_string).collect(),
    }
}

fn matrix(groups: &GroupTable, of: &SetGroups) -> String {
    let labels = names(groups);
    let title = format!("across {}", of.set);
    let head: Vec<_> = std::iter::once(title.as_str()).chain(labels.iter().map(String::as_str)).collect();
    let line = |a: usize| {
        let cells = of.across_from(a).iter().map(|&value| cell(value));
        std::iter::once(labels[a].clone()).chain(cells).collect()
    };
    columns(&head, 1, &(0..labels.len()).map(line).collect::<Vec<_>>())
}
