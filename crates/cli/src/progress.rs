//! A line of progress on stderr; nothing where that is not a terminal.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use unisphere::{Observer, Progress};

use crate::{exit, interrupt, text};

const STEP: &str = "{spinner} {msg}";
const PAIRS: &str = "{spinner} {msg} [{bar:30}] {percent:>3} %  {rate}  {eta} left";

/// Who waits for work that is done within another process, such as that of Python: the terminal and the signals are theirs.
#[derive(Clone)]
pub struct Caller {
    /// Told of the pairs that are done, and stops the work.
    pub observer: Arc<Observer>,
    /// Stops the work between two reports.
    pub control: Arc<dyn Fn() -> ControlFlow<()> + Send + Sync>,
}

/// A line that says what is being done; gone when dropped.
pub(crate) struct Display {
    bar: ProgressBar,
    /// Whether the engine's counts are shown.
    counting: Arc<AtomicBool>,
    /// Who is told in the place of the terminal.
    caller: Option<Caller>,
}

impl Display {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        tick(&bar);
        Self { bar, counting: Arc::default(), caller: None }
    }

    /// No line: the caller is told of what is counted.
    pub(crate) fn of_caller(caller: Caller) -> Self {
        Self { bar: ProgressBar::hidden(), counting: Arc::default(), caller: Some(caller) }
    }

    /// Whether the terminal is a caller's.
    pub(crate) fn is_of_caller(&self) -> bool {
        self.caller.is_some()
    }

    /// What writes a line to stderr; a caller's terminal gets none.
    pub(crate) fn voice(&self) -> fn(&str) {
        if self.is_of_caller() { |_| {} } else { exit::say }
    }

    /// Whether the work is to go on.
    pub(crate) fn control(&self) -> impl Fn() -> ControlFlow<()> + Send + Sync + 'static {
        let control = self.caller.as_ref().map(|caller| Arc::clone(&caller.control));
        move || control.as_ref().map_or_else(interrupt::control, |control| control())
    }

    /// Begins something that is not counted.
    pub(crate) fn step(&self, what: impl Into<String>) {
        self.begin(what.into(), false);
    }

    /// Begins something that the engine may count: it has a bar from the engine's first report on, which says the total.
    pub(crate) fn counted(&self, what: impl Into<String>) {
        self.begin(what.into(), true);
    }

    fn begin(&self, what: String, counting: bool) {
        self.counting.store(counting, Ordering::Relaxed);
        self.bar.set_style(style(STEP));
        self.bar.set_message(what);
        self.bar.unset_length();
        self.bar.reset();
    }

    /// Shows an engine's progress, and stops it on Ctrl-C.
    pub(crate) fn observer(&self) -> impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static {
        let (bar, counting) = (self.bar.clone(), Arc::clone(&self.counting));
        let observer = self.caller.as_ref().map(|caller| Arc::clone(&caller.observer));
        move |progress| {
            if let Some(observer) = &observer {
                return observer(progress);
            }
            if counting.load(Ordering::Relaxed) {
                if bar.length() != Some(progress.total) {
                    bar.set_length(progress.total);
                    bar.set_style(style(PAIRS));
                }
                // Threads report in any order, and a step back would reset the rate.
                if progress.done > bar.position() {
                    bar.set_position(progress.done);
                }
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

/// Turns its spinner while the line is there. Where there is no thread to be had, it stands still.
fn tick(bar: &ProgressBar) {
    let ticking = bar.downgrade();
    let _ = thread::Builder::new().name("progress".into()).spawn(move || {
        while let Some(bar) = ticking.upgrade().filter(|bar| !bar.is_finished()) {
            bar.tick();
            thread::sleep(Duration::from_millis(100));
        }
    });
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

    #[test]
    fn the_total_is_the_engines() {
        let display = Display::new();
        let observe = display.observer();
        let engine = |done, total| assert!(observe(Progress::new(done, total)).is_continue());
        display.step("reading");
        engine(1, 7);
        assert_eq!((display.bar.length(), display.bar.position()), (None, 0));
        display.counted("uniformity");
        engine(3, 9);
        engine(2, 9);
        assert_eq!((display.bar.length(), display.bar.position()), (Some(9), 3));
        display.counted("more");
        assert_eq!((display.bar.length(), display.bar.position()), (None, 0));
        engine(2, 4);
        assert_eq!((display.bar.length(), display.bar.position()), (Some(4), 2));
    }
}
