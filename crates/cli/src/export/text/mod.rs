//! The report as tables and sentences for a terminal.

pub(super) mod analysis;
pub(super) mod groups;
mod head;
mod losses;
mod reasons;
mod retrieval;
mod scores;
mod summary;
mod sweep;
mod unpaired;
mod views;

use super::{Document, Exporter};

pub(super) use unpaired::export as unpaired;
pub(super) use views::export as views;

/// The exporter.
pub(super) struct Text;

impl Exporter for Text {
    fn export(&self, document: &Document) -> String {
        let report = &document.report;
        let sections = [
            Some(summary::summary(report)),
            report.scores.as_ref().map(scores::scores),
            report.sweep.as_ref().map(sweep::sweep),
            report.protocol.as_ref().map(losses::protocol),
            report.contrastive.as_ref().map(losses::contrastive),
            report.sigmoid.as_deref().map(losses::sigmoid),
            report.supcon.as_ref().map(losses::supcon),
            report.retrieval.as_ref().map(retrieval::retrieval),
            report.modality_gap.as_ref().map(retrieval::modality_gap),
        ];
        let sections: Vec<_> = sections.into_iter().flatten().chain(document.sections().to_text()).collect();
        format!("{}\n{}", head::head(document), sections.join("\n"))
    }
}
