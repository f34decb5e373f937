//! What the caller alone knows of a report.

use std::collections::BTreeMap;

use crate::{number::cut, tables::MAX_RANKED};

/// What the caller of [`page`](crate::page) knows, and a report does not say.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Known {
    /// The program that made the report, with its version.
    pub program: String,
    /// What each set or column is, such as `x` or `labels`, and where it came from, such as the name of a file.
    pub sources: Vec<(String, String)>,
    /// Rows of x and y that were left out because they are zero.
    pub skipped_rows: usize,
    /// Whether the report's seconds include those of reading.
    pub seconds_include_reading: bool,
    /// Devices that computed beside the report's own.
    pub other_devices: Vec<String>,
    /// The text of rows, by their numbers, as far as it is known: at least of those that
    /// [`rows_to_look_at`](Self::rows_to_look_at) names.
    pub texts: BTreeMap<usize, String>,
}

impl Known {
    /// The characters of a text that the page shows at most.
    pub const MAX_CHARACTERS_OF_TEXT: usize = 300;

    /// The rows whose text the page of a report shows, in order.
    pub fn rows_to_look_at(report: &unisphere_eval::Report) -> Vec<usize> {
        let worst = report.worst_rows.iter();
        let mut rows: Vec<usize> = worst
            .flat_map(|worst| {
                let lists = worst.crowded.iter().map(|set| &set.rows).chain(&worst.apart);
                lists.flat_map(|rows| rows.iter().take(MAX_RANKED)).map(|ranked| ranked.row)
            })
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// The text of a row, cut where it is long.
    pub(crate) fn text(&self, row: usize) -> Option<String> {
        self.texts.get(&row).map(|text| cut(text, Self::MAX_CHARACTERS_OF_TEXT))
    }
}
