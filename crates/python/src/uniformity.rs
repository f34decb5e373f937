//! Uniformity: of one set, across two, or of their union, for one t or several.

use numpy::PyArray2;
use pyo3::prelude::*;
use unisphere::{Points, Uniformity};

use crate::{
    call::run,
    engine::Engine,
    fault::{Fault, invalid},
    metrics::{Outcome, Wanted, measure, value, with_grad},
    rows::{Column, Rows},
    sets::{course, measured},
};

/// The pairs of which the mean is taken.
#[derive(Clone, Copy)]
enum Pairs {
    Within,
    Across,
    Unpaired,
    Pooled,
}

/// The values, one for each t; of one t the gradients, and the derivative for t.
type Answer<'py> = (Vec<f64>, Vec<Bound<'py, PyArray2<f32>>>, Vec<f64>);

/// Uniformity, for each t. `weights` are of x and of y.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn uniformity<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Option<Rows>,
    t: Vec<f64>,
    pairs: &str,
    weights: Option<(Column<f64>, Column<f64>)>,
    raw: bool,
    grad: bool,
    by_parameter: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Answer<'py>> {
    let course = course(&x, y.as_ref(), grad, progress);
    let wanted = Wanted { grad, by_parameter };
    let pairs = match (pairs, &y) {
        (_, None) => Pairs::Within,
        ("across", _) => Pairs::Across,
        ("unpaired", _) => Pairs::Unpaired,
        ("pooled", _) if grad => return Err(invalid("pairs: 'pooled' has no gradient")),
        ("pooled", _) if weights.is_some() => return Err(invalid("weights: 'pooled' pairs have none")),
        ("pooled", _) => Pairs::Pooled,
        (other, _) => {
            return Err(invalid(format!("pairs: {other:?} is none of 'across', 'unpaired' and 'pooled'")));
        }
    };
    if grad && t.len() != 1 {
        return Err(invalid("t: a gradient is of one t"));
    }
    let (values, outcome) = run(py, &on.engine, course, move |engine, _| {
        let weights = weights.as_ref().map(|(x, y)| (&*x.0, &*y.0));
        measured(engine, &x, y.as_ref(), raw, |x, y| {
            let sets = (x, y.unwrap_or(x));
            match *t {
                [t] => {
                    let outcome = of_one(engine, sets, t, pairs, weights, wanted)?;
                    Ok((vec![outcome.value], outcome))
                }
                _ => Ok((of_several(engine, sets, &t, pairs, weights)?, Outcome::default())),
            }
        })
    })?;
    let (_, gradients, derivatives) = outcome.into_answer(py)?;
    Ok((values, gradients, derivatives))
}

/// The request over these pairs, handed to an expression; the last arm is of the union.
macro_rules! over {
    ($metric:expr, ($x:expr, $y:expr), $pairs:expr, $weights:expr, |$request:ident| $measure:expr, $pooled:expr) => {
        match ($pairs, $weights) {
            (Pairs::Within, None) => {
                let $request = $metric.within($x);
                $measure
            }
            (Pairs::Within, Some((of_x, _))) => {
                let $request = $metric.within($x).weighted(of_x);
                $measure
            }
            (Pairs::Across, None) => {
                let $request = $metric.across($x, $y);
                $measure
            }
            (Pairs::Across, Some((of_x, of_y))) => {
                let $request = $metric.across($x, $y).weighted(of_x, of_y);
                $measure
            }
            (Pairs::Unpaired, None) => {
                let $request = $metric.unpaired($x, $y);
                $measure
            }
            (Pairs::Unpaired, Some((of_x, of_y))) => {
                let $request = $metric.unpaired($x, $y).weighted(of_x, of_y);
                $measure
            }
            (Pairs::Pooled, _) => $pooled,
        }
    };
}

fn of_one(
    engine: &unisphere::Engine,
    (x, y): (&Points, &Points),
    t: f64,
    pairs: Pairs,
    weights: Option<(&[f64], &[f64])>,
    wanted: Wanted,
) -> Result<Outcome, Fault> {
    let metric = Uniformity::new(t);
    over!(
        metric,
        (x, y),
        pairs,
        weights,
        |request| measure!(engine, request, wanted, with_t),
        value(engine, metric.pooled(x, y))
    )
}

fn of_several(
    engine: &unisphere::Engine,
    (x, y): (&Points, &Points),
    t: &[f64],
    pairs: Pairs,
    weights: Option<(&[f64], &[f64])>,
) -> Result<Vec<f64>, Fault> {
    let metric = Uniformity::at(t);
    Ok(over!(
        metric,
        (x, y),
        pairs,
        weights,
        |request| engine.value(request)?,
        engine.value(metric.pooled(x, y))?
    ))
}
