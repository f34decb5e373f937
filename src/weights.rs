//! Weights of points and of pairs of points.

use crate::{
    error::{Error, Result},
    log_sum::log_add,
    points::Matrix,
};

/// For each point, the log of its sum over the pairs that it is in; −∞ where there are none.
#[derive(Clone, Debug)]
pub(crate) struct RowLogSums {
    pub(crate) x: Vec<f64>,
    /// Only where the pairs run across two sets.
    pub(crate) y: Option<Vec<f64>>,
}

/// The weight of each point, on the left and on the right; within one set, both are the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PointWeights<'a> {
    pub(crate) x: &'a [f64],
    pub(crate) y: &'a [f64],
}

/// The weight wᵢⱼ of a pair of exponent eᵢⱼ, given the log of a factor for each point: p on the left, q on the right; −∞
/// stands for a factor of 0. Within one set p and q are the same.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PairWeights<'a> {
    /// exp(eᵢⱼ + pᵢ + qⱼ)
    Product { p: &'a [f64], q: &'a [f64] },
    /// exp(eᵢⱼ + pᵢ) + exp(eᵢⱼ + qⱼ)
    Sum { p: &'a [f64], q: &'a [f64] },
}

impl PairWeights<'_> {
    /// The same with factors of their own, for a job on another thread.
    pub(crate) fn to_scalings(self) -> RowScalings {
        let (Self::Product { p, q } | Self::Sum { p, q }) = self;
        RowScalings { p: p.to_vec(), q: q.to_vec(), both: matches!(self, Self::Sum { .. }) }
    }
}

/// The divisor of a gradient's pair weights: it tells which function of the sums of a kernel k = exp(e) is differentiated.
#[derive(Debug)]
pub(crate) enum Normalizer<'a> {
    /// The sum over all pairs: the gradient of `scale` · log Σ k.
    Total { scale: f64 },
    /// The sum of each row and its extra term: the gradient of `scale` · Σᵢ log(exp(extraᵢ) + Σⱼ k), over the rows of
    /// the first set, and of the second where it has extra terms too. Pairs run across two sets.
    Rows { extra: ExtraTerms<'a>, scale: f64 },
    /// None: the gradient of `scale` · Σ w e, the weights w being constant, added to `into` where given. The gradient of a
    /// second set that `into` lacks is left out.
    Given { weights: PairWeights<'a>, scale: f64, into: Option<Gradients> },
    /// None: the same for the points of the first set alone, of pairs across two sets. The derivative for the log of the scale,
    /// which takes both sides, is not made.
    GivenOnLeft { weights: PairWeights<'a>, scale: f64 },
}

/// The log of an extra term in each row's softmax denominator, such as that of the positive pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExtraTerms<'a> {
    pub(crate) x: &'a [f64],
    /// `None` where only the rows of the first set have a softmax.
    pub(crate) y: Option<&'a [f64]>,
}

impl ExtraTerms<'_> {
    /// The row scalings w such that the gradient of `scale` · Σᵢ log(exp(extraᵢ) + Σⱼ k) is Σ wᵢ k ∇e, from the log sums
    /// of the rows; the second set has `others` rows.
    pub(crate) fn scalings(self, sums: &RowLogSums, scale: f64, others: usize) -> RowScalings {
        let of_set = |(sums, extra): (&[f64], &[f64])| -> Vec<f64> {
            sums.iter().zip(extra).map(|(&sum, &extra)| scale.ln() - log_add(sum, extra)).collect()
        };
        let q = sums.y.as_deref().zip(self.y).map(of_set);
        RowScalings {
            p: of_set((&sums.x, self.x)),
            both: q.is_some(),
            q: q.unwrap_or_else(|| vec![0.0; others]),
        }
    }
}

/// The logs of the factors by which a softmax weighs its pairs: one for each row of the first set, and one for each row of
/// the second where it has a softmax too.
#[derive(Clone, Debug)]
pub(crate) struct RowScalings {
    pub(crate) p: Vec<f64>,
    q: Vec<f64>,
    both: bool,
}

impl RowScalings {
    pub(crate) fn pair_weights(&self) -> PairWeights<'_> {
        let (p, q) = (&*self.p, &*self.q);
        if self.both { PairWeights::Sum { p, q } } else { PairWeights::Product { p, q } }
    }
}

/// The gradient of a sum over pairs: one matrix for each set of points that took part.
#[derive(Debug)]
pub struct Gradients {
    pub(crate) x: Matrix,
    /// `None` where the pairs run within one set.
    pub(crate) y: Option<Matrix>,
    /// Σ w (e − e₀) over the pairs, with the weights of the gradient, where e₀ is the exponent of equal unit rows and 0 of raw
    /// ones: the derivative for the log of t, or of 1/τ but for what e₀ adds.
    pub(crate) by_log_scale: f64,
}

impl Gradients {
    /// What is to be added to: the gradients of either set, where given, and the derivative for the log of the scale.
    pub(crate) fn parts(into: Option<Self>) -> (Option<Matrix>, Option<Matrix>, f64) {
        into.map_or((None, None, 0.0), |Self { x, y, by_log_scale }| (Some(x), y, by_log_scale))
    }

    /// The gradients of two sets.
    pub(crate) fn both(self) -> Result<(Matrix, Matrix)> {
        match self.y {
            Some(y) => Ok((self.x, y)),
            None => Err(Error::missing("the gradient of the second set")),
        }
    }
}
