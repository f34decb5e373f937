//! What takes labels or partners: uniformity and alignment by group, retrieval, and sets that are not paired.

use numpy::{PyArray1, PyArray2, PyArrayMethods as _};
use pyo3::prelude::*;
use unisphere::{Alignment, Groups, LabelledPairs, Rank, Ranks, Retrieval, Uniformity};
use unisphere_cli::{Inputs, Told};
use unisphere_eval::{
    Session,
    unpaired::{UnpairedPlan, measure as measure_unpaired},
};

use crate::{
    call::{Course, run},
    engine::Engine,
    fault::{Fault, invalid},
    metrics::{Answer, Wanted, measure, value, with_grad},
    report::Report,
    rows::{Column, Rows},
    sets::{course, measured, paired, scaling},
};

/// Labels and sizes of the groups, uniformity within each, and across each two.
type OfGroups<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f64>>,
    Option<Bound<'py, PyArray2<f64>>>,
);

/// Uniformity within each group, and where asked for across each two; NaN where there is no pair.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn group_uniformity<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    labels: Column<i64>,
    t: f64,
    across: bool,
    weights: Option<Column<f64>>,
    raw: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<OfGroups<'py>> {
    let course = course(&x, None, false, progress);
    let found = run(py, &on.engine, course, move |engine, _| {
        let groups = Groups::new(&labels.0)?;
        measured(engine, &x, None, raw, |x, _| {
            let request = groups.uniformity(Uniformity::new(t), x);
            let request = match &weights {
                Some(weights) => request.weighted(&weights.0),
                None => request,
            };
            Ok(if across { engine.value(request.across_groups())? } else { engine.value(request)? })
        })
    })?;
    let k = found.labels.len();
    let none = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let matrix = || {
        let cells = (0..k * k).map(|cell| none(found.between(cell / k, cell % k))).collect();
        PyArray1::from_vec(py, cells).reshape([k, k])
    };
    Ok((
        PyArray1::from_slice(py, &found.labels),
        PyArray1::from_vec(py, found.sizes.iter().map(|&size| size as i64).collect()),
        PyArray1::from_vec(py, found.within.iter().copied().map(none).collect()),
        across.then(matrix).transpose()?,
    ))
}

/// Alignment over the pairs of one label.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn alignment_by_label<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    labels: Column<i64>,
    alpha: f64,
    weights: Option<Column<f64>>,
    raw: bool,
    grad: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Answer<'py>> {
    let course = course(&x, None, grad, progress);
    let wanted = Wanted { grad, by_parameter: false };
    let job = move |engine: &_, _: &_| {
        let groups = Groups::new(&labels.0)?;
        measured(engine, &x, None, raw, |x, _| {
            let request = Alignment::new(alpha).by_label(x, &groups);
            match &weights {
                Some(weights) => measure!(engine, request.weighted(&weights.0), wanted),
                None => measure!(engine, request, wanted),
            }
        })
    };
    run(py, &on.engine, course, job)?.into_answer(py)
}

/// Of the rows of one set: how many candidates are above the positive, and how many others tie with it; the mean and the median rank,
/// and the mean of 1 / rank.
type Way<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>, f64, f64, f64);

/// Where the partner of each row stands among all rows of the other set, both ways. Labels are those of x and of y.
#[pyfunction]
pub fn retrieval<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Rows,
    labels: Option<(Column<i64>, Column<i64>)>,
    raw: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Way<'py>, Way<'py>)> {
    let course = Course { work: f64::INFINITY, progress };
    let found = run(py, &on.engine, course, move |engine, _| {
        let pairs = labels.map(|(x, y)| LabelledPairs::new(&x.0, &y.0)).transpose()?;
        paired(engine, (&x, &y), raw, |x, y| {
            Ok(match &pairs {
                Some(pairs) => engine.value(Retrieval::labelled(x, y, pairs))?,
                None => engine.value(Retrieval::paired(x, y))?,
            })
        })
    })?;
    let way = |of: &Ranks| {
        let list = |number: fn(&Rank) -> u64| {
            PyArray1::from_vec(py, of.rows().iter().map(|rank| number(rank) as i64).collect())
        };
        let (above, ties) = (list(|rank| rank.above), list(|rank| rank.ties));
        (above, ties, of.mean(), of.median(), of.mean_reciprocal())
    };
    Ok((way(&found.x_to_y), way(&found.y_to_x)))
}

/// Measures two sets that are not paired.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn unpaired(
    py: Python<'_>,
    on: &Engine,
    x: Rows,
    y: Rows,
    t: Vec<f64>,
    labels: Option<(Column<i64>, Column<i64>)>,
    alpha: f64,
    near: Option<f64>,
    permutations: usize,
    seed: u64,
    raw: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Report> {
    if t.is_empty() {
        return Err(invalid("t must be one number or several, and is none"));
    }
    let mut files = vec![("x", "array".to_owned()), ("y", "array".to_owned())];
    if labels.is_some() {
        files.extend([("labels", "array".to_owned()), ("labels_y", "array".to_owned())]);
    }
    let mut plan = UnpairedPlan::default();
    (plan.scaling, plan.near, plan.permutations, plan.seed) = (scaling(raw), near, permutations, seed);
    plan.ts = t;
    plan.alignment = Alignment::new(alpha);
    let course = Course { work: f64::INFINITY, progress };
    let report = run(py, &on.engine, course, move |engine, control| {
        plan.positives = labels.map(|(x, y)| LabelledPairs::new(&x.0, &y.0)).transpose()?;
        let session = Session::new(engine, |_| control.flow());
        let (x, y) = (x.embeddings("x", plan.scaling)?, y.embeddings("y", plan.scaling)?);
        measure_unpaired(&plan, x, y, session).map_err(Fault::from)
    })?;
    Ok(Told::unpaired(report, Inputs { files, ..Inputs::default() }).into())
}
