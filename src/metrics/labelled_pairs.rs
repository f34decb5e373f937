//! Positives by label: rows of two sets that have one label, such as an image and each of its captions.

use super::{
    alignment::Alignment,
    check::{comparable, finite, positive},
    groups::Groups,
};
use crate::{
    error::{Error, Result},
    function::{ClassTerm, Classes, PairFunction},
    memory::{filled, listed, reserved},
    pairs::Pairs,
    pending::Pending,
    points::{Matrix, Points},
    request::{Differentiable, Metric, Run, Sealed},
};

/// Which rows of two sets are positives of each other: those that have one label. A row may have several, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledPairs {
    /// The class of every row of x, and of y: the place of its label among all labels.
    pub(super) of_x: Vec<u32>,
    pub(super) of_y: Vec<u32>,
    /// The number of classes.
    classes: usize,
    /// The number of pairs.
    pairs: u64,
}

impl LabelledPairs {
    /// The pairs of one label, given that of every row of x and of y.
    ///
    /// ```
    /// # use unisphere::LabelledPairs;
    /// let pairs = LabelledPairs::new(&[7, 8], &[7, 7, 8])?; // two images, of which the first has two captions
    /// assert_eq!((pairs.count(), pairs.without_positive()), (3, [None, None]));
    /// # Ok::<(), unisphere::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`]: it takes about 40 bytes a row.
    pub fn new(of_x: &[i64], of_y: &[i64]) -> Result<Self> {
        let rows = of_x.len() + of_y.len();
        let what = || format!("the classes of {rows} rows");
        let mut both = reserved(rows, 1, what)?;
        both.extend(of_x.iter().chain(of_y));
        let groups = Groups::new(&both)?;
        drop(both);
        let (mut of_x_first, classes) = (groups.number_of_rows()?, groups.count());
        let of_y = listed(of_x_first[of_x.len()..].iter().copied(), what)?;
        of_x_first.truncate(of_x.len());
        let of_x = of_x_first;
        let mut sizes = filled([0u64; 2], classes, 1, what)?;
        for (side, of_rows) in [&of_x, &of_y].into_iter().enumerate() {
            of_rows.iter().for_each(|&class| sizes[class as usize][side] += 1);
        }
        let pairs = sizes.into_iter().map(|[x, y]| x * y).sum();
        Ok(Self { of_x, of_y, classes, pairs })
    }

    /// The number of pairs of a row of x and a row of y that have one label.
    pub fn count(&self) -> u64 {
        self.pairs
    }

    /// The first row of x, and of y, whose label no row of the other set has.
    pub fn without_positive(&self) -> [Option<usize>; 2] {
        let is_in = |of_rows: &[u32]| {
            let mut is_in = vec![false; self.classes];
            of_rows.iter().for_each(|&class| is_in[class as usize] = true);
            is_in
        };
        let first = |of_rows: &[u32], other: &[u32]| {
            let is_in = is_in(other);
            of_rows.iter().position(|&class| !is_in[class as usize])
        };
        [first(&self.of_x, &self.of_y), first(&self.of_y, &self.of_x)]
    }

    /// Fails unless there is one label per row of both sets.
    pub(super) fn check(&self, x: &Points, y: &Points) -> Result<()> {
        comparable("pairs by label are of two sets", x, y)?;
        for (set, of_rows, points) in [("x", &self.of_x, x), ("y", &self.of_y, y)] {
            if of_rows.len() != points.rows() {
                let (labels, rows) = (of_rows.len(), points.rows());
                let problem = format!("of {set} are {labels}, and there are {rows} rows; give one per row");
                return Err(Error::Labels { problem });
            }
        }
        Ok(())
    }
}

/// A request for the alignment of the rows of two sets that have one label.
#[derive(Clone, Copy, Debug)]
pub struct AlignmentAcrossLabels<'a> {
    metric: Alignment,
    x: &'a Points,
    y: &'a Points,
    positives: &'a LabelledPairs,
    scale: f64,
}

impl Alignment {
    /// Alignment of positives by label: the mean of ‖xᵢ−yⱼ‖^α over all pairs of a row of x (n, d) and a row of y (m, d) that have
    /// one label. Every pair counts once. The gradients are (n, d) and (m, d).
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Labels`] unless there is one label per row and two rows have the same.
    pub fn across_labels<'a>(
        self,
        x: &'a Points,
        y: &'a Points,
        positives: &'a LabelledPairs,
    ) -> AlignmentAcrossLabels<'a> {
        AlignmentAcrossLabels { metric: self, x, y, positives, scale: 1.0 }
    }
}

impl AlignmentAcrossLabels<'_> {
    /// The same with its gradient multiplied by `scale`; finite. The value stays as it is.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The weight of every class, 1, and the number of pairs.
    fn check(&self) -> Result<(Vec<f64>, f64)> {
        self.positives.check(self.x, self.y)?;
        positive("alpha", self.metric.alpha)?;
        if self.positives.count() == 0 {
            let problem =
                "of x are none of those of y, and pairs are of one label; give both the labels of one list";
            return Err(Error::Labels { problem: problem.into() });
        }
        Ok((vec![1.0; self.positives.classes], self.positives.count() as f64))
    }

    fn function<'c>(&'c self, weights: &'c [f64]) -> PairFunction<'c> {
        let LabelledPairs { of_x, of_y, .. } = self.positives;
        let term = ClassTerm::Distance { alpha: self.metric.alpha };
        PairFunction::InClass { term, classes: Classes { of_x, of_y, weights } }
    }
}

impl Sealed for AlignmentAcrossLabels<'_> {}

impl Metric for AlignmentAcrossLabels<'_> {
    type Value = f64;

    fn pairs(&self) -> u64 {
        self.positives.count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
        Box::pin(async move {
            let (weights, count) = self.check()?;
            let pairs = Pairs::Across(self.x, self.y);
            let sum = on.backend.function_sum(pairs, self.function(&weights), on.watch).await?;
            finite("alignment by label", sum / count)
        })
    }
}

impl Differentiable for AlignmentAcrossLabels<'_> {
    type Gradients = (Matrix, Matrix);

    fn differentiate<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, (f64, (Matrix, Matrix))> {
        Box::pin(async move {
            let (weights, count) = self.check()?;
            let scale = finite("the scale of a gradient", self.scale)? / count;
            let (pairs, function) = (Pairs::Across(self.x, self.y), self.function(&weights));
            let (sums, gradients) =
                on.backend.function_gradient(pairs, function, scale, None, on.watch).await?;
            Ok((finite("alignment by label", sums.value / count)?, gradients.both()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_positive_are_found() -> Result<()> {
        let pairs = LabelledPairs::new(&[3, 9, 3, 1], &[1, 3, 3, 5])?;
        assert_eq!((pairs.count(), pairs.without_positive()), (5, [Some(1), Some(3)]));
        assert_eq!(LabelledPairs::new(&[], &[])?.count(), 0);
        Ok(())
    }
}
