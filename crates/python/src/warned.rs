//! What the program warns of, as warnings of Python.

use std::sync::{Mutex, Once, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::{PyErr, exceptions::PyUserWarning, prelude::*};

use crate::fault::in_words_of_python;

/// Warnings of this project's own that nobody was told of yet. The threads that give them cannot raise what Python makes of them.
struct Kept(Mutex<Vec<String>>);

static KEPT: Kept = Kept(Mutex::new(Vec::new()));

impl Log for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with("unisphere")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Keeps warnings from here on. The program, which has this process to itself, prints them instead.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if log::set_logger(&KEPT).is_ok() {
            log::set_max_level(LevelFilter::Warn);
        }
    });
}

/// Warns of what was kept. Fails where the caller makes exceptions of warnings.
pub(crate) fn tell(py: Python<'_>) -> PyResult<()> {
    let kept = std::mem::take(&mut *KEPT.0.lock().unwrap_or_else(PoisonError::into_inner));
    kept.iter().try_for_each(|text| {
        let text = in_words_of_python(text).replace('\0', "\\0");
        let text = std::ffi::CString::new(text).unwrap_or_default();
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, STACK)
    })
}

/// Frames between what called the package and this: the function of Python that called the native one.
const STACK: i32 = 2;
