//! The CSV file that a watch appends to, and what an earlier one has left in it.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use unisphere::Scaling;
use unisphere_eval::compare::ComparePlan;
use unisphere_io::printable;

use crate::{
    exit::Failure,
    export::{Checkpoint, ComparedModel, Log},
};

/// A CSV file of checkpoints.
pub(super) struct Record {
    log: Log,
}

/// The last line of each checkpoint with each setting, by its fingerprint: what all numbers follow from, but for alpha.
#[derive(Default)]
pub(super) struct Lines(HashMap<(String, Setting), String>);

/// Whether rows are scaled, and the bits of t and alpha, as watches with others may share a file.
type Setting = (bool, u64, u64);

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
            return Ok(Lines::default());
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
        let places = ["name", "fingerprint", "normalized", "t", "alpha"].map(place);
        let [Some(name), Some(fingerprint), Some(normalized), Some(t), Some(alpha)] = places else {
            return Ok(Lines::default());
        };
        let mut lines = HashMap::new();
        for line in reader.byte_records() {
            let line = line.map_err(unread)?;
            let cell = |place: usize| line.get(place).map(|cell| String::from_utf8_lossy(cell).into_owned());
            let bits = |place: usize| Some(cell(place)?.parse::<f64>().ok()?.to_bits());
            let setting = || Some((cell(normalized)? == "true", bits(t)?, bits(alpha)?));
            // A line that was cut off is none.
            let found = cell(name).zip(setting()).zip(cell(fingerprint));
            lines.extend(found);
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
        self.0.keys().map(|(name, _)| name).collect::<HashSet<_>>().len()
    }

    /// Adds a checkpoint. False where its last line with this setting is of just this.
    pub(super) fn add(&mut self, model: &ComparedModel, plan: &ComparePlan) -> bool {
        let ComparePlan { scaling, uniformity, alignment, .. } = plan;
        let setting = (*scaling == Scaling::Unit, uniformity.t.to_bits(), alignment.alpha.to_bits());
        let fingerprint = model.fingerprint.clone().unwrap_or_default();
        self.0.insert((model.name.clone(), setting), fingerprint.clone()) != Some(fingerprint)
    }
}
