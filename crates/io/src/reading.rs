//! How files are read, where they do not say it themselves.

use crate::dtype::RawFloat;

/// How files are read, where they do not say it themselves. By default a file has to hold one matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub(crate) max_bytes: Option<u64>,
    pub(crate) member: Option<String>,
    pub(crate) tensor: Option<String>,
    pub(crate) column: Option<String>,
    pub(crate) dtype: Option<RawFloat>,
}

impl Reading {
    /// As files say themselves.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many bytes kept in memory, of pipes and of other files that cannot be read in place, in all files of a set
    /// together. More are refused before they are read. Regular files are not kept in memory, and may be of any size.
    #[must_use]
    pub fn with_max_bytes(self, bytes: u64) -> Self {
        Self { max_bytes: Some(bytes), ..self }
    }

    /// The array of this name in an archive (`.npz`).
    #[must_use]
    pub fn with_member(self, name: impl Into<String>) -> Self {
        Self { member: Some(name.into()), ..self }
    }

    /// The tensor of this name (safetensors).
    #[must_use]
    pub fn with_tensor(self, name: impl Into<String>) -> Self {
        Self { tensor: Some(name.into()), ..self }
    }

    /// The column of this name (Parquet, Arrow, CSV, TSV), or the key (JSON Lines).
    #[must_use]
    pub fn with_column(self, name: impl Into<String>) -> Self {
        Self { column: Some(name.into()), ..self }
    }

    /// Values are these floats, where a file has raw bytes or integers of their size in their place.
    #[must_use]
    pub fn with_dtype(self, dtype: RawFloat) -> Self {
        Self { dtype: Some(dtype), ..self }
    }
}
