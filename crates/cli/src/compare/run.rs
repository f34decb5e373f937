//! A model as it is named.

use std::path::{Path, PathBuf};

use unisphere_eval::compare::Place;

/// A model to be measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    /// What it is called in the report: no other has this name.
    pub(super) name: String,
    pub(super) x: PathBuf,
    pub(super) y: Option<PathBuf>,
    pub(super) place: Place,
}

impl Run {
    /// Its files under their roles.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let y = self.y.as_deref().map(|y| ("y", y));
        [("x", self.x.as_path())].into_iter().chain(y)
    }
}
