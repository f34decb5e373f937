//! The report as a page: one HTML file with figures, beside what goes to standard output.

use std::{collections::BTreeMap, path::Path};

use unisphere_eval::Report;
use unisphere_html::{Compared, Known, NamedModel, compared_page, page};
use unisphere_io::{Column, printable, write_text};

use super::{ComparedModel, ComparisonDocument, Document, Exporter, FailedModel};
use crate::{exit::Failure, interrupt, json::PROGRAM};

/// The exporter.
pub(crate) struct Html<'a> {
    /// The name of the program that makes the page.
    pub(crate) program: &'a str,
}

impl Exporter<Document> for Html<'_> {
    fn export(&self, document: &Document) -> String {
        let mut known = Known::default();
        known.program = self.program.into();
        known.sources =
            document.sources().iter().map(|(role, told)| ((*role).into(), printable(told))).collect();
        known.skipped_rows = document.skipped.as_ref().map_or(0, |skipped| skipped.rows.len());
        known.texts.clone_from(&document.texts);
        known.seconds_include_reading = document.seconds_include_reading();
        known.other_devices = document.other_devices().collect();
        page(&document.report, &known)
    }
}

impl Exporter<ComparisonDocument> for Html<'_> {
    fn export(&self, document: &ComparisonDocument) -> String {
        let failed = |of: &FailedModel| (printable(&of.name), of.reason_in_line());
        compared_page(&Compared {
            plan: &document.plan,
            device: &document.device,
            models: document.models.iter().map(|of| named(document, of)).collect(),
            failed: document.failed.iter().map(failed).collect(),
            baseline: printable(&document.baseline),
            comparison: &document.comparison,
            bootstrap: document.bootstrap,
            seconds: document.seconds(),
            program: self.program.into(),
        })
    }
}

fn named<'a>(document: &ComparisonDocument, of: &'a ComparedModel) -> NamedModel<'a> {
    NamedModel {
        name: printable(&of.name),
        files: of.files.iter().map(|(role, told)| ((*role).into(), printable(told))).collect(),
        place: of.place,
        model: &of.model,
        moved: document.moved_by_rounding(of),
    }
}

/// Writes the page of a document to its file, whole or not at all.
pub(crate) fn write_page<D>(path: &Path, document: &D) -> Result<(), Failure>
where
    Html<'static>: Exporter<D>,
{
    Ok(write_text(path, &Html { program: PROGRAM }.export(document))?)
}

/// The text of each row that a page lists, by its number.
pub(crate) fn texts(report: &Report, column: &Column) -> Result<BTreeMap<usize, String>, Failure> {
    let rows = Known::rows_to_look_at(report);
    // One more than are shown tells that there are more.
    let excerpts = interrupt::leaving_at_once(|| column.excerpts(&rows, Known::MAX_CHARACTERS_OF_TEXT + 1))??;
    Ok(rows.into_iter().zip(excerpts.iter().map(printable)).collect())
}
