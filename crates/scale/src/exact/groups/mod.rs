//! Groups of rows of sets larger than memory: those of up to a panel are collected and measured one by one, and a larger one is a set of
//! its own. Each has units of work, which a journal keeps and parts share.

mod spread;
mod work;

use unisphere::{Alignment, unordered_pairs};

use super::{
    blocks::{Layout, SetName, Sum},
    run::State,
    units::GroupUnits,
};
use crate::error::Result;

pub(super) use work::{GroupWork, left_of};

/// Groups of rows that have one label.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FoundGroups {
    /// The label of each group, in order.
    pub labels: Vec<i64>,
    /// The number of rows of each.
    pub sizes: Vec<usize>,
    /// Alignment of the positive pairs of each group, where there are two sets.
    pub alignment: Option<Vec<f64>>,
    /// x, and y where there is one.
    pub sets: Vec<GroupsOfSet>,
}

/// Groups of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupsOfSet {
    /// Uniformity within each group at the first t; None of one row, which has no pairs.
    pub within: Vec<Option<f64>>,
    /// Alignment by label: the mean of ‖xᵢ−xⱼ‖^α over all pairs of rows that have one label. None where there is no such pair, and
    /// where α is not 2 and a group has more rows than a panel.
    pub alignment_by_label: Option<f64>,
}

/// What a group has.
#[derive(Clone, Copy, Debug, Default)]
struct OfGroup {
    uniformity: Option<f64>,
    /// Σ‖xᵢ−xⱼ‖^α over its pairs, where it is known.
    distances: Option<f64>,
}

impl FoundGroups {
    /// What all units of groups make, where there are any.
    pub(super) fn of(layout: &Layout, state: &State, alpha: f64) -> Result<Option<Self>> {
        let Some(units) = layout.groups() else { return Ok(None) };
        let groups = units.groups();
        let distances =
            layout.sums().contains(&Sum::Distances).then(|| state.strips.of_pairs(layout, Sum::Distances));
        let alignment = |distances: Vec<f64>| groups.alignment(&distances, Alignment { alpha });
        let sets = [SetName::X, SetName::Y].into_iter().take(units.sets());
        let (labels, sizes) = groups.labels().zip(groups.sizes()).unzip();
        Ok(Some(Self {
            labels,
            sizes,
            alignment: distances.map(alignment).transpose()?,
            sets: sets.map(|set| GroupsOfSet::of(units, set, state)).collect(),
        }))
    }
}

impl GroupsOfSet {
    /// What the units of a set make.
    fn of(units: &GroupUnits, set: SetName, state: &State) -> Self {
        let (mut within, mut sum, mut count, mut is_known) = (Vec::new(), 0.0, 0, true);
        for group in 0..units.count_of_groups() {
            let of = OfGroup::of(units, set, group, state);
            within.push(of.uniformity);
            let pairs = unordered_pairs(units.rows(group).len());
            if pairs > 0 {
                sum += of.distances.unwrap_or_default();
                is_known &= of.distances.is_some();
                count += pairs;
            }
        }
        Self { within, alignment_by_label: (is_known && count > 0).then(|| sum / count as f64) }
    }
}

impl OfGroup {
    /// What the units of a group make.
    fn of(units: &GroupUnits, set: SetName, group: usize, state: &State) -> Self {
        let own = units.units(set as usize, group);
        let Some(panels) = units.panels(group) else {
            let [uniformity, distances] =
                [0, 1].map(|place| own.clone().next().map(|unit| state.groups.of(unit)[place]));
            return Self { uniformity, distances };
        };
        let layout = Layout::within(panels);
        let results = state.of_group(&layout, own.start).results;
        Self {
            uniformity: results.log_means(&layout, Sum::Within(SetName::X), 1).first().copied(),
            distances: units.squares(set as usize, group).map(|unit| state.groups.of(unit)[0]),
        }
    }
}
