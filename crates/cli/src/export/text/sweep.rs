//! Uniformity at several t as a table.

use unisphere_eval::{
    Maybe,
    sections::{Sweep, SweepRow},
};

use super::super::reasons::{cell, reasons};
use crate::text::{columns, plain};

const NOTE: &str = "\
Cross: over all pairs of one point of x and one of y. Pooled: over the pairs of both sets together.
Squared MMD: how far the two sets are apart as distributions, under the kernel exp(-t|x-y|^2), without the positive
pairs and without bias: about 0 for two sets of one distribution.
";

pub(super) fn sweep(sweep: &Sweep) -> String {
    let titles = sweep.rows.first().map(values).unwrap_or_default();
    let head: Vec<_> = ["uniformity"].into_iter().chain(titles.iter().map(|(title, _)| *title)).collect();
    let line = |row: &SweepRow| {
        let cells = values(row).into_iter().map(|(_, value)| cell(*value));
        [format!("t = {}", plain(row.t))].into_iter().chain(cells).collect()
    };
    let rows: Vec<_> = sweep.rows.iter().map(line).collect();
    let crossed = sweep.rows.iter().any(|row| row.pair.as_ref().is_some_and(|pair| pair.cross.is_ok()));
    let note = if crossed { NOTE } else { "" };
    columns(&head, 1, &rows) + &reasons(sweep.rows.iter().flat_map(values)) + note
}

/// The values of a row under their titles.
fn values(row: &SweepRow) -> Vec<(&'static str, &Maybe<f64>)> {
    let mut values = vec![("x", &row.x)];
    if let Some(pair) = &row.pair {
        values.extend([
            ("y", &pair.y),
            ("mean", &pair.mean),
            ("cross", &pair.cross),
            ("pooled", &pair.pooled),
            ("squared MMD", &pair.squared_mmd),
        ]);
    }
    values.push(("floor", &row.floor));
    values
}
