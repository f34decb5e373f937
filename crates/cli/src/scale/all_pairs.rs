//! A run over all pairs: what it will take is said beforehand where that is long, and what is finished is kept in a journal.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use unisphere::{Embeddings, Engine, Uniformity};
use unisphere_io::printable;
use unisphere_scale::{Error, Evaluation, Expected, Found, Resources, Sets, blocks_in_journal};

use crate::{
    bench::{Size, points_on_sphere},
    exit::Failure,
    interrupt, memory,
    progress::Display,
    text,
};

/// Runs that are expected to take so many seconds keep a journal even where none is named.
const SECONDS_WITHOUT_JOURNAL: f64 = 600.0;
/// Runs that are expected to take so many seconds say beforehand what they will take.
const SECONDS_WITHOUT_NOTICE: f64 = 20.0;

/// The run. Its journal is the one that was named, or where the run takes long a file in the user's cache directory.
pub(super) struct AllPairs<'a> {
    evaluation: &'a Evaluation,
    engines: &'a [Engine],
    sets: Sets<'a>,
    resources: Resources,
    has_named_journal: bool,
    voice: fn(&str),
}

impl<'a> AllPairs<'a> {
    /// Chooses the journal, and says what the run will take, of sets whose rows have so many bytes in their files. A caller has the
    /// journal that they name, and no other.
    pub(super) fn announced(
        evaluation: &'a Evaluation,
        engines: &'a [Engine],
        (sets, row_bytes): (Sets<'a>, f64),
        ts: &[f64],
        expected: &Expected,
        mut resources: Resources,
        display: &Display,
    ) -> Result<Self, Failure> {
        let seconds = match display.is_of_caller() {
            true => 0.0,
            false => expected_seconds(engines, expected, sets.x.dims(), ts)?,
        };
        let has_named_journal = resources.journal.is_some();
        if !has_named_journal && seconds > SECONDS_WITHOUT_JOURNAL {
            resources.journal = journal_in_cache(&evaluation.journal_name_on(engines, sets)?);
        }
        if seconds > SECONDS_WITHOUT_NOTICE {
            let done = resources.journal.as_deref().map_or(0, blocks_in_journal);
            // More are of another run, which is refused.
            let done = if done > expected.blocks { 0 } else { done };
            let journal = resources.journal.as_deref().map(|path| (path, done));
            display.voice()(&notice(expected, seconds, row_bytes, journal));
        }
        interrupt::check()?;
        Ok(Self { evaluation, engines, sets, resources, has_named_journal, voice: display.voice() })
    }

    /// The values; without a journal where one that nobody named cannot be kept.
    pub(super) fn values(&mut self) -> Result<Found, Error> {
        let found = self.evaluation.values_on(self.engines, self.sets, &self.resources);
        match found {
            Err(Error::Journal(error)) if !self.has_named_journal => {
                (self.voice)(&format!("{error}\nthis run goes on without a journal"));
                self.resources.journal = None;
                self.evaluation.values_on(self.engines, self.sets, &self.resources)
            }
            found => found,
        }
    }

    /// What becomes of the journal: it is named where the run was stopped, and removed at the end unless somebody named it.
    pub(super) fn ended<T>(self, done: Result<T, Error>) -> Result<T, Error> {
        match (&done, &self.resources.journal) {
            (Err(Error::Engine(unisphere::Error::Stopped)), Some(journal)) => {
                (self.voice)(&format!(
                    "finished work is in {}: the same command goes on from it",
                    printable(journal)
                ));
            }
            (Ok(_), Some(journal)) if !self.has_named_journal => {
                // It has served its purpose, and a file that stays behind harms nobody.
                let _ = fs::remove_file(journal);
            }
            _ => {}
        }
        done
    }
}

/// Nine tenths of what is free: the rest is for the program, the driver and the system's own cache of the files.
pub(super) fn free_memory() -> Option<u64> {
    memory::available().map(|bytes| bytes / 10 * 9)
}

/// What the run will take: all of it, or what is left of it where its journal has blocks of earlier runs.
fn notice(expected: &Expected, seconds: f64, row_bytes: f64, journal: Option<(&Path, u64)>) -> String {
    let kept = journal.map_or(String::new(), |(path, done)| match done {
        0 => format!("; finished work is kept in {}", printable(path)),
        done => format!(
            "; {} of {} blocks are in {} from an earlier run",
            text::count(done),
            text::count(expected.blocks),
            printable(path)
        ),
    });
    let done = journal.map_or(0.0, |(_, done)| done as f64 / expected.blocks.max(1) as f64);
    let seconds = seconds * (1.0 - done);
    let on_gpus = match expected.device_memory {
        0 => String::new(),
        bytes => format!(" and {} on each GPU", text::bytes(bytes)),
    };
    format!(
        "{} pairs: about {}, {} of memory{on_gpus}, {} read{kept}",
        text::magnitude(expected.pairs as f64).trim_end(),
        duration(seconds),
        text::bytes(expected.memory),
        text::bytes((expected.rows_read as f64 * row_bytes) as u64),
    )
}

/// "3 min", "2.5 h".
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86400.0),
    }
}

/// Rows of a trial of the device's speed.
const ROWS_OF_TRIAL: usize = 1024;

/// Seconds that a run will take: none where it is about as short as a trial, and else by one of random points on every device.
fn expected_seconds(
    engines: &[Engine],
    expected: &Expected,
    dims: usize,
    ts: &[f64],
) -> Result<f64, Failure> {
    let pairs_of_trial = ROWS_OF_TRIAL.pow(2) as f64;
    let trials = expected.pairs as f64 / pairs_of_trial;
    if trials < 4.0 {
        return Ok(0.0);
    }
    let values = points_on_sphere(Size { n: ROWS_OF_TRIAL, d: dims }, 1)?;
    let values = Embeddings::new(values, ROWS_OF_TRIAL, dims)?;
    let mut trials_per_second = 0.0;
    for engine in engines {
        let points = engine.upload(&values)?;
        let metric = Uniformity::at(ts);
        // The first call makes a GPU's kernels ready.
        engine.value(metric.across(&points, &points))?;
        let start = Instant::now();
        engine.value(metric.across(&points, &points))?;
        trials_per_second += 1.0 / start.elapsed().as_secs_f64();
    }
    Ok(trials / trials_per_second)
}

/// A file in the user's cache directory.
fn journal_in_cache(name: &str) -> Option<PathBuf> {
    let folder = dirs::cache_dir()?.join("unisphere").join("journals");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let told = [12.3, 600.0, 9000.0, 1e6].map(duration);
        assert_eq!(told, ["12 s", "10 min", "2.5 h", "11.6 days"]);
    }
}
