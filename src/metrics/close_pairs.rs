use super::finite;
use crate::{
    backend::Backend,
    error::{Error, Result},
    pairs::Pairs,
    points::Points,
    progress::Watch,
};

/// Pairs i < j of a set that lie close together: near-duplicates.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosePairs {
    /// How far apart they are at most.
    pub distance: f64,
    /// How many there are.
    pub count: u64,
    /// The first of them in the order of their rows: i, j and ‖xᵢ−xⱼ‖.
    pub pairs: Vec<(usize, usize, f64)>,
}

impl ClosePairs {
    pub(crate) fn find(
        backend: &dyn Backend,
        x: &Points,
        distance: f64,
        limit: usize,
        watch: &Watch<'_>,
    ) -> Result<Self> {
        if !(distance.is_finite() && distance >= 0.0) {
            let expected = "finite and not negative";
            return Err(Error::Parameter { name: "the distance of close pairs", value: distance, expected });
        }
        let square = finite("the square of the distance of close pairs", distance * distance)?;
        let close = backend.close_pairs(Pairs::Within(x), square, limit, watch)?;
        let pairs = close.pairs.into_iter().map(|(i, j, square)| (i, j, square.sqrt())).collect();
        Ok(Self { distance, count: close.count, pairs })
    }
}
