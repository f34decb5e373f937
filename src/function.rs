//! Functions of two points that are summed as they are: no exponentials, so that a sum of them is not kept as its log.

#[cfg(feature = "gpu")]
use crate::schedule::unordered;
use crate::{
    error::Result,
    memory::{filled, push},
};

/// A function f(x, y) of a pair, whose sum over pairs a metric is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PairFunction<'a> {
    /// softplus(e) = log(1 + exp(e)) of the exponent e = `scale` · ⟨x, y⟩ + `bias`; `scale` is positive.
    Softplus { scale: f64, bias: f64 },
    /// 1 − exp(−t‖x−y‖²), right to the last digits of itself however close the pair is.
    GaussianLoss { t: f64 },
    /// The weight of their class times a term of two rows of one class; 0 for rows of two classes.
    InClass { term: ClassTerm, classes: Classes<'a> },
}

/// The term of two rows of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ClassTerm {
    /// ⟨x, y⟩
    Dot,
    /// ‖x−y‖^α, by direct difference.
    Distance { alpha: f64 },
}

/// The class of every row on either side, and the weight of each class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Classes<'a> {
    /// The number of the class of each row on the left.
    pub(crate) of_x: &'a [u32],
    /// The same on the right; within one set, both are the same.
    pub(crate) of_y: &'a [u32],
    /// A weight for each class; finite.
    pub(crate) weights: &'a [f64],
}

/// A function that owns its classes.
#[derive(Clone, Debug)]
pub(crate) enum OwnedFunction {
    Softplus { scale: f64, bias: f64 },
    GaussianLoss { t: f64 },
    InClass { term: ClassTerm, of_x: Vec<u32>, of_y: Vec<u32>, weights: Vec<f64> },
}

impl PairFunction<'_> {
    pub(crate) fn to_owned(self) -> OwnedFunction {
        match self {
            Self::Softplus { scale, bias } => OwnedFunction::Softplus { scale, bias },
            Self::GaussianLoss { t } => OwnedFunction::GaussianLoss { t },
            Self::InClass { term, classes: Classes { of_x, of_y, weights } } => OwnedFunction::InClass {
                term,
                of_x: of_x.to_vec(),
                of_y: of_y.to_vec(),
                weights: weights.to_vec(),
            },
        }
    }
}

impl OwnedFunction {
    pub(crate) fn function(&self) -> PairFunction<'_> {
        match self {
            &Self::Softplus { scale, bias } => PairFunction::Softplus { scale, bias },
            &Self::GaussianLoss { t } => PairFunction::GaussianLoss { t },
            Self::InClass { term, of_x, of_y, weights } => {
                PairFunction::InClass { term: *term, classes: Classes { of_x, of_y, weights } }
            }
        }
    }
}

/// The sum of a function over pairs, and its derivatives for the parameters of a softplus.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FunctionSums {
    /// Σ f
    pub(crate) value: f64,
    /// The derivative of Σ f for `bias`: Σ f′(e).
    pub(crate) by_bias: f64,
    /// The derivative of Σ f for log `scale`: Σ f′(e) (e − bias).
    pub(crate) by_log_scale: f64,
}

/// The largest slope of a distance's power: below α = 2 the slope grows without bound as a pair closes, and is capped here.
pub(crate) const MAX_SLOPE: f64 = 1e30;

impl FunctionSums {
    /// The sums of two sets of pairs together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            by_bias: self.by_bias + other.by_bias,
            by_log_scale: self.by_log_scale + other.by_log_scale,
        }
    }
}

impl Classes<'_> {
    /// The number of pairs of each class, within one set or across two.
    #[cfg(feature = "gpu")]
    pub(crate) fn pairs(&self, one_set: bool) -> Vec<u64> {
        let sizes = |of: &[u32]| {
            let mut sizes = vec![0; self.weights.len()];
            of.iter().for_each(|&class| sizes[class as usize] += 1);
            sizes
        };
        let x = sizes(self.of_x);
        match one_set {
            true => x.into_iter().map(unordered).collect(),
            false => x.into_iter().zip(sizes(self.of_y)).map(|(x, y)| x as u64 * y as u64).collect(),
        }
    }

    /// The rows of each class, on the left and on the right.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub(crate) fn rows(&self) -> Result<Vec<[Vec<usize>; 2]>> {
        let what = || format!("the rows of {} classes", self.weights.len());
        let mut rows = filled([Vec::new(), Vec::new()], self.weights.len(), 1, what)?;
        for (side, of) in [self.of_x, self.of_y].into_iter().enumerate() {
            for (row, &class) in of.iter().enumerate() {
                push(&mut rows[class as usize][side], row, what)?;
            }
        }
        Ok(rows)
    }
}
