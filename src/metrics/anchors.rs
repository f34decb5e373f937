//! The contrastive loss of sets in pieces: what its value is made of, anchor by anchor.

use super::{
    check::{at_least, comparable, finite, positive, row_by_row},
    contrastive::{Contrastive, ContrastiveValue},
    pair_sets::{Across, PairSet, Unpaired, Within},
};
use crate::{
    backend::Term,
    error::{Error, Result},
    kernel::Kernel,
    log_sum::log_add,
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
};

/// A request for log Σⱼ exp(⟨xᵢ, yⱼ⟩/τ) of every row i of x, for several temperatures. `P` is the set of pairs.
///
/// Its value has, for every temperature, one number for each row; −∞ where a row is in no pair.
#[derive(Clone, Copy, Debug)]
pub struct AnchorLogSumsOver<'a, P> {
    pairs: P,
    taus: &'a [f64],
}

/// A request for ⟨xᵢ, yᵢ⟩ of every positive pair.
#[derive(Clone, Copy, Debug)]
pub struct PairProducts<'a> {
    x: &'a Points,
    y: &'a Points,
}

const ANCHORS: &str = "the sums of the contrastive loss's anchors";

impl Contrastive {
    /// The log sums of the rows of x (n, d) over all rows of y (m, d), at temperatures that are positive and finite. The log sums of
    /// several y are joined by [`LogSumExp`](crate::LogSumExp).
    pub fn log_sums_across<'a>(
        taus: &'a [f64],
        x: &'a Points,
        y: &'a Points,
    ) -> AnchorLogSumsOver<'a, Across<'a>> {
        AnchorLogSumsOver { pairs: Across(x, y), taus }
    }

    /// The same over the rows j ≠ i of y (n, d): without the positive pairs.
    pub fn log_sums_unpaired<'a>(
        taus: &'a [f64],
        x: &'a Points,
        y: &'a Points,
    ) -> AnchorLogSumsOver<'a, Unpaired<'a>> {
        AnchorLogSumsOver { pairs: Unpaired(x, y), taus }
    }

    /// The same over the other rows of x (n, d) itself.
    pub fn log_sums_within<'a>(taus: &'a [f64], x: &'a Points) -> AnchorLogSumsOver<'a, Within<'a>> {
        AnchorLogSumsOver { pairs: Within(x), taus }
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

impl<'a, P: PairSet<'a>> AnchorLogSumsOver<'a, P> {
    fn check(&self) -> Result<()> {
        let pairs = self.pairs.pairs();
        let (x, y) = pairs.sides();
        at_least(ANCHORS, x, 1)?;
        at_least(ANCHORS, y, 1)?;
        match pairs {
            Pairs::Within(_) => {}
            Pairs::Across(x, y) => comparable(ANCHORS, x, y)?,
            Pairs::Unpaired(x, y) => row_by_row(ANCHORS, x, y)?,
        }
        self.taus.iter().try_for_each(|&tau| positive("tau", tau).map(drop))
    }
}

impl<P> Sealed for AnchorLogSumsOver<'_, P> {}

impl<'a, P: PairSet<'a>> Metric for AnchorLogSumsOver<'a, P> {
    type Value = Vec<Vec<f64>>;

    fn pairs(&self) -> u64 {
        self.pairs.pairs().count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<Vec<f64>>> {
        Box::pin(async move {
            self.check()?;
            let pairs = self.pairs.pairs();
            if pairs.count() == 0 {
                return Ok(vec![vec![f64::NEG_INFINITY; pairs.sides().0.rows()]; self.taus.len()]);
            }
            let kernels: Vec<_> = self.taus.iter().map(|&tau| Kernel::logit(tau)).collect();
            let sums = on.backend.row_log_sums(pairs, &kernels, None, on.watch).await?;
            Ok(sums.into_iter().map(|sums| sums.x).collect())
        })
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
