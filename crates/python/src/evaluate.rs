//! A report over arrays or files: `unisphere_eval` measures it.

use pyo3::prelude::*;
use unisphere::Sigmoid;
use unisphere_cli::{Inputs, Of, Skipped, Told, about_mean};
use unisphere_eval::{Data, Estimator, Options, Plan, Protocol, Session, measure};

use crate::{
    call::{Course, run},
    engine::Engine,
    fault::{Fault, invalid},
    metrics::candidates_named,
    report::Report,
    rows::Column,
    sets::{named, scaling},
    source::{Opened, Source, reading, second},
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
    /// What competes with a positive, where it is given.
    pub(crate) fn candidates(&self) -> Option<&str> {
        self.candidates.as_deref()
    }

    pub(crate) fn options(self) -> PyResult<Options> {
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

/// How sets are read: `reading` is JSON, of files.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Read {
    reading: String,
    skips_zero_rows: bool,
}

/// Measures a report.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn evaluate(
    py: Python<'_>,
    on: &Engine,
    x: Source,
    y: Option<Source>,
    columns: Columns,
    read: Read,
    asked: Asked,
    progress: Option<Py<PyAny>>,
) -> PyResult<Report> {
    let reading = reading(&read.reading)?;
    let y = second(&x, y, &reading)?;
    let mut options = asked.options()?;
    options.paired = y.is_some();
    options.queue = columns.queue.is_some();
    options.labels = columns.labels.is_some();
    options.weights = columns.weights.is_some();
    options.scores = columns.scores.is_some();
    let plan = Plan::new(&options).map_err(|contradiction| invalid(contradiction.to_string()))?;
    let told = [Some(("x", x.told(&reading, Of::X))), y.as_ref().map(|y| ("y", y.told(&reading, Of::Y)))];
    let queue = columns.queue.as_ref().map(|queue| ("queue", queue.place()));
    let others = [("labels", options.labels), ("weights", options.weights), ("scores", options.scores)];
    let others = others.into_iter().filter(|(_, given)| *given).map(|(role, _)| (role, "array".to_owned()));
    let files = told.into_iter().flatten().chain(queue).chain(others).collect();
    // Files are read, which may take any time.
    let course = Course { work: f64::INFINITY, progress };
    let (report, inputs) = run(py, &on.engine, course, move |engine, control| {
        let mut session = Session::new(engine, |_| control.flow());
        let x = x.open("x", &reading, Of::X)?;
        let y = y.map(|y| y.open("y", &reading, Of::Y)).transpose()?;
        // A queue holds more points like those of y.
        let queue = columns.queue.map(|queue| queue.open("queue", &reading, Of::Y)).transpose()?;
        Opened::check_together([&x].into_iter().chain(&y).chain(&queue))?;
        let located = about_mean(x, y, plan.scaling, plan.is_of_distances());
        let (x, y, rounding) = located.map_err(|error| Fault::File(error.to_string()))?;
        let skipped = read.skips_zero_rows.then(|| zero_rows(&x, y.as_ref(), queue.as_ref())).transpose()?;
        let (of_pairs, of_queue) =
            skipped.as_ref().map_or((&[][..], &[][..]), |skipped| (&skipped.rows, &skipped.queue));
        let mut load = |set: &Opened, name| {
            Ok::<_, Fault>(session.upload(set.embeddings(name, of_pairs, plan.scaling)?, &plan)?)
        };
        let of_x = load(&x, "x")?;
        let of_y = y.as_ref().map(|y| load(y, "y")).transpose()?;
        let sets = (of_x.points.clone(), of_y.as_ref().map(|y| y.points.clone()));
        let mut data = Data::new(of_x);
        data.y = of_y;
        if let Some(queue) = &queue {
            let points = queue.embeddings("queue", of_queue, plan.scaling)?;
            data.queue = Some(session.upload(points, &plan)?.points);
        }
        let left = |row: usize| of_pairs.binary_search(&row).is_err();
        data.labels = columns.labels.map(|labels| kept(labels.0, left));
        data.label_names = columns.label_names;
        data.weights = columns.weights.map(|weights| kept(weights.0, left));
        data.scores = columns.scores.map(|scores| kept(scores.0, left));
        if !of_pairs.is_empty() {
            data.row_numbers = Some((0..x.rows()).filter(|&row| left(row)).collect());
        }
        let mut report =
            measure(plan, data, session).map_err(|error| named(error.into(), &sets.0, sets.1.as_ref()))?;
        report.rounding = rounding;
        Ok((report, Inputs { files, reading, skipped }))
    })?;
    Ok(Told::evaluation(report, inputs).into())
}

/// Rows of zeros: those that are zero in x or in y, and those of the queue.
fn zero_rows(x: &Opened, y: Option<&Opened>, queue: Option<&Opened>) -> Result<Skipped, Fault> {
    let mut rows = x.zero_rows("x")?;
    if let Some(y) = y {
        rows.extend(y.zero_rows("y")?);
        rows.sort_unstable();
        rows.dedup();
    }
    let queue = queue.map(|queue| queue.zero_rows("queue")).transpose()?.unwrap_or_default();
    Ok(Skipped { rows, queue })
}

/// The values of the rows that are left.
fn kept<T>(values: Vec<T>, left: impl Fn(usize) -> bool) -> Vec<T> {
    values.into_iter().enumerate().filter(|(row, _)| left(*row)).map(|(_, value)| value).collect()
}
