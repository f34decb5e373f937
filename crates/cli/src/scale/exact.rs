//! The values of all pairs, in as much memory as is allowed.

use std::{fs, path::PathBuf, sync::Arc, time::Instant};

use unisphere::{Embeddings, Engine, Scaling, Uniformity};
use unisphere_scale::{Error, Evaluation, Expected, Resources};

use super::{
    Request, Scale,
    files::Files,
    print,
    report::{Alignment, Device, Exact, Report, rows},
};
use crate::{
    exit::{self, Failure},
    interrupt, memory,
    progress::Display,
    text,
};

/// Runs that are expected to take so many seconds keep a journal even where none is named.
const SECONDS_WITHOUT_JOURNAL: f64 = 600.0;
/// Runs that are expected to take so many seconds say beforehand what they will take.
const SECONDS_WITHOUT_NOTICE: f64 = 20.0;

/// Computes and prints the report.
pub(crate) fn exact(request: &Request, options: &Scale) -> Result<(), Failure> {
    let start = Instant::now();
    let max_memory = options.max_memory.or_else(free_memory);
    let files = Files::open(&request.x, request.y.as_deref(), max_memory)?;
    let max_memory = files.left_of(max_memory);
    let sets = files.sets();
    let shape = sets.shape()?;
    let evaluation =
        Evaluation::new().with_ts(&request.ts).with_alpha(request.alpha).with_scaling(request.scaling);
    let evaluation = if options.across { evaluation.across() } else { evaluation };
    let expected = evaluation.expected(shape, max_memory)?;
    let display = Display::new();
    // A block of a huge set takes long: the engine heeds an interruption within it.
    let engine = request.place.open(&display)?.observed_by(|_| interrupt::control());
    let seconds = expected.pairs as f64 / pairs_per_second(&engine, shape.dims, request)?;
    let mut resources = Resources::default();
    resources.max_memory = max_memory;
    resources.observer = Some(Arc::new(display.observer()));
    resources.journal.clone_from(&options.journal);
    if resources.journal.is_none() && seconds > SECONDS_WITHOUT_JOURNAL {
        resources.journal = journal_in_cache(&evaluation.journal_name(&engine, sets)?);
    }
    if seconds > SECONDS_WITHOUT_NOTICE {
        exit::say(&notice(&expected, seconds, files.row_bytes(), resources.journal.as_ref()));
    }
    interrupt::check()?;
    display.counted("all pairs");
    let mut found = evaluation.values(&engine, sets, &resources);
    if let (Err(Error::Journal(error)), None) = (&found, &options.journal) {
        exit::say(&format!("{error}\nthis run goes on without a journal"));
        resources.journal = None;
        found = evaluation.values(&engine, sets, &resources);
    }
    drop(display);
    if let (Err(Error::Engine(unisphere::Error::Stopped)), Some(journal)) = (&found, &resources.journal) {
        exit::say(&format!("finished work is in {}: the same command goes on from it", journal.display()));
    }
    let found = found?;
    if options.journal.is_none()
        && let Some(journal) = resources.journal.take()
    {
        // It has served its purpose, and a file that stays behind harms nobody.
        let _ = fs::remove_file(journal);
    }
    let report = Report {
        files: request.files(),
        file_counts: files.counts(),
        shape,
        scaling: request.scaling,
        device: Device::of(&engine),
        alignment: found.alignment.map(|value| Alignment {
            alpha: request.alpha,
            value,
            pairs: shape.x_rows as u64,
        }),
        uniformity: rows(&found, &request.ts, shape, request.scaling),
        exact: Some(Exact {
            panel_rows: expected.panel_rows,
            bytes_read: found.cost.rows_read as f64 * files.row_bytes(),
            cost: found.cost,
            memory: Some(expected.memory),
            journal: options.journal.clone(),
            parts: None,
        }),
        seconds: Some(start.elapsed().as_secs_f64()),
    };
    print(&report, request.json)
}

impl Request {
    /// The files under their roles.
    pub(super) fn files(&self) -> Vec<(&'static str, PathBuf)> {
        let x = ("x", self.x.clone());
        [Some(x), self.y.clone().map(|y| ("y", y))].into_iter().flatten().collect()
    }
}

/// Nine tenths of what is free: the rest is for the program, the driver and the system's own cache of the files.
pub(super) fn free_memory() -> Option<u64> {
    memory::available().map(|bytes| bytes / 10 * 9)
}

/// What the run will take.
fn notice(expected: &Expected, seconds: f64, row_bytes: f64, journal: Option<&PathBuf>) -> String {
    let kept = journal.map_or(String::new(), |path| format!("; finished work is kept in {}", path.display()));
    format!(
        "{} pairs: about {}, {} of memory, {} read{kept}",
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

/// The speed of the device at these dimensions, from a small set that looks random.
fn pairs_per_second(engine: &Engine, dims: usize, request: &Request) -> Result<f64, Failure> {
    const ROWS: usize = 1024;
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = (0..ROWS * dims).map(|_| next()).collect();
    let points = engine.upload_owned(Embeddings::with_scaling(values, ROWS, dims, Scaling::Unit)?)?;
    let metric = Uniformity::at(&request.ts);
    // The first call makes a GPU's kernels ready.
    engine.value(metric.across(&points, &points))?;
    let start = Instant::now();
    engine.value(metric.across(&points, &points))?;
    Ok((ROWS * ROWS) as f64 / start.elapsed().as_secs_f64().max(1e-9))
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
