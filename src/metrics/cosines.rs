//! Cosines of positive pairs.

use super::check::row_by_row;
use crate::{
    backend::Term,
    pending::Pending,
    points::{Points, Scaling},
    request::{Metric, Run, Sealed},
};

/// A request for the cosines of positive pairs.
#[derive(Clone, Copy, Debug)]
pub struct PairCosines<'a> {
    x: &'a Points,
    y: &'a Points,
}

impl<'a> PairCosines<'a> {
    /// The cosine of the angle between row i of x (n, d) and row i of y (n, d), from −1 to 1. Of unit rows it is 1 − ‖x−y‖²/2, of
    /// which close pairs keep all digits; of raw rows ⟨x, y⟩ over both lengths, and NaN where either is 0.
    pub fn paired(x: &'a Points, y: &'a Points) -> Self {
        Self { x, y }
    }
}

impl Sealed for PairCosines<'_> {}

impl Metric for PairCosines<'_> {
    type Value = Vec<f64>;

    fn pairs(&self) -> u64 {
        0
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<f64>> {
        Box::pin(async move {
            let Self { x, y } = *self;
            row_by_row("a cosine is of row i of one set with row i of the other", x, y)?;
            if x.scaling() == Scaling::Unit {
                let squares = on.backend.paired(x, y, Term::SquaredDistance).await?;
                return Ok(squares.into_iter().map(|square| (1.0 - square / 2.0).max(-1.0)).collect());
            }
            let mut cosines = on.backend.paired(x, y, Term::Dot).await?;
            let of_x = on.backend.paired(x, x, Term::Dot).await?;
            let of_y = on.backend.paired(y, y, Term::Dot).await?;
            for (cosine, (x, y)) in cosines.iter_mut().zip(of_x.into_iter().zip(of_y)) {
                // Equal rows have the same product thrice, and 1.
                *cosine = (*cosine / (x * y).sqrt()).clamp(-1.0, 1.0);
            }
            Ok(cosines)
        })
    }
}
