//! The histogram of all cosines.

use crate::{
    error::Error,
    pairs::Pairs,
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

/// A request for a histogram of cosines.
#[derive(Clone, Copy, Debug)]
pub struct CosineHistogramOver<'a> {
    bins: usize,
    x: &'a Points,
}

impl CosineHistogram {
    /// A histogram of so many bins, from 1 to 65,536.
    pub fn new(bins: usize) -> Self {
        Self { bins }
    }

    /// The histogram over the pairs i < j of unit rows x (n, d).
    pub fn within(self, x: &Points) -> CosineHistogramOver<'_> {
        CosineHistogramOver { bins: self.bins, x }
    }
}

impl Sealed for CosineHistogramOver<'_> {}

impl Metric for CosineHistogramOver<'_> {
    type Value = Vec<u64>;

    fn pairs(&self) -> u64 {
        Pairs::Within(self.x).count()
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
            if self.x.scaling() == Scaling::Raw {
                return Err(Error::Raw { metric: "a histogram of cosines" });
            }
            on.backend.cosine_histogram(Pairs::Within(self.x), self.bins, on.watch).await
        })
    }
}
