//! The CSV file that a watch appends to, and what an earlier one has left in it.

use std::{collections::HashMap, path::Path, time::SystemTime};

use chrono::DateTime;
use unisphere_io::printable;

use crate::{
    exit::Failure,
    export::{Checkpoint, Log},
};

/// The checkpoints that have a line, with the time of their last.
pub(super) struct Record {
    log: Log,
    lines: HashMap<String, SystemTime>,
}

impl Record {
    /// Fails where no line can be appended, or what is there is no such file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let log = Log::checkpoints(path)?;
        log.check(std::iter::empty())?;
        let mut lines = HashMap::new();
        if path.exists() {
            let unread = |error: csv::Error| Failure::Input(format!("--csv {}: {error}", printable(path)));
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(unread)?;
            let header = reader.headers().map_err(unread)?;
            let place = |name| header.iter().position(|column| column == name);
            if let (Some(time), Some(name)) = (place("time"), place("name")) {
                for line in reader.records() {
                    let line = line.map_err(unread)?;
                    // A line that was cut off is none.
                    let found = line
                        .get(time)
                        .and_then(|time| DateTime::parse_from_rfc3339(time).ok())
                        .zip(line.get(name));
                    lines.extend(found.map(|(time, name)| (name.to_owned(), SystemTime::from(time))));
                }
            }
        }
        Ok(Self { log, lines })
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether a checkpoint that was written at this time has a line.
    pub(super) fn has(&self, name: &str, written: Option<SystemTime>) -> bool {
        self.lines.get(name).is_some_and(|line| written.is_none_or(|written| written <= *line))
    }

    pub(super) fn append(&mut self, name: &str, checkpoint: &Checkpoint<'_>) -> Result<(), Failure> {
        self.log.append(checkpoint)?;
        self.lines.insert(name.to_owned(), SystemTime::now());
        Ok(())
    }
}
