//! What a set looks like: potentials, spectrum, histogram, close pairs.

use numpy::{PyArray1, PyArray2, PyArrayMethods as _};
use pyo3::prelude::*;
use unisphere::{Alignment, ClosePairs, CosineHistogram, Spectrum, Uniformity};

use crate::{
    call::{Course, run},
    engine::Engine,
    fault::{Fault, invalid},
    rows::Rows,
    sets::{course, measured, paired},
};

/// log mean exp(−t‖xᵢ−xⱼ‖²) over the others, of each row.
#[pyfunction]
pub fn potentials<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    t: f64,
    raw: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let course = course(&x, None, false, progress);
    let found = run(py, &on.engine, course, move |engine, _| {
        measured(engine, &x, None, raw, |x, _| Ok(engine.value(Uniformity::new(t).potentials(x))?))
    })?;
    Ok(PyArray1::from_slice(py, found.logs()))
}

/// ‖xᵢ−yᵢ‖ of each pair.
#[pyfunction]
pub fn pair_distances<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Rows,
    raw: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let course = Course { work: 4.0 * x.work(1), progress: None };
    let found = run(py, &on.engine, course, move |engine, _| {
        paired(engine, (&x, &y), raw, |x, y| Ok(engine.value(Alignment::distances(x, y))?))
    })?;
    Ok(PyArray1::from_vec(py, found))
}

/// The numbers of a spectrum: eigenvalues, ‖mean‖, effective rank, RankMe, participation ratio, Wasserstein distance.
type SpectrumNumbers<'py> = (Bound<'py, PyArray1<f64>>, f64, f64, Option<f64>, f64, f64);

/// The spectrum of the covariance.
#[pyfunction]
pub fn spectrum<'py>(py: Python<'py>, on: &Engine, x: Rows, raw: bool) -> PyResult<SpectrumNumbers<'py>> {
    // Products, and eigenvalues of the smaller side.
    let (rows, dims) = x.shape();
    let side = rows.min(dims) as f64;
    let course = Course { work: 2.0 * x.work(rows.min(dims)) + 10.0 * side.powi(3), progress: None };
    let found: Spectrum = run(py, &on.engine, course, move |engine, _| {
        measured(engine, &x, None, raw, |x, _| Ok(engine.value(Spectrum::within(x))?))
    })?;
    Ok((
        PyArray1::from_slice(py, found.eigenvalues()),
        found.mean_norm(),
        found.effective_rank(),
        found.rank_me(),
        found.participation_ratio(),
        found.wasserstein(),
    ))
}

/// How many pairs have a cosine in each bin, of as many bins from −1 to 1.
#[pyfunction]
pub fn histogram<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Option<Rows>,
    bins: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyArray1<u64>>> {
    let course = course(&x, y.as_ref(), false, progress);
    let found = run(py, &on.engine, course, move |engine, _| {
        measured(engine, &x, y.as_ref(), false, |x, y| match y {
            Some(y) => Ok(engine.value(CosineHistogram::new(bins).across(x, y))?),
            None => Ok(engine.value(CosineHistogram::new(bins).within(x))?),
        })
    })?;
    Ok(PyArray1::from_vec(py, found))
}

/// The number of close pairs; of the closest, the rows (k, 2) and the distances (k,).
type Close<'py> = (u64, Bound<'py, PyArray2<i64>>, Bound<'py, PyArray1<f64>>);

/// The pairs at most so far apart.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn close_pairs<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Option<Rows>,
    distance: f64,
    limit: usize,
    raw: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Close<'py>> {
    let course = course(&x, y.as_ref(), false, progress);
    let found = run(py, &on.engine, course, move |engine, _| {
        measured(engine, &x, y.as_ref(), raw, |x, y| match y {
            Some(y) => Ok(engine.value(ClosePairs::across(x, y, distance).limit(limit))?),
            None => Ok(engine.value(ClosePairs::within(x, distance).limit(limit))?),
        })
    })?;
    let rows: Vec<i64> = found.pairs.iter().flat_map(|&(i, j, _)| [i as i64, j as i64]).collect();
    let rows = PyArray1::from_vec(py, rows).reshape([found.pairs.len(), 2])?;
    let distances = found.pairs.iter().map(|&(_, _, distance)| distance).collect();
    Ok((found.count, rows, PyArray1::from_vec(py, distances)))
}

/// The uniformity of the uniform distribution on the sphere in so many dimensions.
#[pyfunction]
pub fn floor(dims: usize, t: f64) -> PyResult<f64> {
    if dims == 0 {
        return Err(invalid("d must be at least 1, and is 0"));
    }
    if !(t > 0.0 && t.is_finite()) {
        let error = unisphere::Error::Parameter { name: "t", value: t, expected: "positive and finite" };
        return Err(Fault::Engine("", error).into());
    }
    Ok(Uniformity::new(t).floor(dims))
}
