//! Sections that every report has alike, whether its points were in memory or read in pieces.

use std::path::Path;

use serde_json::Value;
use unisphere_eval::sections::{
    Duplicates, GroupTable, Histograms, RowTable, SetSignificance, SetSpectrum, WorstRows,
};

use super::{json::analysis as json, text};

/// What there is of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sections<'a> {
    pub(crate) significance: Option<&'a [SetSignificance]>,
    pub(crate) spectrum: Option<&'a [SetSpectrum]>,
    pub(crate) histograms: Option<&'a Histograms>,
    pub(crate) duplicates: Option<&'a Duplicates>,
    pub(crate) worst_rows: Option<&'a WorstRows>,
    pub(crate) groups: Option<&'a GroupTable>,
    pub(crate) rows_file: Option<RowsFile<'a>>,
}

/// A file of rows that was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsFile<'a> {
    pub(crate) path: &'a Path,
    pub(crate) table: &'a RowTable,
}

impl<'a> RowsFile<'a> {
    /// None where either is missing.
    pub(crate) fn of(path: Option<&'a Path>, table: Option<&'a RowTable>) -> Option<Self> {
        Some(Self { path: path?, table: table? })
    }
}

impl Sections<'_> {
    /// Each as a table, in order.
    pub(crate) fn to_text(self) -> impl Iterator<Item = String> {
        [
            self.significance.map(text::analysis::significance),
            self.spectrum.map(text::analysis::spectrum),
            self.histograms.map(text::analysis::histograms),
            self.duplicates.map(text::analysis::duplicates),
            self.worst_rows.map(text::analysis::worst_rows),
            self.groups.map(text::groups::groups),
            self.rows_file.map(text::analysis::rows_file),
        ]
        .into_iter()
        .flatten()
    }

    /// Each in JSON with its key, in order. Values that are not there are yet to be settled.
    pub(crate) fn to_json(self) -> impl Iterator<Item = (&'static str, Value)> {
        [
            ("significance", self.significance.map(json::significance)),
            ("spectrum", self.spectrum.map(json::spectrum)),
            ("histograms", self.histograms.map(json::histograms)),
            ("duplicates", self.duplicates.map(json::duplicates)),
            ("offenders", self.worst_rows.map(json::worst_rows)),
            ("groups", self.groups.map(json::groups)),
            ("rows_file", self.rows_file.map(json::rows_file)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
    }
}
