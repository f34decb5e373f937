//! A test of each set against points of the uniform distribution: whether it is less even than those are by chance.

use unisphere::Scaling;

use super::summary::{SetUniformity, Summary};
use crate::{
    data::SetName,
    estimator::Estimator,
    maybe::{Absent, Maybe, finite},
    work::Work,
};

/// The test of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetSignificance {
    /// The set.
    pub set: SetName,
    /// Standard deviations above as many independent points of the uniform distribution.
    pub z: Maybe<f64>,
    /// The share of sets of such points that are as uneven by chance.
    pub p_value: Maybe<f64>,
}

pub(crate) fn measure(work: &Work<'_>, summary: &Summary) -> Option<Vec<SetSignificance>> {
    let reason = if work.plan.scaling == Scaling::Raw {
        Some(Absent::because("raw points have no uniform distribution"))
    } else if work.row_weights().is_some() {
        Some(Absent::because("the distribution for weighted rows is not known"))
    } else {
        None
    };
    let test = |of: &SetUniformity| {
        if let Some(reason) = reason {
            return SetSignificance { set: of.set, z: Err(reason), p_value: Err(reason) };
        }
        let value = of.measured.value;
        let u = match summary.estimator {
            Estimator::U => value,
            Estimator::V => summary.estimator.u(value, work.rows()),
        };
        let found = summary.metric.significance(u, work.rows(), work.dims());
        SetSignificance { set: of.set, z: finite(found.z), p_value: finite(found.p_value) }
    };
    work.plan.full.then(|| summary.sets.iter().map(test).collect())
}
