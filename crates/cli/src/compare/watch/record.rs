//! The CSV file that a watch appends to, and what an earlier one has left in it.

use std::{collections::HashSet, path::Path};

use unisphere_io::printable;

use crate::{
    exit::Failure,
    export::{Checkpoint, ComparedModel, Log},
};

/// A CSV file of checkpoints.
pub(super) struct Record {
    log: Log,
}

/// What has a line: the name, the fingerprint, and the bits of alpha, which is all that numbers follow from besides.
pub(super) struct Lines(HashSet<(String, String, u64)>);

impl Record {
    /// Fails where no line can be appended, or what is there is no such file.
    pub(super) fn open<'a>(path: &Path, inputs: impl Iterator<Item = &'a Path>) -> Result<Self, Failure> {
        let log = Log::checkpoints(path)?;
        log.check(inputs)?;
        Ok(Self { log })
    }

    /// The lines as they are now: another program may have added to them.
    pub(super) fn lines(&self) -> Result<Lines, Failure> {
        let path = self.log.path();
        if !path.exists() {
            return Ok(Lines(HashSet::new()));
        }
        let unread = |error: csv::Error| {
            Failure::Machine(format!(
                "--csv {} cannot be read: {error}; move it away, or try again",
                printable(path)
            ))
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(unread)?;
        let header = reader.byte_headers().map_err(unread)?.clone();
        let place = |name: &str| header.iter().position(|column| column == name.as_bytes());
        let (Some(name), Some(fingerprint), Some(alpha)) =
            (place("name"), place("fingerprint"), place("alpha"))
        else {
            return Ok(Lines(HashSet::new()));
        };
        let mut lines = HashSet::new();
        for line in reader.byte_records() {
            let line = line.map_err(unread)?;
            let cell = |place: usize| line.get(place).map(|cell| String::from_utf8_lossy(cell).into_owned());
            let alpha = || Some(cell(alpha)?.parse::<f64>().ok()?.to_bits());
            // A line that was cut off is none.
            let found = cell(name).zip(cell(fingerprint)).zip(alpha());
            lines.extend(found.map(|((name, fingerprint), alpha)| (name, fingerprint, alpha)));
        }
        Ok(Lines(lines))
    }

    pub(super) fn append(&self, checkpoint: &Checkpoint<'_>) -> Result<(), Failure> {
        self.log.append(checkpoint)
    }
}

impl Lines {
    /// The checkpoints.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|(name, ..)| name).collect::<HashSet<_>>().len()
    }

    /// Adds a checkpoint. False where there is a line of just this.
    pub(super) fn add(&mut self, model: &ComparedModel, alpha: f64) -> bool {
        self.0.insert((model.name.clone(), model.fingerprint.clone().unwrap_or_default(), alpha.to_bits()))
    }
}
