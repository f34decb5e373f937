//! Cells of tables whose value may be missing, and why it is.

use unisphere_eval::Maybe;

use crate::text::decimal;

/// A cell of a table: a dash where there is no value.
pub(in crate::export) fn cell(value: Maybe<f64>) -> String {
    value.map_or_else(|_| "-".into(), decimal)
}

/// Why a table has dashes, each reason once, on a line of its own.
pub(in crate::export) fn reasons<'a, 'b>(
    values: impl IntoIterator<Item = (&'a str, &'b Maybe<f64>)>,
) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (what, value) in values {
        if let Err(reason) = value {
            let line = format!("-  no {what}: {reason}.\n");
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.concat()
}
