//! What the ending of a file's name says of it.

use std::path::Path;

/// Endings of files that hold points and hardly anything else.
const OF_POINTS: [&str; 17] = [
    "npy",
    "npz",
    "safetensors",
    "parquet",
    "arrow",
    "feather",
    "ipc",
    "jsonl",
    "ndjson",
    "fvecs",
    "bvecs",
    "ivecs",
    "fbin",
    "f16bin",
    "u8bin",
    "i8bin",
    "vec",
];

/// Endings of files of text, which may be points.
const OF_TEXT: [&str; 4] = ["json", "csv", "tsv", "txt"];

/// Endings of files that other programs write.
const OF_OTHERS: [&str; 9] = ["h5", "hdf5", "htm", "html", "md", "pdf", "pkl", "pt", "pth"];

/// Whether a file's ending is one of points and hardly anything else.
pub(crate) fn is_of_points(path: &Path) -> bool {
    has_ending(path, &OF_POINTS)
}

/// Whether it is one of text.
pub(crate) fn is_of_text(path: &Path) -> bool {
    has_ending(path, &OF_TEXT)
}

/// Whether it is one of another format than .npy.
pub(crate) fn is_not_npy(path: &Path) -> bool {
    !has_ending(path, &["npy"]) && (is_of_points(path) || is_of_text(path) || has_ending(path, &OF_OTHERS))
}

/// Whether a file's name ends so, in capitals or not.
fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| endings.contains(&&*ending))
}
