//! A model as it is named.

use std::path::PathBuf;

use unisphere_eval::compare::Place;

use crate::{reading::is_stream, set_files::SetFiles};

/// A model to be measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    /// What it is called in the report: no other has this name.
    pub(super) name: String,
    pub(super) x: SetFiles,
    pub(super) y: Option<SetFiles>,
    pub(super) place: Place,
}

impl Run {
    /// A model of files, or of patterns of numbered files.
    pub(super) fn new(name: String, x: PathBuf, y: Option<PathBuf>, place: Place) -> Self {
        Self { name, x: SetFiles::of_path(x), y: y.map(SetFiles::of_path), place }
    }

    /// Its sets under their roles.
    pub(super) fn sets(&self) -> impl Iterator<Item = (&'static str, &SetFiles)> {
        [("x", &self.x)].into_iter().chain(self.y.as_ref().map(|y| ("y", y)))
    }

    /// All of its files under their roles: those that a pattern matches now.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        self.sets().flat_map(|(role, set)| set.expanded().into_iter().map(move |path| (role, path)))
    }

    /// Whether one of its files is a pipe, which gives its bytes once.
    pub(super) fn is_piped(&self) -> bool {
        self.files().any(|(_, path)| is_stream(&path))
    }
}
