//! Several models: `unisphere_cli` compares them as the program does.

use std::path::PathBuf;

use pyo3::prelude::*;
use unisphere::{Alignment, Uniformity};
use unisphere_cli::{CompareRequest, GivenModel, compare_models};
use unisphere_eval::compare::{Bootstrap, ComparePlan, Place};

use crate::{
    call::{Course, run},
    engine::Engine,
    fault::{Fault, Given},
    report::Report,
    sets::scaling,
    source::{Source, reading, second},
};

/// A model with a name of its own.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Model {
    name: String,
    x: Source,
    y: Option<Source>,
    step: Option<f64>,
    score: Option<f64>,
}

/// How models are compared.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Compared {
    baseline: String,
    t: Option<f64>,
    alpha: Option<f64>,
    raw: bool,
    seed: u64,
    /// How files are read, as JSON.
    reading: String,
    cache: Option<PathBuf>,
}

/// Measures models and compares them.
#[pyfunction]
pub fn compare(
    py: Python<'_>,
    on: &Engine,
    models: Vec<Model>,
    compared: Compared,
    progress: Option<Py<PyAny>>,
) -> PyResult<Report> {
    let Compared { baseline, t, alpha, raw, seed, reading: of_files, cache } = compared;
    let mut plan = ComparePlan::default();
    plan.scaling = scaling(raw);
    plan.uniformity = t.map_or(plan.uniformity, Uniformity::new);
    plan.alignment = alpha.map_or(plan.alignment, Alignment::new);
    let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
    let reading = reading(&of_files)?;
    let mut given = Given::Arrays;
    let mut model = |of: Model| {
        let y = second(&of.x, of.y, &reading)?;
        if of.x.given() == Given::Files {
            given = Given::Files;
        }
        let named = |set| PathBuf::from(format!("{}: {set}", of.name));
        let (x, y) = (of.x.large(named("x")), y.map(|y| y.large(named("y"))));
        Ok::<_, Fault>(GivenModel { x, y, place: Place { step: of.step, score: of.score }, name: of.name })
    };
    let models = models.into_iter().map(&mut model).collect::<Result<Vec<_>, _>>()?;
    let request = CompareRequest { plan, baseline, bootstrap, reading, cache };
    let course = Course { work: f64::INFINITY, progress };
    let report = run(py, &on.engine, course, move |engine, control| {
        let done = compare_models(engine, models, request, control.caller());
        done.map_err(|failure| Fault::Program(failure, given))
    })?;
    Ok(report.into())
}
