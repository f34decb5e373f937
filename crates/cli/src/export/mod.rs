//! A finished report in the forms in which it is told.

mod json;
mod sections;
mod text;

pub(crate) use json::settle;
pub(crate) use sections::{RowsFile, Sections};

use std::path::PathBuf;

use serde_json::Value;
use unisphere_eval::{Report, unpaired::UnpairedReport, views::ViewsReport};

/// A report, and what the program alone knows of it: the names of files.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) report: Report,
    /// The files under their roles, and what of them is read.
    pub(crate) files: Vec<(&'static str, String)>,
    /// How X and Y were read, where options said it.
    pub(crate) read: Value,
    /// Rows of zeros, where they were to be skipped.
    pub(crate) skipped: Option<Skipped>,
    /// The file that the table of rows was written to, if it was.
    pub(crate) rows_file: Option<PathBuf>,
}

impl Document {
    /// The sections that reports of points in pieces have too.
    fn sections(&self) -> Sections<'_> {
        let report = &self.report;
        Sections {
            significance: report.significance.as_deref(),
            spectrum: report.spectrum.as_deref(),
            histograms: report.histograms.as_ref(),
            duplicates: report.duplicates.as_ref(),
            worst_rows: report.worst_rows.as_ref(),
            groups: report.groups.as_ref(),
            rows_file: RowsFile::of(self.rows_file.as_deref(), report.row_table.as_ref()),
        }
    }
}

/// Rows of zeros that were left out, by their numbers in the files.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// Rows of x and y alike: those that are zero in either.
    pub(crate) rows: Vec<usize>,
    pub(crate) queue: Vec<usize>,
}

/// A report on two sets that are not paired, and what the program alone knows of it.
#[derive(Debug)]
pub(crate) struct UnpairedDocument {
    pub(crate) report: UnpairedReport,
    /// The files under their roles, and what of them is read: those of x and y first.
    pub(crate) files: Vec<(&'static str, String)>,
    /// How they were read, where options said it.
    pub(crate) read: Value,
}

/// That report in a form.
pub(crate) fn unpaired(format: Format, document: &UnpairedDocument) -> String {
    match format {
        Format::Text => text::unpaired(document),
        Format::Json => json::unpaired(document),
    }
}

/// A report on several views, and what the program alone knows of it.
#[derive(Debug)]
pub(crate) struct ViewsDocument {
    pub(crate) report: ViewsReport,
    /// The files of the views in their order, or the one that holds them all, and what of them is read.
    pub(crate) files: Vec<String>,
    /// How they were read, where options said it.
    pub(crate) read: Value,
}

/// That report in a form.
pub(crate) fn views(format: Format, document: &ViewsDocument) -> String {
    match format {
        Format::Text => text::views(document),
        Format::Json => json::views(document),
    }
}

/// A form of a report.
pub(crate) trait Exporter {
    /// The whole report in it.
    fn export(&self, document: &Document) -> String;
}

/// The forms that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tables for a terminal.
    Text,
    /// One JSON object on one line.
    Json,
}

/// The exporter of a form.
pub(crate) fn exporter(format: Format) -> Box<dyn Exporter> {
    match format {
        Format::Text => Box::new(text::Text),
        Format::Json => Box::new(json::Json),
    }
}
