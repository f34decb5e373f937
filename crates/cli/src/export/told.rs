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
    /// A report of any kind.
    pub(crate) fn of<D>(document: D) -> Self
    where
        D: Send + Sync + 'static,
        Json: Exporter<D>,
        Text: Exporter<D>,
        for<'a> Html<'a>: Exporter<D>,
    {
        Self { document: Box::new(Every(document)) }
    }

    /// What `unisphere eval` tells of sets or pairs in memory.
    pub fn evaluation(report: Report, inputs: Inputs) -> Self {
        Self::of(Document::of(report, inputs))
    }

    /// What `unisphere eval --unpaired` tells.
    pub fn unpaired(report: UnpairedReport, inputs: Inputs) -> Self {
        Self::of(UnpairedDocument::of(report, inputs))
    }

    /// The object that the program prints with `--json`.
    pub fn json(&self) -> String {
        self.document.json()
    }

    /// What the program prints, without colours.
    pub fn text(&self) -> String {
        self.document.text()
    }

    /// The page that the program writes with `--html`, of a program of this name.
    pub fn html(&self, program: &str) -> String {
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
    fn html(&self, program: &str) -> String;
}

/// A document that every form has an exporter of.
struct Every<D>(D);

impl<D> Forms for Every<D>
where
    Json: Exporter<D>,
    Text: Exporter<D>,
    for<'a> Html<'a>: Exporter<D>,
{
    fn json(&self) -> String {
        Json.export(&self.0).trim_end().to_owned()
    }

    fn text(&self) -> String {
        strip_str(&Text.export(&self.0)).to_string()
    }

    fn html(&self, program: &str) -> String {
        Html { program }.export(&self.0)
    }
}
