//! `unisphere compare`: several models in one table, and whether their differences are real.
//!
//! [`options`] → [`runs`], named by arguments or by a [`table`] → each measured, or found in the [`cache`] → the comparison, which
//! `unisphere_eval::compare` makes → an exporter. [`watch`] does the same with the checkpoints of a training, as they come.

mod cache;
mod caller;
mod files;
mod measure;
mod options;
mod results;
mod run;
mod runs;
mod steps;
mod table;
mod watch;

pub use caller::{CompareRequest, GivenModel, compare_models};
pub(crate) use options::{CompareOptions, HELP};
pub(crate) use watch::{HELP as HELP_OF_WATCH, WatchOptions, line_for as watch_line, watch};

use std::{
    cmp::Ordering,
    collections::HashMap,
    path::{Path, PathBuf},
};

use unisphere::Engine;
use unisphere_eval::compare::{Bootstrap, ComparePlan, Comparison, Place};
use unisphere_io::{natural_order, printable};

use crate::{
    devices,
    exit::Failure,
    export::{self, ComparedModel, ComparisonDocument, FailedModel, Format, Log},
    output,
    progress::Display,
    reading::ReadingOptions,
    text::{in_line, plural},
};
use measure::{CURE_OF_ZEROS_BY_OPTION, Measuring, check_options};
use options::SortColumn;
use run::Run;
use steps::has_ending;

pub(crate) fn run(options: &CompareOptions) -> Result<(), Failure> {
    let runs = runs::runs(options)?;
    let baseline = baseline(options, &runs)?;
    options.sort.map_or(Ok(()), |column| check_sort(column, &runs))?;
    let log = options.csv.as_deref().map(Log::comparison).transpose()?;
    let inputs: Vec<_> = runs.iter().flat_map(Run::files).map(|(_, path)| path).collect();
    let inputs = || inputs.iter().map(PathBuf::as_path);
    log.as_ref().map_or(Ok(()), |log| log.check(inputs()))?;
    if let Some(path) = &options.html {
        output::check_page(path, inputs())?;
    }
    if options.measure.skips_zero_rows() {
        check_zero_rows(options, &runs)?;
    }
    output::check_distinct(&[("--csv", options.csv.as_deref()), ("--html", options.html.as_deref())])?;
    let document = document(options, &runs, baseline)?;
    let format = Format::of(options.json, options.markdown);
    let logged = log.map_or(Ok(()), |log| log.append(&document));
    let page = options.html.as_ref().map_or(Ok(()), |path| export::write_page(path, &document));
    output::print(&export::exporter(format).export(&document))?;
    logged?;
    page?;
    match document.failed.as_slice() {
        [] => Ok(()),
        [failed, ..] => Err(missing(&document.failed, failed, document.models.len())),
    }
}

/// Refuses to look for rows of zeros where they are points, or where nothing can be read twice.
fn check_zero_rows(options: &CompareOptions, runs: &[Run]) -> Result<(), Failure> {
    options.measure.check_zero_rows()?;
    match runs.iter().find(|run| run.is_piped()) {
        None => Ok(()),
        Some(run) => Err(Failure::Input(format!(
            "{} is a pipe, and --zero-rows skip reads all models before it measures one\nwrite it to a file first",
            printable(&run.name)
        ))),
    }
}

/// Measures every model, one after the other.
fn document(options: &CompareOptions, runs: &[Run], baseline: String) -> Result<ComparisonDocument, Failure> {
    let measure = &options.measure;
    let unused = check_options(runs, &measure.reading)?;
    let cache = measure.cache()?;
    let display = Display::new();
    display.step("opening the device");
    let engine = devices::open(&measure.device)?.observed_by(display.observer());
    let (plan, reading) = (measure.plan(), &measure.reading);
    let mut measuring = Measuring {
        plan,
        engine: &engine,
        display: &display,
        cache,
        is_fingerprinted: false,
        reading,
        unused,
        cure_of_zeros: CURE_OF_ZEROS_BY_OPTION,
        skipped: HashMap::new(),
    };
    if measure.skips_zero_rows() {
        measuring.skip_zero_rows(runs)?;
    }
    let (mut models, mut failed) = (Vec::new(), Vec::new());
    for run in runs {
        measuring.sort_in(run, &mut models, &mut failed)?;
    }
    if let Some(column) = options.sort {
        sort(&mut models, column, options.descending);
    }
    display.step("comparing");
    let setting = Setting { plan: measuring.plan, engine: &engine, reading };
    setting.document(models, failed, baseline, options.bootstrap())
}

/// How all models were measured.
struct Setting<'a> {
    plan: ComparePlan,
    engine: &'a Engine,
    reading: &'a ReadingOptions,
}

impl Setting<'_> {
    /// The comparison of models that were measured. Fails where all have failed.
    fn document(
        self,
        models: Vec<ComparedModel>,
        failed: Vec<FailedModel>,
        baseline: String,
        bootstrap: Bootstrap,
    ) -> Result<ComparisonDocument, Failure> {
        if let ([], Some(first)) = (models.as_slice(), failed.first()) {
            return Err(missing(&failed, first, 0));
        }
        let places: Vec<_> = models.iter().map(|of| of.place).collect();
        let base = models.iter().position(|of| of.name == baseline);
        let of_models: Vec<_> = models.iter().map(|of| of.model.clone()).collect();
        let comparison = Comparison::of(&of_models, &places, base, bootstrap)?;
        Ok(ComparisonDocument {
            plan: self.plan,
            device: self.engine.device().clone(),
            read: self.reading.to_json(),
            baseline,
            models,
            failed,
            comparison,
            bootstrap,
        })
    }
}

/// The name of the baseline, which is one of the models.
fn baseline(options: &CompareOptions, runs: &[Run]) -> Result<String, Failure> {
    let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
    let Some(wanted) = &options.baseline else {
        return Ok(names.first().copied().unwrap_or_default().to_owned());
    };
    let found = named(wanted, names.iter().map(|name| (*name, Path::new(name))));
    found.map(str::to_owned).map_err(|ending| unknown_baseline(wanted, &ending, &names))
}

/// The model of a name: its own, or the end of the path that it is named by, where no other ends so: `step_9.npy` of `run/step_9.npy`,
/// or `step_9`. Else all whose paths end so.
fn named<'a, 'b>(
    wanted: &str,
    models: impl Iterator<Item = (&'a str, &'b Path)> + Clone,
) -> Result<&'a str, Vec<&'a str>> {
    if let Some((name, _)) = models.clone().find(|(name, _)| *name == wanted) {
        return Ok(name);
    }
    let wanted = Path::new(wanted.trim_start_matches("./"));
    // Every path ends in an empty one.
    let is_end = |path: &Path| !wanted.as_os_str().is_empty() && path.ends_with(wanted);
    let mut ending: Vec<_> = models.clone().filter(|(_, path)| is_end(path)).map(|(name, _)| name).collect();
    if ending.is_empty() {
        let is_end = |path: &Path| has_ending(path) && is_end(&path.with_extension(""));
        ending = models.filter(|(_, path)| is_end(path)).map(|(name, _)| name).collect();
    }
    match ending.as_slice() {
        [name] => Ok(name),
        _ => Err(ending),
    }
}

/// The fault of a baseline that is none of these names, or with which the paths of several end.
fn unknown_baseline(wanted: &str, ending: &[&str], names: &[&str]) -> Failure {
    let wanted = printable(wanted);
    let listed = |names: &[&str]| names.iter().map(printable).collect::<Vec<_>>().join(", ");
    Failure::Usage(match ending {
        [] => format!("--baseline {wanted}: no model has this name\nthe models are {}", listed(names)),
        _ => format!(
            "--baseline {wanted}: the paths of {} models end so\nname one of them: {}",
            ending.len(),
            listed(ending)
        ),
    })
}

/// Refuses a column that no model has a value in.
fn check_sort(column: SortColumn, runs: &[Run]) -> Result<(), Failure> {
    let any = |has: fn(&Run) -> bool| runs.iter().any(has);
    let (name, is_there, cure) = match column {
        SortColumn::Step => {
            ("step", any(|run| run.place.step.is_some()), "give steps in the table of --runs")
        }
        SortColumn::Score => {
            ("score", any(|run| run.place.score.is_some()), "give scores in the table of --runs")
        }
        SortColumn::Alignment => ("alignment", any(|run| run.y.is_some()), "name pairs, such as x.npy:y.npy"),
        _ => return Ok(()),
    };
    match is_there {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "--sort {name}: no model has this column\n{cure}, or leave out --sort"
        ))),
    }
}

/// Puts the models in the order of a column; those without a value at the end, and equal ones in their order.
fn sort(models: &mut [ComparedModel], column: SortColumn, descending: bool) {
    let number = |of: &ComparedModel| {
        let Place { step, score } = of.place;
        match column {
            SortColumn::Name => None,
            SortColumn::Step => step,
            SortColumn::Score => score,
            SortColumn::Rows => Some(of.model.rows as f64),
            SortColumn::Dims => Some(of.model.dims as f64),
            SortColumn::Alignment => of.model.alignment.as_ref().map(|of| of.value),
            SortColumn::Uniformity => Some(of.model.uniformity.value),
        }
    };
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    models.sort_by(|a, b| match (number(a), number(b)) {
        _ if column == SortColumn::Name => turned(natural_order(&a.name, &b.name)),
        (Some(a), Some(b)) => turned(a.total_cmp(&b)),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
}

/// The error of a report that lacks some models.
fn missing(failed: &[FailedModel], first: &FailedModel, measured: usize) -> Failure {
    let all = failed.len() + measured;
    // Two lines at most: where a report has all of the reason, its first line, which is what is wrong.
    let reason = match measured {
        0 => in_line(&first.reason),
        _ => first.reason.lines().next().unwrap_or_default().to_owned(),
    };
    let text = format!("{} of {} could not be measured\n{reason}", failed.len(), plural(all as u64, "model"));
    if failed.iter().all(|of| of.is_of_disk) { Failure::Machine(text) } else { Failure::Input(text) }
}
