//! Files that this program writes beside models, and that are none of them.

use std::path::Path;

use unisphere_io::{is_report, printable};

/// What a file is of those that this program writes beside checkpoints; None of any other.
pub(super) fn result(path: &Path) -> Option<&'static str> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("html" | "htm") => Some("a page"),
        Some("csv" | "json" | "jsonl") if is_report(path) => Some("a report of unisphere"),
        _ => None,
    }
}

/// Says that a result of this program is none of the models.
pub(super) fn tell_left_out(path: &Path) {
    if let Some(kind) = result(path) {
        log::warn!("{} is left out: {kind}, not points", printable(path));
    }
}
