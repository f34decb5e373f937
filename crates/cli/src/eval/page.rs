//! The report as a page, beside what goes to standard output.

use std::path::Path;

use unisphere_html::{Known, page};
use unisphere_io::{Column, printable, write_text};

use crate::{exit::Failure, export::Document, interrupt, json::PROGRAM};

/// Writes the page of a report to its file, with the text of the rows that it lists.
pub(super) fn write(path: &Path, document: &Document, text: Option<&Column>) -> Result<(), Failure> {
    let rows = Known::rows_to_look_at(&document.report);
    let texts = match text {
        // One more than are shown tells that there are more.
        Some(text) => {
            interrupt::leaving_at_once(|| text.excerpts(&rows, Known::MAX_CHARACTERS_OF_TEXT + 1))??
        }
        None => Vec::new(),
    };
    let mut known = Known::default();
    known.program = PROGRAM.into();
    known.sources = document.files.iter().map(|(role, told)| ((*role).into(), printable(told))).collect();
    known.skipped_rows = document.skipped.as_ref().map_or(0, |skipped| skipped.rows.len());
    known.texts = rows.into_iter().zip(texts.iter().map(printable)).collect();
    Ok(write_text(path, &page(&document.report, &known))?)
}
