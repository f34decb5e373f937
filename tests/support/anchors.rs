//! The contrastive loss in f64, from the definition alone: anchors, their positives and their candidates.

use super::oracle::{Rows, dot, length};

/// The points of all sets in one list, and for each anchor its place in it, that of its positive and those of its
/// negatives.
pub(crate) struct Anchors {
    pub(crate) points: Rows,
    pub(crate) anchors: Vec<(usize, usize, Vec<usize>)>,
}

/// The loss and its parts, as Theorem 1 names them.
pub(crate) struct Parts {
    pub(crate) loss: f64,
    pub(crate) alignment: f64,
    pub(crate) uniformity: f64,
}

impl Anchors {
    fn new(x: &Rows, y: &Rows, queue: &Rows) -> Self {
        Self { points: [&x[..], y, queue].concat(), anchors: Vec::new() }
    }

    /// Each x, against the y of the others.
    pub(crate) fn one_way(x: &Rows, y: &Rows, queue: &Rows) -> Self {
        let (n, mut all) = (x.len(), Self::new(x, y, queue));
        for i in 0..n {
            let negatives = (n..all.points.len()).filter(|&j| j != n + i).collect();
            all.anchors.push((i, n + i, negatives));
        }
        all
    }

    /// And each y, against the x of the others.
    pub(crate) fn both_ways(x: &Rows, y: &Rows, queue: &Rows) -> Self {
        let (n, mut all) = (x.len(), Self::one_way(x, y, queue));
        for i in 0..n {
            let negatives = (0..n).chain(2 * n..all.points.len()).filter(|&j| j != i).collect();
            all.anchors.push((n + i, i, negatives));
        }
        all
    }

    /// Each of both sets, against all others of both.
    pub(crate) fn views(x: &Rows, y: &Rows, queue: &Rows) -> Self {
        let (n, mut all) = (x.len(), Self::new(x, y, queue));
        for i in 0..2 * n {
            let positive = (i + n) % (2 * n);
            let negatives = (0..all.points.len()).filter(|&j| j != i && j != positive).collect();
            all.anchors.push((i, positive, negatives));
        }
        all
    }

    fn logit(&self, i: usize, j: usize, tau: f64) -> f64 {
        dot(&self.points[i], &self.points[j]) / tau
    }

    /// The log of the sum over an anchor's negatives.
    fn log_sum(&self, anchor: usize, negatives: &[usize], tau: f64) -> f64 {
        let logits: Vec<_> = negatives.iter().map(|&j| self.logit(anchor, j, tau)).collect();
        let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        max + logits.iter().map(|logit| (logit - max).exp()).sum::<f64>().ln()
    }

    pub(crate) fn parts(&self, tau: f64) -> Parts {
        let mut parts = Parts { loss: 0.0, alignment: 0.0, uniformity: 0.0 };
        let share = 1.0 / self.anchors.len() as f64;
        for (anchor, positive, negatives) in &self.anchors {
            let (logit, sum) = (self.logit(*anchor, *positive, tau), self.log_sum(*anchor, negatives, tau));
            parts.loss += share * softplus(sum - logit);
            parts.alignment -= share * logit;
            parts.uniformity += share * (sum - (negatives.len() as f64).ln());
        }
        parts
    }

    /// Calls `f` with every anchor i, candidate j and ∂loss/∂⟨i, j⟩.
    fn slopes(&self, tau: f64, mut f: impl FnMut(usize, usize, f64)) {
        let share = 1.0 / (tau * self.anchors.len() as f64);
        for (anchor, positive, negatives) in &self.anchors {
            let (logit, sum) = (self.logit(*anchor, *positive, tau), self.log_sum(*anchor, negatives, tau));
            let total = sum + softplus(logit - sum);
            negatives
                .iter()
                .for_each(|&j| f(*anchor, j, share * (self.logit(*anchor, j, tau) - total).exp()));
            f(*anchor, *positive, -share * (sum - total).exp());
        }
    }

    /// Of the loss, for all points.
    pub(crate) fn grad(&self, tau: f64) -> Rows {
        let mut grad = vec![vec![0.0; self.points[0].len()]; self.points.len()];
        self.slopes(tau, |i, j, slope| {
            for k in 0..grad[0].len() {
                grad[i][k] += slope * self.points[j][k];
                grad[j][k] += slope * self.points[i][k];
            }
        });
        grad
    }

    /// The norm of the gradient's terms before they cancel, for unit rows.
    pub(crate) fn gross(&self, tau: f64) -> f64 {
        let mut gross = vec![0.0; self.points.len()];
        self.slopes(tau, |i, j, slope| {
            gross[i] += slope.abs();
            gross[j] += slope.abs();
        });
        length(&gross)
    }

    /// The greatest logit, whatever its sign.
    pub(crate) fn greatest_logit(&self, tau: f64) -> f64 {
        let of = |(i, p, negatives): &(usize, usize, Vec<usize>)| {
            negatives.iter().chain([p]).map(|&j| self.logit(*i, j, tau).abs()).fold(0.0, f64::max)
        };
        self.anchors.iter().map(of).fold(0.0, f64::max)
    }
}

/// log(1 + eᵛ).
fn softplus(v: f64) -> f64 {
    v.max(0.0) + (-v.abs()).exp().ln_1p()
}
