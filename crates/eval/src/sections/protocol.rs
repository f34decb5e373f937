//! The numbers of a protocol, put together as the work that it follows has them.

use unisphere::{Uniformity, unordered_pairs};

use super::summary::Summary;
use crate::{
    error::{Contradiction, Result},
    min_score::MinScore,
    protocol::{Pooling, Settings, Weighed},
    work::Work,
};

/// The numbers of a protocol.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProtocolNumbers {
    /// The settings of the work.
    pub settings: &'static Settings,
    /// The use of weights.
    pub weighed: Weighed,
    /// The score of its positives, where scores chose them.
    pub min_score: Option<MinScore>,
    /// Its alignment.
    pub alignment: f64,
    /// Its uniformity.
    pub uniformity: f64,
    /// The pairs of its uniformity.
    pub pairs: u64,
    /// Its loss, if it has one.
    pub loss: Option<f64>,
}

pub(crate) fn measure(work: &mut Work<'_>, summary: &Summary) -> Result<Option<ProtocolNumbers>> {
    let (Some(protocol), [x, y]) = (work.plan.protocol, &*work.sets) else { return Ok(None) };
    let settings = protocol.settings();
    let (Some(alignment), Some(mean)) = (&summary.alignment, summary.mean) else { return Ok(None) };
    let (metric, n) = (settings.uniformity, x.points.rows());
    let within = |set: usize| summary.sets.get(set).map_or(f64::NAN, |set| set.measured.value);
    let (uniformity, pairs) = match (settings.pooling, &work.queue) {
        (Pooling::Union, _) => {
            let (own, across) = (unordered_pairs(n), n as u64 * n as u64);
            let cross = work.session.cross_uniformities(&x.points, &y.points, &[metric.t])?;
            let cross = cross.first().copied().unwrap_or(f64::NAN);
            let parts = [(within(0), own), (within(1), own), (cross, across)];
            (Uniformity::pooled_value(&parts), unordered_pairs(2 * n))
        }
        (Pooling::Queue, Some(queue)) => {
            let across = n as u64 * queue.rows() as u64;
            let cross = work.session.queue_uniformity(&x.points, queue, metric)?;
            let own = unordered_pairs(n);
            (Uniformity::pooled_value(&[(cross, across), (within(0), own)]), across + own)
        }
        (Pooling::Queue, None) => return Err(Contradiction::NoQueue(protocol).into()),
        (Pooling::Mean, _) => (mean.value, unordered_pairs(work.counted_rows())),
    };
    let (weighed, min_score) = (work.plan.weighed, work.plan.min_score);
    let alignment = alignment.measured.value;
    let loss = settings.alignment_factor.map(|factor| factor * alignment + uniformity);
    Ok(Some(ProtocolNumbers { settings, weighed, min_score, alignment, uniformity, pairs, loss }))
}
