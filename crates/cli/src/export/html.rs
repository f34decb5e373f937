//! The report as a page: one HTML file with figures, beside what goes to standard output.

use std::{collections::BTreeMap, path::Path};

use unisphere_eval::{
    Report,
    compare::{Difference, OfMetric},
};
use unisphere_html::{Compared, Known, NamedModel, Plain, PlainTable, compared_page, page, plain_page};
use unisphere_io::{Column, printable, write_text};

use super::{
    ComparedModel, ComparisonDocument, Document, Exporter, FailedModel, UnpairedDocument, ViewsDocument,
    table::Section, text,
};
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

impl Exporter<UnpairedDocument> for Html<'_> {
    fn export(&self, document: &UnpairedDocument) -> String {
        let UnpairedDocument { report, files, .. } = document;
        plain_page(&Plain {
            title: "Two sets that are not paired".into(),
            circumstances: printed(text::unpaired::head(report, files)),
            warnings: lines(&text::unpaired::rounding(report)),
            tables: vec![table("Uniformity and squared MMD", text::unpaired::values(report))],
            texts: text::unpaired::more(report),
            program: self.program.into(),
        })
    }
}

impl Exporter<ViewsDocument> for Html<'_> {
    fn export(&self, document: &ViewsDocument) -> String {
        let ViewsDocument { report, files, .. } = document;
        let mut tables: Vec<_> =
            text::views::sections(report).into_iter().map(|section| table("Views", section)).collect();
        if let Some(last) = tables.last_mut() {
            last.notes.extend(lines(text::views::NOTES));
        }
        plain_page(&Plain {
            title: format!("{} views of the same rows", report.views),
            circumstances: joined(printed(text::views::head(report, files))),
            warnings: lines(&text::views::rounding(report)),
            tables,
            texts: Vec::new(),
            program: self.program.into(),
        })
    }
}

/// What was measured, with names that are safe to show.
fn printed(head: Vec<(&'static str, String)>) -> Vec<(String, String)> {
    head.into_iter().map(|(what, value)| (what.to_owned(), printable(value))).collect()
}

/// Values without a name joined to the one before them, as a page names every value.
fn joined(head: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (what, value) in head {
        match joined.last_mut() {
            Some((_, all)) if what.is_empty() => *all = format!("{all}; {value}"),
            _ => joined.push((what, value)),
        }
    }
    joined
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// A section as a table of a page. Its title is that of its first columns, which names of rows stand in; else this one.
fn table(title: &str, section: Section) -> PlainTable {
    let Section { table, below } = section;
    let joined = |cells: &[String], between| {
        let cells: Vec<_> = cells.iter().filter(|cell| !cell.is_empty()).map(String::as_str).collect();
        cells.join(between)
    };
    let (of_names, of_numbers) = table.head.split_at(table.left);
    let own = joined(of_names, ", ");
    let head = std::iter::once(String::new()).chain(of_numbers.iter().cloned()).collect();
    let row = |cells: &Vec<String>| {
        let (names, numbers) = cells.split_at(table.left.min(cells.len()));
        (joined(names, " "), numbers.to_vec())
    };
    PlainTable {
        title: if own.is_empty() { title.into() } else { own },
        head,
        rows: table.rows.iter().map(row).collect(),
        notes: lines(&below),
    }
}

impl Exporter<ComparisonDocument> for Html<'_> {
    fn export(&self, document: &ComparisonDocument) -> String {
        let failed = |of: &FailedModel| (printable(&of.name), of.reason_in_line());
        compared_page(&Compared {
            plan: &document.plan,
            device: &document.device,
            models: document
                .models
                .iter()
                .zip(&document.comparison.differences)
                .map(|(of, differences)| named(document, of, differences))
                .collect(),
            skipped: document.skipped_rows(),
            below_rounding: document.differences_below_rounding().map(|(_, sentence)| sentence).collect(),
            failed: document.failed.iter().map(failed).collect(),
            baseline: printable(&document.baseline),
            comparison: &document.comparison,
            bootstrap: document.bootstrap,
            seconds: document.seconds(),
            program: self.program.into(),
        })
    }
}

fn named<'a>(
    document: &ComparisonDocument,
    of: &'a ComparedModel,
    differences: &[OfMetric<Difference>],
) -> NamedModel<'a> {
    NamedModel {
        name: printable(&of.name),
        files: of.files.iter().map(|(role, told)| ((*role).into(), printable(told))).collect(),
        place: of.place,
        model: &of.model,
        moved: document.moved_by_rounding(of),
        below_rounding: differences
            .iter()
            .filter(|found| document.rounding_beyond_difference(of, found).is_some())
            .map(|found| found.metric)
            .collect(),
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
