//! `unisphere eval`: from files to a report.
//!
//! [`options`] → a plan without contradictions → [`inputs`], checked and read → the report's numbers, which
//! `unisphere_eval` measures → an exporter.

mod help;
mod inputs;
mod options;
mod unpaired;
mod views;
pub(crate) mod whole;

pub(crate) use help::{long as long_help, most_used_first, short as short_help};
pub(crate) use options::Eval;

use std::{
    io::{self, IsTerminal as _},
    ops::ControlFlow,
    path::PathBuf,
};

use unisphere::{Engine, unordered_pairs};
use unisphere_eval::{Error, Plan, Session, Step, measure};
use unisphere_io::printable;

use crate::{
    devices,
    exit::{self, Failure},
    export::{self, Document},
    interrupt, output,
    progress::Display,
    reading::told_column,
    scale::{estimate, exact},
    text,
};
use inputs::Inputs;
use options::flag;

pub(crate) fn run(options: &Eval) -> Result<(), Failure> {
    let options = &options.with_files()?;
    if options.unpaired {
        return unpaired::run(options);
    }
    if options.views.is_some() {
        return views::run(options);
    }
    if options.is_large() {
        let (request, scale_options) = (options.request()?, &options.scale);
        let is_estimate = scale_options.tolerance().is_some();
        return if is_estimate { estimate(&request, scale_options) } else { exact(&request, scale_options) };
    }
    let plan =
        Plan::new(&options.options()?).map_err(|contradiction| Failure::Usage(contradiction.words(&flag)))?;
    let mut inputs = Inputs::open(options, &plan)?;
    // A report that can be made in pieces is, where memory is too small for the points.
    if let Some(excess) = inputs.excess() {
        let request = options.request().map_err(|reason| excess.refusal(reason))?;
        exit::say(&excess.notice());
        return exact(&request, &options.scale);
    }
    let beside = options.beside()?;
    let text = inputs.text.take();
    let mut document = document(options, plan, inputs)?;
    // A report that took hours is printed even where its page or its line cannot be written.
    let beside = beside.write(&mut document, text.as_ref());
    output::print_with_table(
        document,
        |document| (&mut document.rows_file, document.report.row_table.as_ref()),
        |document| export::exporter(options.format()).export(document),
    )
    .and(beside)
}

/// Pairs of a set up to which nothing is said of estimates: about a minute on two cores.
const PAIRS_WITHOUT_HINT: u64 = 20_000_000_000;

/// Measures. What can be refused is refused before anything is computed: the command line, headers and the device first.
fn document(options: &Eval, plan: Plan, inputs: Inputs) -> Result<Document, Failure> {
    let pairs = unordered_pairs(inputs.x.rows());
    if pairs > PAIRS_WITHOUT_HINT && io::stderr().is_terminal() {
        exit::say(&format!(
            "all {}pairs of a set take a while; --tolerance auto estimates uniformity from a small part of them",
            text::magnitude(pairs as f64)
        ));
    }
    let display = Display::new();
    let engine = engine(options, &display)?;
    let mut session = Session::new(&engine, listener(&display));
    let rounding = inputs.rounding;
    let [told_x, told_y] = inputs.told(options);
    let (data, skipped) = inputs.load(&plan, &mut session, &display)?;
    let mut report = measure(plan, data, session).map_err(|error| of_labels(options, error))?;
    report.rounding = rounding;
    let file =
        |role, path: Option<&PathBuf>, column: Option<&String>| Some((role, told_column(path?, column)));
    let files = [
        told_x.map(|told| ("x", told)),
        told_y.map(|told| ("y", told)),
        file("queue", options.queue.as_ref(), None),
        file("labels", options.labels.as_ref(), options.labels_column.as_ref()),
        file("weights", options.weights.as_ref(), options.weights_column.as_ref()),
        file("scores", options.scores.as_ref(), options.scores_column.as_ref()),
        file("text", options.text.as_ref(), options.text_column.as_ref()),
    ];
    let mut document =
        Document::new(report, files.into_iter().flatten().collect(), options.reading.to_json());
    document.skipped = options.skips_zero_rows().then_some(skipped);
    document.rows_file.clone_from(&options.rows);
    Ok(document)
}

/// Shows each step, and says whether the measuring is to end. A step that goes on asks again.
fn listener(display: &Display) -> impl FnMut(Step) -> ControlFlow<()> {
    let mut last = None;
    move |step| {
        if last.replace(step) != Some(step) {
            display.counted(step.to_string());
        }
        interrupt::control()
    }
}

/// The device, whose progress is shown.
fn engine(options: &Eval, display: &Display) -> Result<Engine, Failure> {
    display.step("opening the device");
    let engine =
        devices::open(&options.device)?.with_precision(options.precision)?.with_storage(options.storage)?;
    Ok(engine.observed_by(display.observer()))
}

/// Names the file of the labels, where these are at fault.
fn of_labels(options: &Eval, error: Error) -> Failure {
    let name = printable(options.labels.as_deref().unwrap_or("labels".as_ref()));
    match error {
        Error::Engine(error @ unisphere::Error::Labels { .. }) => Failure::Input(format!("{name}: {error}")),
        Error::TooManyGroups { groups, limit, bytes } => Failure::Input(format!(
            "{name} makes {groups} groups, and --across-groups takes at most {limit}\n\
             the matrix of {groups} groups takes {} for each set: leave out --across-groups, or merge labels",
            text::bytes(bytes)
        )),
        error => error.into(),
    }
}
