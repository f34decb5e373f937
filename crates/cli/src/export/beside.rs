//! What is written beside standard output: a page, and a line of a CSV file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use unisphere_io::Column;

use super::{
    Document, Exporter, Html, Log,
    csv::Csv,
    html::{texts, write_page},
};
use crate::{exit::Failure, output};

/// The files of an evaluation beside its report, as options name them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// A file that a line is appended to.
    csv: Option<Log>,
    /// The file of a page.
    html: Option<PathBuf>,
}

impl Beside {
    /// Fails for a CSV file that is none.
    pub(crate) fn new(csv: Option<&Path>, html: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self::of(csv.map(Log::evaluation).transpose()?, html))
    }

    /// The same of a report of another form.
    pub(crate) fn of(csv: Option<Log>, html: Option<&Path>) -> Self {
        Self { csv, html: html.map(Path::to_path_buf) }
    }

    pub(crate) fn has_page(&self) -> bool {
        self.html.is_some()
    }

    /// Whether there is anything to write.
    pub(crate) fn is_wanted(&self) -> bool {
        self.csv.is_some() || self.has_page()
    }

    /// Fails where one of these, or the table of `rows`, cannot be written, before there is anything to write: or where two of them, or
    /// one and an input, are one file.
    pub(crate) fn check<'a>(
        &self,
        rows: Option<&Path>,
        inputs: impl Iterator<Item = &'a Path> + Clone,
    ) -> Result<(), Failure> {
        if let Some(path) = rows {
            output::check_writable("--rows", path, inputs.clone())?;
        }
        if let Some(path) = &self.html {
            output::check_page(path, inputs.clone())?;
        }
        self.csv.as_ref().map_or(Ok(()), |log| log.check(inputs))?;
        let csv = self.csv.as_ref().map(Log::path);
        output::check_distinct(&[("--rows", rows), ("--html", self.html.as_deref()), ("--csv", csv)])?;
        rows.map_or(Ok(()), |path| output::check_npy("--rows", path))
    }

    /// Writes the page, with the text of the rows that it lists, and the line: the one also where the other cannot be written.
    pub(crate) fn write(&self, document: &mut Document, text: Option<&Column>) -> Result<(), Failure> {
        let texts = text.map_or(Ok(BTreeMap::new()), |text| texts(&document.report, text));
        let with_texts = texts.map(|texts| document.texts = texts);
        let page = with_texts.and_then(|()| self.write_page(document));
        page.and(self.log(document))
    }

    /// The same of a report that lists no rows.
    pub(crate) fn write_plain<D>(&self, document: &D) -> Result<(), Failure>
    where
        Html<'static>: Exporter<D>,
        Csv: Exporter<D>,
    {
        let page = self.write_page(document);
        page.and(self.log(document))
    }

    fn write_page<D>(&self, document: &D) -> Result<(), Failure>
    where
        Html<'static>: Exporter<D>,
    {
        self.html.as_ref().map_or(Ok(()), |path| write_page(path, document))
    }

    fn log<D>(&self, document: &D) -> Result<(), Failure>
    where
        Csv: Exporter<D>,
    {
        self.csv.as_ref().map_or(Ok(()), |log| log.append(document))
    }
}
