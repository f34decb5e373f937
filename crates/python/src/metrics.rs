//! The metrics: values, and with `grad` their gradients.
//!
//! Each returns the value, the gradients with respect to the sets in their order, and with `by_parameter` the derivatives for
//! parameters.

use numpy::PyArray2;
use pyo3::prelude::*;
use unisphere::{
    Alignment, Candidates, Contrastive, ContrastiveValue, Differentiable, Groups, Loss, LossValue, Matrix,
    Metric, Sigmoid, SigmoidGradients, SquaredMmd, SupCon, Uniformity,
};

use crate::{
    call::{Course, run},
    engine::Engine,
    fault::{Fault, invalid},
    rows::{Column, Rows, Values},
    sets::{course, measured, paired, scaling},
};

pub(crate) type Answer<'py> = (f64, Vec<Bound<'py, PyArray2<f32>>>, Vec<f64>);

/// A value with its gradients, on the host.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) value: f64,
    gradients: Vec<Values>,
    derivatives: Vec<f64>,
}

impl Outcome {
    pub(crate) fn into_answer(self, py: Python<'_>) -> PyResult<Answer<'_>> {
        let gradients = self.gradients.into_iter().map(|gradient| gradient.into_array(py));
        Ok((self.value, gradients.collect::<PyResult<_>>()?, self.derivatives))
    }
}

/// A value that is a number, or has one that stands for it.
pub(crate) trait Number {
    fn number(self) -> f64;
}

impl Number for f64 {
    fn number(self) -> f64 {
        self
    }
}

impl Number for ContrastiveValue {
    fn number(self) -> f64 {
        self.loss
    }
}

impl Number for LossValue {
    fn number(self) -> f64 {
        self.loss
    }
}

/// Gradients as lists: those for points, and derivatives for parameters.
pub(crate) trait Parts {
    fn parts(self) -> (Vec<Matrix>, Vec<f64>);
}

impl Parts for Matrix {
    fn parts(self) -> (Vec<Matrix>, Vec<f64>) {
        (vec![self], Vec::new())
    }
}

impl Parts for (Matrix, Matrix) {
    fn parts(self) -> (Vec<Matrix>, Vec<f64>) {
        (vec![self.0, self.1], Vec::new())
    }
}

impl<G: Parts> Parts for (G, f64) {
    fn parts(self) -> (Vec<Matrix>, Vec<f64>) {
        (self.0.parts().0, vec![self.1])
    }
}

impl Parts for SigmoidGradients {
    fn parts(self) -> (Vec<Matrix>, Vec<f64>) {
        (vec![self.x, self.y], vec![self.scale, self.bias])
    }
}

/// What is wanted of a metric.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) grad: bool,
    pub(crate) by_parameter: bool,
}

/// The value of a request.
pub(crate) fn value<M>(engine: &unisphere::Engine, request: M) -> Result<Outcome, Fault>
where
    M: Metric<Value: Number>,
{
    let value = engine.value(request)?.number();
    Ok(Outcome { value, gradients: Vec::new(), derivatives: Vec::new() })
}

/// The value of a request with its gradients.
pub(crate) fn with_grad<M>(engine: &unisphere::Engine, request: M) -> Result<Outcome, Fault>
where
    M: Differentiable<Value: Number, Gradients: Parts>,
{
    let (value, gradients) = engine.value_and_grad(request)?;
    let (gradients, derivatives) = gradients.parts();
    let gradients = gradients.into_iter().map(Values::read).collect::<Result<_, _>>()?;
    Ok(Outcome { value: value.number(), gradients, derivatives })
}

/// As much of a request as is wanted; `$with` makes the request that has the derivative for its parameter too.
macro_rules! measure {
    ($engine:expr, $request:expr, $wanted:expr, $with:ident) => {
        match $wanted {
            Wanted { grad: false, .. } => value($engine, $request),
            Wanted { by_parameter: false, .. } => with_grad($engine, $request),
            _ => with_grad($engine, $request.$with()),
        }
    };
    ($engine:expr, $request:expr, $wanted:expr) => {
        if $wanted.grad { with_grad($engine, $request) } else { value($engine, $request) }
    };
}

pub(crate) use measure;

/// The candidates of a contrastive loss, by the name.
pub(crate) fn candidates_named(name: &str) -> PyResult<Candidates> {
    match name {
        "both" | "both-ways" => Ok(Candidates::BothWays),
        "one-way" => Ok(Candidates::OneWay),
        "views" => Ok(Candidates::Views),
        other => Err(invalid(format!("candidates: {other:?} is none of 'both', 'one-way' and 'views'"))),
    }
}

/// Alignment of pairs.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn alignment<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Rows,
    alpha: f64,
    weights: Option<Column<f64>>,
    raw: bool,
    grad: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Answer<'py>> {
    let course = Course { work: 4.0 * x.work(1), progress };
    let wanted = Wanted { grad, by_parameter: false };
    let job = move |engine: &_, _: &_| {
        paired(engine, (&x, &y), raw, |x, y| {
            let request = Alignment::new(alpha).paired(x, y);
            match &weights {
                Some(weights) => measure!(engine, request.weighted(&weights.0), wanted),
                None => measure!(engine, request, wanted),
            }
        })
    };
    run(py, &on.engine, course, job)?.into_answer(py)
}

/// weight · alignment + the mean of both uniformities.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn loss<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Rows,
    alpha: f64,
    t: f64,
    weight: f64,
    raw: bool,
    grad: bool,
    by_parameter: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Answer<'py>> {
    let course = course(&x, Some(&y), grad, progress);
    let metric = Loss { weight, alignment: Alignment::new(alpha), uniformity: Uniformity::new(t) };
    let wanted = Wanted { grad, by_parameter };
    let job = move |engine: &_, _: &_| {
        paired(engine, (&x, &y), raw, |x, y| measure!(engine, metric.paired(x, y), wanted, with_t))
    };
    run(py, &on.engine, course, job)?.into_answer(py)
}

/// The contrastive loss.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn contrastive<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Rows,
    queue: Option<Rows>,
    tau: f64,
    candidates: &str,
    raw: bool,
    grad: bool,
    by_parameter: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Answer<'py>> {
    let mut course = course(&x, Some(&y), grad, progress);
    course.work += queue.as_ref().map_or(0.0, |queue| x.work(3 * queue.shape().0));
    let candidates = candidates_named(candidates)?;
    let metric = Contrastive { tau, candidates };
    let wanted = Wanted { grad, by_parameter };
    let job = move |engine: &_, _: &_| {
        paired(engine, (&x, &y), raw, |x, y| {
            let queue = queue.map(|queue| queue.upload(engine, "queue", scaling(raw), None)).transpose()?;
            measure!(engine, metric.paired(x, y).queue(queue.as_ref()), wanted, with_tau)
        })
    };
    run(py, &on.engine, course, job)?.into_answer(py)
}

/// The sigmoid loss; with `grad`, the derivatives are those for scale and bias.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn sigmoid<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Rows,
    scale: f64,
    bias: f64,
    raw: bool,
    grad: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Answer<'py>> {
    let course = course(&x, Some(&y), grad, progress);
    let wanted = Wanted { grad, by_parameter: false };
    let job = move |engine: &_, _: &_| {
        paired(engine, (&x, &y), raw, |x, y| measure!(engine, Sigmoid::new(scale, bias).paired(x, y), wanted))
    };
    run(py, &on.engine, course, job)?.into_answer(py)
}

/// The supervised contrastive loss of one set, or of two views.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn supcon<'py>(
    py: Python<'py>,
    on: &Engine,
    x: Rows,
    y: Option<Rows>,
    labels: Column<i64>,
    tau: f64,
    raw: bool,
    grad: bool,
    by_parameter: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Answer<'py>> {
    let course = course(&x, y.as_ref(), grad, progress);
    let wanted = Wanted { grad, by_parameter };
    let job = move |engine: &_, _: &_| {
        let groups = Groups::new(&labels.0)?;
        measured(engine, &x, y.as_ref(), raw, |x, y| match y {
            Some(y) => measure!(engine, SupCon::new(tau).views(x, y, &groups), wanted, with_tau),
            None => measure!(engine, SupCon::new(tau).within(x, &groups), wanted, with_tau),
        })
    };
    run(py, &on.engine, course, job)?.into_answer(py)
}

/// The squared MMD.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's half names them")]
pub fn mmd(
    py: Python<'_>,
    on: &Engine,
    x: Rows,
    y: Rows,
    t: f64,
    pairs: &str,
    raw: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<f64> {
    let course = Course { work: 2.0 * x.work(x.shape().0 + y.shape().0), progress };
    let is_unpaired = match pairs {
        "across" => false,
        "unpaired" => true,
        other => return Err(invalid(format!("pairs: {other:?} is none of 'across' and 'unpaired'"))),
    };
    let job = move |engine: &_, _: &_| {
        paired(engine, (&x, &y), raw, |x, y| {
            if is_unpaired {
                value(engine, SquaredMmd::new(t).unpaired(x, y))
            } else {
                value(engine, SquaredMmd::new(t).across(x, y))
            }
        })
    };
    Ok(run(py, &on.engine, course, job)?.value)
}
