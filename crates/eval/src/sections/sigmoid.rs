//! The sigmoid loss.

use unisphere::Sigmoid;

use crate::{error::Result, work::Work};

/// The sigmoid loss of one scale and bias.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SigmoidRow {
    /// The scale and the bias.
    pub metric: Sigmoid,
    /// The loss.
    pub loss: f64,
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<Vec<SigmoidRow>>> {
    let [x, y] = &*work.sets else { return Ok(None) };
    let mut rows = Vec::new();
    for &metric in &work.plan.sigmoid {
        rows.push(SigmoidRow { metric, loss: work.session.sigmoid(&x.points, &y.points, metric)? });
    }
    Ok((!rows.is_empty()).then_some(rows))
}
