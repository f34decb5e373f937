//! Tests, spectra, histograms and lists of rows as tables.

use std::collections::HashMap;

use unisphere_eval::sections::{
    Duplicates, Histogram, Histograms, RankedRow, SetDuplicates, SetSignificance, SetSpectrum, WorstRows,
};
use unisphere_io::printable;

use super::{
    super::RowsFile,
    super::reasons::{cell, reasons},
};
use crate::text::{bars, bold, columns, count, decimal, digits, plain, plural};

/// Eigenvalues that are printed.
const SHOWN_VARIANCES: usize = 5;
/// Equal and close rows that are printed, of each sort.
const SHOWN_DUPLICATES: usize = 3;

const SPECTRUM_NOTES: &str = "\
Mean norm: 0 where points balance each other, near 1 where all lie in a narrow cone.
Effective rank: how many axes are in use, weak ones in part (exp of the entropy of the shares of variance).
RankMe: the same of the singular values of the points as they are measured, which are not about their mean.
Participation ratio: how many axes carry most of the variance.
Wasserstein: distance of their Gaussian to N(0, I/d); grows with every axis that is lost, which uniformity hardly shows.
";

pub(in crate::export) fn significance(tests: &[SetSignificance]) -> String {
    let row = |of: &SetSignificance| {
        let z = of.z.map_or("-".into(), digits);
        vec![of.set.to_string(), z, of.p_value.map_or("-".into(), p_value)]
    };
    let rows: Vec<_> = tests.iter().map(row).collect();
    let missing = tests.iter().map(|of| match &of.z {
        Err(_) => ("z and p-value", &of.z),
        Ok(_) => ("p-value", &of.p_value),
    });
    columns(&["against uniform points", "z", "p-value"], 1, &rows)
        + &reasons(missing)
        + "z: how many standard deviations the value lies above that of as many independent uniform points.\n\
           p-value: how often such points are at least as uneven by chance.\n"
}

/// A p-value, which is too small for a number where points are far from even.
fn p_value(p: f64) -> String {
    match p {
        0.0 => "< 1e-300".into(),
        p if p < 1e-4 => format!("{p:.1e}"),
        p => format!("{p:.4}"),
    }
}

pub(in crate::export) fn spectrum(spectra: &[SetSpectrum]) -> String {
    let line = |(name, values): (&str, Vec<_>)| {
        let cells = values.into_iter().map(cell);
        std::iter::once(name.to_string()).chain(cells).collect::<Vec<_>>()
    };
    let rows: Vec<_> = SetSpectrum::by_name(spectra).into_iter().map(line).collect();
    let head: Vec<_> = std::iter::once("spectrum").chain(spectra.iter().map(|of| of.set.as_str())).collect();
    let largest = spectra.iter().map(|of| {
        let values = of.spectrum.eigenvalues().iter().take(SHOWN_VARIANCES);
        let shown: Vec<_> = values.map(|&value| digits(value)).collect();
        format!("largest variances of {}: {}\n", of.set, shown.join(" "))
    });
    columns(&head, 1, &rows)
        + &reasons(spectra.iter().map(|of| ("RankMe", &of.rank_me)))
        + &reasons(spectra.iter().map(|of| ("Wasserstein distance", &of.wasserstein)))
        + &largest.collect::<String>()
        + SPECTRUM_NOTES
}

pub(in crate::export) fn histograms(histograms: &Histograms) -> String {
    let mut text = bold("histograms") + "\n";
    if let Some(distances) = &histograms.distances {
        text += &histogram("distances of pairs", distances);
    }
    for of in &histograms.cosines {
        let what = format!("cosines within {}", of.set);
        text += &match &of.histogram {
            Ok(cosines) => histogram(&what, cosines),
            Err(reason) => format!("{what}: {reason}\n"),
        };
    }
    text
}

fn histogram(what: &str, of: &Histogram) -> String {
    let edge = |value: f64| if value.fract() == 0.0 { plain(value) } else { decimal(value) };
    format!("{what:<22}{:>3} |{}| {}\n", edge(of.low), bars(&of.counts), edge(of.high))
}

const EQUAL_ROWS_NOTE: &str = "Equal rows: rows that repeat an earlier one in every value, as f32 and before scaling. Rows are counted from 0.\n";

pub(in crate::export) fn duplicates(duplicates: &Duplicates) -> String {
    let head = format!("pairs within {}", plain(duplicates.distance));
    let row = |of: &SetDuplicates| {
        let equal = of.spare_rows().map_or("-".into(), |rows| count(rows as u64));
        vec![of.set.to_string(), equal, count(of.close_pairs)]
    };
    let rows: Vec<_> = duplicates.sets.iter().map(row).collect();
    let known: Vec<_> = duplicates.sets.iter().map(|of| of.spare_rows().map(|rows| rows as f64)).collect();
    let note = if known.iter().any(Result::is_ok) { EQUAL_ROWS_NOTE } else { "" };
    columns(&["duplicates", "equal rows", &head], 1, &rows)
        + &reasons(known.iter().map(|of| ("equal rows", of)))
        + &duplicates.sets.iter().map(examples).collect::<String>()
        + note
}

/// Equal rows, and the closest of the pairs that are listed, on one line.
fn examples(of: &SetDuplicates) -> String {
    let equal = of.groups().unwrap_or_default();
    let groups = equal.iter().take(SHOWN_DUPLICATES).map(|group| {
        let rows: Vec<_> = group.iter().take(SHOWN_DUPLICATES).map(usize::to_string).collect();
        rows.join(" = ") + if group.len() > SHOWN_DUPLICATES { " = ..." } else { "" }
    });
    let group_of: HashMap<usize, usize> =
        equal.iter().enumerate().flat_map(|(i, group)| group.iter().map(move |&row| (row, i))).collect();
    let named = |i: usize, j: usize| group_of.get(&i).is_some_and(|group| group_of.get(&j) == Some(group));
    let mut apart: Vec<_> = of.listed().iter().filter(|pair| !named(pair.i, pair.j)).collect();
    // Stable: of equally close ones, those of the first rows.
    apart.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    let pairs = apart.iter().take(SHOWN_DUPLICATES);
    let pairs = pairs.map(|pair| format!("{} ~ {} ({})", pair.i, pair.j, digits(pair.distance)));
    let first: Vec<_> = groups.chain(pairs).collect();
    // Only so many are looked at for the closest.
    let listed = of.listed().len() as u64;
    let among = match of.close.is_ok() && listed < of.close_pairs {
        true => format!("; of the first {} in the order of their rows", plural(listed, "pair")),
        false => String::new(),
    };
    if first.is_empty() { String::new() } else { format!("{}: {}{among}\n", of.set, first.join(", ")) }
}

pub(in crate::export) fn worst_rows(worst: &WorstRows) -> String {
    let lists = worst.crowded.iter().map(|of| (format!("crowded in {}", of.set), "potential", &of.rows));
    let apart = worst.apart.iter().map(|rows| ("pairs apart".to_string(), "distance", rows));
    let lists: Vec<(String, &str, &Vec<RankedRow>)> = lists.chain(apart).collect();
    let head: Vec<_> = lists.iter().flat_map(|(title, what, _)| [title.as_str(), what]).collect();
    let longest = lists.iter().map(|(.., rows)| rows.len()).max().unwrap_or(0);
    let line = |i: usize| {
        let cells = lists.iter().flat_map(|(.., rows)| match rows.get(i) {
            Some(ranked) => [ranked.row.to_string(), decimal(ranked.value)],
            None => [String::new(), String::new()],
        });
        cells.collect()
    };
    let unlisted = if worst.weighted { "Rows of weight 0 are not listed. " } else { "" };
    let table = columns(&head, 0, &(0..longest).map(line).collect::<Vec<_>>());
    format!(
        "{table}Crowded: the rows with the greatest potential, log mean exp(-t|x-x'|^2) over all other rows of the set. Pairs apart:\n\
         the rows with the greatest distance |x-y|. {unlisted}Rows are counted from 0.\n"
    )
}

pub(in crate::export) fn rows_file(RowsFile { path, table }: RowsFile<'_>) -> String {
    let columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    let rows = plural(table.rows() as u64, "row");
    format!("{} holds {rows} of f64: {}.\n", printable(path), columns.join(", "))
}
