//! What every row has by itself: how crowded it is, and how far from its partner.

use unisphere::{Engine, Error as EngineError, Points, Potentials, Uniformity};

use super::{
    blocks::{Block, Layout, SetName, Sum},
    run::Work,
    strips::StripResults,
};
use crate::error::Result;

/// How crowded every row is, and how far apart every positive pair: what a set's worst rows and the standard errors of its values
/// are told by.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rows {
    /// The potential of every row of x among the others of x, at the first t.
    pub x: Potentials,
    /// The same of y.
    pub y: Option<Potentials>,
    /// ‖xᵢ−yᵢ‖ of every positive pair, where the sets have as many rows.
    pub distances: Option<Vec<f64>>,
}

impl Rows {
    /// Those of finished strips; None where they were not asked for.
    pub(super) fn of(layout: &Layout, strips: &StripResults, t: f64) -> Result<Option<Self>> {
        let has = |sum| layout.sums().contains(&sum);
        let potentials = |set| {
            let sums = strips.log_sums(layout, &[Sum::Potentials(set)], 0);
            Potentials::of_log_sums(Uniformity::new(t), sums)
        };
        if !has(Sum::Potentials(SetName::X)) {
            return Ok(None);
        }
        Ok(Some(Self {
            x: potentials(SetName::X)?,
            y: has(Sum::Potentials(SetName::Y)).then(|| potentials(SetName::Y)).transpose()?,
            distances: has(Sum::Distances).then(|| strips.of_pairs(layout, Sum::Distances)),
        }))
    }
}

impl Work<'_> {
    /// The log sum of the kernel at the first t for every row on the left, over the other rows of its set on the right.
    pub(super) fn potentials(
        &self,
        engine: &Engine,
        block: Block,
        left: &Points,
        right: &Points,
    ) -> Result<Vec<f64>, EngineError> {
        let metric = Uniformity::at(&self.ts[..1]);
        Ok(if block.left == block.right {
            engine.value(metric.log_sums_within(left))?
        } else {
            engine.value(metric.log_sums_across(left, right))?
        }
        .concat())
    }
}
