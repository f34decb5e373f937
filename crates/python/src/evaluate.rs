//! A report over arrays or files: `unisphere_eval` measures it.

use std::path::PathBuf;

use pyo3::prelude::*;
use unisphere::{Points, Sigmoid};
use unisphere_eval::{Data, Estimator, Options, Plan, Protocol, Session, Set, measure};
use unisphere_html::{Known, page};
use unisphere_io::{File, printable};

use crate::{
    call::{Course, run},
    engine::Engine,
    fault::{Fault, invalid},
    metrics::candidates_named,
    rows::{Column, Rows},
    sets::{named, scaling},
};

/// Options as Python's half gives them, all of them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Asked {
    t: Vec<f64>,
    alpha: Option<f64>,
    tau: Vec<f64>,
    candidates: Option<String>,
    sigmoid: Vec<(f64, f64)>,
    supcon: Vec<f64>,
    retrieval: bool,
    estimator: String,
    raw: bool,
    protocol: Option<String>,
    min_score: Option<f64>,
    full: bool,
    top: Option<usize>,
    near: Option<f64>,
    across_groups: bool,
    figures: bool,
}

impl Asked {
    fn options(self) -> PyResult<Options> {
        let mut options = Options::default();
        options.t = self.t;
        options.alpha = self.alpha;
        options.tau = self.tau;
        options.candidates = self.candidates.as_deref().map(candidates_named).transpose()?;
        options.sigmoid = self.sigmoid.into_iter().map(|(scale, bias)| Sigmoid::new(scale, bias)).collect();
        options.supcon = self.supcon;
        options.retrieval = self.retrieval;
        options.estimator = match &*self.estimator {
            "u" => Estimator::U,
            "v" => Estimator::V,
            other => return Err(invalid(format!("estimator: {other:?} is neither 'u' nor 'v'"))),
        };
        options.scaling = scaling(self.raw);
        options.protocol = self.protocol.as_deref().map(protocol).transpose()?;
        options.min_score = self.min_score;
        options.full = self.full;
        options.top = self.top;
        options.near = self.near;
        options.across_groups = self.across_groups;
        options.figures = self.figures;
        Ok(options)
    }
}

fn protocol(name: &str) -> PyResult<Protocol> {
    let known = Protocol::ALL.iter().copied();
    known.clone().find(|protocol| protocol.settings().name == name).ok_or_else(|| {
        let names: Vec<_> = known.map(|protocol| protocol.settings().name).collect();
        invalid(format!("protocol: {name:?} is none of {}", names.join(", ")))
    })
}

/// A set: an array, or a file.
#[derive(FromPyObject)]
pub enum Source {
    /// Rows in memory.
    Array(Rows),
    /// The path of a file of rows.
    Path(PathBuf),
}

impl Source {
    /// Where it came from, as reports tell it.
    fn told(&self) -> String {
        match self {
            Self::Array(_) => "array".into(),
            Self::Path(path) => path.display().to_string(),
        }
    }

    /// The set on the device.
    fn set(&self, name: &'static str, plan: &Plan, session: &mut Session<'_>) -> Result<Set, Fault> {
        match self {
            Self::Array(rows) => Ok(session.upload(rows.embeddings(name, plan.scaling)?, plan)?),
            Self::Path(path) => {
                let of_file = |error: unisphere_io::Error| Fault::File(format!("{name}: {error}"));
                let points = File::open(path).map_err(of_file)?.embeddings(plan.scaling).map_err(of_file)?;
                Ok(session.upload(points, plan)?)
            }
        }
    }

    /// The points alone.
    fn points(&self, name: &'static str, plan: &Plan, session: &mut Session<'_>) -> Result<Points, Fault> {
        Ok(self.set(name, plan, session)?.points)
    }
}

/// What goes with the rows.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Columns {
    queue: Option<Source>,
    labels: Option<Column<i64>>,
    label_names: Option<Vec<String>>,
    weights: Option<Column<f64>>,
    scores: Option<Column<f64>>,
}

/// A report: `unisphere._report` gives it attributes.
#[pyclass(frozen, module = "unisphere._native")]
pub struct Report {
    report: unisphere_eval::Report,
    files: Vec<(&'static str, String)>,
}

#[pymethods]
impl Report {
    /// The object that `unisphere eval --json` prints.
    fn json(&self) -> String {
        unisphere_cli::evaluation(&self.report, &self.files).to_string()
    }

    /// What `unisphere eval` prints.
    fn text(&self) -> String {
        unisphere_cli::evaluation_text(&self.report, &self.files)
    }

    /// The page that `unisphere eval --html` writes.
    fn html(&self, py: Python<'_>) -> String {
        let mut known = Known::default();
        known.program = concat!("unisphere ", env!("CARGO_PKG_VERSION"), " for Python").into();
        known.sources = self.files.iter().map(|(role, told)| ((*role).into(), printable(told))).collect();
        py.detach(|| page(&self.report, &known))
    }
}

/// Measures a report.
#[pyfunction]
pub fn evaluate(
    py: Python<'_>,
    on: &Engine,
    x: Source,
    y: Option<Source>,
    columns: Columns,
    asked: Asked,
    progress: Option<Py<PyAny>>,
) -> PyResult<Report> {
    let mut options = asked.options()?;
    options.paired = y.is_some();
    options.queue = columns.queue.is_some();
    options.labels = columns.labels.is_some();
    options.weights = columns.weights.is_some();
    options.scores = columns.scores.is_some();
    let plan = Plan::new(&options).map_err(|contradiction| invalid(contradiction.to_string()))?;
    let told = [Some(("x", x.told())), y.as_ref().map(|y| ("y", y.told()))];
    let queue = columns.queue.as_ref().map(|queue| ("queue", queue.told()));
    let others = [("labels", options.labels), ("weights", options.weights), ("scores", options.scores)];
    let others = others.into_iter().filter(|(_, given)| *given).map(|(role, _)| (role, "array".to_owned()));
    let files = told.into_iter().flatten().chain(queue).chain(others).collect();
    // Files are read, which may take any time.
    let course = Course { work: f64::INFINITY, progress };
    let report = run(py, &on.engine, course, move |engine, control| {
        let mut session = Session::new(engine, |_| control.flow());
        let x = x.set("x", &plan, &mut session)?;
        let y = y.map(|y| y.set("y", &plan, &mut session)).transpose()?;
        let sets = (x.points.clone(), y.as_ref().map(|y| y.points.clone()));
        let mut data = Data::new(x);
        data.y = y;
        data.queue = columns.queue.map(|queue| queue.points("queue", &plan, &mut session)).transpose()?;
        data.labels = columns.labels.map(|labels| labels.0);
        data.label_names = columns.label_names;
        data.weights = columns.weights.map(|weights| weights.0);
        data.scores = columns.scores.map(|scores| scores.0);
        measure(plan, data, session).map_err(|error| named(error.into(), &sets.0, sets.1.as_ref()))
    })?;
    Ok(Report { report, files })
}
