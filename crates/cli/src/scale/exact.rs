//! The values of all pairs, in as much memory as is allowed.

use std::{path::PathBuf, sync::Arc, time::Instant};

use unisphere::{DeviceKind, Engine};
use unisphere_eval::RowGroups;
use unisphere_io::Labels;
use unisphere_scale::Resources;

use super::{
    Request, Scale, Task,
    all_pairs::{AllPairs, free_memory},
    analysis::{Listing, OfRows, WantedOfRows, group_table, significance},
    files::Files,
    labels, print,
    report::{Device, Exact, Report},
};
use crate::{exit::Failure, progress::Display, reading::told_column};

/// Computes and prints the report.
pub(crate) fn exact(request: &Request, options: &Scale) -> Result<(), Failure> {
    let start = Instant::now();
    let max_memory = options.max_memory.or_else(free_memory);
    let task = &request.task;
    let files = Files::open(&task.sets, max_memory, task.is_of_distances() && !request.full)?;
    let others = [&request.labels, &options.journal].into_iter().flatten().map(PathBuf::as_path);
    request.telling.beside.check(request.listing.file.as_deref(), files.paths().chain(others))?;
    let text = request.telling.texts(&*files.x)?;
    let column = request.labels_column.as_deref();
    let labels = request.labels.as_ref().map(|path| labels::read(path, column, &*files.x)).transpose()?;
    let display = Display::new();
    let engines = request.place.open_interruptible(&display)?;
    check_device_memory(options, &engines)?;
    let mut resources = Resources::default();
    resources.max_memory = files.left_of(max_memory);
    resources.max_device_memory = options.max_device_memory;
    resources.journal.clone_from(&options.journal);
    let wanted = Wanted { task, listing: &request.listing, full: request.full, labels: labels.as_ref() };
    let mut report = measured(wanted, &files, &engines, resources, display)?;
    report.seconds = Some(start.elapsed().as_secs_f64());
    let of_labels =
        request.labels.as_ref().map(|path| ("labels", told_column(path, request.labels_column.as_ref())));
    let of_text = &request.telling.text;
    let of_text = of_text.as_ref().map(|(path, column)| ("text", told_column(path, column.as_ref())));
    report.columns.extend(of_labels.into_iter().chain(of_text));
    print(report, &request.telling, text.as_ref())
}

/// What a report of all pairs has.
pub(super) struct Wanted<'a> {
    pub(super) task: &'a Task,
    pub(super) listing: &'a Listing,
    pub(super) full: bool,
    /// The label of every row.
    pub(super) labels: Option<&'a Labels>,
}

/// The report of all pairs, without its seconds. `resources` have the memory for points, labels and results, and the journal that was
/// named.
pub(super) fn measured(
    wanted: Wanted<'_>,
    files: &Files,
    engines: &[Engine],
    mut resources: Resources,
    display: Display,
) -> Result<Report, Failure> {
    let Wanted { task, listing, full, labels } = wanted;
    let of_labels = labels.map_or(0, labels::bytes);
    let max_memory = resources.max_memory.map(|bytes| bytes.saturating_sub(of_labels));
    let sets = files.labelled(labels);
    let shape = sets.shape()?;
    let evaluation = task.evaluation();
    resources.max_memory = max_memory;
    let expected_in = |resources: &Resources| {
        let expected = evaluation.expected_on(engines, shape, resources);
        expected.map_err(|error| error.with_memory(of_labels))
    };
    // What cannot be done is refused before the passes over the rows.
    expected_in(&resources)?;
    let row_groups =
        labels.filter(|_| task.figures).map(|labels| RowGroups::new(&labels.of_rows)).transpose()?;
    let of_rows = WantedOfRows {
        spectrum: full,
        points: task.figures,
        equal: task.near.is_some(),
        groups: row_groups.as_ref(),
    };
    let read = |engine: &Engine| OfRows::read(of_rows, task, files, engine, max_memory, &display);
    let of_rows = engines.first().map(read).transpose()?;
    let of_equal = of_rows.as_ref().map_or(0, OfRows::bytes);
    resources.max_memory = max_memory.map(|bytes| bytes.saturating_sub(of_equal));
    let expected = expected_in(&resources)?;
    let journal = resources.journal.clone();
    resources.observer = Some(Arc::new(display.observer()));
    let ts = task.all_ts();
    if labels.is_some() {
        evaluation.check_groups(sets, &resources).map_err(|error| error.with_memory(of_labels))?;
    }
    let mut run = AllPairs::announced(
        &evaluation,
        engines,
        (sets, files.row_bytes()),
        &ts,
        &expected,
        resources,
        &display,
    )?;
    display.counted("all pairs");
    let done = run.values();
    drop(display);
    let mut found = run.ended(done)?;
    let groups = group_table(&mut found, labels, task.alpha);
    let cost = found.cost;
    let significance = full.then(|| significance(&found, task, shape));
    let device = Device::of(engines);
    let mut report = Report::of_all_pairs(task.clone(), shape, device, found, listing)?;
    report.analysis.significance = significance;
    if let Some(of_rows) = of_rows {
        report.analysis.put_rows(of_rows, shape.dims);
    }
    report.analysis.groups = groups;
    report.file_counts = files.counts();
    files.found().put_in(&mut report.task.sets.reading);
    report.rounding = files.rounding;
    report.exact = Some(Exact {
        panel_rows: expected.panel_rows,
        bytes_read: cost.rows_read as f64 * files.row_bytes(),
        cost,
        memory: Some(expected.memory),
        device_memory: Some(expected.device_memory).filter(|&bytes| bytes > 0),
        journal,
        parts: None,
    });
    Ok(report)
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
