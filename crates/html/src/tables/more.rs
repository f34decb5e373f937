//! Scores, retrieval, tests and spectra.

use maud::{Markup, html};
use unisphere::ModalityGap;
use unisphere_eval::{
    Maybe, SetName,
    sections::{RetrievalTable, Scores, SetSignificance, SetSpectrum},
};

use super::{text, titled};
use crate::number::{maybe, plural, reasons, short, value, whole};

pub(crate) fn scores(scores: &Scores) -> Markup {
    let found = match &scores.spearman {
        Ok(found) => found,
        Err(reason) => return html! { p.note { "No correlation with scores: " (reason.reason()) "." } },
    };
    let cells = vec![
        value(found.value),
        maybe(found.standard_error),
        maybe(found.low),
        maybe(found.high),
        whole(scores.pairs as u64),
    ];
    let note = html! {
        @if let Some(positives) = &scores.positives {
            p.note {
                "Positives: the " (plural(positives.pairs as u64, "pair")) " whose score is " (positives.min_score.to_string()) "."
            }
        }
        p.note { "How well the order of the cosines of pairs follows that of their scores: 1 exactly, 0 not at all." }
    };
    let head = ["", "value", "std. error", "95 % from", "to", "pairs"];
    titled("Cosines against scores", &head, &[(text("Spearman’s ρ"), cells)], &note)
}

pub(crate) fn retrieval(table: &Maybe<RetrievalTable>) -> Markup {
    let table = match table {
        Ok(table) => table,
        Err(reason) => return html! { p.note { "No ranks of partners: " (reason.reason()) "." } },
    };
    let recalls: Vec<_> = table.ways[0].recalls.iter().map(|recall| format!("recall@{}", recall.k)).collect();
    let mut head = vec![""];
    head.extend(recalls.iter().map(String::as_str));
    head.extend(["mean rank", "median", "MRR", "tied"]);
    let rows = table.ways.each_ref().map(|way| {
        let name = if way.anchors == SetName::X { "x to y" } else { "y to x" };
        let mut cells: Vec<_> = way.recalls.iter().map(|recall| value(recall.value)).collect();
        cells.extend([
            value(way.mean_rank),
            short(way.median_rank),
            value(way.mean_reciprocal_rank),
            whole(way.tied as u64),
        ]);
        (text(name), cells)
    });
    let note = html! {
        p.note {
            "Where the partner of each row stands among " (plural(table.candidates as u64, "row")) " of the other set by x·y; rank 1 is the best. "
            "MRR: the mean of 1/rank. Tied: rows whose partner is as similar as other candidates."
        }
    };
    titled("Retrieval", &head, &rows, &note)
}

pub(crate) fn modality_gap(gap: &ModalityGap) -> Markup {
    let rows = [(text("x to y"), vec![value(gap.distance), value(gap.separation)])];
    let note = html! {
        p.note {
            "Distance: |mean x − mean y|. Separation: how often a row of x lies farther along that direction than a row of y (AUC), for "
            "rows that the direction was not found from; 0.5 tells nothing apart, 1 all."
        }
    };
    titled("Modality gap", &["", "distance", "separation"], &rows, &note)
}

/// A p-value, which is too small for a number where points are far from even.
fn p_value(found: Maybe<f64>) -> Markup {
    match found {
        Ok(0.0) => html! { data value="0" { "< 1e−300" } },
        found => maybe(found),
    }
}

pub(crate) fn significance(tests: &[SetSignificance]) -> Markup {
    let rows: Vec<_> =
        tests.iter().map(|of| (text(of.set.as_str()), vec![maybe(of.z), p_value(of.p_value)])).collect();
    let missing = tests
        .iter()
        .map(|of| if of.z.is_err() { ("z and p-value", &of.z) } else { ("p-value", &of.p_value) });
    let note = html! {
        (reasons(missing))
        p.note {
            "z: how many standard deviations uniformity lies above that of as many independent uniform points. p-value: how often such "
            "points are at least as uneven by chance."
        }
    };
    titled("Against uniform points", &["", "z", "p-value"], &rows, &note)
}

pub(crate) fn spectrum(spectra: &[SetSpectrum]) -> Markup {
    let line =
        |(name, values): (&str, Vec<_>)| (text(name), values.into_iter().map(maybe).collect::<Vec<_>>());
    let rows: Vec<_> = SetSpectrum::by_name(spectra).into_iter().map(line).collect();
    let mut head = vec![""];
    head.extend(spectra.iter().map(|of| of.set.as_str()));
    let note = html! {
        (reasons(spectra.iter().flat_map(|of| [("RankMe", &of.rank_me), ("Wasserstein distance", &of.wasserstein)])))
        p.note {
            "Mean norm: 0 where points balance each other, near 1 where all lie in a narrow cone. Effective rank: how many directions are "
            "in use, weak ones in part. RankMe: the same of the singular values, not about the mean. Participation ratio: how many "
            "directions carry most of the variance. Wasserstein: the distance of their Gaussian to N(0, I/d)."
        }
    };
    titled("Mean and covariance", &head, &rows, &note)
}
