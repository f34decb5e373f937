//! A journal: the finished results of a long computation, in a file that only grows.
//!
//! A run that is stopped at any moment, by a signal or by a power cut, goes on from its journal, and ends with the same
//! bits as one that was not stopped. Records are with the system as soon as [`Journal::append`] returns, so that a
//! killed process loses none of them; they are on the disk a second later, which is what a power cut can take.

mod error;
mod file;
mod format;
mod recovery;
#[cfg(test)]
mod tests;

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub(crate) use error::Result;
pub use error::{JournalError, JournalFault};
use file::LockedFile;
pub(crate) use file::sync_folder_of;
use format::{Chain, Entry};
use recovery::Reader;

/// Time between syncs, which take milliseconds: so much work a power cut may cost.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// What a journal is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The hash of all that the results depend on: input, options and program.
    pub(crate) fingerprint: [u8; 32],
    /// Who computes, in at most 192 bytes: "AMD EPYC, AVX-512". Results of another device may have other bits.
    pub(crate) device: String,
    /// Values of a block's result: 1 to 64.
    pub(crate) values: usize,
}

/// A finished piece of work.
#[derive(Debug, Clone)]
pub(crate) enum Record {
    /// The result of a block, of any bits.
    Block { number: u64, values: Vec<f64> },
    /// The hash of some rows of the input, so that a later run sees whether they are still the same.
    Panel { number: u64, hash: [u8; 16] },
}

impl Record {
    /// Whether all bits are the same. NaN is the same as itself, and 0 is not −0.
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Block { number, values }, Self::Block { number: other, values: others }) => {
                let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                number == other && bits(values) == bits(others)
            }
            (Self::Panel { number, hash }, Self::Panel { number: other, hash: other_hash }) => {
                number == other && hash == other_hash
            }
            _ => false,
        }
    }
}

/// What earlier runs have finished.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// Records in the order in which they were first appended, each block and each panel once.
    pub(crate) records: Vec<Record>,
    /// Bytes at the end that are no sound record: what was written when the run stopped.
    pub(crate) discarded_bytes: u64,
    /// Whether the run came to its end.
    pub(crate) finished: bool,
}

/// A journal that this process alone writes.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: LockedFile,
    chain: Chain,
    state: State,
    /// Whether records may not be on the disk yet. At first they are those of a run that was killed.
    unsynced: bool,
    last_sync: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Finished,
    Failed,
}

impl Journal {
    /// Opens a journal for writing, and tells what earlier runs have finished. It is made where nothing is.
    ///
    /// A torn record at the end is cut off. A journal that is refused is left as it is.
    ///
    /// # Errors
    ///
    /// Every [`JournalFault`] but those of later calls.
    pub(crate) fn open(path: &Path, identity: &Identity) -> Result<(Self, Recovered)> {
        let opened = identity.check().and_then(|()| file::lock(path)).and_then(|file| {
            let contents = file::resume(path, &file.0, identity)?;
            let state = if contents.recovered.finished { State::Finished } else { State::Open };
            let (path, chain, last_sync) = (path.into(), contents.chain, Instant::now());
            Ok((Self { path, file, chain, state, unsynced: true, last_sync }, contents.recovered))
        });
        opened.map_err(|fault| JournalError { path: path.into(), fault })
    }

    /// Appends a record, and syncs when a second has passed since the last sync.
    ///
    /// # Errors
    ///
    /// [`JournalFault::Write`], after which every call fails; [`JournalFault::Failed`], [`JournalFault::Finished`],
    /// and [`JournalFault::Unfit`] for a block of too many or too few values.
    pub(crate) fn append(&mut self, record: &Record) -> Result<()> {
        if let Err(fault) = self.chain.check(record) {
            return Err(self.error(fault));
        }
        self.write(Entry::Record(record))?;
        if self.last_sync.elapsed() < SYNC_INTERVAL { Ok(()) } else { self.sync() }
    }

    /// Waits until all records are on the disk.
    ///
    /// # Errors
    ///
    /// [`JournalFault::Write`], after which every call fails, and [`JournalFault::Failed`].
    pub(crate) fn sync(&mut self) -> Result<()> {
        if self.state == State::Failed {
            return Err(self.error(JournalFault::Failed));
        }
        if self.unsynced {
            let synced = self.file.0.sync_data();
            self.or_fail(synced)?;
            self.unsynced = false;
        }
        self.last_sync = Instant::now();
        Ok(())
    }

    /// Ends the journal with a record that says that all results are there. One that is finished stays so.
    ///
    /// # Errors
    ///
    /// [`JournalFault::Write`] and [`JournalFault::Failed`].
    pub(crate) fn finish(mut self) -> Result<()> {
        if self.state != State::Finished {
            self.write(Entry::End)?;
        }
        self.sync()
    }

    fn write(&mut self, entry: Entry<&Record>) -> Result<()> {
        match self.state {
            State::Open => {}
            State::Finished => return Err(self.error(JournalFault::Finished)),
            State::Failed => return Err(self.error(JournalFault::Failed)),
        }
        let (bytes, after) = self.chain.encode(entry);
        self.unsynced = true;
        let written = self.file.0.write_all(&bytes);
        self.or_fail(written)?;
        self.chain = after;
        Ok(())
    }

    /// Passes a result on. Nothing is tried again after a failure: the system may have dropped what it could not
    /// write, and a second sync would not say so.
    fn or_fail(&mut self, result: io::Result<()>) -> Result<()> {
        result.map_err(|error| {
            self.state = State::Failed;
            self.error(JournalFault::Write(error))
        })
    }

    fn error(&self, fault: JournalFault) -> JournalError {
        JournalError { path: self.path.clone(), fault }
    }
}

/// Reads a journal without its lock, finished or not, while it may be written.
///
/// # Errors
///
/// Every [`JournalFault`] of a path and of a format.
pub(crate) fn read(path: &Path) -> Result<(Identity, Recovered)> {
    let contents = file::open_regular(path, OpenOptions::new().read(true)).and_then(|file| {
        let mut reader = Reader::new(&file)?;
        let header = reader.header()?.ok_or(JournalFault::Empty)?;
        let contents = reader.contents(&header)?;
        Ok((header.identity, contents.recovered))
    });
    contents.map_err(|fault| JournalError { path: path.into(), fault })
}

/// That a run may keep its journal in a file, as far as is known before its options are: nothing is there, or a journal of this
/// version of the program. It reads no records.
///
/// # Errors
///
/// [`JournalFault`]s of what is there, such as [`JournalFault::NotAJournal`].
pub fn check_journal(path: &Path) -> Result<()> {
    let header = file::open_regular(path, OpenOptions::new().read(true))
        .and_then(|file| Reader::new(&file)?.header().map(drop));
    match header {
        Err(JournalFault::NotFound | JournalFault::Empty) => Ok(()),
        header => header.map_err(|fault| JournalError { path: path.into(), fault }),
    }
}

/// How many blocks a journal has of earlier runs, whatever they were of; 0 where it cannot be read.
pub fn blocks_in_journal(path: &Path) -> u64 {
    let is_block = |record: &&Record| matches!(record, Record::Block { .. });
    read(path).map_or(0, |(_, recovered)| recovered.records.iter().filter(is_block).count() as u64)
}

impl Identity {
    /// Whether a journal of this identity is one of the wanted identity.
    fn check_same(&self, wanted: &Self) -> Result<(), JournalFault> {
        if (self.fingerprint, self.values) != (wanted.fingerprint, wanted.values) {
            return Err(JournalFault::OtherRun);
        }
        if self.device != wanted.device {
            return Err(JournalFault::OtherDevice { begun_on: self.device.clone() });
        }
        Ok(())
    }
}
