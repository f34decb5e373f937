//! Warnings of the library, on stderr.

use anstyle::{AnsiColor, Style};
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::exit::say;

/// Warnings of this project's own, and no other's: wgpu and its drivers have much to say that no user can mend.
struct Warnings;

impl Log for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with("unisphere")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
            say(&format!("{style}warning:{style:#} {}", record.args()));
        }
    }

    fn flush(&self) {}
}

/// Warnings go to stderr from here on.
pub(crate) fn listen() {
    // Fails only where somebody listens already.
    if log::set_logger(&Warnings).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
}
