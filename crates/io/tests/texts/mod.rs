//! Texts as files, and what is read of them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "not every test calls all of it; a test fails by panicking"
)]

use std::{fs, path::PathBuf};

use unisphere::Scaling::Raw;
use unisphere_io::{Fault, File, Reading};

/// A text as a file of this name.
pub(crate) struct Text {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Text {
    pub(crate) fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        Self { _folder: folder, path }
    }

    pub(crate) fn read(&self) -> unisphere_io::Result<Vec<f32>> {
        self.read_with(&Reading::new())
    }

    pub(crate) fn read_with(&self, reading: &Reading) -> unisphere_io::Result<Vec<f32>> {
        File::open_with(&self.path, reading)?.embeddings(Raw).map(|points| points.values().to_vec())
    }
}

/// The numbers of a text.
pub(crate) fn numbers(name: &str, text: &str) -> Vec<f32> {
    Text::new(name, text).read().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// The numbers of the columns, or of the key, that the caller names.
pub(crate) fn named(name: &str, text: &str, column: &str) -> Vec<f32> {
    Text::new(name, text).read_with(&Reading::new().with_column(column)).unwrap()
}

/// The fault of a text, whose message must say this.
pub(crate) fn refused(name: &str, text: impl AsRef<[u8]>, words: &str) -> Fault {
    let fault = Text::new(name, text).read().unwrap_err().fault;
    let message = fault.to_string();
    assert!(message.contains(words) && message.len() < 250, "{message}");
    assert!(!message.chars().any(char::is_control), "{message:?}");
    fault
}
