//! The supervised contrastive loss, of one set or of two views.

use unisphere::Groups;

use crate::{error::Result, work::Work};

/// The supervised contrastive loss at several temperatures.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SupConTable {
    /// The number of sets: 1, or 2 where x and y are views of the same rows.
    pub views: usize,
    /// The number of anchors: points that have a positive.
    pub anchors: usize,
    /// A row for each temperature, in the order in which they were given.
    pub rows: Vec<SupConRow>,
}

/// The supervised contrastive loss at one temperature.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SupConRow {
    /// The temperature.
    pub tau: f64,
    /// The loss.
    pub loss: f64,
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<SupConTable>> {
    let Some(labels) = work.labels.as_ref().filter(|_| !work.plan.supcon.is_empty()) else { return Ok(None) };
    let groups = Groups::new(labels)?;
    let views = work.sets.len();
    let mut rows = Vec::new();
    for &metric in &work.plan.supcon {
        let loss = match &*work.sets {
            [x, y] => work.session.supcon_of_views(&x.points, &y.points, &groups, metric)?,
            [x, ..] => work.session.supcon(&x.points, &groups, metric)?,
            [] => return Ok(None),
        };
        rows.push(SupConRow { tau: metric.tau, loss });
    }
    let anchors = groups.sizes().map(|size| views * size).filter(|&size| size > 1).sum();
    Ok(Some(SupConTable { views, anchors, rows }))
}
