//! Alignment of the rows of one class, for sets that have classes and no pairs.

use super::{
    alignment::Alignment,
    check::{finite, positive},
    groups::Groups,
    weighted_classes::WeightedAlignmentByLabel,
};
use crate::{
    error::{Error, Result},
    function::{ClassTerm, Classes, PairFunction},
    memory::filled,
    pairs::Pairs,
    pending::Pending,
    points::{Matrix, Points},
    request::{Differentiable, Metric, Run, Sealed},
    schedule::unordered,
};

/// A request for the alignment of the rows that have one label.
#[derive(Clone, Copy, Debug)]
pub struct AlignmentByLabel<'a> {
    metric: Alignment,
    x: &'a Points,
    groups: &'a Groups,
    scale: f64,
}

impl Alignment {
    /// Alignment by label: the mean of ‖xᵢ−xⱼ‖^α over all pairs i < j of rows of x (n, d) that have one label. Every pair
    /// counts once, so that a class counts by the number of its pairs. The gradient is (n, d).
    ///
    /// With α = 2 it takes a pass over the points (on a GPU, for large sets stored in f32). With any other α it takes the pairs
    /// of each class on the CPU, and all pairs on a GPU.
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Labels`] unless there is one label per row and two rows have the same.
    pub fn by_label<'a>(self, x: &'a Points, groups: &'a Groups) -> AlignmentByLabel<'a> {
        AlignmentByLabel { metric: self, x, groups, scale: 1.0 }
    }
}

impl<'a> AlignmentByLabel<'a> {
    /// The same with its gradient multiplied by `scale`, such as the upstream gradient of automatic differentiation; finite.
    /// The value stays as it is.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The same where row i counts `weights[i]` times: Σ wᵢwⱼ‖xᵢ−xⱼ‖^α / Σ wᵢwⱼ over the pairs of rows of one label, whose gradient is
    /// (n, d). It is computed on the host, in f64, from the pairs of each class; with α = 2 from the rows alone.
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Weights`] unless there is one weight per row, none negative, one of them positive and these
    /// within a factor of 1e30, and with [`Error::Labels`] unless two rows of one label have a positive weight.
    #[must_use]
    pub fn weighted(self, weights: &'a [f64]) -> WeightedAlignmentByLabel<'a> {
        WeightedAlignmentByLabel {
            metric: self.metric,
            x: self.x,
            groups: self.groups,
            weights,
            scale: self.scale,
        }
    }

    /// The classes, each of weight 1, and the number of pairs within them.
    fn check(&self) -> Result<(Vec<u32>, Vec<f64>, f64)> {
        self.groups.check(self.x.rows())?;
        positive("alpha", self.metric.alpha)?;
        let count = self.pairs();
        if count == 0 {
            let problem =
                "are all different, and alignment by label needs two rows of one label; merge labels";
            return Err(Error::Labels { problem: problem.into() });
        }
        let classes = self.groups.count();
        let ones = filled(1.0, classes, 1, || format!("the weights of {classes} classes"))?;
        Ok((self.groups.number_of_rows()?, ones, count as f64))
    }

    fn function<'c>(&self, of_rows: &'c [u32], weights: &'c [f64]) -> PairFunction<'c> {
        let term = ClassTerm::Distance { alpha: self.metric.alpha };
        PairFunction::InClass { term, classes: Classes { of_x: of_rows, of_y: of_rows, weights } }
    }
}

impl Sealed for AlignmentByLabel<'_> {}

impl Metric for AlignmentByLabel<'_> {
    type Value = f64;

    fn pairs(&self) -> u64 {
        self.groups.sizes().map(unordered).sum()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
        Box::pin(async move {
            let (of_rows, weights, count) = self.check()?;
            let function = self.function(&of_rows, &weights);
            let sum = on.backend.function_sum(Pairs::Within(self.x), function, on.watch).await?;
            finite("alignment by label", sum / count)
        })
    }
}

impl Differentiable for AlignmentByLabel<'_> {
    type Gradients = Matrix;

    fn differentiate<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, (f64, Matrix)> {
        Box::pin(async move {
            let (of_rows, weights, count) = self.check()?;
            let function = self.function(&of_rows, &weights);
            let scale = finite("the scale of a gradient", self.scale)? / count;
            let pairs = Pairs::Within(self.x);
            let (sums, gradients) =
                on.backend.function_gradient(pairs, function, scale, None, on.watch).await?;
            Ok((finite("alignment by label", sums.value / count)?, gradients.x))
        })
    }
}
