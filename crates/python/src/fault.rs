//! What can go wrong, and the exception that it becomes: those of `unisphere._errors`.

use pyo3::{
    exceptions::{PyKeyboardInterrupt, PyRuntimeError},
    prelude::*,
    sync::PyOnceLock,
    types::PyType,
};

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Fault {
    /// What the engine refused, and the argument at fault, or nothing where the text names it.
    Engine(&'static str, unisphere::Error),
    /// What a report refused.
    Report(unisphere_eval::Error),
    /// A file, and the argument that named it.
    File(String),
    /// What the program refused of files or of arrays.
    Program(unisphere_cli::Failure, Given),
    /// A panic, with its message.
    Panic(String),
    /// The system gave no thread.
    Thread(std::io::Error),
}

/// What sets were given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Files,
    Arrays,
}

impl From<unisphere::Error> for Fault {
    fn from(error: unisphere::Error) -> Self {
        Self::Engine("", error)
    }
}

impl From<unisphere_eval::Error> for Fault {
    fn from(error: unisphere_eval::Error) -> Self {
        match error {
            unisphere_eval::Error::Engine(error) => error.into(),
            error => Self::Report(error),
        }
    }
}

/// The classes of `unisphere._errors`.
#[derive(Clone, Copy)]
enum Class {
    InvalidInput,
    File,
    Device,
    OutOfMemory,
    Internal,
}

impl Class {
    const ALL: [&str; 5] = ["InvalidInput", "FileError", "DeviceError", "OutOfMemory", "InternalError"];

    fn error(self, text: String) -> PyErr {
        Python::attach(|py| match Self::class(py, Self::ALL[self as usize]) {
            Ok(class) => PyErr::from_type(class, text),
            Err(error) => error,
        })
    }

    fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
        static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
        let module = MODULE.get_or_try_init(py, || py.import("unisphere._errors").map(Bound::unbind))?;
        Ok(module.bind(py).getattr(name)?.cast_into()?)
    }
}

/// An exception of what was given, which the text names.
pub(crate) fn invalid(text: impl Into<String>) -> PyErr {
    Class::InvalidInput.error(text.into())
}

/// An exception of this process, which was forked.
pub(crate) fn forked(text: &str) -> PyErr {
    Python::attach(|py| match Class::class(py, "ForkError") {
        Ok(class) => PyErr::from_type(class, text.to_owned()),
        Err(error) => error,
    })
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Engine(argument, error) => of_engine(argument, &error),
            Fault::Report(error) => Class::InvalidInput.error(error.to_string()),
            Fault::File(text) => Class::File.error(text),
            Fault::Program(failure, given) => of_program(failure, given),
            Fault::Panic(said) => {
                Class::Internal.error(format!("internal failure: {said}; please report it"))
            }
            Fault::Thread(error) => {
                PyRuntimeError::new_err(format!("the system gives no more threads: {error}"))
            }
        }
    }
}

fn of_program(failure: unisphere_cli::Failure, given: Given) -> PyErr {
    use unisphere_cli::Failure::{Device, Input, Internal, Interrupted, Machine, Panic, Usage};
    let (class, text) = match failure {
        Interrupted => return PyKeyboardInterrupt::new_err(()),
        Input(text) if given == Given::Files => (Class::File, text),
        Usage(text) | Input(text) => (Class::InvalidInput, text),
        Machine(text) => (Class::File, text),
        Device(text) => (Class::Device, text),
        Internal(text) => (Class::Internal, text),
        Panic => (Class::Internal, "a panic".into()),
    };
    class.error(in_words_of_python(&text))
}

/// A message of the program with the arguments of Python in the place of its options: `--max-memory` is max_memory.
pub(crate) fn in_words_of_python(text: &str) -> String {
    let text = text.replace('\n', "; ").replace("--raw", "raw=True").replace("eval --unpaired", "unpaired");
    let mut words = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, option)) = rest.split_once("--") {
        words.push_str(before);
        let end = option.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(option.len());
        // A name of a file may have such signs within.
        let is_option = end > 0 && !before.ends_with(|c: char| c.is_alphanumeric() || "/_-.".contains(c));
        if is_option {
            words.push_str(&option[..end].replace('-', "_"));
        } else {
            words.push_str("--");
            words.push_str(&option[..end]);
        }
        rest = &option[end..];
    }
    words + rest
}

fn of_engine(argument: &str, error: &unisphere::Error) -> PyErr {
    use unisphere::Error::*;
    let text = if argument.is_empty() { error.to_string() } else { format!("{argument}: {error}") };
    let class = match error {
        // Only a signal stops a computation, and that has its own exception; threads of Python have no signals.
        Stopped => return PyKeyboardInterrupt::new_err(()),
        NoDevice { .. }
        | Precision { .. }
        | Storage { .. }
        | Limit { .. }
        | DeviceLost { .. }
        | Device { .. } => Class::Device,
        OutOfMemory { .. } => Class::OutOfMemory,
        Spectrum { .. } | MustAwait | OtherDevice | Buffer { .. } => Class::Internal,
        _ => Class::InvalidInput,
    };
    class.error(text)
}
