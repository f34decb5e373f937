//! What can be wrong with a journal, and the cure.

use std::{io, path::PathBuf};

use unisphere_io::printable;

/// The result of every fallible call of a journal.
pub(crate) type Result<T, E = JournalError> = std::result::Result<T, E>;

/// A journal, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", printable(path))]
pub struct JournalError {
    /// The journal as the caller named it.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: JournalFault,
}

/// What is wrong with a journal, and the cure. A journal that is refused is left as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalFault {
    /// Nothing is at this path, or its folder is missing.
    #[error("no such file or folder; check the path")]
    NotFound,
    /// The file or its folder may not be read or written.
    #[error("may not be read or written here ({0}); name a journal in a folder that you may write to")]
    PermissionDenied(#[source] io::Error),
    /// A folder, pipe or device.
    #[error("a folder, a pipe or a device, not a file; name another journal")]
    NotAFile,
    /// The system failed to open it.
    #[error("cannot be opened: {0}; name a journal in another folder")]
    Open(#[source] io::Error),
    /// The system failed to read it.
    #[error("cannot be read: {0}; copy it to another disk, or name another journal")]
    Read(#[source] io::Error),
    /// Another process writes it.
    #[error("another run is writing it; wait for that run, stop it, or name another journal")]
    Locked,
    /// The file system has no locks, so that two runs could write the same journal.
    #[error("its file system gives no locks ({0}); name a journal on a local disk")]
    LockUnsupported(#[source] io::Error),

    /// Another kind of file.
    #[error("not a journal; name another file, which need not exist")]
    NotAJournal,
    /// Another version of the format.
    #[error(
        "journal version {found}, and {} is known; use the program that began it, or name another journal",
        super::format::VERSION
    )]
    Version {
        /// The version in its header.
        found: u32,
    },
    /// Records follow a header whose checksum is wrong.
    #[error("its header is damaged; restore it from a copy, or remove it to start afresh")]
    HeaderDamaged,
    /// The run stopped before it had written its header. It concerns those who only read.
    #[error("holds nothing yet; let its run begin, or run it again")]
    Empty,
    /// The fingerprint or the size of records is another.
    #[error("belongs to another run: other files or options; name another journal, or remove this one")]
    OtherRun,
    /// The same run on another device, whose bits may differ.
    #[error(
        "begun on another device ({begun_on:?}), whose last digits may differ; run it there, name another \
         journal, or remove this one"
    )]
    OtherDevice {
        /// The device in its header.
        begun_on: String,
    },
    /// A record is bad, and sound ones follow: no tear, which a stopped run leaves at the end.
    #[error(
        "damaged at byte {offset}, with sound records after it; restore it from a copy, or keep what comes \
         before: truncate -s {offset} makes it usable"
    )]
    Damaged {
        /// Where the first bad record begins.
        offset: u64,
    },
    /// Two results of the same block, or two hashes of the same panel.
    #[error("two different records of {what} {number}; name another journal, or remove this one")]
    Contradiction {
        /// "block" or "panel".
        what: &'static str,
        /// Its number.
        number: u64,
    },

    /// A write or a sync failed.
    #[error(
        "cannot be written: {0}; make room on its disk or name a journal on another, and run again: what it \
         holds is kept"
    )]
    Write(#[source] io::Error),
    /// A call after one that failed. A sync that is tried again may succeed although its data is lost.
    #[error("an earlier write or sync of it failed; run again, which goes on from what it holds")]
    Failed,
    /// A record after the closing one.
    #[error("finished, and takes no more records; name another journal")]
    Finished,
    /// What the caller wants to write and the format cannot hold.
    #[error("cannot hold {what}; this is a fault of the program")]
    Unfit {
        /// What it is.
        what: String,
    },
}
