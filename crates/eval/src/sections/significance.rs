//! A test of each set against points of the uniform distribution: whether it is less even than those are by chance.

use unisphere::{Scaling, Uniformity};

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

const RAW: Absent = Absent::because("raw points have no uniform distribution");
const WEIGHTED: Absent = Absent::because("the distribution for weighted rows is not known");

impl SetSignificance {
    /// The test of a set of so many rows and dimensions without weights, by its uniformity over the pairs i < j.
    pub fn new(
        set: SetName,
        metric: Uniformity,
        uniformity: f64,
        [rows, dims]: [usize; 2],
        scaling: Scaling,
    ) -> Self {
        if scaling == Scaling::Raw {
            return Self::absent(set, RAW);
        }
        let found = metric.significance(uniformity, rows, dims);
        Self { set, z: finite(found.z), p_value: finite(found.p_value) }
    }

    fn absent(set: SetName, reason: Absent) -> Self {
        Self { set, z: Err(reason), p_value: Err(reason) }
    }
}

pub(crate) fn measure(work: &Work<'_>, summary: &Summary) -> Option<Vec<SetSignificance>> {
    let scaling = work.plan.scaling;
    let is_weighted = scaling == Scaling::Unit && work.row_weights().is_some();
    let test = |of: &SetUniformity| {
        if is_weighted {
            return SetSignificance::absent(of.set, WEIGHTED);
        }
        let value = of.measured.value;
        let u = match summary.estimator {
            Estimator::U => value,
            Estimator::V => summary.estimator.u(value, work.rows()),
        };
        SetSignificance::new(of.set, summary.metric, u, [work.rows(), work.dims()], scaling)
    };
    work.plan.full.then(|| summary.sets.iter().map(test).collect())
}
