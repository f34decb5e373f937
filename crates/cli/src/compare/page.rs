//! The comparison as a page, beside what goes to standard output.

use std::path::Path;

use unisphere_html::{Compared, NamedModel, compared_page};
use unisphere_io::{printable, write_text};

use crate::{
    exit::Failure,
    export::{ComparedModel, ComparisonDocument, FailedModel},
    json::PROGRAM,
};

/// Writes the page of a comparison to its file.
pub(super) fn write(path: &Path, document: &ComparisonDocument) -> Result<(), Failure> {
    let failed = |of: &FailedModel| (printable(&of.name), of.reason_in_line());
    let compared = Compared {
        plan: &document.plan,
        device: &document.device,
        models: document.models.iter().map(named).collect(),
        failed: document.failed.iter().map(failed).collect(),
        baseline: printable(&document.baseline),
        comparison: &document.comparison,
        bootstrap: document.bootstrap,
        seconds: document.seconds(),
        program: PROGRAM.into(),
    };
    Ok(write_text(path, &compared_page(&compared))?)
}

fn named(of: &ComparedModel) -> NamedModel<'_> {
    NamedModel {
        name: printable(&of.name),
        files: of.files.iter().map(|(role, told)| ((*role).into(), printable(told))).collect(),
        place: of.place,
        model: &of.model,
    }
}
