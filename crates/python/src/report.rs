//! What the program tells of a report: `unisphere._report` gives it attributes.

use pyo3::prelude::*;
use unisphere_cli::Told;

/// The name of the program on pages.
const PROGRAM: &str = concat!("unisphere ", env!("CARGO_PKG_VERSION"), " for Python");

/// A report.
#[pyclass(frozen, module = "unisphere._native")]
pub struct Report {
    told: Told,
}

impl From<Told> for Report {
    fn from(told: Told) -> Self {
        Self { told }
    }
}

#[pymethods]
impl Report {
    /// The object that the program prints with --json.
    fn json(&self) -> String {
        self.told.json()
    }

    /// What the program prints.
    fn text(&self) -> String {
        self.told.text()
    }

    /// The page that the program writes with --html.
    fn html(&self, py: Python<'_>) -> String {
        py.detach(|| self.told.html(PROGRAM))
    }
}
