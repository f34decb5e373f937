//! Values that were estimated from a part of the pairs.

use std::fmt;

use crate::data::SetName;

/// A value that was estimated from a part of the pairs, and the interval that holds the value of all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimated {
    /// What the value is of.
    pub quantity: Quantity,
    /// Uniformity's t; the temperature of a contrastive loss.
    pub parameter: f64,
    /// The value; NaN where a draw was too small to see any of it.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The probability, over the draw of the pairs, with which the interval holds the value of all pairs; 1 of a value of all pairs.
    pub confidence: f64,
    /// The half-width that was asked for.
    pub tolerance: f64,
    /// Whether the interval is as narrow as was asked for, or the value is of all pairs.
    pub reached: bool,
    /// The name of the method.
    pub method: &'static str,
    /// Whether the confidence is proven for any data, and not only simulated on some.
    pub proven: bool,
    /// Rows of a panel; of the contrastive loss, anchors of a group.
    pub panel_rows: usize,
    /// Blocks of two panels that were drawn, or groups of anchors; 0 of a value of all pairs.
    pub blocks: u64,
    /// Pairs that the value is of.
    pub pairs: u64,
    /// Their share of all pairs.
    pub share: f64,
    /// What the draw follows from.
    pub seed: u64,
    /// The standard error of the value as one of a sample of rows, where it is known.
    pub row_error: Option<f64>,
}

/// What is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantity {
    /// Uniformity of a set.
    Uniformity(SetName),
    /// Uniformity over all pairs of one row of x and one of y.
    CrossUniformity,
    /// The squared maximum mean discrepancy of both sets.
    SquaredMmd,
    /// The contrastive loss.
    Contrastive,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniformity(set) => write!(f, "uniformity of {set}"),
            Self::CrossUniformity => f.write_str("cross uniformity"),
            Self::SquaredMmd => f.write_str("squared MMD"),
            Self::Contrastive => f.write_str("contrastive loss"),
        }
    }
}

impl Quantity {
    /// The name of its parameter.
    pub fn parameter(self) -> &'static str {
        if self == Self::Contrastive { "tau" } else { "t" }
    }
}

impl Estimated {
    /// Half the width of the interval.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether the value is of all pairs, and no estimate.
    pub fn is_of_all_pairs(&self) -> bool {
        self.share >= 1.0
    }
}
