//! Sets of pairs as types: each has its own type of gradients.

use crate::{
    error::Result,
    pairs::Pairs,
    points::{Matrix, Points},
    request::Sealed,
    weights::Gradients,
};

/// The pairs i < j of one set.
#[derive(Clone, Copy, Debug)]
pub struct Within<'a>(pub(crate) &'a Points);

/// All pairs of two sets.
#[derive(Clone, Copy, Debug)]
pub struct Across<'a>(pub(crate) &'a Points, pub(crate) &'a Points);

/// The pairs i ≠ j of two sets whose rows are paired.
#[derive(Clone, Copy, Debug)]
pub struct Unpaired<'a>(pub(crate) &'a Points, pub(crate) &'a Points);

/// A set of pairs, and the gradients of a sum over it.
///
/// This trait is sealed.
pub trait PairSet<'a>: Copy + Send + Sync + Sealed {
    /// One matrix for one set, a pair of them for two.
    type Gradients;

    #[doc(hidden)]
    fn pairs(self) -> Pairs<'a>;

    #[doc(hidden)]
    fn gradients(gradients: Gradients) -> Result<Self::Gradients>;
}

impl Sealed for Within<'_> {}

impl<'a> PairSet<'a> for Within<'a> {
    type Gradients = Matrix;

    fn pairs(self) -> Pairs<'a> {
        Pairs::Within(self.0)
    }

    fn gradients(gradients: Gradients) -> Result<Matrix> {
        Ok(gradients.x)
    }
}

impl Sealed for Across<'_> {}

impl<'a> PairSet<'a> for Across<'a> {
    type Gradients = (Matrix, Matrix);

    fn pairs(self) -> Pairs<'a> {
        Pairs::Across(self.0, self.1)
    }

    fn gradients(gradients: Gradients) -> Result<(Matrix, Matrix)> {
        gradients.both()
    }
}

impl Sealed for Unpaired<'_> {}

impl<'a> PairSet<'a> for Unpaired<'a> {
    type Gradients = (Matrix, Matrix);

    fn pairs(self) -> Pairs<'a> {
        Pairs::Unpaired(self.0, self.1)
    }

    fn gradients(gradients: Gradients) -> Result<(Matrix, Matrix)> {
        gradients.both()
    }
}
