//! Uniformity by group of rows that have weights: each group, and each with all before it, as a set of its own.

use super::{
    groups::Groups,
    uniformity::Uniformity,
    weights::{Proportions, weighted_sums},
};
use crate::{
    backend::GroupPairs,
    error::{Error, Result},
    kernel::Kernel,
    log_sum::LogSumExp,
    memory::{filled, reserved},
    pairs::Pairs,
    points::Points,
    request::Run,
    schedule::unordered,
    weights::PointWeights,
};

/// The rows of each group whose weight is positive, and their weights.
pub(super) struct WeightedGroups {
    /// The rows, group by group.
    rows: Vec<usize>,
    weights: Vec<f64>,
    /// Where each group begins in these, and where the last one ends.
    bounds: Vec<usize>,
}

impl WeightedGroups {
    /// Of checked weights, one a row.
    pub(super) fn new(groups: &Groups, weights: &[f64]) -> Result<Self> {
        let what = || format!("the weights of {} rows by group", weights.len());
        let counted = weights.iter().filter(|&&weight| weight > 0.0).count();
        let (mut rows, mut of_rows) = (reserved(counted, 1, what)?, reserved(counted, 1, what)?);
        let mut bounds = reserved(groups.count() + 1, 1, what)?;
        bounds.push(0);
        for members in groups.rows() {
            let members = members.iter().filter(|&&row| weights[row] > 0.0);
            rows.extend(members);
            bounds.push(rows.len());
        }
        of_rows.extend(rows.iter().map(|&row| weights[row]));
        Ok(Self { rows, weights: of_rows, bounds })
    }

    /// The number of pairs that are summed; rows that have no weight count as of weight 0.
    pub(super) fn pairs(groups: &Groups, weights: &[f64], which: GroupPairs) -> u64 {
        let is_counted = |row: &&usize| weights.get(**row).is_some_and(|&weight| weight > 0.0);
        let sizes = groups.rows().map(|members| members.iter().filter(is_counted).count());
        match which {
            GroupPairs::All => unordered(sizes.sum()),
            GroupPairs::Within => sizes.map(unordered).sum(),
        }
    }

    /// How many groups there are.
    pub(super) fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The rows of each group and their weights.
    pub(super) fn members(&self) -> impl Iterator<Item = (&[usize], &[f64])> {
        (0..self.count()).map(|group| (&self.rows[self.places(group)], &self.weights[self.places(group)]))
    }

    /// The places of a group's rows among all that count.
    fn places(&self, group: usize) -> std::ops::Range<usize> {
        self.bounds[group]..self.bounds[group + 1]
    }

    /// The number of rows of each group.
    pub(super) fn sizes(&self) -> impl ExactSizeIterator<Item = usize> {
        self.bounds.windows(2).map(|ends| ends[1] - ends[0])
    }

    /// Uniformity within each group; None of fewer than two rows.
    pub(super) async fn within(&self, on: &Run<'_>, x: &Points, kernel: Kernel) -> Result<Vec<Option<f64>>> {
        let mut values = reserved(self.count(), 1, || format!("the values of {} groups", self.count()))?;
        for group in 0..self.count() {
            let places = self.places(group);
            if places.len() < 2 {
                values.push(None);
                continue;
            }
            let points = on.backend.gather(x, &self.rows[places.clone()]).await?;
            let (pairs, weights) = (Pairs::Within(&points), Proportions::of_checked(&self.weights[places])?);
            let sum = weighted_sums(on, pairs, &weights, &[kernel]).await?.pop();
            let sum = sum.ok_or_else(|| Error::missing("the weighted sum of a group"))?;
            values.push(Some(weights.log_mean(pairs, sum)?));
        }
        Ok(values)
    }

    /// Uniformity across each two groups, row by row of a symmetric matrix, with the values within each on its diagonal.
    pub(super) async fn across(
        &self,
        on: &Run<'_>,
        x: &Points,
        kernel: Kernel,
        within: &[Option<f64>],
    ) -> Result<Vec<Option<f64>>> {
        let k = self.count();
        let mut matrix = filled(None, k, k, || format!("the {k} × {k} matrix of groups"))?;
        for (group, &value) in within.iter().enumerate() {
            matrix[group * k + group] = value;
        }
        for b in 0..k {
            let right = self.places(b);
            let before = 0..right.start;
            if right.is_empty() || before.is_empty() {
                continue;
            }
            let points = on.backend.gather(x, &self.rows[right.clone()]).await?;
            let others = on.backend.gather(x, &self.rows[before.clone()]).await?;
            let weights = PointWeights { x: &self.weights[before], y: &self.weights[right.clone()] };
            let pairs = Pairs::Across(&others, &points);
            let sums = on.backend.row_log_sums(pairs, &[kernel], Some(weights), on.watch).await?.pop();
            let sums = sums.ok_or_else(|| Error::missing("the weighted sum of each row"))?.x;
            let total = |places: std::ops::Range<usize>| self.weights[places].iter().sum::<f64>();
            for a in 0..b {
                let left = self.places(a);
                if left.is_empty() {
                    continue;
                }
                let terms = self.weights[left.clone()].iter().zip(&sums[left.clone()]);
                let sum: LogSumExp = terms.map(|(w, row)| LogSumExp::from_exponent(w.ln() + row)).collect();
                let value =
                    Uniformity::of_log_mean(sum.log() - total(left).ln() - total(right.clone()).ln())?;
                matrix[a * k + b] = Some(value);
                matrix[b * k + a] = Some(value);
            }
        }
        Ok(matrix)
    }
}
