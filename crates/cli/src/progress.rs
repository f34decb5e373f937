//! How far it is, on stderr; nothing where that is not a terminal.

use std::{ops::ControlFlow, time::Duration};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use unisphere::Progress;

use crate::{interrupt, text};

const STEP: &str = "{spinner} {msg}";
const PAIRS: &str = "{spinner} {msg} [{bar:30}] {percent:>3} %  {rate}  {eta} left";

/// A line that says what is being done; gone when dropped.
pub(crate) struct Display {
    bar: ProgressBar,
}

impl Display {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }

    /// Something that cannot be counted begins.
    pub(crate) fn step(&self, what: impl Into<String>) {
        self.bar.set_style(style(STEP));
        self.bar.set_message(what.into());
    }

    /// So many pairs of something begin.
    pub(crate) fn pairs(&self, what: impl Into<String>, total: u64) {
        self.bar.set_message(what.into());
        self.bar.set_length(total);
        self.bar.reset();
        self.bar.set_style(style(PAIRS));
    }

    /// Shows an engine's progress, and stops it on Ctrl-C.
    pub(crate) fn observer(&self) -> impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static {
        let bar = self.bar.clone();
        move |progress| {
            // Threads report in any order, and a step back would reset the rate.
            if progress.done > bar.position() {
                bar.set_position(progress.done);
            }
            interrupt::control()
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.progress_chars("=> ").with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A line that cannot be formatted is a line less.
        let _ = write!(out, "{}pairs/s", text::magnitude(state.per_sec()));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        assert!([STEP, PAIRS].iter().all(|text| ProgressStyle::with_template(text).is_ok()));
    }
}
