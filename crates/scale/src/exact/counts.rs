//! Pairs of a set, counted by their cosine and by their distance.

use unisphere::{ClosePairs, CosineHistogram, Engine, Error as EngineError, Points, Scaling};

use super::{
    blocks::{Block, Layout, SetName, Sum},
    strips::StripResults,
};
use crate::error::Result;

/// The most parts of a histogram.
const MAX_BINS: usize = 65_536;

/// What pairs are counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counting {
    /// Equal parts of [−1, 1], of which each counts the cosines in it, where these are counted.
    pub(crate) bins: Option<usize>,
    /// The greatest distance of close pairs, where these are counted.
    pub(crate) near: Option<f64>,
}

/// Pairs i < j of one set, counted: every one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// How many have a cosine in each of the equal parts of [−1, 1] that were asked for.
    pub cosines: Option<Vec<u64>>,
    /// How many are at most so far apart as was asked for.
    pub close_pairs: Option<u64>,
}

impl Counting {
    /// Numbers of a block.
    pub(crate) fn len(self) -> usize {
        self.bins.unwrap_or(0) + usize::from(self.near.is_some())
    }

    /// That the engine takes the parameters.
    pub(super) fn check(self, scaling: Scaling) -> Result<()> {
        let fault = |name, value, expected| Err(EngineError::Parameter { name, value, expected }.into());
        if let Some(bins) = self.bins.filter(|bins| !(1..=MAX_BINS).contains(bins)) {
            return fault("the number of bins", bins as f64, "between 1 and 65536");
        }
        if self.bins.is_some() && scaling == Scaling::Raw {
            return Err(EngineError::Raw { metric: "a histogram of cosines" }.into());
        }
        match self.near.filter(|near| !(*near >= 0.0 && (near * near).is_finite())) {
            Some(near) => fault("the distance of close pairs", near, "finite and not negative"),
            None => Ok(()),
        }
    }

    /// Those of x, and of y where there is one, from finished strips; none where nothing is counted.
    pub(super) fn found(self, layout: &Layout, strips: &StripResults) -> Vec<Counts> {
        let sets = [SetName::X, SetName::Y].into_iter().map(Sum::Counts);
        let sets = sets.filter(|sum| layout.sums().contains(sum));
        let of_set = |sum| {
            let mut counts = strips.counts(layout, sum, self.len());
            let close_pairs = self.near.and_then(|_| counts.pop());
            Counts { cosines: self.bins.map(|_| counts), close_pairs }
        };
        sets.map(of_set).collect()
    }

    /// The counts of a block: of every part of the cosines, and then of close pairs. f64 holds each exactly.
    pub(super) fn of_block(
        self,
        engine: &Engine,
        block: Block,
        left: &Points,
        right: &Points,
    ) -> Result<Vec<f64>, EngineError> {
        let Self { bins, near } = self;
        let mut counts = Vec::with_capacity(self.len());
        if let Some(bins) = bins {
            let metric = CosineHistogram::new(bins);
            counts.extend(match block.is_diagonal() {
                true => engine.value(metric.within(right))?,
                false => engine.value(metric.across(left, right))?,
            });
        }
        if let Some(distance) = near {
            let close = match block.is_diagonal() {
                true => engine.value(ClosePairs::within(right, distance))?,
                false => engine.value(ClosePairs::across(left, right, distance))?,
            };
            counts.push(close.count);
        }
        Ok(counts.into_iter().map(|count| count as f64).collect())
    }
}
