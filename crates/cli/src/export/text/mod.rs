//! The report as tables and sentences for a terminal.

pub(super) mod analysis;
mod estimates;
pub(super) mod groups;
mod head;
mod losses;
mod retrieval;
mod scores;
mod summary;
mod sweep;
pub(super) mod unpaired;
pub(super) mod views;

use super::{Checkpoint, ComparisonDocument, Document, Exporter, UnpairedDocument, ViewsDocument, compared};
use crate::text::circumstances;

pub(super) use estimates::estimates;
pub(super) use head::head;
pub(crate) use summary::rounding as rounding_note;
pub(super) use summary::{notes, sections as summary_sections};

/// The exporter.
pub(crate) struct Text;

impl Exporter<UnpairedDocument> for Text {
    fn export(&self, document: &UnpairedDocument) -> String {
        unpaired::export(document)
    }
}

impl Exporter<ViewsDocument> for Text {
    fn export(&self, document: &ViewsDocument) -> String {
        views::export(document)
    }
}

impl Exporter<ComparisonDocument> for Text {
    fn export(&self, document: &ComparisonDocument) -> String {
        let sections: Vec<_> = compared::sections(document).iter().map(|section| section.to_text()).collect();
        format!("{}\n{}", circumstances(&compared::head(document)), sections.join("\n"))
    }
}

impl Exporter<Checkpoint<'_>> for Text {
    fn export(&self, of: &Checkpoint<'_>) -> String {
        compared::line(of)
    }
}

impl Exporter<Document> for Text {
    fn export(&self, document: &Document) -> String {
        let estimated = document.report.estimates.as_deref().map(|of| estimates(of).to_text());
        let sections: Vec<_> =
            [summary::summary(&document.report)].into_iter().chain(estimated).chain(more(document)).collect();
        format!("{}\n{}", circumstances(&head(document)), sections.join("\n"))
    }
}

/// The sections of a report beside its summary.
pub(super) fn more(document: &Document) -> Vec<String> {
    let report = &document.report;
    let sections = [
        report.scores.as_ref().map(scores::scores),
        report.sweep.as_ref().map(sweep::sweep),
        report.protocol.as_ref().map(losses::protocol),
        report.contrastive.as_ref().map(losses::contrastive),
        report.sigmoid.as_deref().map(losses::sigmoid),
        report.supcon.as_ref().map(losses::supcon),
        report.retrieval.as_ref().map(retrieval::retrieval),
        report.modality_gap.as_ref().map(retrieval::modality_gap),
    ];
    sections.into_iter().flatten().chain(document.sections().to_text()).collect()
}
