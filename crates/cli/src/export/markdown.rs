//! The tables of a report as Markdown, for a README or an issue.

use super::{
    ComparisonDocument, Document, Exporter, UnpairedDocument, ViewsDocument, compared,
    table::{Section, Table, lines},
    text,
};

/// The exporter. What a report has beside its summary is shown as on a terminal.
pub(crate) struct Markdown;

impl Exporter<Document> for Markdown {
    fn export(&self, document: &Document) -> String {
        let estimates = document.report.estimates.as_deref().map(text::estimates);
        let sections: Vec<_> =
            text::summary_sections(&document.report.summary).into_iter().chain(estimates).collect();
        let notes = lines(&text::notes(&document.report));
        let head = head(text::head(document));
        format!("{head}\n{}\n{notes}{}", joined(&sections), as_text(&text::more(document)))
    }
}

impl Exporter<UnpairedDocument> for Markdown {
    fn export(&self, document: &UnpairedDocument) -> String {
        let UnpairedDocument { report, files, .. } = document;
        format!(
            "{}\n{}{}{}",
            head(text::unpaired::head(report, files)),
            text::unpaired::values(report).to_markdown(),
            lines(&text::unpaired::rounding(report)),
            as_text(&text::unpaired::more(report))
        )
    }
}

impl Exporter<ViewsDocument> for Markdown {
    fn export(&self, document: &ViewsDocument) -> String {
        let ViewsDocument { report, files, .. } = document;
        let sections = text::views::sections(report);
        let notes = lines(text::views::NOTES) + &lines(&text::views::rounding(report));
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

/// Sections as preformatted text, in which nothing is markup.
fn as_text(sections: &[String]) -> String {
    let block = |section: &String| {
        let lines = section.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n");
        lines.collect::<String>()
    };
    sections.iter().map(|section| format!("\n{}", block(section))).collect()
}

fn joined(sections: &[Section]) -> String {
    let sections: Vec<_> = sections.iter().map(Section::to_markdown).collect();
    sections.join("\n")
}
