//! What the program warns of, as warnings of Python.

use std::{
    cell::RefCell,
    ffi::CString,
    io::{Write as _, stderr},
    sync::{Arc, Mutex, Once, PoisonError},
};

use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::{exceptions::PyUserWarning, prelude::*};

use crate::fault::in_words_of_python;

/// Warnings of one call, which the thread that called raises when the work has ended.
#[derive(Default)]
pub(crate) struct Warned(Mutex<Vec<String>>);

thread_local! {
    /// The list of the call that this thread works for.
    static OF_CALL: RefCell<Option<Arc<Warned>>> = const { RefCell::new(None) };
}

/// Takes warnings of this project's own, and no other's.
struct Listener;

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with("unisphere")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = record.args().to_string();
        match OF_CALL.with_borrow(Clone::clone) {
            Some(call) => call.0.lock().unwrap_or_else(PoisonError::into_inner).push(text),
            // Where stderr is closed, nobody can be told.
            None => drop(writeln!(stderr(), "warning: {text}")),
        }
    }

    fn flush(&self) {}
}

impl Warned {
    /// Works for a call: what this thread warns of meanwhile is kept for it.
    pub(crate) fn during<T>(call: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // Fails where the program has this process, and prints warnings itself.
            if log::set_logger(&Listener).is_ok() {
                log::set_max_level(LevelFilter::Warn);
            }
        });
        OF_CALL.set(Some(Arc::clone(call)));
        let done = work();
        OF_CALL.set(None);
        done
    }

    /// Raises what was warned of. Fails where the caller makes exceptions of warnings.
    pub(crate) fn tell(&self, py: Python<'_>) -> PyResult<()> {
        let texts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        texts.iter().try_for_each(|text| {
            let text = CString::new(in_words_of_python(text)).unwrap_or_default();
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, FRAMES)
        })
    }
}

/// Frames from here to the line that called the package, whose own function is the first.
const FRAMES: i32 = 2;
