//! Gradients of sets in pieces: what the pairs of some rows add to the gradient of a metric over many more.

use super::{
    check::{finite, pairs_of_points, positive, row_by_row},
    contrastive::{Contrastive, softmax_weights},
    pair_sets::{Across, PairSet, Unpaired, Within},
    uniformity::Uniformity,
};
use crate::{
    backend::Term,
    error::{Error, Result},
    kernel::Kernel,
    memory::filled,
    pairs::Pairs,
    pending::Pending,
    points::{Matrix, Points},
    request::{Metric, Run, Sealed},
    weights::{Normalizer, PairWeights},
};

/// A request for what pairs of the rows of x (n, d) add to the gradient for x of a sum over more pairs. `P` is the set of pairs,
/// and all have one total or softmax: the shares of all pairs add up to the gradient.
///
/// Its value is a [`Matrix`] (n, d), with respect to the rows as they were given. Across two sets, only what belongs to x is made.
#[derive(Clone, Copy, Debug)]
pub struct GradientShareOver<'a, P> {
    pairs: P,
    kernel: Kernel,
    of: Whole<'a>,
    scale: f64,
}

/// What the pairs are a part of.
#[derive(Clone, Copy, Debug)]
enum Whole<'a> {
    /// A sum with this log.
    Total(f64),
    /// The softmax of each anchor.
    Softmax(Anchors<'a>),
}

/// How the rows of two sets, as anchors of the contrastive loss, weigh their pairs: the [`logs`](AnchorWeights::logs) of both, with
/// −∞ for a row that is no anchor.
#[derive(Clone, Copy, Debug)]
pub struct Anchors<'a> {
    /// One number for each row of x.
    pub x: &'a [f64],
    /// One number for each row of y.
    pub y: &'a [f64],
}

/// How the contrastive loss weighs the pairs of each anchor in its gradient.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AnchorWeights {
    /// The log of the factor of every exp(logit) of the anchor's negatives.
    pub logs: Vec<f64>,
    /// The weight of its positive pair, at least 0: one minus the softmax there, over the number of anchors.
    pub positives: Vec<f64>,
}

/// A request for what the positive pairs add to the gradient of the contrastive loss for x (n, d).
#[derive(Clone, Copy, Debug)]
pub struct PositivesShareOver<'a> {
    tau: f64,
    x: &'a Points,
    y: &'a Points,
    weights: &'a [f64],
}

const SHARE: &str = "a share of a gradient";

impl Uniformity {
    /// What the pairs of x (n, d) with y (m, d) add to the gradient of log Σ exp(−t‖x−y‖²) for x, where the sum over all pairs has
    /// this finite log.
    pub fn share_across<'a>(
        self,
        x: &'a Points,
        y: &'a Points,
        log_sum: f64,
    ) -> GradientShareOver<'a, Across<'a>> {
        GradientShareOver::new(Across(x, y), Kernel::gaussian(self.t), Whole::Total(log_sum))
    }

    /// The same of the pairs i < j within x (n, d), each for both of its rows.
    pub fn share_within(self, x: &Points, log_sum: f64) -> GradientShareOver<'_, Within<'_>> {
        GradientShareOver::new(Within(x), Kernel::gaussian(self.t), Whole::Total(log_sum))
    }
}

impl Contrastive {
    /// What the pairs of x (n, d) with y (m, d), all of them negatives, add to the gradient of the contrastive loss for x.
    pub fn share_across<'a>(
        tau: f64,
        x: &'a Points,
        y: &'a Points,
        anchors: Anchors<'a>,
    ) -> GradientShareOver<'a, Across<'a>> {
        GradientShareOver::new(Across(x, y), Kernel::logit(tau), Whole::Softmax(anchors))
    }

    /// The same of the pairs i ≠ j of x (n, d) with y (n, d): without the positive pairs.
    pub fn share_unpaired<'a>(
        tau: f64,
        x: &'a Points,
        y: &'a Points,
        anchors: Anchors<'a>,
    ) -> GradientShareOver<'a, Unpaired<'a>> {
        GradientShareOver::new(Unpaired(x, y), Kernel::logit(tau), Whole::Softmax(anchors))
    }

    /// The same of the pairs within x (n, d), whose rows are all anchors with these logs of their weights.
    pub fn share_within<'a>(tau: f64, x: &'a Points, logs: &'a [f64]) -> GradientShareOver<'a, Within<'a>> {
        let anchors = Anchors { x: logs, y: logs };
        GradientShareOver::new(Within(x), Kernel::logit(tau), Whole::Softmax(anchors))
    }

    /// What the positive pairs of x (n, d) with y (n, d) add, each of the sum of its anchors'
    /// [weights](AnchorWeights::positives).
    pub fn share_of_positives<'a>(
        tau: f64,
        x: &'a Points,
        y: &'a Points,
        weights: &'a [f64],
    ) -> PositivesShareOver<'a> {
        PositivesShareOver { tau, x, y, weights }
    }
}

impl AnchorWeights {
    /// From the logit of every anchor's positive pair, ⟨x, y⟩/τ, the log sum of its negatives, and the number of all anchors.
    pub fn new(logits: &[f64], log_sums: &[f64], anchors: u64) -> Self {
        let (logs, positives) = softmax_weights(log_sums, logits, anchors as f64);
        Self { logs, positives }
    }
}

impl<'a, P> GradientShareOver<'a, P> {
    fn new(pairs: P, kernel: Kernel, of: Whole<'a>) -> Self {
        Self { pairs, kernel, of, scale: 1.0 }
    }

    /// The same, multiplied by `scale`; finite.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }
}

impl<'a, P: PairSet<'a>> GradientShareOver<'a, P> {
    fn check(&self) -> Result<()> {
        let pairs = self.pairs.pairs();
        pairs_of_points(SHARE, pairs)?;
        let (x, y) = pairs.sides();
        let Kernel { scale, .. } = self.kernel;
        positive(if matches!(self.of, Whole::Total(_)) { "t" } else { "tau" }, scale)?;
        finite("the scale of a gradient", self.scale)?;
        match self.of {
            Whole::Total(log_sum) => finite("the log of a sum", log_sum).map(drop),
            Whole::Softmax(anchors) => one_each(x, anchors.x).and_then(|()| one_each(y, anchors.y)),
        }
    }
}

/// Fails unless there is one weight for each point, a log that may be −∞.
fn one_each(points: &Points, weights: &[f64]) -> Result<()> {
    if points.rows() == weights.len() {
        let is_weight = |&weight: &f64| weight < f64::INFINITY;
        return if weights.iter().all(is_weight) { Ok(()) } else { Err(Error::Overflow { metric: SHARE }) };
    }
    let (left_rows, right_rows) = (points.rows(), weights.len());
    Err(Error::Mismatch { what: SHARE, left_rows, left_dims: 1, right_rows, right_dims: 1 })
}

impl<P> Sealed for GradientShareOver<'_, P> {}

impl<'a, P: PairSet<'a>> Metric for GradientShareOver<'a, P> {
    type Value = Matrix;

    fn pairs(&self) -> u64 {
        self.pairs.pairs().count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Matrix> {
        Box::pin(async move {
            self.check()?;
            let (pairs, scale) = (self.pairs.pairs(), self.scale);
            let (x, y) = pairs.sides();
            if pairs.count() == 0 {
                let (rows, dims) = x.shape();
                let zeros = filled(0.0, rows, dims, || format!("a matrix of {rows} × {dims}"))?;
                return on.backend.upload_matrix(&zeros, rows, dims).await;
            }
            let (p, q);
            let weights = match self.of {
                Whole::Softmax(Anchors { x: p, y: q }) => PairWeights::Sum { p, q },
                Whole::Total(log) => {
                    // Within one set, the factors of a pair are of one list.
                    let is_within = matches!(pairs, Pairs::Within(_));
                    let [of_x, of_y] = if is_within { [-log / 2.0; 2] } else { [-log, 0.0] };
                    (p, q) = (vec![of_x; x.rows()], vec![of_y; y.rows()]);
                    PairWeights::Product { p: &p, q: &q }
                }
            };
            let normalizer = match pairs {
                Pairs::Within(_) => Normalizer::Given { weights, scale, into: None },
                _ => Normalizer::GivenOnLeft { weights, scale },
            };
            Ok(on.backend.gradient(pairs, self.kernel, normalizer, on.watch).await?.1.x)
        })
    }
}

impl Sealed for PositivesShareOver<'_> {}

impl Metric for PositivesShareOver<'_> {
    type Value = Matrix;

    fn pairs(&self) -> u64 {
        0
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Matrix> {
        Box::pin(async move {
            let Self { x, y, weights, .. } = *self;
            row_by_row(SHARE, x, y)?;
            one_each(x, weights)?;
            let tau = positive("tau", self.tau)?;
            let coefficients: Vec<_> = weights.iter().map(|weight| -weight / tau).collect();
            Ok(on.backend.paired_gradient(x, y, Term::Dot, &coefficients, None).await?.0)
        })
    }
}
