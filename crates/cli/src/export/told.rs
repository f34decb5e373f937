//! A report for a caller within this process, such as Python, in every form in which the program tells it.

use std::fmt;

use anstream::adapter::strip_str;
use unisphere_eval::{Report, unpaired::UnpairedReport};

use super::{Document, Exporter, Html, Inputs, Json, Text, UnpairedDocument};

/// A report, in the forms in which the program tells it.
pub struct Told {
    document: Box<dyn Forms + Send + Sync>,
}

impl Told {
    /// A report that has a page.
    pub(crate) fn with_page<D>(document: D) -> Self
    where
        D: Send + Sync + 'static,
        Json: Exporter<D>,
        Text: Exporter<D>,
        for<'a> Html<'a>: Exporter<D>,
    {
        let page = |document: &D, program: &str| Html { program }.export(document);
        Self { document: Box::new(Paged { document, page: Some(page) }) }
    }

    /// What `unisphere eval` tells of sets or pairs in memory.
    pub fn evaluation(report: Report, inputs: Inputs) -> Self {
        Self::with_page(Document::of(report, inputs))
    }

    /// What `unisphere eval --unpaired` tells. It has no page.
    pub fn unpaired(report: UnpairedReport, inputs: Inputs) -> Self {
        let document = UnpairedDocument::of(report, inputs);
        Self { document: Box::new(Paged { document, page: None }) }
    }

    /// The object that the program prints with `--json`.
    pub fn json(&self) -> String {
        self.document.json()
    }

    /// What the program prints, without colours.
    pub fn text(&self) -> String {
        self.document.text()
    }

    /// The page that the program writes with `--html`, of a program of this name; None where it has none.
    pub fn html(&self, program: &str) -> Option<String> {
        self.document.html(program)
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Told").field(&self.json()).finish()
    }
}

trait Forms {
    fn json(&self) -> String;
    fn text(&self) -> String;
    fn html(&self, program: &str) -> Option<String>;
}

/// A document, and how its page is made.
struct Paged<D> {
    document: D,
    page: Option<fn(&D, &str) -> String>,
}

impl<D> Forms for Paged<D>
where
    Json: Exporter<D>,
    Text: Exporter<D>,
{
    fn json(&self) -> String {
        Json.export(&self.document).trim_end().to_owned()
    }

    fn text(&self) -> String {
        strip_str(&Text.export(&self.document)).to_string()
    }

    fn html(&self, program: &str) -> Option<String> {
        self.page.map(|page| page(&self.document, program))
    }
}
