//! Uniformity within each group of rows, and across each two.

use super::{groups::Groups, uniformity::Uniformity, weighted_groups::WeightedGroups, weights::proportions};
use crate::{
    backend::GroupPairs,
    error::{Error, Result},
    kernel::Kernel,
    memory::{listed, reserved},
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
    schedule::unordered,
};

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
    /// Uniformity of x (n, d) within each group; memory and time follow from the groups' sizes.
    pub fn uniformity<'a>(&'a self, metric: Uniformity, x: &'a Points) -> GroupUniformityOver<'a> {
        GroupUniformityOver { groups: self, metric, x, pairs: GroupPairs::Within, weights: None }
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
            GroupPairs::Within => self.groups.sizes().map(unordered).sum(),
        }
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, GroupUniformity> {
        Box::pin(async move {
            let Self { groups, metric, x, pairs, weights } = *self;
            groups.check(x.rows())?;
            let kernel = Kernel::gaussian(metric.check(Pairs::Within(x))?);
            let k = groups.count();
            let what = || format!("the values of {k} groups");
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
                let (labels, sizes) = (listed(groups.labels(), what)?, listed(counted.sizes(), what)?);
                return Ok(GroupUniformity { labels, sizes, within, across });
            }
            let sorted = on.backend.gather(x, groups.order()).await?;
            let sums = on.backend.group_log_sums(&sorted, groups.ends(), kernel, pairs, on.watch).await?;
            let sizes = listed(groups.sizes(), what)?;
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
            Ok(GroupUniformity { labels: listed(groups.labels(), what)?, sizes, within, across })
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
