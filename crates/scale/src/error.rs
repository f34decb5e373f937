//! What can go wrong, and the cure.

use std::{io, ops::Range, path::PathBuf};

use unisphere_io::{Source, printable};

use crate::JournalError;

/// The result of every fallible call on sets that are read from files.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, and the cure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine's own, [`Stopped`](unisphere::Error::Stopped) among them.
    #[error(transparent)]
    Engine(#[from] unisphere::Error),
    /// One of several devices.
    #[error(
        "device {number} of {devices}, {device}: {error}; what was finished is in the journal, if there is one: run the same again, or \
             leave this device out"
    )]
    OfDevice {
        /// Its place in the list, from 1.
        number: usize,
        /// How many there are.
        devices: usize,
        /// Its kind and name.
        device: String,
        /// What went wrong.
        error: Box<unisphere::Error>,
    },
    /// A file of points.
    #[error(transparent)]
    Input(#[from] unisphere_io::Error),
    /// A journal or a part.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Rows that are not what they were when they were first read.
    #[error(
        "{place} are not what they were when they were first read; keep the file as it is until the end; or remove the journal, \
             where there is one, and begin again"
    )]
    Changed {
        /// The file, and its own rows: "x.npy: rows 0 to 4095".
        place: String,
        /// Rows of the set.
        rows: Range<usize>,
    },
    /// Too little memory for the least that the work needs.
    #[error(
        "{} of memory are too few: panels of {} are read, and {} are the least; allow more",
        mib(given.saturating_sub(TENTH_OF_MIB - 1)), mib(*panel_bytes), mib(*needed)
    )]
    Memory {
        /// Bytes that may be used.
        given: u64,
        /// Bytes of one panel.
        panel_bytes: u64,
        /// Bytes that are needed.
        needed: u64,
    },
    /// Too little memory for all points, where an estimate holds them.
    #[error(
        "{} of memory are too few: an estimate {what} holds all points, which take {}; allow more, or ask for {instead}",
        mib(*given), mib(*needed)
    )]
    NotHeld {
        /// What the estimate is of, or by.
        what: &'static str,
        /// What reads the points in pieces.
        instead: &'static str,
        /// Bytes that may be used.
        given: u64,
        /// Bytes of all points.
        needed: u64,
    },
    /// No thread to read ahead with.
    #[error(
        "the system gives no more threads: {0}; set RAYON_NUM_THREADS to fewer, such as 1, or raise the limits of threads and \
             memory (ulimit -u, -v)"
    )]
    Threads(#[source] io::Error),
    /// Sets that have no value: another number of dimensions, or too few rows.
    #[error("{problem}")]
    Sets {
        /// What is wrong with them, and the cure.
        problem: String,
    },
    /// Parts that do not make up a whole.
    #[error("{} of {parts} parts are missing or not finished: {}; run them", missing.len(), listed(.missing))]
    Missing {
        /// Numbers of the parts, from 1.
        missing: Vec<usize>,
        /// How many parts there are.
        parts: usize,
    },
    /// Two parts that contradict each other.
    #[error("{} and {} contradict each other: {what}", printable(first), printable(second))]
    Contradiction {
        /// A file.
        first: PathBuf,
        /// Another file.
        second: PathBuf,
        /// In what, and the cure.
        what: String,
    },
    /// A file of gradients that holds something else.
    #[error("{}: {problem}", printable(path))]
    Output {
        /// The file as the caller named it.
        path: PathBuf,
        /// What is wrong with it, and the cure.
        problem: String,
    },
    /// A file of gradients that the system failed to write or to read.
    #[error(
        "{}: {source}; make room on its disk or name a file that you may write to, and run again: rows that a journal has as \
         finished are kept",
        printable(path)
    )]
    Unwritten {
        /// The file as the caller named it.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A part of a number that there is none of.
    #[error("there is no part {part} of {parts}; parts are numbered from 1")]
    NoPart {
        /// The part asked for.
        part: usize,
        /// How many there are.
        parts: usize,
    },
}

impl Error {
    /// The same where the caller holds so many bytes more of the memory that is given and needed.
    #[must_use]
    pub fn with_memory(self, held: u64) -> Self {
        match self {
            Self::Memory { given, panel_bytes, needed } => {
                Self::Memory { given: given + held, panel_bytes, needed: needed + held }
            }
            error => error,
        }
    }

    pub(crate) fn changed(source: &dyn Source, rows: Range<usize>) -> Self {
        let (first, from) = source.place(rows.start);
        let (last, to) = source.place(rows.end.saturating_sub(1));
        let to_file = if first == last { String::new() } else { format!("{}: ", printable(last)) };
        Self::Changed { place: format!("{}: rows {from} to {to_file}{to}", printable(first)), rows }
    }
}

/// Bytes of the last digit of a message, by which what is given is rounded down.
const TENTH_OF_MIB: u64 = (1 << 20) / 10;

/// Bytes in MiB, rounded up, so that a need that is given is enough.
fn mib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// The first numbers of a list.
fn listed(numbers: &[usize]) -> String {
    const MOST: usize = 20;
    let some: Vec<_> = numbers.iter().take(MOST).map(usize::to_string).collect();
    format!("{}{}", some.join(", "), if numbers.len() > MOST { ", …" } else { "" })
}
