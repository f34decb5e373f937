//! How files are read, where they do not say it themselves.

use std::path::Path;

use crate::{
    codes::{Codes, Quant},
    dtype::RawFloat,
    formats,
};

/// How files are read, where they do not say it themselves. By default a file has to hold one matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub(crate) max_bytes: Option<u64>,
    pub(crate) member: Option<String>,
    pub(crate) tensor: Option<String>,
    pub(crate) column: Option<String>,
    pub(crate) without: Vec<String>,
    pub(crate) dtype: Option<RawFloat>,
    pub(crate) format: Option<String>,
    pub(crate) codes: Option<Codes>,
    pub(crate) views: bool,
    pub(crate) optional: bool,
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

    /// The column of this name (Parquet, Arrow, CSV, TSV), or the key (JSON). For CSV and TSV also several columns of numbers, by
    /// names and patterns with commas between them: `x,y`, `dim_*`; they are taken in the order of the file.
    #[must_use]
    pub fn with_column(self, name: impl Into<String>) -> Self {
        Self { column: Some(name.into()), ..self }
    }

    /// Columns of CSV and TSV that are no dimensions of the points, such as their labels, where none are named.
    #[must_use]
    pub fn without_columns(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { without: names.into_iter().collect(), ..self }
    }

    /// Values are these floats, where a file has raw bytes or integers of their size in their place.
    #[must_use]
    pub fn with_dtype(self, dtype: RawFloat) -> Self {
        Self { dtype: Some(dtype), ..self }
    }

    /// Of this format where a file's first bytes do not tell, as if its name ended so: `fvecs`, `bvecs`, `ivecs`, `fbin`,
    /// `f16bin`, `u8bin`, `i8bin`, `ibin`. Pipes need it, which have no such names.
    #[must_use]
    pub fn with_format(self, ending: impl Into<String>) -> Self {
        Self { format: Some(ending.into()), ..self }
    }

    /// An array of three axes, (n, views, d), in `.npy`, `.npz` and safetensors: its n · views points, the views of a row one after
    /// another. [`File::views`](crate::File::views) says how many they are.
    #[must_use]
    pub fn with_views(self) -> Self {
        Self { views: true, ..self }
    }

    /// What is said for several files together, of which some may be of formats that have no use for it:
    /// [`File::check_together`](crate::File::check_together) fails where none has. By default each file must have.
    #[must_use]
    pub fn for_several(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Values are codes, whole numbers of 8 or 16 bits, and stand for scale × (code − zero). Without this they are read as the
    /// numbers that they are. It replaces [`with_bits`](Self::with_bits).
    #[must_use]
    pub fn with_quant(self, quant: Quant) -> Self {
        Self { codes: Some(Codes::Quant(quant)), ..self }
    }

    /// Values are packed bits, of which each stands for −1 or 1, the most significant of a byte first, as `numpy.packbits`
    /// writes them: points have eight times as many dimensions as a row has bytes. A byte may be of int8, and is then the
    /// one of the same bits. It replaces [`with_quant`](Self::with_quant).
    #[must_use]
    pub fn with_bits(self) -> Self {
        Self { codes: Some(Codes::Bits), ..self }
    }
}

/// Whether a regular file begins as the CSV files and the JSON of the program do, which are reports and no points.
pub fn is_report(path: impl AsRef<Path>) -> bool {
    formats::is_report_at(path.as_ref())
}

/// The options of the program that this says and that mean nothing to the format of a file, or of the first that a pattern matches, such
/// as `--column` to that of `.npy`: none where that is not known, as of a pipe.
pub fn unused_options(path: impl AsRef<Path>, reading: &Reading) -> Vec<&'static str> {
    formats::unused_at(path.as_ref(), reading)
}
