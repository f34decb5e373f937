//! A page of tables, of a report that has no figures.

use maud::{Markup, html};

use crate::{
    frame::{framed, warned},
    tables::{text, titled},
};

/// A report in tables. Names and texts are shown as they are, so that a caller makes them printable.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    /// The title.
    pub title: String,
    /// What was measured, of what and where: names and what they stand for.
    pub circumstances: Vec<(String, String)>,
    /// What a reader is to mind.
    pub warnings: Vec<String>,
    /// The tables, in order.
    pub tables: Vec<PlainTable>,
    /// Further sections of text, whose lines and columns are kept.
    pub texts: Vec<String>,
    /// The program that made it, with its version.
    pub program: String,
}

/// A table of cells.
#[derive(Clone, Debug, Default)]
pub struct PlainTable {
    /// Its title.
    pub title: String,
    /// The titles of the columns, of which the first is of the names of rows.
    pub head: Vec<String>,
    /// A name and cells for each row.
    pub rows: Vec<(String, Vec<String>)>,
    /// Sentences below it.
    pub notes: Vec<String>,
}

/// The report as one HTML file.
pub fn plain_page(of: &Plain) -> String {
    let body = html! {
        header {
            h1 { (of.title) }
            dl.circumstances { @for (what, value) in &of.circumstances { dt { (what) } dd { (value) } } }
        }
        @if !of.warnings.is_empty() { (warned(&of.warnings)) }
        section aria-labelledby="numbers" {
            h2 id="numbers" { "Numbers" }
            @for of_table in &of.tables { (table(of_table)) }
            @for text in &of.texts { pre.wide tabindex="0" { (text.trim_end()) } }
        }
        @if !of.program.is_empty() { p.note { "Made by " (of.program) "." } }
    };
    framed(&of.title, &body)
}

fn table(of: &PlainTable) -> Markup {
    let head: Vec<_> = of.head.iter().map(String::as_str).collect();
    let row = |(name, cells): &(String, Vec<String>)| (text(name), cells.iter().map(text).collect());
    let rows: Vec<_> = of.rows.iter().map(row).collect();
    titled(&of.title, &head, &rows, &html! { @for note in &of.notes { p.note { (note) } } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_it_becomes_markup() {
        let hostile = || String::from("<script>\"&'");
        let table = PlainTable {
            title: hostile(),
            head: vec![String::new(), hostile()],
            rows: vec![(hostile(), vec![hostile()])],
            notes: vec![hostile()],
        };
        let of = Plain {
            title: hostile(),
            circumstances: vec![(hostile(), hostile())],
            warnings: vec![hostile()],
            tables: vec![table],
            texts: vec![hostile()],
            program: hostile(),
        };
        let page = plain_page(&of);
        assert!(!page.contains("<script>"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;").count(), 13, "{page}");
    }
}
