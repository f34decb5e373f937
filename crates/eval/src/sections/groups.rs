//! Groups of rows: alignment and uniformity within each, and uniformity across each two where that is wanted.

use unisphere::{Alignment, GroupUniformity, Groups};

use crate::{
    data::SetName,
    drawn::largest,
    error::{Error, Result},
    estimator::Estimator,
    maybe::{Absent, Maybe},
    plan::Plan,
    rows::listed,
    work::Work,
};

/// The groups for which the matrix across groups is made at most: a quarter of a gigabyte for each set.
const MAX_GROUPS_ACROSS: usize = 4096;

/// The groups for which figures take the matrix at most, asked for or not.
pub const MAX_GROUPS_IN_FIGURES: usize = 100;

const ONE_ROW: Absent = Absent::because("a group of one row has no pairs");
const NO_PAIRS: Absent = Absent::because("no two rows have one label");
const NO_WEIGHTED_PAIRS: Absent = Absent::because("no two rows of one label have weights above 0");
const NO_WEIGHT: Absent = Absent::because("all rows of the group have the weight 0");
const ONE_WEIGHTED_ROW: Absent = Absent::because("a group of one row with a weight above 0 has no pairs");
const ONE_PANEL: Absent =
    Absent::because("read in pieces, a group of more rows than a panel has it with alpha 2 alone");

/// Alignment and uniformity by group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupTable {
    /// The label of each group, in order.
    pub labels: Vec<i64>,
    /// The name of each group, where labels have names.
    pub names: Option<Vec<String>>,
    /// The number of rows of each; those of positive weight, where rows have weights.
    pub sizes: Vec<usize>,
    /// The pairs over which uniformity within a group runs.
    pub estimator: Estimator,
    /// Whether rows count as their weights say: in everything here.
    pub weighted: bool,
    /// Whether pairs of x and y do: in alignment of each group.
    pub pairs_weighted: bool,
    /// The alignment, of pairs and by label.
    pub metric: Alignment,
    /// Alignment of each group, where there are two sets.
    pub alignment: Option<Vec<Maybe<f64>>>,
    /// Uniformity of each set.
    pub sets: Vec<SetGroups>,
}

/// One set by group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetGroups {
    /// The set.
    pub set: SetName,
    /// Alignment by label: the mean over all pairs of rows that have one label.
    pub alignment: Maybe<f64>,
    /// Uniformity within each group, by the estimator.
    pub within: Vec<Maybe<f64>>,
    /// Uniformity over all pairs of one row of either group, row by row of a symmetric matrix, with the values within each group on
    /// its diagonal; None where it is not wanted.
    pub across: Option<Vec<Maybe<f64>>>,
}

impl GroupTable {
    /// The table of groups with these labels and sizes, by the U-statistic: of each set alignment by label, where it is known, and
    /// uniformity within each group, None of one row.
    pub fn new(
        labels: Vec<i64>,
        sizes: Vec<usize>,
        metric: Alignment,
        alignment: Option<Vec<f64>>,
        sets: impl IntoIterator<Item = (SetName, Option<f64>, Vec<Option<f64>>)>,
    ) -> Self {
        let has_pairs = sizes.iter().any(|&size| size > 1);
        let not_known = if has_pairs { ONE_PANEL } else { NO_PAIRS };
        let of_set = |(set, alignment, within): (SetName, Option<f64>, Vec<Option<f64>>)| SetGroups {
            set,
            alignment: alignment.ok_or(not_known),
            within: within.into_iter().map(|value| value.ok_or(ONE_ROW)).collect(),
            across: None,
        };
        let sets = sets.into_iter().map(of_set).collect();
        let alignment = alignment.map(|values| values.into_iter().map(Ok).collect());
        Self {
            labels,
            names: None,
            sizes,
            estimator: Estimator::U,
            weighted: false,
            pairs_weighted: false,
            metric,
            alignment,
            sets,
        }
    }

    /// The places of the largest groups, so many at most: the largest first, and of equal ones the first.
    pub fn largest(&self, most: usize) -> Vec<usize> {
        largest(&self.sizes, most)
    }

    /// The same with names, of which each label is a place.
    #[must_use]
    pub fn named(self, names: &[String]) -> Self {
        Self { names: Some(names_of(&self.labels, names)), ..self }
    }
}

impl SetGroups {
    /// Row a of the matrix across groups; empty where there is none.
    pub fn across_from(&self, a: usize) -> &[Maybe<f64>] {
        let k = self.within.len();
        self.across.as_deref().and_then(|matrix| matrix.get(a * k..(a + 1) * k)).unwrap_or_default()
    }
}

/// Refuses labels without a pair for a loss that is over pairs of one label, and a matrix across groups that would be too large.
pub(crate) fn check(plan: &Plan, labels: &[i64], paired: bool) -> Result<()> {
    if !plan.across_groups && plan.supcon.is_empty() {
        return Ok(());
    }
    let groups = Groups::new(labels)?.count();
    if !plan.supcon.is_empty() && !paired && groups == labels.len() {
        let problem = "are all different, and the supervised contrastive loss needs two rows of one label; merge labels";
        return Err(unisphere::Error::Labels { problem: problem.into() }.into());
    }
    if plan.across_groups && groups > MAX_GROUPS_ACROSS {
        let bytes = (groups as u64).pow(2) * size_of::<Maybe<f64>>() as u64;
        return Err(Error::TooManyGroups { groups, limit: MAX_GROUPS_ACROSS, bytes });
    }
    Ok(())
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<GroupTable>> {
    let Some(labels) = &work.labels else { return Ok(None) };
    let groups = Groups::new(labels)?;
    let (count, estimator) = (groups.count(), work.plan.estimator);
    let alignment = alignment(work, &groups)?;
    let weights = work.row_weights().map(<[f64]>::to_vec);
    let of_groups = weights.as_deref().map(|weights| weights_of(labels, &groups, weights)).transpose()?;
    let sizes = match &of_groups {
        Some(weights) => weights.iter().map(Vec::len).collect(),
        None => listed(count, groups.sizes())?,
    };
    let has_pairs = sizes.iter().any(|&size| size > 1);
    let is_across = work.plan.across_groups || work.plan.figures && count <= MAX_GROUPS_IN_FIGURES;
    let mut sets = Vec::new();
    for set in &work.sets {
        let metric = work.plan.alignment;
        let (session, points) = (&mut work.session, &set.points);
        let alignment = match (has_pairs, &weights) {
            (true, Some(weights)) => {
                Ok(session.weighted_alignment_by_label(set.name, points, &groups, weights, metric)?)
            }
            (true, None) => Ok(session.alignment_by_label(set.name, points, &groups, metric)?),
            (false, Some(_)) => Err(NO_WEIGHTED_PAIRS),
            (false, None) => Err(NO_PAIRS),
        };
        let (weights, metric) = (weights.as_deref(), work.plan.uniformity);
        let found = session.group_uniformity(set.name, points, &groups, weights, metric, is_across)?;
        let value = |a, b| match &of_groups {
            Some(weights) => weighted_between(&found, weights, estimator, [a, b]),
            None => between(&found, &sizes, estimator, [a, b]),
        };
        let across = |_| (0..count * count).map(|at| value(at / count, at % count)).collect();
        sets.push(SetGroups {
            set: set.name,
            alignment,
            within: (0..count).map(|a| value(a, a)).collect(),
            across: is_across.then_some(()).map(across),
        });
    }
    let metric = work.plan.alignment;
    let (labels, weighted) = (listed(count, groups.labels())?, weights.is_some());
    let names = work.label_names.as_deref().map(|names| names_of(&labels, names));
    let pairs_weighted = alignment.is_some() && work.pair_weights().is_some();
    Ok(Some(GroupTable {
        labels,
        names,
        sizes,
        estimator,
        weighted,
        pairs_weighted,
        metric,
        alignment,
        sets,
    }))
}

/// Alignment of the pairs of each group, where there are two sets.
fn alignment(work: &Work<'_>, groups: &Groups) -> Result<Option<Vec<Maybe<f64>>>> {
    let (Some(distances), metric) = (&work.distances, work.plan.alignment) else { return Ok(None) };
    Ok(Some(match work.pair_weights() {
        Some(weights) => {
            let values = groups.weighted_alignment(distances, weights, metric)?;
            values.into_iter().map(|value| value.ok_or(NO_WEIGHT)).collect()
        }
        None => groups.alignment(distances, metric)?.into_iter().map(Ok).collect(),
    }))
}

/// The positive weights of each group.
fn weights_of(labels: &[i64], groups: &Groups, weights: &[f64]) -> Result<Vec<Vec<f64>>> {
    let names = listed(groups.count(), groups.labels())?;
    let mut of_groups = listed(groups.count(), std::iter::empty())?;
    for size in groups.sizes() {
        of_groups.push(listed(size, std::iter::empty())?);
    }
    for (label, &weight) in labels.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
        // Names are in order, and every label is among them.
        of_groups[names.partition_point(|name| name < label)].push(weight);
    }
    Ok(of_groups)
}

/// The value across two groups of weighted rows; by the estimator where a group meets itself.
fn weighted_between(
    found: &GroupUniformity,
    weights: &[Vec<f64>],
    estimator: Estimator,
    [a, b]: [usize; 2],
) -> Maybe<f64> {
    match (found.between(a, b), estimator) {
        (Some(value), estimator) if a == b => Ok(estimator.weighted(value, &weights[a])),
        (Some(value), _) => Ok(value),
        (None, _) if weights[a].is_empty() || weights[b].is_empty() => Err(NO_WEIGHT),
        // One point, paired with itself.
        (None, Estimator::V) => Ok(0.0),
        (None, Estimator::U) => Err(ONE_WEIGHTED_ROW),
    }
}

/// The name of each label, which is a place in the names; a label that has none is told by its number.
fn names_of(labels: &[i64], names: &[String]) -> Vec<String> {
    let name = |&label: &i64| usize::try_from(label).ok().and_then(|place| names.get(place)).cloned();
    labels.iter().map(|label| name(label).unwrap_or_else(|| label.to_string())).collect()
}

/// The value across two groups; by the estimator where a group meets itself.
fn between(found: &GroupUniformity, sizes: &[usize], estimator: Estimator, [a, b]: [usize; 2]) -> Maybe<f64> {
    match (found.between(a, b), estimator) {
        (Some(value), estimator) if a == b => Ok(estimator.value(value, sizes[a])),
        (Some(value), _) => Ok(value),
        // One point, paired with itself.
        (None, Estimator::V) => Ok(0.0),
        (None, Estimator::U) => Err(ONE_ROW),
    }
}
