//! Weights of points and of pairs of points.

use crate::log_sum::log_add;

/// For each point, the log of its sum over the pairs that it is in; −∞ where there are none.
#[derive(Clone, Debug)]
pub(crate) struct RowLogSums {
    pub(crate) x: Vec<f64>,
    /// Only where the pairs run across two sets.
    pub(crate) y: Option<Vec<f64>>,
}

/// How much each point counts; within one set, both are the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PointWeights<'a> {
    pub(crate) x: &'a [f64],
    pub(crate) y: &'a [f64],
}

/// The weight wᵢⱼ of a pair of exponent e, given the logs p and q of a factor for each point, of which −∞ is none. Within
/// one set p and q are the same.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PairWeights<'a> {
    /// exp(eᵢⱼ + pᵢ + qⱼ)
    Product { p: &'a [f64], q: &'a [f64] },
    /// exp(eᵢⱼ + pᵢ) + exp(eᵢⱼ + qⱼ)
    Sum { p: &'a [f64], q: &'a [f64] },
}

/// For each point, the log of what joins its own sum in a softmax.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExtraTerms<'a> {
    pub(crate) x: &'a [f64],
    /// None where only points of the first set have a softmax.
    pub(crate) y: Option<&'a [f64]>,
}

impl ExtraTerms<'_> {
    /// By which `scale` · Σ log(exp(rest) + exp(sum)) weighs the pairs of the points with these sums, and `others`.
    pub(crate) fn factors(self, sums: &RowLogSums, scale: f64, others: usize) -> RowScalings {
        let of_set = |(sums, rest): (&[f64], &[f64])| -> Vec<f64> {
            sums.iter().zip(rest).map(|(&sum, &rest)| scale.ln() - log_add(sum, rest)).collect()
        };
        let q = sums.y.as_deref().zip(self.y).map(of_set);
        RowScalings {
            p: of_set((&sums.x, self.x)),
            both: q.is_some(),
            q: q.unwrap_or_else(|| vec![0.0; others]),
        }
    }
}

/// The logs of the factors by which a softmax weighs its pairs: those of the first set, and those of the second where it has
/// a softmax too.
#[derive(Clone, Debug)]
pub(crate) struct RowScalings {
    pub(crate) p: Vec<f64>,
    q: Vec<f64>,
    both: bool,
}

impl RowScalings {
    pub(crate) fn weighing(&self) -> PairWeights<'_> {
        let (p, q) = (&*self.p, &*self.q);
        if self.both { PairWeights::Sum { p, q } } else { PairWeights::Product { p, q } }
    }
}
