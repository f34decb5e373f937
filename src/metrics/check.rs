//! Checks that metrics share.

use crate::{
    error::{Error, Result},
    pairs::Pairs,
    points::Points,
};

/// A parameter as it is, if it is positive and finite.
pub(super) fn positive(name: &'static str, value: f64) -> Result<f64> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::Parameter { name, value, expected: "positive and finite" })
    }
}

/// A parameter as it is, if it is finite.
pub(super) fn finite_parameter(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::Parameter { name, value, expected: "finite" }) }
}

/// A value as it is, if double precision could hold it.
pub(super) fn finite(metric: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::Overflow { metric }) }
}

pub(super) fn at_least(metric: &'static str, points: &Points, needed: usize) -> Result<()> {
    if points.rows() < needed {
        return Err(Error::TooFewRows { metric, rows: points.rows(), needed });
    }
    Ok(())
}

/// Two sets of the same dimensions and scaling.
pub(crate) fn comparable(what: &'static str, x: &Points, y: &Points) -> Result<()> {
    if x.dims() != y.dims() {
        return Err(mismatch(what, x.shape(), y.shape()));
    }
    if x.scaling() != y.scaling() {
        return Err(Error::MixedScaling);
    }
    Ok(())
}

/// Two sets whose row i goes with row i of the other.
pub(super) fn row_by_row(what: &'static str, x: &Points, y: &Points) -> Result<()> {
    if x.rows() != y.rows() {
        return Err(mismatch(what, x.shape(), y.shape()));
    }
    comparable(what, x, y)
}

/// Pairs of which there may be none, but of points on both sides: comparable, and paired row by row where a row's own partner is
/// left out.
pub(super) fn pairs_of_points(what: &'static str, pairs: Pairs<'_>) -> Result<()> {
    let (x, y) = pairs.sides();
    at_least(what, x, 1)?;
    at_least(what, y, 1)?;
    match pairs {
        Pairs::Within(_) => Ok(()),
        Pairs::Across(x, y) => comparable(what, x, y),
        Pairs::Unpaired(x, y) => row_by_row(what, x, y),
    }
}

pub(crate) fn mismatch(what: &'static str, left: (usize, usize), right: (usize, usize)) -> Error {
    Error::Mismatch { what, left_rows: left.0, left_dims: left.1, right_rows: right.0, right_dims: right.1 }
}
