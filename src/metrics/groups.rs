//! Uniformity and alignment by group.

use super::{
    alignment::Alignment,
    check::{finite, positive},
    uniformity::Uniformity,
    weighted_groups::WeightedGroups,
    weights::proportions,
};
use crate::{
    backend::GroupPairs,
    error::{Error, Result},
    kernel::Kernel,
    memory::{filled, listed, push, reserved},
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
    schedule::unordered,
};

/// Which rows belong together: one label per row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Row by row.
    labels: Vec<i64>,
    /// The rows, group by group.
    order: Vec<usize>,
    /// Where each group ends in that order.
    ends: Vec<usize>,
}

/// The most groups whose k × k matrix is made: half a gigabyte of values.
const MAX_GROUPS_ACROSS: usize = 8192;

/// A request for the uniformity within each group.
#[derive(Clone, Copy, Debug)]
pub struct GroupUniformityOver<'a> {
    groups: &'a Groups,
    metric: Uniformity,
    x: &'a Points,
    pairs: GroupPairs,
    weights: Option<&'a [f64]>,
}

impl Groups {
    /// Groups of equal labels, in the order of the labels.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`]: it takes 16 bytes a row, and 8 a group.
    pub fn new(labels: &[i64]) -> Result<Self> {
        let what = || format!("the groups of {} rows", labels.len());
        let mut order = listed(0..labels.len(), what)?;
        // Rows of one label stay in their order.
        order.sort_unstable_by_key(|&row| (labels[row], row));
        let mut ends = Vec::new();
        for (i, two) in order.windows(2).enumerate() {
            if labels[two[0]] != labels[two[1]] {
                push(&mut ends, i + 1, what)?;
            }
        }
        if !order.is_empty() {
            push(&mut ends, order.len(), what)?;
        }
        Ok(Self { labels: listed(labels.iter().copied(), what)?, order, ends })
    }

    /// How many groups there are.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The label of every group.
    pub fn labels(&self) -> Vec<i64> {
        self.ends.iter().map(|end| self.labels[self.order[end - 1]]).collect()
    }

    /// How many rows each group has.
    pub fn sizes(&self) -> Vec<usize> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        self.ends.iter().zip(starts).map(|(end, start)| end - start).collect()
    }

    /// The alignment within each group, in the order of the labels, from the distances of all pairs.
    ///
    /// # Errors
    ///
    /// [`Error::Labels`] unless there is one label per pair, [`Error::Parameter`], [`Error::Overflow`].
    pub fn alignment(&self, distances: &[f64], metric: Alignment) -> Result<Vec<f64>> {
        self.check(distances.len())?;
        let power = positive("alpha", metric.alpha)?;
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let mean = |(start, &end): (usize, &usize)| {
            let sum: f64 = self.order[start..end].iter().map(|&row| distances[row].powf(power)).sum();
            finite("alignment of a group", sum / (end - start) as f64)
        };
        starts.zip(&self.ends).map(mean).collect()
    }

    /// The same where pair i counts `weights[i]` times: Σ w d^α / Σ w over the pairs of each group; `None` where all of these have
    /// the weight 0.
    ///
    /// # Errors
    ///
    /// Those of [`alignment`](Self::alignment), and [`Error::Weights`] unless there is one weight per pair, none negative, one of
    /// them positive and these within a factor of 1e30.
    pub fn weighted_alignment(
        &self,
        distances: &[f64],
        weights: &[f64],
        metric: Alignment,
    ) -> Result<Vec<Option<f64>>> {
        self.check(distances.len())?;
        let power = positive("alpha", metric.alpha)?;
        let weights = proportions(weights, distances.len(), 1)?;
        let mean = |rows: &[usize]| {
            let total: f64 = rows.iter().map(|&row| weights[row]).sum();
            let counted = rows.iter().filter(|&&row| weights[row] > 0.0);
            let sum: f64 = counted.map(|&row| weights[row] * distances[row].powf(power)).sum();
            (total > 0.0).then(|| finite("alignment of a group", sum / total)).transpose()
        };
        self.rows().map(mean).collect()
    }

    /// Uniformity of x (n, d) within each group; memory and time follow from the groups' sizes.
    pub fn uniformity<'a>(&'a self, metric: Uniformity, x: &'a Points) -> GroupUniformityOver<'a> {
        GroupUniformityOver { groups: self, metric, x, pairs: GroupPairs::Within, weights: None }
    }

    /// The rows of each group.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[usize]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.order[start..end])
    }

    /// The place of each row's label among those of all groups.
    pub(super) fn number_of_rows(&self) -> Result<Vec<u32>> {
        let rows = self.labels.len();
        let mut numbers = filled(0, rows, 1, || format!("the groups of {rows} rows"))?;
        let mut start = 0;
        for (number, &end) in self.ends.iter().enumerate() {
            self.order[start..end].iter().for_each(|&row| numbers[row] = number as u32);
            start = end;
        }
        Ok(numbers)
    }

    pub(super) fn check(&self, rows: usize) -> Result<()> {
        if self.labels.len() == rows {
            return Ok(());
        }
        let problem = format!("are {}, and there are {rows} rows; give one per row", self.labels.len());
        Err(Error::Labels { problem })
    }
}

impl<'a> GroupUniformityOver<'a> {
    /// The same where row i counts `weights[i]` times: log Σ wᵢwⱼ exp(−t‖xᵢ−xⱼ‖²) / Σ wᵢwⱼ over the pairs of each group, or of two.
    /// Rows of weight 0 are left out, of [`sizes`](GroupUniformity::sizes) too. Each group takes a pass of its own, and across groups
    /// another with all groups before it.
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Weights`] unless there is one weight per row, none negative, one of them positive and
    /// these within a factor of 1e30.
    #[must_use]
    pub fn weighted(self, weights: &'a [f64]) -> Self {
        Self { weights: Some(weights), ..self }
    }
}

impl GroupUniformityOver<'_> {
    /// Uniformity across each two groups too, in a matrix of k × k values for k groups.
    #[must_use]
    pub fn across_groups(self) -> Self {
        Self { pairs: GroupPairs::All, ..self }
    }
}

impl Sealed for GroupUniformityOver<'_> {}

impl Metric for GroupUniformityOver<'_> {
    type Value = GroupUniformity;

    fn pairs(&self) -> u64 {
        if let Some(weights) = self.weights {
            return WeightedGroups::pairs(self.groups, weights, self.pairs);
        }
        match self.pairs {
            GroupPairs::All => Pairs::Within(self.x).count(),
            GroupPairs::Within => self.groups.sizes().into_iter().map(unordered).sum(),
        }
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, GroupUniformity> {
        Box::pin(async move {
            let Self { groups, metric, x, pairs, weights } = *self;
            groups.check(x.rows())?;
            let kernel = Kernel::gaussian(metric.check(Pairs::Within(x))?);
            let k = groups.count();
            if pairs == GroupPairs::All && k > MAX_GROUPS_ACROSS {
                let megabytes = (k * k).saturating_mul(size_of::<Option<f64>>()) / 1_000_000;
                let problem = format!(
                    "make {k} groups, whose {k} × {k} matrix takes {megabytes} MB, and {MAX_GROUPS_ACROSS} groups are the most; \
                 ask for uniformity within groups alone, or merge groups"
                );
                return Err(Error::Labels { problem });
            }
            if let Some(weights) = weights {
                let weights = proportions(weights, x.rows(), 1)?;
                let counted = WeightedGroups::new(groups, &weights)?;
                let within = counted.within(on, x, kernel).await?;
                let across = match pairs {
                    GroupPairs::Within => None,
                    GroupPairs::All => Some(counted.across(on, x, kernel, &within).await?),
                };
                return Ok(GroupUniformity {
                    labels: groups.labels(),
                    sizes: counted.sizes(),
                    within,
                    across,
                });
            }
            let sorted = on.backend.gather(x, &groups.order).await?;
            let sums = on.backend.group_log_sums(&sorted, &groups.ends, kernel, pairs, on.watch).await?;
            let sizes = groups.sizes();
            let value = |sum, count: u64| (count > 0).then(|| Uniformity::log_mean(sum, count)).transpose();
            let place = |group: usize| if pairs == GroupPairs::All { group * (k + 1) } else { group };
            let within = (0..k).map(|group| value(sums[place(group)], unordered(sizes[group])));
            let within = within.collect::<Result<Vec<_>>>()?;
            let across = match pairs {
                GroupPairs::Within => None,
                GroupPairs::All => {
                    let mut all = reserved(k, k, || format!("the {k} × {k} matrix of groups"))?;
                    for (a, b) in (0..k * k).map(|cell| (cell / k, cell % k)) {
                        let (low, high) = (a.min(b), a.max(b));
                        let pairs = sizes[a] as u64 * sizes[b] as u64;
                        all.push(if a == b { within[a] } else { value(sums[low * k + high], pairs)? });
                    }
                    Some(all)
                }
            };
            Ok(GroupUniformity { labels: groups.labels(), sizes, within, across })
        })
    }
}

/// Uniformity within each of k groups and, where asked for, across each two.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupUniformity {
    /// The label of every group, in order.
    pub labels: Vec<i64>,
    /// The number of rows of each; those of positive weight, where rows have weights.
    pub sizes: Vec<usize>,
    /// Uniformity within each group; `None` for a group of fewer than two rows, which has no pair.
    pub within: Vec<Option<f64>>,
    /// Row-major k × k, where asked for.
    across: Option<Vec<Option<f64>>>,
}

impl GroupUniformity {
    /// Uniformity within a group, or across two, by their place in [`labels`](Self::labels). `None` within a group of fewer than two
    /// rows, which has no pair, past the last group, and across groups unless
    /// [asked for](GroupUniformityOver::across_groups).
    pub fn between(&self, a: usize, b: usize) -> Option<f64> {
        let k = self.labels.len();
        match &self.across {
            _ if a >= k || b >= k => None,
            Some(across) => across[a * k + b],
            None if a == b => self.within[a],
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_label() -> Result<()> {
        let groups = Groups::new(&[5, -2, 5, 7, -2, 5])?;
        assert_eq!((groups.count(), groups.labels(), groups.sizes()), (3, vec![-2, 5, 7], vec![2, 3, 1]));
        assert_eq!(groups.order, [1, 4, 0, 2, 5, 3]);
        let distances = [1.0, 2.0, 3.0, 4.0, 6.0, 5.0];
        assert_eq!(groups.alignment(&distances, Alignment { alpha: 1.0 })?, [4.0, 3.0, 4.0]);
        assert!(groups.alignment(&distances[1..], Alignment::default()).is_err());
        let one = Alignment { alpha: 1.0 };
        let weighted = |weights: &[f64]| groups.weighted_alignment(&distances, weights, one);
        assert_eq!(weighted(&[1.0; 6])?, [Some(4.0), Some(3.0), Some(4.0)]);
        assert_eq!(weighted(&[2.0, 3.0, 0.0, 0.0, 1.0, 2.0])?, [Some(3.0), Some(3.0), None]);
        assert!(weighted(&[1.0; 5]).is_err() && weighted(&[0.0; 6]).is_err());
        assert!(weighted(&[1.0, 1.0, -1.0, 1.0, 1.0, 1.0]).is_err());
        assert_eq!(Groups::new(&[])?.count(), 0);
        Ok(())
    }
}
