//! The report as tables and sentences for a terminal.

mod analysis;
mod groups;
mod head;
mod losses;
mod reasons;
mod summary;
mod sweep;

use super::{Document, Exporter};

/// The exporter.
pub(super) struct Text;

impl Exporter for Text {
    fn export(&self, document: &Document) -> String {
        let report = &document.report;
        let file = report.row_table.as_ref().zip(document.rows_file.as_deref());
        let sections = [
            Some(summary::summary(report)),
            report.sweep.as_ref().map(sweep::sweep),
            report.protocol.as_ref().map(losses::protocol),
            report.contrastive.as_ref().map(losses::contrastive),
            report.sigmoid.as_deref().map(losses::sigmoid),
            report.supcon.as_ref().map(losses::supcon),
            report.significance.as_deref().map(analysis::significance),
            report.spectrum.as_deref().map(analysis::spectrum),
            report.histograms.as_ref().map(analysis::histograms),
            report.duplicates.as_ref().map(analysis::duplicates),
            report.worst_rows.as_ref().map(analysis::worst_rows),
            report.groups.as_ref().map(groups::groups),
            file.map(analysis::rows_file),
        ];
        let sections: Vec<_> = sections.into_iter().flatten().collect();
        format!("{}\n{}", head::head(document), sections.join("\n"))
    }
}
