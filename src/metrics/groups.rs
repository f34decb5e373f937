use super::{Alignment, Uniformity, finite};
use crate::{
    backend::Backend,
    error::{Error, Result},
    pairs::Pairs,
    points::Points,
    progress::Watch,
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

/// Groups at most: a matrix of all their pairs is made.
const MOST: usize = 8192;

impl Groups {
    /// Groups of equal labels, in the order of the labels.
    pub fn new(labels: &[i64]) -> Self {
        let mut order: Vec<_> = (0..labels.len()).collect();
        order.sort_by_key(|&row| labels[row]);
        let changes = order.windows(2).enumerate().filter(|(_, two)| labels[two[0]] != labels[two[1]]);
        let mut ends: Vec<_> = changes.map(|(i, _)| i + 1).collect();
        ends.extend((!order.is_empty()).then_some(order.len()));
        Self { labels: labels.to_vec(), order, ends }
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
        let power = super::positive("alpha", metric.alpha)?;
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let mean = |(start, &end): (usize, &usize)| {
            let sum: f64 = self.order[start..end].iter().map(|&row| distances[row].powf(power)).sum();
            finite("alignment of a group", sum / (end - start) as f64)
        };
        starts.zip(&self.ends).map(mean).collect()
    }

    pub(crate) fn uniformity(
        &self,
        backend: &dyn Backend,
        x: &Points,
        metric: Uniformity,
        watch: &Watch<'_>,
    ) -> Result<GroupUniformity> {
        self.check(x.rows())?;
        let t = metric.check(Pairs::Within(x))?;
        if self.count() > MOST {
            let groups = self.count();
            let problem =
                format!("make {groups} groups, and uniformity across each two takes {MOST} at the most");
            return Err(Error::Labels { problem });
        }
        let sorted = backend.gather(x, &self.order)?;
        let sums = backend.group_log_sums(&sorted, &self.ends, t, watch)?;
        let (k, sizes) = (self.count(), self.sizes());
        let mut values = vec![None; k * k];
        for a in 0..k {
            for b in a..k {
                let count = if a == b { unordered(sizes[a]) } else { sizes[a] as u64 * sizes[b] as u64 };
                if count > 0 {
                    let value = Uniformity::log_mean(sums[a * k + b], count)?;
                    (values[a * k + b], values[b * k + a]) = (Some(value), Some(value));
                }
            }
        }
        Ok(GroupUniformity { labels: self.labels(), sizes, values })
    }

    fn check(&self, rows: usize) -> Result<()> {
        if self.labels.len() == rows {
            return Ok(());
        }
        let problem = format!("are {}, and there are {rows} rows; give one per row", self.labels.len());
        Err(Error::Labels { problem })
    }
}

/// Uniformity within each of k groups and across each two.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupUniformity {
    /// The label of every group, in order.
    pub labels: Vec<i64>,
    /// How many rows each has.
    pub sizes: Vec<usize>,
    values: Vec<Option<f64>>,
}

impl GroupUniformity {
    /// Uniformity within a group, or across two, by their place in [`labels`](Self::labels). None within a group of one
    /// row, which has no pair, and past the last group.
    pub fn between(&self, a: usize, b: usize) -> Option<f64> {
        let k = self.labels.len();
        if a < k && b < k { self.values[a * k + b] } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_label() -> Result<()> {
        let groups = Groups::new(&[5, -2, 5, 7, -2, 5]);
        assert_eq!((groups.count(), groups.labels(), groups.sizes()), (3, vec![-2, 5, 7], vec![2, 3, 1]));
        assert_eq!(groups.order, [1, 4, 0, 2, 5, 3]);
        let distances = [1.0, 2.0, 3.0, 4.0, 6.0, 5.0];
        assert_eq!(groups.alignment(&distances, Alignment { alpha: 1.0 })?, [4.0, 3.0, 4.0]);
        assert!(groups.alignment(&distances[1..], Alignment::default()).is_err());
        assert_eq!(Groups::new(&[]).count(), 0);
        Ok(())
    }
}
