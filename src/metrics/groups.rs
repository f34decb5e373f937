//! Which rows belong together, and alignment by group.

use super::{
    alignment::Alignment,
    check::{finite, positive},
    weights::proportions,
};
use crate::{
    error::{Error, Result},
    memory::{filled, listed, push},
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
    pub fn labels(&self) -> impl ExactSizeIterator<Item = i64> {
        self.ends.iter().map(|end| self.labels[self.order[end - 1]])
    }

    /// How many rows each group has.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = usize> {
        (0..self.count()).map(|group| self.rows_of(group).len())
    }

    /// The rows of a group, in ascending order. Groups are numbered from 0, in the order of the labels.
    ///
    /// # Panics
    ///
    /// If there is no group of this number.
    pub fn rows_of(&self, group: usize) -> &[usize] {
        let start = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.order[start..self.ends[group]]
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

    /// The rows, group by group.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Where each group ends in that order.
    pub(super) fn ends(&self) -> &[usize] {
        &self.ends
    }

    /// The rows of each group.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[usize]> {
        (0..self.count()).map(|group| self.rows_of(group))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_label() -> Result<()> {
        let groups = Groups::new(&[5, -2, 5, 7, -2, 5])?;
        assert!(groups.labels().eq([-2, 5, 7]) && groups.sizes().eq([2, 3, 1]));
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
