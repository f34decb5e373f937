//! The values of all pairs, in as much memory as is allowed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use unisphere::{DeviceKind, Embeddings, Engine, Uniformity};
use unisphere_eval::{SetName, sections::SetSpectrum};
use unisphere_io::{Labels, Shards, printable};
use unisphere_scale::{Error, Expected, Resources};

use super::{
    Request, Scale, Task,
    analysis::{group_table, significance},
    files::{Files, check_one_a_row, open_column},
    print,
    report::{Device, Exact, Report},
};
use crate::{
    bench::{Size, points_on_sphere},
    exit::{self, Failure},
    interrupt, memory, output,
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
    let task = &request.task;
    let files = Files::open(&task.sets, max_memory)?;
    if let Some(path) = &request.listing.file {
        let others = [&request.labels, &options.journal].into_iter().flatten().map(PathBuf::as_path);
        output::check_writable("--rows", path, files.paths().chain(others))?;
    }
    let column = request.labels_column.as_deref();
    let labels = request.labels.as_ref().map(|path| labels(path, column, &files)).transpose()?;
    let of_labels = labels.as_ref().map_or(0, bytes_of_labels);
    let of_groups = files.left_of(max_memory);
    let max_memory = of_groups.map(|bytes| bytes.saturating_sub(of_labels));
    let sets = files.sets();
    let shape = sets.shape()?;
    let evaluation = task.evaluation();
    let display = Display::new();
    let engines = request.place.open_interruptible(&display)?;
    check_device_memory(options, &engines)?;
    let mut resources = Resources::default();
    (resources.max_memory, resources.max_device_memory) = (max_memory, options.max_device_memory);
    let expected =
        evaluation.expected_on(&engines, shape, &resources).map_err(|error| with_labels(error, of_labels))?;
    let seconds = expected_seconds(&engines, &expected, shape.dims, &task.ts)?;
    resources.observer = Some(Arc::new(display.observer()));
    resources.journal.clone_from(&options.journal);
    if resources.journal.is_none() && seconds > SECONDS_WITHOUT_JOURNAL {
        resources.journal = journal_in_cache(&evaluation.journal_name_on(&engines, sets)?);
    }
    if seconds > SECONDS_WITHOUT_NOTICE {
        exit::say(&notice(&expected, seconds, files.row_bytes(), resources.journal.as_ref()));
    }
    interrupt::check()?;
    let mut for_groups = resources.clone();
    for_groups.max_memory = of_groups;
    if labels.is_some() {
        evaluation.check_groups(sets, &for_groups)?;
    }
    let spectra = match engines.first().filter(|_| request.full) {
        Some(engine) => Some(spectra(task, &files, engine, max_memory, &display)?),
        None => None,
    };
    display.counted("all pairs");
    let mut found = evaluation.values_on(&engines, sets, &resources);
    if let (Err(Error::Journal(error)), None) = (&found, &options.journal) {
        exit::say(&format!("{error}\nthis run goes on without a journal"));
        resources.journal = None;
        found = evaluation.values_on(&engines, sets, &resources);
    }
    let done = found.and_then(|found| {
        let (Some(labels), Some(engine)) = (&labels, engines.first()) else { return Ok((found, None)) };
        display.step("groups");
        let groups = evaluation.groups(engine, sets, &labels.of_rows, &for_groups)?;
        Ok((found, Some(group_table(groups, labels.names.as_deref(), task.alpha))))
    });
    drop(display);
    if let (Err(Error::Engine(unisphere::Error::Stopped)), Some(journal)) = (&done, &resources.journal) {
        exit::say(&format!("finished work is in {}: the same command goes on from it", printable(journal)));
    }
    let (found, groups) = done?;
    if options.journal.is_none()
        && let Some(journal) = resources.journal.take()
    {
        // It has served its purpose, and a file that stays behind harms nobody.
        let _ = fs::remove_file(journal);
    }
    let cost = found.cost;
    let significance = request.full.then(|| significance(&found, task, shape));
    let device = Device::of(&engines);
    let mut report = Report::of_all_pairs(task.clone(), shape, device, found, &request.listing)?;
    report.analysis.significance = significance;
    report.analysis.spectra = spectra;
    report.analysis.groups = groups;
    report.file_counts = files.counts();
    report.exact = Some(Exact {
        panel_rows: expected.panel_rows,
        bytes_read: cost.rows_read as f64 * files.row_bytes(),
        cost,
        memory: Some(expected.memory),
        device_memory: Some(expected.device_memory).filter(|&bytes| bytes > 0),
        journal: options.journal.clone(),
        parts: None,
    });
    report.seconds = Some(start.elapsed().as_secs_f64());
    print(report, request.json)
}

/// Fails for memory of GPUs where none is used.
fn check_device_memory(options: &Scale, engines: &[Engine]) -> Result<(), Failure> {
    let has_gpu = engines.iter().any(|engine| engine.device().kind != DeviceKind::Cpu);
    if options.max_device_memory.is_none() || has_gpu {
        return Ok(());
    }
    let text = "--max-device-memory is of GPUs, and none is used; leave it out, or name one by --device";
    Err(Failure::Usage(text.into()))
}

/// The label of every row.
fn labels(path: &Path, column: Option<&str>, files: &Files) -> Result<Labels, Failure> {
    let labels = open_column(path, column)?;
    check_one_a_row(&labels, "label", &files.x)?;
    Ok(interrupt::leaving_at_once(|| labels.labels())??)
}

/// Memory that labels take.
fn bytes_of_labels(labels: &Labels) -> u64 {
    let of_name = |name: &String| size_of::<String>() + name.len();
    let names = labels.names.iter().flatten().map(of_name).sum::<usize>();
    (size_of_val(labels.of_rows.as_slice()) + names) as u64
}

/// The same with the labels in the memory that is given and needed.
fn with_labels(error: Error, of_labels: u64) -> Error {
    match error {
        Error::Memory { given, panel_bytes, needed } => {
            Error::Memory { given: given + of_labels, panel_bytes, needed: needed + of_labels }
        }
        error => error,
    }
}

/// Mean and covariance of each set, in a pass over it.
fn spectra(
    task: &Task,
    files: &Files,
    engine: &Engine,
    max_memory: Option<u64>,
    display: &Display,
) -> Result<Vec<SetSpectrum>, Failure> {
    let mut resources = Resources::default();
    resources.max_memory = max_memory;
    resources.observer = Some(Arc::new(display.observer()));
    let evaluation = task.evaluation();
    let of_set = |(name, set): (SetName, &Shards)| {
        display.step(format!("spectrum of {name}"));
        let spectrum = evaluation.spectrum(engine, set, &resources)?;
        Ok(SetSpectrum::new(name, spectrum, task.sets.scaling))
    };
    let of_y = files.y.as_ref().map(|y| (SetName::Y, y));
    std::iter::once((SetName::X, &files.x)).chain(of_y).map(of_set).collect()
}

/// Nine tenths of what is free: the rest is for the program, the driver and the system's own cache of the files.
pub(super) fn free_memory() -> Option<u64> {
    memory::available().map(|bytes| bytes / 10 * 9)
}

/// What the run will take.
fn notice(expected: &Expected, seconds: f64, row_bytes: f64, journal: Option<&PathBuf>) -> String {
    let kept =
        journal.map_or(String::new(), |path| format!("; finished work is kept in {}", printable(path)));
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
