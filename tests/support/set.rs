//! A set of points, on a device and for the oracle, and what may be asked of results for it.

use unisphere::{Embeddings, Engine, Matrix, Points, Result, Scaling};

use super::{
    compare,
    oracle::{self, Rows},
};

/// ‖g − wanted‖ / ‖wanted‖.
const GRADIENT: f64 = 1e-5;

/// Where a gradient cancels on the sphere, as in a simplex, single precision leaves a unit in the last place
/// of the terms that cancelled.
const CANCELLED: f64 = f32::EPSILON as f64;

/// Single precision ends about here.
const VANISHED: f64 = 1e-33;

/// Points on the device, and for the oracle: as they were given, and as metrics see them.
pub(crate) struct Set {
    pub(crate) points: Points,
    pub(crate) given: Rows,
    pub(crate) seen: Rows,
}

impl Set {
    pub(crate) fn new(engine: &Engine, embeddings: Embeddings<'_>) -> Result<Self> {
        let points = engine.upload(&embeddings)?;
        let given = oracle::rows(embeddings.values(), embeddings.dims());
        let seen = if points.scaling() == Scaling::Unit { oracle::unit_rows(&given) } else { given.clone() };
        Ok(Self { points, given, seen })
    }

    pub(crate) fn raw(&self) -> bool {
        self.points.scaling() == Scaling::Raw
    }

    fn through_scaling(&self, grad: Rows) -> Rows {
        if self.raw() { grad } else { oracle::through_unit(&self.given, &grad) }
    }

    /// The factors that free a gradient of the unit of the rows, so that long and short ones count alike.
    fn weights(&self) -> Vec<f64> {
        if self.raw() {
            vec![1.0; self.given.len()]
        } else {
            self.given.iter().map(|row| oracle::length(row)).collect()
        }
    }

    /// How far uniformity may lie from `u`. That of equal points is 0, exactly.
    pub(crate) fn tolerance(&self, t: f64, u: f64) -> f64 {
        match self.points.scaling() {
            _ if u == 0.0 && self.seen.iter().all(|row| *row == self.seen[0]) => 0.0,
            Scaling::Raw => 1e-5 * u.abs().max(1.0),
            Scaling::Unit if t <= 5.0 => 1e-6,
            Scaling::Unit if t <= 50.0 => 3e-6,
            Scaling::Unit => 1e-5 * u.abs().max(1.0),
        }
    }

    pub(crate) fn potential(&self, got: f64, want: f64, t: f64) -> Result<(), String> {
        compare::value(got, want, self.tolerance(t, want))
    }

    /// Squared distances; rows that are scaled to unit length are rounded once.
    pub(crate) fn squares(&self, got: &[f32], want: &Rows) -> Result<(), String> {
        let rounding = if self.raw() { 0.0 } else { 4.0 * f64::from(f32::EPSILON) / 2.0 };
        compare::matrix(got, want, |square| 1e-6 * square + rounding * square.sqrt())
    }

    /// A gradient, against `want` for the points as metrics see them; `gross` is the norm of its terms
    /// before they cancel on the sphere, and `exponent` the logarithm of its weights. A weight is as exact as
    /// its exponent, which for raw points knows no bound: single precision leaves ε·|exponent| in it.
    pub(crate) fn gradient(
        &self,
        got: &Matrix,
        want: Rows,
        exponent: f64,
        gross: f64,
    ) -> Result<Result<(), String>> {
        let (shape, expected) = (got.shape(), (self.given.len(), self.given[0].len()));
        if shape != expected {
            return Ok(Err(format!("has the shape {shape:?}, not {expected:?}")));
        }
        let (relative, floor) = match self.points.scaling() {
            Scaling::Raw => {
                // Equal points pull at each other as far as double precision tells them from their centre.
                let longest = self.seen.iter().map(|row| oracle::length(row)).fold(0.0, f64::max);
                let floor = (f64::EPSILON * longest).max(VANISHED) * gross;
                (GRADIENT.max(f64::from(f32::EPSILON) * exponent.abs()), floor)
            }
            Scaling::Unit => (GRADIENT, (CANCELLED * gross).max(VANISHED)),
        };
        let (got, want) = (got.read()?, self.through_scaling(want));
        Ok(compare::gradient(&got, &want, &self.weights(), relative, floor)
            .and_then(|()| self.orthogonal(&got, floor)))
    }

    /// Moving a point along its own direction changes nothing on the sphere.
    fn orthogonal(&self, got: &[f32], floor: f64) -> Result<(), String> {
        if self.raw() {
            return Ok(());
        }
        let grad = oracle::rows(got, self.given[0].len());
        let along = self.given.iter().zip(&grad).map(|(x, g)| oracle::dot(x, g).powi(2)).sum::<f64>().sqrt();
        let size = self
            .given
            .iter()
            .zip(&grad)
            .map(|(x, g)| oracle::dot(x, x) * oracle::dot(g, g))
            .sum::<f64>()
            .sqrt();
        compare::value(along, 0.0, (GRADIENT * size).max(floor)).map_err(|e| format!("along the points {e}"))
    }
}

/// Moving all points together changes no distance.
pub(crate) fn balanced(gradients: &[&Matrix]) -> Result<Result<(), String>> {
    let mut rows = Rows::new();
    for gradient in gradients {
        rows.extend(oracle::rows(&gradient.read()?, gradient.shape().1));
    }
    let total = (0..rows[0].len()).map(|k| rows.iter().map(|row| row[k]).sum()).collect::<Vec<f64>>();
    let size: f64 = rows.iter().map(|row| oracle::length(row)).sum();
    Ok(compare::value(oracle::length(&total), 0.0, 1e-6 * size).map_err(|e| format!("sum of all rows {e}")))
}
