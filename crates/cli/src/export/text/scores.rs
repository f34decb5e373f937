//! Cosines against the scores of pairs as a table.

use unisphere_eval::sections::Scores;

use super::super::reasons::{cell, reasons};
use crate::text::{columns, count, decimal, plural};

const NOTES: &str = "\
Spearman: the correlation of the ranks of cosines and scores, equal ones at the mean of theirs; 1 where the order is the same.
Its interval: by Fisher's z (Bonett & Wright 2000), for pairs that were drawn independently.
";

pub(super) fn scores(scores: &Scores) -> String {
    let (values, missing) = match &scores.spearman {
        Ok(found) => {
            let values =
                [decimal(found.value), cell(found.standard_error), cell(found.low), cell(found.high)];
            (values, reasons([("standard error of the correlation", &found.standard_error)]))
        }
        Err(reason) => (["-"; 4].map(String::from), format!("-  no correlation: {reason}.\n")),
    };
    let row = [vec!["cosines of pairs".into()], values.to_vec(), vec![count(scores.pairs as u64)]].concat();
    let head = ["against scores", "Spearman", "std. error", "95 % from", "to", "pairs"];
    columns(&head, 1, &[row]) + &missing + NOTES + &positives(scores)
}

/// How many pairs are positives, and what that changes.
fn positives(scores: &Scores) -> String {
    let Some(positives) = &scores.positives else { return String::new() };
    format!(
        "Positives: {} of {}, those whose score is {}. Alignment and what else is of positive pairs\n\
         leaves the others out; uniformity takes all rows.\n",
        count(positives.pairs as u64),
        plural(scores.pairs as u64, "pair"),
        positives.min_score,
    )
}
