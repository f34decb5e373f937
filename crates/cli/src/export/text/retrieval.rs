//! Retrieval and the modality gap as tables.

use unisphere::ModalityGap;
use unisphere_eval::{
    Maybe, SetName,
    sections::{RetrievalTable, RetrievalWay},
};

use crate::text::{bold, columns, count, decimal, plural};

pub(super) fn retrieval(table: &Maybe<RetrievalTable>) -> String {
    let table = match table {
        Ok(table) => table,
        Err(reason) => return format!("{}\n-  no ranks: {reason}.\n", bold("retrieval")),
    };
    format!(
        "{}Ranks of the partner of each row among {} of the other set by x.y, 1 is the best. MRR: mean of 1 / rank.\n{}",
        ways(&table.ways),
        plural(table.candidates as u64, "row"),
        ties(&table.ways),
    )
}

/// Both ways as a table.
pub(super) fn ways(ways: &[RetrievalWay; 2]) -> String {
    let recalls = ways[0].recalls.iter().map(|recall| format!("recall@{}", recall.k));
    let others = ["mean rank", "median", "MRR", "tied"].map(String::from);
    let head: Vec<_> = [String::from("retrieval")].into_iter().chain(recalls).chain(others).collect();
    let head: Vec<_> = head.iter().map(String::as_str).collect();
    columns(&head, 1, &ways.each_ref().map(line))
}

fn line(way: &RetrievalWay) -> Vec<String> {
    let recalls = way.recalls.iter().map(|recall| decimal(recall.value));
    let others = [decimal(way.mean_rank), way.median_rank.to_string(), decimal(way.mean_reciprocal_rank)];
    [name(way)].into_iter().chain(recalls).chain(others).chain([count(way.tied as u64)]).collect()
}

fn name(way: &RetrievalWay) -> String {
    match way.anchors {
        SetName::X => "x to y".into(),
        SetName::Y => "y to x".into(),
    }
}

/// How ties were taken, and what else could be made of them.
pub(super) fn ties(ways: &[RetrievalWay; 2]) -> String {
    let tied = ways.iter().filter(|way| way.tied > 0);
    let ranges: String = tied
        .map(|way| {
            let ranges = way.recalls.iter().map(|recall| {
                format!("{} to {} at {}", decimal(recall.least), decimal(recall.greatest), recall.k)
            });
            format!("{}: recall is {}.\n", name(way), ranges.collect::<Vec<_>>().join(", "))
        })
        .collect();
    if ranges.is_empty() {
        return ranges;
    }
    format!(
        "Tied: rows whose partner is as similar as other candidates. Numbers are the mean over the orders of these, and the\n\
         median is of the middles; if they go against the partner, and for it:\n{ranges}"
    )
}

pub(super) fn modality_gap(gap: &ModalityGap) -> String {
    let row = [vec!["x to y".into(), decimal(gap.distance), decimal(gap.separation)]];
    columns(&["modality gap", "distance", "separation"], 1, &row)
        + "Distance: |mean x - mean y|. Separation: how often a row of x lies farther along that direction than a row of y\n\
           (AUC), for rows that the direction was not found from; 0.5 tells nothing apart, 1 all.\n"
}
