//! The histogram of all cosines.

use super::{
    check::comparable,
    pair_sets::{Across, PairSet, Within},
};
use crate::{
    error::Error,
    pending::Pending,
    points::{Points, Scaling},
    request::{Metric, Run, Sealed},
};

/// The most bins of a histogram.
const MAX_BINS: usize = 65_536;

/// The number of pairs with a cosine in each of so many equal parts of [−1, 1], for unit rows. Every pair counts, in f32:
/// one whose cosine is within 1e-6 of the end of a part may count as of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CosineHistogram {
    /// The number of parts, from 1 to 65,536.
    pub bins: usize,
}

/// A request for a histogram of cosines. `P` is the set of pairs.
#[derive(Clone, Copy, Debug)]
pub struct CosineHistogramOver<P> {
    bins: usize,
    pairs: P,
}

impl CosineHistogram {
    /// A histogram of so many bins, from 1 to 65,536.
    pub fn new(bins: usize) -> Self {
        Self { bins }
    }

    /// The histogram over the pairs i < j of unit rows x (n, d).
    pub fn within(self, x: &Points) -> CosineHistogramOver<Within<'_>> {
        CosineHistogramOver { bins: self.bins, pairs: Within(x) }
    }

    /// The histogram over all pairs of unit rows x (n, d) with unit rows y (m, d).
    pub fn across<'a>(self, x: &'a Points, y: &'a Points) -> CosineHistogramOver<Across<'a>> {
        CosineHistogramOver { bins: self.bins, pairs: Across(x, y) }
    }
}

impl<P> Sealed for CosineHistogramOver<P> {}

impl<'a, P: PairSet<'a>> Metric for CosineHistogramOver<P> {
    type Value = Vec<u64>;

    fn pairs(&self) -> u64 {
        self.pairs.pairs().count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<u64>> {
        Box::pin(async move {
            if !(1..=MAX_BINS).contains(&self.bins) {
                let expected = "between 1 and 65536";
                return Err(Error::Parameter {
                    name: "the number of bins",
                    value: self.bins as f64,
                    expected,
                });
            }
            let pairs = self.pairs.pairs();
            let (x, y) = pairs.sides();
            comparable("a histogram of cosines", x, y)?;
            if x.scaling() == Scaling::Raw {
                return Err(Error::Raw { metric: "a histogram of cosines" });
            }
            on.backend.cosine_histogram(pairs, self.bins, on.watch).await
        })
    }
}
