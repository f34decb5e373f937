//! Near-duplicates.

use super::{
    check::{comparable, finite},
    pair_sets::{Across, PairSet, Within},
};
use crate::{
    error::Error,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
};

/// Pairs i < j of a set, or rows i of one set and j of another, that lie close together: near-duplicates.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClosePairs {
    /// How far apart they are at most.
    pub distance: f64,
    /// How many there are.
    pub count: u64,
    /// The first of them in the order of their rows: i, j and their distance.
    pub pairs: Vec<(usize, usize, f64)>,
}

/// A request for close pairs. `P` is the set of pairs among which they are looked for.
#[derive(Clone, Copy, Debug)]
pub struct ClosePairsOver<P> {
    pairs: P,
    distance: f64,
    limit: usize,
}

impl ClosePairs {
    /// The number of pairs i < j of x (n, d) at most `distance` apart, exactly; none is listed unless a
    /// [limit](ClosePairsOver::limit) allows it.
    pub fn within(x: &Points, distance: f64) -> ClosePairsOver<Within<'_>> {
        ClosePairsOver { pairs: Within(x), distance, limit: 0 }
    }

    /// The number of pairs of a row of x (n, d) and a row of y (m, d) at most `distance` apart, exactly, such as rows of a test
    /// set that are in the training set too.
    pub fn across<'a>(x: &'a Points, y: &'a Points, distance: f64) -> ClosePairsOver<Across<'a>> {
        ClosePairsOver { pairs: Across(x, y), distance, limit: 0 }
    }
}

impl<P> ClosePairsOver<P> {
    /// The same, with the first `limit` pairs listed.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

impl<P> Sealed for ClosePairsOver<P> {}

impl<'a, P: PairSet<'a>> Metric for ClosePairsOver<P> {
    type Value = ClosePairs;

    fn pairs(&self) -> u64 {
        self.pairs.pairs().count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, ClosePairs> {
        Box::pin(async move {
            let Self { pairs, distance, limit } = *self;
            let pairs = pairs.pairs();
            let (x, y) = pairs.sides();
            comparable("close pairs", x, y)?;
            if !(distance.is_finite() && distance >= 0.0) {
                let expected = "finite and not negative";
                return Err(Error::Parameter {
                    name: "the distance of close pairs",
                    value: distance,
                    expected,
                });
            }
            let square = finite("the square of the distance of close pairs", distance * distance)?;
            let close = on.backend.close_pairs(pairs, square, limit, on.watch).await?;
            let pairs = close.pairs.into_iter().map(|(i, j, square)| (i, j, square.sqrt())).collect();
            Ok(ClosePairs { distance, count: close.count, pairs })
        })
    }
}
