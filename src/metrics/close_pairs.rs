//! Near-duplicates.

use super::check::finite;
use crate::{
    error::Error,
    pairs::Pairs,
    pending::Pending,
    points::Points,
    request::{Metric, Run, Sealed},
};

/// Pairs i < j of a set that lie close together: near-duplicates.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClosePairs {
    /// How far apart they are at most.
    pub distance: f64,
    /// How many there are.
    pub count: u64,
    /// The first of them in the order of their rows: i, j and ‖xᵢ−xⱼ‖.
    pub pairs: Vec<(usize, usize, f64)>,
}

/// A request for close pairs.
#[derive(Clone, Copy, Debug)]
pub struct ClosePairsOver<'a> {
    x: &'a Points,
    distance: f64,
    limit: usize,
}

impl ClosePairs {
    /// The number of pairs i < j of x (n, d) at most `distance` apart, exactly; none is listed unless a
    /// [limit](ClosePairsOver::limit) allows it.
    pub fn within(x: &Points, distance: f64) -> ClosePairsOver<'_> {
        ClosePairsOver { x, distance, limit: 0 }
    }
}

impl ClosePairsOver<'_> {
    /// The same, with the first `limit` pairs listed.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

impl Sealed for ClosePairsOver<'_> {}

impl Metric for ClosePairsOver<'_> {
    type Value = ClosePairs;

    fn pairs(&self) -> u64 {
        Pairs::Within(self.x).count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, ClosePairs> {
        Box::pin(async move {
            let Self { x, distance, limit } = *self;
            if !(distance.is_finite() && distance >= 0.0) {
                let expected = "finite and not negative";
                return Err(Error::Parameter {
                    name: "the distance of close pairs",
                    value: distance,
                    expected,
                });
            }
            let square = finite("the square of the distance of close pairs", distance * distance)?;
            let close = on.backend.close_pairs(Pairs::Within(x), square, limit, on.watch).await?;
            let pairs = close.pairs.into_iter().map(|(i, j, square)| (i, j, square.sqrt())).collect();
            Ok(ClosePairs { distance, count: close.count, pairs })
        })
    }
}
