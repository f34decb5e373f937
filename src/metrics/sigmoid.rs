//! The sigmoid loss.

use super::check::{at_least, finite, finite_parameter, positive, row_by_row};
use crate::{
    backend::Term,
    error::Result,
    function::{FunctionSums, PairFunction},
    log_sum::log_add,
    pairs::Pairs,
    pending::Pending,
    points::{Matrix, Points},
    request::{Differentiable, Metric, Run, Sealed},
};

/// The sigmoid loss of SigLIP: the mean over i of Σⱼ softplus(−zᵢⱼ(s⟨xᵢ, yⱼ⟩ + b)), where z is 1 for the positive pair, i = j,
/// and −1 else (Zhai et al. 2023, arXiv 2303.15343).
///
/// Each pair is a decision of its own, so that no softmax runs over a batch. Softplus is log(1 + exp(·)). The value is
/// positive. As s goes to 0, with b = 0, it goes to n log 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid {
    /// s, the inverse temperature of the logits; positive and finite.
    pub scale: f64,
    /// b, which all logits have in common; finite.
    pub bias: f64,
}

impl Default for Sigmoid {
    /// s = 10, b = −10, at which training begins in the paper.
    fn default() -> Self {
        Self { scale: 10.0, bias: -10.0 }
    }
}

/// A request for the sigmoid loss of positive pairs.
#[derive(Clone, Copy, Debug)]
pub struct SigmoidOver<'a> {
    metric: Sigmoid,
    x: &'a Points,
    y: &'a Points,
    upstream: f64,
}

/// The gradients of the sigmoid loss, for the points and for its parameters.
#[derive(Debug)]
#[non_exhaustive]
pub struct SigmoidGradients {
    /// For x (n, d).
    pub x: Matrix,
    /// For y (n, d).
    pub y: Matrix,
    /// The derivative for s.
    pub scale: f64,
    /// The derivative for b.
    pub bias: f64,
}

impl Sigmoid {
    const NAME: &str = "the sigmoid loss";

    /// The loss of scale s, positive and finite, and of bias b, finite.
    pub fn new(scale: f64, bias: f64) -> Self {
        Self { scale, bias }
    }

    /// The loss of the positive pairs of x (n, d) and y (n, d), row by row; the gradients are (n, d) each, and one number for
    /// either parameter.
    pub fn paired<'a>(self, x: &'a Points, y: &'a Points) -> SigmoidOver<'a> {
        SigmoidOver { metric: self, x, y, upstream: 1.0 }
    }

    fn function(self) -> PairFunction<'static> {
        PairFunction::Softplus { scale: self.scale, bias: self.bias }
    }
}

impl<'a> SigmoidOver<'a> {
    /// The same with its gradients multiplied by `scale`, such as the upstream gradient of automatic differentiation; finite.
    /// The value stays as it is.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { upstream: scale, ..self }
    }

    fn negatives(&self) -> Pairs<'a> {
        Pairs::Unpaired(self.x, self.y)
    }

    fn check(&self) -> Result<()> {
        const WHAT: &str = "the sigmoid loss pairs row i of one set with row i of the other";
        let Self { metric, x, y, .. } = *self;
        row_by_row(WHAT, x, y)?;
        at_least(Sigmoid::NAME, x, 1)?;
        positive("scale", metric.scale)?;
        finite_parameter("bias", metric.bias).map(drop)
    }

    /// s⟨xᵢ, yᵢ⟩ of the positive pairs.
    async fn positives(&self, on: &Run<'_>) -> Result<Vec<f64>> {
        let dots = on.backend.paired(self.x, self.y, Term::Dot).await?;
        Ok(dots.into_iter().map(|dot| self.metric.scale * dot).collect())
    }

    fn mean(&self, positives: &[f64], of_negatives: f64) -> Result<f64> {
        let of_positives: f64 = positives.iter().map(|logit| softplus(-(logit + self.metric.bias))).sum();
        finite(Sigmoid::NAME, (of_positives + of_negatives) / positives.len() as f64)
    }
}

impl Sealed for SigmoidOver<'_> {}

impl Metric for SigmoidOver<'_> {
    type Value = f64;

    fn pairs(&self) -> u64 {
        self.negatives().count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
        Box::pin(async move {
            self.check()?;
            let positives = self.positives(on).await?;
            let function = self.metric.function();
            let of_negatives = on.backend.function_sum(self.negatives(), function, on.watch).await?;
            self.mean(&positives, of_negatives)
        })
    }
}

impl Differentiable for SigmoidOver<'_> {
    type Gradients = SigmoidGradients;

    fn differentiate<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, (f64, SigmoidGradients)> {
        Box::pin(async move {
            self.check()?;
            let Sigmoid { scale: s, bias } = self.metric;
            let each = finite("the scale of a gradient", self.upstream)? / self.x.rows() as f64;
            let positives = self.positives(on).await?;
            let (sums, gradients) = on
                .backend
                .function_gradient(self.negatives(), self.metric.function(), each, None, on.watch)
                .await?;
            let FunctionSums { value, by_bias, by_log_scale } = sums;
            let value = self.mean(&positives, value)?;
            // Of softplus(−e), the slope for e is −sigmoid(−e).
            let slopes: Vec<_> = positives.iter().map(|logit| -sigmoid(-(logit + bias))).collect();
            let coefficients: Vec<_> = slopes.iter().map(|slope| each * s * slope).collect();
            let into = Some(gradients.both()?);
            let (x, y) = on.backend.paired_gradient(self.x, self.y, Term::Dot, &coefficients, into).await?;
            let by_bias = by_bias + slopes.iter().sum::<f64>();
            let by_log_scale =
                by_log_scale + slopes.iter().zip(&positives).map(|(slope, logit)| slope * logit).sum::<f64>();
            Ok((value, SigmoidGradients { x, y, scale: each * by_log_scale / s, bias: each * by_bias }))
        })
    }
}

/// log(1 + exp(e))
fn softplus(e: f64) -> f64 {
    log_add(0.0, e)
}

/// 1 / (1 + exp(−e)), the slope of softplus.
fn sigmoid(e: f64) -> f64 {
    if e >= 0.0 { 1.0 / (1.0 + (-e).exp()) } else { e.exp() / (1.0 + e.exp()) }
}
