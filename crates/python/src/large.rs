//! Sets of any size: estimates from a part of the pairs, and all pairs read in pieces. `unisphere_cli` does what the program does.

use std::path::PathBuf;

use pyo3::prelude::*;
use unisphere::Candidates;
use unisphere_cli::{EstimateOptions, LargeOptions, LargeSets, estimate_large, evaluate_large, merge_parts};
use unisphere_eval::Plan;
use unisphere_io::Labels;
use unisphere_scale::Draw;

use crate::{
    call::{Course, run},
    engine::Engine,
    evaluate::Asked,
    fault::{Fault, Given, invalid},
    metrics::candidates_named,
    report::Report,
    rows::Column,
    source::{Source, reading, second},
};

/// What sets of any size take beside the options of a report.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Large {
    /// How files are read, as JSON.
    reading: String,
    across: bool,
    max_memory: Option<u64>,
    journal: Option<PathBuf>,
}

/// How an estimate is made.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Drawn {
    /// None for auto.
    tolerance: Option<f64>,
    draw: String,
    confidence: f64,
    seed: u64,
    estimate_only: bool,
}

/// The sets and the options, free of contradictions.
fn prepared(
    x: Source,
    y: Option<Source>,
    large: Large,
    asked: Asked,
    labels: bool,
) -> PyResult<(LargeSets, LargeOptions, Given)> {
    let reading = reading(&large.reading)?;
    let y = second(&x, y, &reading)?;
    let candidates = asked.candidates().map(candidates_named).transpose()?;
    let mut options = asked.options()?;
    (options.paired, options.labels) = (y.is_some(), labels);
    let has_taus = !options.tau.is_empty() || options.full;
    if options.candidates.is_some() && !has_taus {
        return Err(invalid("candidates are of the contrastive loss; give tau too, or leave them out"));
    }
    let plan = Plan::new(&options).map_err(|contradiction| invalid(contradiction.to_string()))?;
    let candidates: Candidates = candidates.unwrap_or_default();
    let across = large.across && y.is_some();
    let given = if x.given() == Given::Files || y.as_ref().is_some_and(|y| y.given() == Given::Files) {
        Given::Files
    } else {
        Given::Arrays
    };
    let sets = LargeSets { x: x.large("x"), y: y.map(|y| y.large("y")), reading };
    let Large { max_memory, journal, .. } = large;
    Ok((sets, LargeOptions { plan, candidates, across, max_memory, journal }, given))
}

/// All pairs, in pieces.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn evaluate_in_pieces(
    py: Python<'_>,
    on: &Engine,
    x: Source,
    y: Option<Source>,
    labels: Option<(Column<i64>, Option<Vec<String>>)>,
    large: Large,
    asked: Asked,
    progress: Option<Py<PyAny>>,
) -> PyResult<Report> {
    let (sets, options, given) = prepared(x, y, large, asked, labels.is_some())?;
    let labels = labels.map(|(of_rows, names)| Labels::new(of_rows.0, names));
    let course = Course { work: f64::INFINITY, progress };
    let report = run(py, &on.engine, course, move |engine, control| {
        let done = evaluate_large(engine, sets, options, labels.as_ref(), control.caller());
        done.map_err(|failure| Fault::Program(failure, given))
    })?;
    Ok(report.into())
}

/// An estimate.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn estimate(
    py: Python<'_>,
    on: &Engine,
    x: Source,
    y: Option<Source>,
    large: Large,
    drawn: Drawn,
    asked: Asked,
    progress: Option<Py<PyAny>>,
) -> PyResult<Report> {
    let how = EstimateOptions {
        tolerance: drawn.tolerance,
        draw: match &*drawn.draw {
            "blocks" => Draw::Blocks,
            "rounds" => Draw::Rounds,
            other => return Err(invalid(format!("draw: {other:?} is neither 'blocks' nor 'rounds'"))),
        },
        confidence: drawn.confidence,
        seed: drawn.seed,
        estimate_only: drawn.estimate_only,
    };
    let (sets, options, given) = prepared(x, y, large, asked, false)?;
    let course = Course { work: f64::INFINITY, progress };
    let report = run(py, &on.engine, course, move |engine, control| {
        let done = estimate_large(engine, sets, options, &how, control.caller());
        done.map_err(|failure| Fault::Program(failure, given))
    })?;
    Ok(report.into())
}

/// What all parts of a plan make, which are files in a folder.
#[pyfunction]
pub fn merge(
    py: Python<'_>,
    plan: PathBuf,
    folder: PathBuf,
    top: Option<usize>,
    table: Option<PathBuf>,
) -> PyResult<Report> {
    let course = Course { work: f64::INFINITY, progress: None };
    let report = run(py, &unisphere::Engine::cpu(), course, move |_, _| {
        let done = merge_parts(&plan, &folder, top, table.as_deref());
        done.map_err(|failure| Fault::Program(failure, Given::Files))
    })?;
    Ok(report.into())
}
