//! Estimates from a small part of the pairs, each with an interval.

use std::{slice, time::Instant};

use unisphere::{DeviceKind, Engine};
use unisphere_io::Source;
use unisphere_scale::{Draw, Evaluation, Interval, Resources, Sampling, check_journal};

use super::{
    Request, Scale, Task, Tolerance,
    all_pairs::free_memory,
    analysis::{Analysis, OfRows, WantedOfRows},
    files::Files,
    missed, print,
    report::{Device, Report, Row, estimated, estimated_across},
};
use crate::{exit::Failure, interrupt, output, progress::Display, text};

/// Computes and prints the report. Fails after that, where intervals are wider than asked for.
pub(crate) fn estimate(request: &Request, options: &Scale) -> Result<(), Failure> {
    check_draw(&request.task, options)?;
    let start = Instant::now();
    let max_memory = options.max_memory.or_else(free_memory);
    let task = &request.task;
    // The spectrum of a page is of the points where they lie.
    let of_distances = task.is_of_distances() && !request.telling.beside.has_page();
    let files = Files::open(&task.sets, max_memory, of_distances)?;
    if let Some(path) = &options.journal {
        output::check_writable("--journal", path, files.paths())?;
        // It is of use only where an estimate misses, which takes a while to be known.
        check_journal(path)?;
    }
    request.telling.beside.check(None, files.paths().chain(options.journal.as_deref()))?;
    let max_memory = files.left_of(max_memory);
    let found = files.found();
    let display = Display::new();
    let engine = request.place.open_one(&display)?.observed_by(display.observer());
    let has_page = request.telling.beside.has_page();
    let (mut report, outcome) = measured(task, files, &engine, (options, max_memory), has_page, &display)?;
    drop(display);
    found.put_in(&mut report.task.sets.reading);
    if let Err(Failure::Interrupted) = outcome {
        return outcome;
    }
    // What was estimated is told where all pairs could not be computed, too.
    report.seconds = Some(start.elapsed().as_secs_f64());
    let outcome = outcome.and_then(|()| reached(&report));
    print(report, &request.telling, None)?;
    outcome
}

/// Fails for rounds of two sets.
pub(super) fn check_draw(task: &Task, options: &Scale) -> Result<(), Failure> {
    if task.across && options.draw == Draw::Rounds {
        return Err(Failure::Usage(
            "--draw rounds is of the pairs of one set, and --across of two; leave out one of them".into(),
        ));
    }
    Ok(())
}

/// The report without its seconds, and whether all pairs could be computed where estimates missed the tolerance. The memory is what
/// points and results may take. A page has what rows tell without their pairs, too.
pub(super) fn measured(
    task: &Task,
    files: Files,
    engine: &Engine,
    (options, max_memory): (&Scale, Option<u64>),
    has_page: bool,
    display: &Display,
) -> Result<(Report, Result<(), Failure>), Failure> {
    let shape = files.sets().shape()?;
    let mut resources = Resources::default();
    resources.max_memory = max_memory;
    let with_all_pairs = sampling(options, max_memory);
    let sampling = if options.estimate_only {
        with_all_pairs.estimate_only()
    } else if missed::can_be_computed(engine, task, &files, (&with_all_pairs, options.draw), &resources)? {
        // All pairs are computed once for all that is missed, with a journal.
        with_all_pairs.without_all_pairs()
    } else {
        with_all_pairs
    };
    let mut alignment = None;
    if let Some(y) = &files.y {
        display.step("alignment of all pairs");
        let evaluation = Evaluation::new().with_alpha(task.alpha).with_scaling(task.sets.scaling);
        alignment = Some(evaluation.alignment(engine, &*files.x, &**y, &resources)?);
    }
    let mut contrastive_intervals = Vec::new();
    if !task.taus.is_empty() {
        display.counted("contrastive loss");
        contrastive_intervals = leaving(engine, || {
            let sets = files.sets();
            Ok(sampling.contrastives_of(engine, sets, task.sets.scaling, &task.taus, task.candidates)?)
        })?;
    }
    let of_set = |set, source: &dyn Source| {
        display.counted(format!("uniformity of {set}"));
        let found =
            leaving(engine, || Ok(sampling.uniformities_of(engine, source, task.sets.scaling, &task.ts)?))?;
        Ok::<_, Failure>(estimated(found, task, shape, set))
    };
    let mut uniformity = of_set("x", &*files.x)?;
    if let Some(y) = &files.y {
        uniformity.extend(of_set("y", &**y)?);
    }
    if task.across {
        display.counted("cross uniformity");
        let found = leaving(engine, || {
            Ok(sampling.cross_uniformities_of(engine, files.sets(), task.sets.scaling, &task.ts)?)
        })?;
        display.counted("squared MMD");
        let squared_mmds = leaving(engine, || {
            Ok(sampling.squared_mmds_of(engine, files.sets(), task.sets.scaling, &task.ts)?)
        })?;
        uniformity.extend(estimated_across(found, squared_mmds, task, shape));
    }
    let mut analysis = Analysis::default();
    if has_page {
        let of_rows = WantedOfRows { spectrum: true, points: true, equal: false, groups: None };
        analysis.put_rows(OfRows::read(of_rows, task, &files, engine, max_memory, display)?, shape.dims);
    }
    let mut report = Report {
        task: task.clone(),
        file_counts: files.counts(),
        columns: Vec::new(),
        rounding: files.rounding,
        shape,
        device: Device::of(slice::from_ref(engine)),
        alignment,
        alignment_of_sample: None,
        uniformity,
        contrastive: Vec::new(),
        analysis,
        contrastive_intervals,
        exact: None,
        seconds: None,
    };
    let mut outcome = Ok(());
    if !options.estimate_only {
        resources.journal.clone_from(&options.journal);
        outcome = missed::compute(engine, files, with_all_pairs, resources, display, &mut report);
    }
    report.widen();
    Ok((report, outcome))
}

/// Does what an interruption may end at any point, reading included, as nothing of an estimate is kept; but for GPUs, which are
/// left between two commands.
fn leaving<T>(engine: &Engine, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    if engine.device().kind == DeviceKind::Cpu { interrupt::leaving_at_once(work)? } else { work() }
}

fn sampling(options: &Scale, max_memory: Option<u64>) -> Sampling {
    let mut sampling = Sampling::new().with_seed(options.seed.unwrap_or(0)).with_draw(options.draw);
    if let Some(Tolerance::HalfWidth(tolerance)) = options.tolerance {
        sampling = sampling.with_tolerance(tolerance);
    }
    if let Some(confidence) = options.confidence {
        sampling = sampling.with_confidence(confidence);
    }
    if let Some(bytes) = max_memory {
        sampling = sampling.with_max_memory(bytes);
    }
    sampling
}

/// The name of the discrepancy in messages.
const SQUARED_MMD: &str = "squared MMD";

/// That every interval is as narrow as was asked for.
fn reached(report: &Report) -> Result<(), Failure> {
    let of_row = |row: &Row| {
        let at = |what| move |interval| (what, format!("t = {}", text::plain(row.t)), interval);
        let squared_mmd = row.squared_mmd_interval.map(at(SQUARED_MMD));
        row.interval.map(at(row.set)).into_iter().chain(squared_mmd).collect::<Vec<_>>()
    };
    let of_tau = |(&tau, &interval): (&f64, &Interval)| {
        ("the contrastive loss", format!("tau = {}", text::plain(tau)), interval)
    };
    let losses = report.task.taus.iter().zip(&report.contrastive_intervals).map(of_tau);
    let all = report.uniformity.iter().flat_map(of_row).chain(losses);
    match all.into_iter().find(|(.., interval)| !interval.meets_tolerance()) {
        None => Ok(()),
        Some((what, at, interval)) => {
            let whose =
                if what == SQUARED_MMD { ", the tolerance times the mean of the kernel," } else { "" };
            Err(Failure::Input(format!(
                "the estimate for {what} at {at} is good to {:.2e}, and {:.2e}{whose} was asked for\n\
                 leave out --estimate-only for the value of all pairs, or allow a larger --tolerance",
                interval.half_width_of_draw(),
                interval.tolerance,
            )))
        }
    }
}
