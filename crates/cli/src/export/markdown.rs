//! The tables of a report as Markdown, for a README or an issue.

use super::{
    ComparisonDocument, Document, Exporter, UnpairedDocument, ViewsDocument, compared,
    table::{Section, Table, lines},
    text,
};

/// The exporter. Of evaluations it has the summary; tables over t and tau, spectra and histograms are in text and JSON.
pub(crate) struct Markdown;

impl Exporter<Document> for Markdown {
    fn export(&self, document: &Document) -> String {
        let sections = text::summary_sections(&document.report.summary);
        let notes = lines(&text::notes(&document.report));
        format!("{}\n{}\n{notes}", head(text::head(document)), joined(&sections))
    }
}

impl Exporter<UnpairedDocument> for Markdown {
    fn export(&self, document: &UnpairedDocument) -> String {
        let UnpairedDocument { report, files, .. } = document;
        format!(
            "{}\n{}",
            head(text::unpaired::head(report, files)),
            text::unpaired::values(report).to_markdown()
        )
    }
}

impl Exporter<ViewsDocument> for Markdown {
    fn export(&self, document: &ViewsDocument) -> String {
        let ViewsDocument { report, files, .. } = document;
        let (sections, notes) = (text::views::sections(report), lines(text::views::NOTES));
        format!("{}\n{}\n{notes}", head(text::views::head(report, files)), joined(&sections))
    }
}

impl Exporter<ComparisonDocument> for Markdown {
    fn export(&self, document: &ComparisonDocument) -> String {
        format!("{}\n{}", head(compared::head(document)), joined(&compared::sections(document)))
    }
}

/// What was measured, as a table of two columns.
fn head(of: Vec<(&'static str, String)>) -> String {
    let rows = of.into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect();
    Table::new(&["", ""], 2, rows).to_markdown()
}

fn joined(sections: &[Section]) -> String {
    let sections: Vec<_> = sections.iter().map(Section::to_markdown).collect();
    sections.join("\n")
}
