//! The contrastive loss.

use std::fmt;

use super::{
    check::{at_least, comparable, finite, positive, row_by_row},
    uniformity::Uniformity,
};
use crate::{
    backend::Term,
    error::{Error, Result},
    kernel::Kernel,
    log_sum::log_add,
    pairs::Pairs,
    pending::Pending,
    points::{Matrix, Points, Scaling},
    request::{Differentiable, Metric, Parametric, Run, Sealed, WithParameter, without_parameter},
    schedule::unordered,
    weights::{ExtraTerms, Gradients, Normalizer, PairWeights},
};

/// The contrastive loss: the mean over anchors of −log softmax at the anchor's positive, with logits ⟨x, y⟩/τ
/// (InfoNCE, van den Oord et al. 2018, arXiv 1807.03748).
///
/// Of raw points, logits are their plain dot products over τ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contrastive {
    /// The temperature; positive and finite.
    pub tau: f64,
    /// Which points are anchors, and what competes with their positives.
    pub candidates: Candidates,
}

/// Which points are anchors, and what competes with their positives. Row i of x and row i of y are a positive pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Candidates {
    /// Each x looks for its y among all rows of y.
    OneWay,
    /// And each y for its x among all rows of x: the mean of both ways (CLIP, Radford et al. 2021, arXiv 2103.00020).
    #[default]
    BothWays,
    /// Each of the 2n points looks for its partner among all others (NT-Xent of SimCLR, Chen et al. 2020, arXiv 2002.05709).
    Views,
}

impl Default for Contrastive {
    /// τ = 0.5, both ways.
    fn default() -> Self {
        Self { tau: 0.5, candidates: Candidates::default() }
    }
}

/// The contrastive loss, and what it is made of as the number of negatives M grows (Wang & Isola 2020, Theorem 1):
/// loss − log M → −E⟨x, y⟩/τ + E log E exp(⟨x, x⁻⟩/τ).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ContrastiveValue {
    /// The loss.
    pub loss: f64,
    /// M, the negatives of each anchor.
    pub negatives: u64,
    /// loss − log M.
    pub normalized: f64,
    /// −E⟨x, y⟩/τ over positive pairs: what aligns.
    pub alignment: f64,
    /// E log E exp(⟨x, x⁻⟩/τ), over anchors outside and their negatives inside: what spreads.
    pub uniformity: f64,
    /// What the limit leaves out: normalized − alignment − uniformity, positive and of the order of 1/M.
    pub residual: f64,
}

/// The log sums of the negatives of each anchor: of the rows of x, and of y where they are anchors.
struct Negatives {
    x: Vec<f64>,
    y: Option<Vec<f64>>,
}

/// The contrastive loss for several temperatures at once: see [`Contrastive::at`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contrastives<'t> {
    taus: &'t [f64],
    candidates: Candidates,
}

/// A request for the contrastive loss of positive pairs. `T` is one temperature or several.
#[derive(Clone, Copy, Debug)]
pub struct ContrastiveOver<'a, T = f64> {
    candidates: Candidates,
    sets: Sets<'a>,
    tau: T,
    scale: f64,
}

/// The sets of positive pairs, and further negatives.
#[derive(Clone, Copy, Debug)]
struct Sets<'a> {
    x: &'a Points,
    y: &'a Points,
    queue: Option<&'a Points>,
}

impl Contrastive {
    pub(super) const NAME: &str = "the contrastive loss";

    /// The loss of temperature τ, which is to be positive and finite; both ways.
    pub fn new(tau: f64) -> Self {
        Self { tau, candidates: Candidates::default() }
    }

    /// The loss for every temperature of a list, at little more than the cost of one: of one from τ = 0.025 on, and of one
    /// below, where products take more precision (on a GPU, τ = 0.067). Its values are a vector.
    pub fn at(taus: &[f64], candidates: Candidates) -> Contrastives<'_> {
        Contrastives { taus, candidates }
    }

    /// The loss of the positive pairs of x (n, d) and y (n, d), row by row; the gradients are (n, d) each.
    pub fn paired<'a>(self, x: &'a Points, y: &'a Points) -> ContrastiveOver<'a> {
        let (candidates, sets) = (self.candidates, Sets { x, y, queue: None });
        ContrastiveOver { candidates, sets, tau: self.tau, scale: 1.0 }
    }

    /// The uniformity that goes with this temperature: on the unit sphere exp(⟨x, y⟩/τ) is exp(−t‖x−y‖²) at t = 1/(2τ), but
    /// for a factor.
    pub fn matching(self) -> Uniformity {
        Uniformity { t: 0.5 / self.tau }
    }

    /// The number of anchors among `rows` pairs.
    pub fn anchors(self, rows: usize) -> u64 {
        self.candidates.anchors(rows)
    }

    fn total(
        self,
        logits: &[f64],
        negatives: &Negatives,
        Sets { x, queue, .. }: Sets<'_>,
    ) -> Result<ContrastiveValue> {
        let of_queue = queue.map_or(0, |queue| queue.rows() as u64);
        let own = (x.rows() as u64 - 1) * if self.candidates == Candidates::Views { 2 } else { 1 };
        let count = own + of_queue;
        let sides: Vec<_> =
            [Some(&negatives.x), negatives.y.as_ref()].into_iter().flatten().map(Vec::as_slice).collect();
        ContrastiveValue::of_anchors(logits, &sides, count)
    }
}

impl<'a> Contrastives<'a> {
    /// As [`Contrastive::paired`], for every temperature.
    pub fn paired(self, x: &'a Points, y: &'a Points) -> ContrastiveOver<'a, &'a [f64]> {
        let (candidates, sets) = (self.candidates, Sets { x, y, queue: None });
        ContrastiveOver { candidates, sets, tau: self.taus, scale: 1.0 }
    }
}

impl<'a, T> ContrastiveOver<'a, T> {
    /// The same, where the rows of `queue` (m, d) are negatives of every anchor besides. A queue is taken as constant.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<Option<&'a Points>>) -> Self {
        self.sets.queue = queue.into();
        self
    }

    /// The number of pairs of points that a value goes through.
    fn count(&self) -> u64 {
        let (rows, queue) = (self.sets.x.rows(), self.sets.queue.map_or(0, Points::rows));
        let views = if self.candidates == Candidates::Views { 2 * unordered(rows) } else { 0 };
        2 * unordered(rows) + self.candidates.anchors(rows) * queue as u64 + views
    }

    fn check(&self, taus: &[f64]) -> Result<()> {
        const WHAT: &str = "the contrastive loss pairs row i of one set with row i of the other";
        let Sets { x, y, queue } = self.sets;
        row_by_row(WHAT, x, y)?;
        if let Some(queue) = queue {
            comparable("the queue holds more points like those", x, queue)?;
        }
        let needed = if queue.is_some_and(|queue| queue.rows() > 0) { 1 } else { 2 };
        at_least(Contrastive::NAME, x, needed)?;
        taus.iter().try_for_each(|&tau| positive("tau", tau).map(drop))
    }

    /// For every kernel, the log sums of anchors over the negatives that do not come from the other set.
    async fn others(&self, on: &Run<'_>, anchors: &Points, kernels: &[Kernel]) -> Result<Vec<Vec<f64>>> {
        let own = (self.candidates == Candidates::Views).then_some(Pairs::Within(anchors));
        let queued = self.sets.queue.map(|queue| Pairs::Across(anchors, queue));
        let mut sums = vec![vec![f64::NEG_INFINITY; anchors.rows()]; kernels.len()];
        for pairs in own.into_iter().chain(queued) {
            let more = on.backend.row_log_sums(pairs, kernels, None, on.watch).await?;
            sums = sums.into_iter().zip(more).map(|(sums, more)| joined(sums, &more.x)).collect();
        }
        Ok(sums)
    }

    /// The same for one kernel.
    async fn other(&self, on: &Run<'_>, anchors: &Points, kernel: Kernel) -> Result<Vec<f64>> {
        let each = self.others(on, anchors, &[kernel]).await?;
        each.into_iter().next().ok_or_else(|| Error::missing("the sum of other negatives"))
    }
}

impl ContrastiveOver<'_, f64> {
    /// The same with its gradients multiplied by `scale`, such as the upstream gradient of automatic differentiation;
    /// finite. The value stays as it is.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The gradients become a pair: those for the points, and the derivative for τ. Both are multiplied by the factor of
    /// [`scaled`](Self::scaled). It costs no further pass.
    #[must_use]
    pub fn with_tau(self) -> WithParameter<Self> {
        WithParameter(self)
    }

    /// The gradient of anchors, and what the negatives that do not come from the other set add to it.
    async fn add_others(
        &self,
        on: &Run<'_>,
        anchors: &Points,
        p: &[f64],
        mut gradient: Matrix,
        by_log_scale: &mut f64,
    ) -> Result<Matrix> {
        let kernel = Kernel::logit(self.tau);
        let queue = self.sets.queue;
        let q = vec![0.0; queue.map_or(0, Points::rows)];
        let own = (self.candidates == Candidates::Views)
            .then_some((Pairs::Within(anchors), PairWeights::Sum { p, q: p }));
        let queued = queue.map(|queue| (Pairs::Across(anchors, queue), PairWeights::Product { p, q: &q }));
        for (pairs, weights) in own.into_iter().chain(queued) {
            let into = Some(Gradients { x: gradient, y: None, by_log_scale: *by_log_scale });
            let normalizer = Normalizer::Given { weights, scale: self.scale, into };
            let sum = on.backend.gradient(pairs, kernel, normalizer, on.watch).await?.1;
            (gradient, *by_log_scale) = (sum.x, sum.by_log_scale);
        }
        Ok(gradient)
    }
}

impl<T> Sealed for ContrastiveOver<'_, T> {}

impl Metric for ContrastiveOver<'_, f64> {
    type Value = ContrastiveValue;

    fn pairs(&self) -> u64 {
        self.count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, ContrastiveValue> {
        Box::pin(async move {
            let taus = [self.tau];
            let several =
                ContrastiveOver { candidates: self.candidates, sets: self.sets, tau: &taus[..], scale: 1.0 };
            several.measure(on).await?.into_iter().next().ok_or_else(|| Error::missing("the loss"))
        })
    }
}

impl Metric for ContrastiveOver<'_, &[f64]> {
    type Value = Vec<ContrastiveValue>;

    fn pairs(&self) -> u64 {
        self.count()
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Vec<ContrastiveValue>> {
        Box::pin(async move {
            self.check(self.tau)?;
            let Sets { x, y, .. } = self.sets;
            let kernels: Vec<_> = self.tau.iter().map(|&tau| Kernel::logit(tau)).collect();
            let dots = on.backend.paired(x, y, Term::Dot).await?;
            let across = on.backend.row_log_sums(Pairs::Unpaired(x, y), &kernels, None, on.watch).await?;
            let of_x = self.others(on, x, &kernels).await?;
            let one_way = self.candidates == Candidates::OneWay;
            let of_y = if one_way { Vec::new() } else { self.others(on, y, &kernels).await? };
            let mut of_y = of_y.into_iter();
            let each = self.tau.iter().zip(across.into_iter().zip(of_x)).map(|(&tau, (across, of_x))| {
                let of_y = of_y
                    .next()
                    .map(|others| Ok::<_, Error>(joined(others, &second(across.y)?)))
                    .transpose()?;
                let negatives = Negatives { x: joined(of_x, &across.x), y: of_y };
                let metric = Contrastive { tau, candidates: self.candidates };
                metric.total(&logits(&dots, tau), &negatives, self.sets)
            });
            each.collect()
        })
    }
}

impl Differentiable for ContrastiveOver<'_, f64> {
    without_parameter!((Matrix, Matrix));
}

impl Parametric for ContrastiveOver<'_, f64> {
    fn differentiate_with_parameter<'r>(
        &'r self,
        on: &'r Run<'r>,
    ) -> Pending<'r, (ContrastiveValue, ((Matrix, Matrix), f64))> {
        Box::pin(async move {
            let tau = self.tau;
            self.check(&[tau])?;
            let scale = finite("the scale of the contrastive loss's gradients", self.scale)?;
            let Sets { x, y, .. } = self.sets;
            let kernel = Kernel::logit(tau);
            let logits = logits(&on.backend.paired(x, y, Term::Dot).await?, tau);
            let both = self.candidates != Candidates::OneWay;
            let anchors = self.candidates.anchors(x.rows()) as f64;

            // A softmax weighs its pairs by the sum of all: those of other sets come first.
            let first = Run { watch: &on.watch.silent(), ..*on };
            let of_x = self.other(&first, x, kernel).await?;
            let of_y = if both { Some(self.other(&first, y, kernel).await?) } else { None };
            let with_logits = |others: &Vec<f64>| joined(others.clone(), &logits);
            let (extra_x, extra_y) = (with_logits(&of_x), of_y.as_ref().map(with_logits));
            let extra = ExtraTerms { x: &extra_x, y: extra_y.as_deref() };
            let normalizer = Normalizer::Rows { extra, scale: scale / anchors };
            let (sums, gradients) =
                on.backend.gradient(Pairs::Unpaired(x, y), kernel, normalizer, on.watch).await?;
            let mut by_log_scale = gradients.by_log_scale;
            let (sums, (mut gx, mut gy)) = (sums.rows()?, gradients.both()?);

            let negatives = Negatives {
                x: joined(of_x, &sums.x),
                y: of_y.map(|others| Ok(joined(others, &second(sums.y)?))).transpose()?,
            };
            let metric = Contrastive { tau, candidates: self.candidates };
            let value = metric.total(&logits, &negatives, self.sets)?;
            let (p, mut of_positives) = softmax_weights(&negatives.x, &logits, anchors);
            gx = self.add_others(on, x, &p, gx, &mut by_log_scale).await?;
            if let Some(negatives) = &negatives.y {
                let (p, more) = softmax_weights(negatives, &logits, anchors);
                gy = self.add_others(on, y, &p, gy, &mut by_log_scale).await?;
                of_positives.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
            let coefficients: Vec<_> = of_positives.iter().map(|c| -c * scale / tau).collect();
            let gradients =
                on.backend.paired_gradient(x, y, Term::Dot, &coefficients, Some((gx, gy))).await?;
            // The weights of an anchor's negatives and of its positive are equal, so that what equal rows have may be left out.
            let of_equal = if x.scaling() == Scaling::Unit { 1.0 / tau } else { 0.0 };
            let of_positives =
                of_positives.iter().zip(&logits).map(|(weight, logit)| weight * (logit - of_equal));
            let of_positives: f64 = of_positives.sum();
            let by_tau = (scale * of_positives - by_log_scale) / tau;
            Ok((value, (gradients, by_tau)))
        })
    }
}

impl Candidates {
    /// All of them.
    pub const ALL: &[Self] = &[Self::OneWay, Self::BothWays, Self::Views];

    /// The name that they go by on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneWay => "one-way",
            Self::BothWays => "both-ways",
            Self::Views => "views",
        }
    }

    fn anchors(self, rows: usize) -> u64 {
        rows as u64 * if self == Self::OneWay { 1 } else { 2 }
    }
}

impl fmt::Display for Candidates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The logits of the positive pairs, from their inner products.
fn logits(dots: &[f64], tau: f64) -> Vec<f64> {
    dots.iter().map(|dot| dot / tau).collect()
}

/// The log of the factor that multiplies each anchor's negatives in the gradient, and the weight of its positive.
pub(super) fn softmax_weights(negatives: &[f64], logits: &[f64], anchors: f64) -> (Vec<f64>, Vec<f64>) {
    let one = |(&sum, &logit): (&f64, &f64)| {
        let denominator = log_add(sum, logit);
        (-anchors.ln() - denominator, (sum - denominator).exp() / anchors)
    };
    negatives.iter().zip(logits).map(one).unzip()
}

/// Each sum, and one more.
fn joined(mut sums: Vec<f64>, more: &[f64]) -> Vec<f64> {
    sums.iter_mut().zip(more).for_each(|(sum, &more)| *sum = log_add(*sum, more));
    sums
}

fn second<T>(of_y: Option<T>) -> Result<T> {
    of_y.ok_or_else(|| Error::missing("the result for the second set"))
}
