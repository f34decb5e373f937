//! The contrastive loss of sets in pieces: what its value is made of, anchor by anchor.

use super::{
    check::{finite, row_by_row},
    contrastive::{Contrastive, ContrastiveValue},
    pair_sets::{Across, Unpaired, Within},
    row_log_sums::{ANCHORS, RowKernel, RowLogSumsOver},
};
use crate::{
    backend::Term,
    error::{Error, Result},
    log_sum::log_add,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
};

/// A request for ⟨xᵢ, yᵢ⟩ of every positive pair.
#[derive(Clone, Copy, Debug)]
pub struct PairProducts<'a> {
    x: &'a Points,
    y: &'a Points,
}

impl Contrastive {
    /// The log sums of the rows of x (n, d) over all rows of y (m, d), at temperatures that are positive and finite. The log sums of
    /// several y are joined by [`LogSumExp`](crate::LogSumExp).
    pub fn log_sums_across<'a>(
        taus: &'a [f64],
        x: &'a Points,
        y: &'a Points,
    ) -> RowLogSumsOver<'a, Across<'a>> {
        RowLogSumsOver::new(Across(x, y), RowKernel::Logit(taus))
    }

    /// The same over the rows j ≠ i of y (n, d): without the positive pairs.
    pub fn log_sums_unpaired<'a>(
        taus: &'a [f64],
        x: &'a Points,
        y: &'a Points,
    ) -> RowLogSumsOver<'a, Unpaired<'a>> {
        RowLogSumsOver::new(Unpaired(x, y), RowKernel::Logit(taus))
    }

    /// The same over the other rows of x (n, d) itself.
    pub fn log_sums_within<'a>(taus: &'a [f64], x: &'a Points) -> RowLogSumsOver<'a, Within<'a>> {
        RowLogSumsOver::new(Within(x), RowKernel::Logit(taus))
    }

    /// ⟨xᵢ, yᵢ⟩ of every row of x (n, d) and y (n, d): the logits of the positive pairs are these over τ.
    pub fn products<'a>(x: &'a Points, y: &'a Points) -> PairProducts<'a> {
        PairProducts { x, y }
    }
}

impl ContrastiveValue {
    /// The value from the logit of every positive pair, ⟨xᵢ, yᵢ⟩/τ, and the log sums of the anchors over their `negatives` each:
    /// one list for the anchors of x, and one for those of y where these are anchors too, all in the order of the pairs.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] unless every list has one number a pair, and [`Error::Overflow`] where the result is not finite, as of no
    /// pairs or no negatives.
    pub fn of_anchors(logits: &[f64], log_sums: &[&[f64]], negatives: u64) -> Result<Self> {
        if let Some(sums) = log_sums.iter().find(|sums| sums.len() != logits.len()) {
            let (left_rows, right_rows) = (logits.len(), sums.len());
            return Err(Error::Mismatch {
                what: ANCHORS,
                left_rows,
                left_dims: 1,
                right_rows,
                right_dims: 1,
            });
        }
        let log_count = (negatives as f64).ln();
        let anchors = || log_sums.iter().flat_map(|sums| sums.iter().zip(logits));
        let number = (logits.len() * log_sums.len()) as f64;
        let mean =
            |terms: &mut dyn Iterator<Item = f64>| finite(Contrastive::NAME, terms.sum::<f64>() / number);
        // Of log(exp(logit) + exp(sum)) − logit: well-trained points leave little of either term.
        let loss = mean(&mut anchors().map(|(sum, logit)| log_add(0.0, sum - logit)))?;
        let alignment = -mean(&mut anchors().map(|(_, logit)| *logit))?;
        let uniformity = mean(&mut anchors().map(|(sum, _)| sum - log_count))?;
        let residual = mean(&mut anchors().map(|(sum, logit)| log_add(logit - sum, 0.0)))?;
        Ok(Self { loss, negatives, normalized: loss - log_count, alignment, uniformity, residual })
    }
}

impl Sealed for PairProducts<'_> {}

impl Metric for PairProducts<'_> {
    type Value = Vec<f64>;

    fn pairs(&self) -> u64 {
        0
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<f64>> {
        Box::pin(async move {
            row_by_row("the products of positive pairs", self.x, self.y)?;
            on.backend.paired(self.x, self.y, Term::Dot).await
        })
    }
}
