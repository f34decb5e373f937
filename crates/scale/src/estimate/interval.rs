//! What an estimate is: a value, the interval that holds it, and how it was found.

use super::rounding::Arithmetic;

/// A value with an interval that holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Interval {
    /// The value. Its bias, which is that of a log, is below a hundredth of the half-width where that is at most 0.01.
    pub value: f64,
    /// The lower end. Both ends allow for the error of the arithmetic too, as docs/accuracy.md states it.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The probability, over the draw of the blocks or rounds, with which the interval holds the value over all pairs; 1 of an exact
    /// value.
    pub confidence: f64,
    /// How it was found.
    pub method: Method,
    /// The half-width that was asked for; of squared MMD, what was asked for times the mean of the kernel within both sets.
    pub tolerance: f64,
    /// What the order of the rows and the draw of the blocks or rounds follow from.
    pub seed: u64,
    /// Rows of a panel; of a group of anchors.
    pub panel_rows: usize,
    /// Blocks of two panels that were drawn, alone or in rounds, or groups of anchors with candidates; 0 of an exact value.
    pub blocks: u64,
    /// Pairs that the value is of: all pairs of an exact one, whatever was summed before it. Squared MMD has four kernels for each
    /// pair of rows, and the contrastive loss a product for each anchor and negative, which all count.
    pub pairs: u64,
    /// Their share of all pairs.
    pub share: f64,
    /// The standard error of the value as one of a sample of rows: how far it may be from that of the distribution that the rows
    /// were drawn from. None across two sets, and of less than three rows.
    pub row_error: Option<f64>,
    pub(super) arithmetic: Arithmetic,
    pub(super) all_pairs: u64,
    /// Half of the width before it was widened, where it was.
    pub(super) half_width_before: Option<f64>,
}

/// How a value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// From all pairs.
    Exact,
    /// From blocks of pairs, drawn in proportion to a bound of their sums, by a betting interval: proven for any data.
    NormWeightedBlocks,
    /// From rounds in which every row meets one panel, drawn without repetition, by the larger of two bars and an allowance for pairs
    /// that none of them has shown. That this interval holds as often as it says is simulated, not proven.
    TournamentRounds,
    /// Of the contrastive loss: from groups of anchors with random candidates, few for all anchors and more for few, by Student's t.
    /// That this interval holds as often as it says is simulated, not proven: where few anchors have negatives that equal their
    /// positive, no draw may meet one.
    MultilevelCandidates,
}

impl Method {
    /// The name that it goes by in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::NormWeightedBlocks => "norm-weighted blocks",
            Self::TournamentRounds => "tournament rounds",
            Self::MultilevelCandidates => "multilevel candidates",
        }
    }

    /// Whether its interval is proven to hold for any data, and not only simulated on some.
    pub fn is_proven(self) -> bool {
        matches!(self, Self::Exact | Self::NormWeightedBlocks)
    }
}

impl Interval {
    /// The value of all pairs in the place of this estimate of it, between ends that allow for the error of the arithmetic.
    #[must_use]
    pub fn with_all_pairs(self, value: f64) -> Self {
        let [low, high] = self.arithmetic.widened([value; 2]);
        Self {
            value,
            low,
            high,
            confidence: 1.0,
            method: Method::Exact,
            blocks: 0,
            pairs: self.all_pairs,
            share: 1.0,
            half_width_before: None,
            ..self
        }
    }

    /// The same with either end so much farther out, as where the points themselves are known so well only. No pairs more would make that
    /// less: the tolerance is of the width before.
    #[must_use]
    pub fn widened(self, by: f64) -> Self {
        let half_width_before = Some(self.half_width_of_draw());
        Self { low: self.low - by, high: self.high + by, half_width_before, ..self }
    }

    /// Half of the width; infinite where nothing bounds the value from below.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// Half of the width before it was [widened](Self::widened).
    pub fn half_width_of_draw(&self) -> f64 {
        self.half_width_before.unwrap_or_else(|| self.half_width())
    }

    /// Whether it is as narrow as was asked for, before it was [widened](Self::widened). An exact value always is as narrow as can be.
    pub fn meets_tolerance(&self) -> bool {
        self.method == Method::Exact || self.half_width_of_draw() <= self.tolerance
    }
}
