use super::{Uniformity, at_least, comparable, finite, mismatch, positive};
use crate::{
    backend::{Backend, Gradients},
    error::{Error, Result},
    kernel::Exponent,
    log_sum::log_add,
    pairs::Pairs,
    points::{Matrix, Points},
    progress::Watch,
    schedule::unordered,
    weights::{ExtraTerms, PairWeights},
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

type Sets<'a> = (&'a Points, &'a Points, Option<&'a Points>);

impl Contrastive {
    const NAME: &str = "the contrastive loss";

    /// The uniformity that goes with this temperature: on the unit sphere exp(⟨x, y⟩/τ) is exp(−t‖x−y‖²) at t = 1/(2τ), but
    /// for a factor.
    pub fn matching(self) -> Uniformity {
        Uniformity { t: 0.5 / self.tau }
    }

    /// How many anchors there are among `rows` pairs.
    pub fn anchors(self, rows: usize) -> u64 {
        rows as u64 * if self.candidates == Candidates::OneWay { 1 } else { 2 }
    }

    /// How many pairs of points a value goes through, given so many positive pairs and rows of the queue: the total of its
    /// [`Progress`](crate::Progress).
    pub fn pairs(self, rows: usize, queue: usize) -> u64 {
        let views = if self.candidates == Candidates::Views { 2 * unordered(rows) } else { 0 };
        2 * unordered(rows) + self.anchors(rows) * queue as u64 + views
    }

    pub(crate) fn value(
        self,
        backend: &dyn Backend,
        sets: Sets<'_>,
        watch: &Watch<'_>,
    ) -> Result<ContrastiveValue> {
        let values = self.candidates.values(backend, sets, &[self.tau], watch)?;
        values.into_iter().next().ok_or_else(|| Error::missing("the loss"))
    }

    pub(crate) fn value_with_grad(
        self,
        backend: &dyn Backend,
        sets: Sets<'_>,
        watch: &Watch<'_>,
    ) -> Result<(ContrastiveValue, Matrix, Matrix)> {
        self.check(sets)?;
        let (x, y, queue) = sets;
        let logits = self.logits(&backend.paired_dots(x, y)?);
        let both = self.candidates != Candidates::OneWay;
        let anchors = self.anchors(x.rows) as f64;

        // A softmax weighs its pairs by the sum of all: those of other sets come first.
        let others = |anchors| {
            let each = self.candidates.others(backend, (anchors, queue), &[self.tau], &watch.again())?;
            each.into_iter().next().ok_or_else(|| Error::missing("the sum of other negatives"))
        };
        let (of_x, of_y) = (others(x)?, if both { Some(others(y)?) } else { None });
        let with_logits = |others: &Vec<f64>| joined(others.clone(), &logits);
        let (rest_x, rest_y) = (with_logits(&of_x), of_y.as_ref().map(with_logits));
        let rests = ExtraTerms { x: &rest_x, y: rest_y.as_deref() };
        let pairs = Pairs::Unpaired(x, y);
        let (sums, gradients) =
            backend.row_log_sums_with_grad(pairs, self.exponent(), rests, 1.0 / anchors, watch)?;
        let (mut gx, mut gy) = (gradients.x, second(gradients.y)?);

        let negatives = Negatives {
            x: joined(of_x, &sums.x),
            y: of_y.map(|others| Ok(joined(others, &second(sums.y)?))).transpose()?,
        };
        let value = self.total(&logits, &negatives, sets)?;
        let (p, mut of_positives) = pulls(&negatives.x, &logits, anchors);
        gx = self.pulled_by_others(backend, (x, queue), &p, gx, watch)?;
        if let Some(negatives) = &negatives.y {
            let (p, more) = pulls(negatives, &logits, anchors);
            gy = self.pulled_by_others(backend, (y, queue), &p, gy, watch)?;
            of_positives.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        let coefficients: Vec<_> = of_positives.iter().map(|c| -c / self.tau).collect();
        let (gx, gy) = backend.paired_dots_grad(x, y, &coefficients, Some((gx, gy)))?;
        Ok((value, gx, gy))
    }

    fn exponent(self) -> Exponent {
        Exponent::Logit { tau: self.tau }
    }

    /// The logits of the positive pairs, from their inner products.
    fn logits(self, dots: &[f64]) -> Vec<f64> {
        dots.iter().map(|dot| dot / self.tau).collect()
    }

    /// The gradient of anchors, and what the negatives that do not come from the other set add to it.
    fn pulled_by_others(
        self,
        backend: &dyn Backend,
        (anchors, queue): (&Points, Option<&Points>),
        p: &[f64],
        mut gradient: Matrix,
        watch: &Watch<'_>,
    ) -> Result<Matrix> {
        let q = vec![0.0; queue.map_or(0, |queue| queue.rows)];
        let own = (self.candidates == Candidates::Views)
            .then_some((Pairs::Within(anchors), PairWeights::Sum { p, q: p }));
        let queued = queue.map(|queue| (Pairs::Across(anchors, queue), PairWeights::Product { p, q: &q }));
        for (pairs, weighing) in own.into_iter().chain(queued) {
            let sum = Some(Gradients { x: gradient, y: None });
            gradient = backend.weighted_grad(pairs, self.exponent(), weighing, sum, watch)?.x;
        }
        Ok(gradient)
    }

    fn total(
        self,
        logits: &[f64],
        negatives: &Negatives,
        (x, _, queue): Sets<'_>,
    ) -> Result<ContrastiveValue> {
        let of_queue = queue.map_or(0, |queue| queue.rows as u64);
        let own = (x.rows as u64 - 1) * if self.candidates == Candidates::Views { 2 } else { 1 };
        let count = own + of_queue;
        let log_count = (count as f64).ln();
        let sides = [Some(&negatives.x), negatives.y.as_ref()];
        let anchors = || sides.iter().flatten().flat_map(|sums| sums.iter().zip(logits));
        let number = (logits.len() * sides.iter().flatten().count()) as f64;
        let mean = |terms: &mut dyn Iterator<Item = f64>| finite(Self::NAME, terms.sum::<f64>() / number);
        // Of log(exp(logit) + exp(sum)) − logit: well-trained points leave little of either term.
        let loss = mean(&mut anchors().map(|(sum, logit)| log_add(0.0, sum - logit)))?;
        let alignment = -mean(&mut anchors().map(|(_, logit)| *logit))?;
        let uniformity = mean(&mut anchors().map(|(sum, _)| sum - log_count))?;
        let residual = mean(&mut anchors().map(|(sum, logit)| log_add(logit - sum, 0.0)))?;
        Ok(ContrastiveValue {
            loss,
            negatives: count,
            normalized: loss - log_count,
            alignment,
            uniformity,
            residual,
        })
    }

    fn check(self, (x, y, queue): Sets<'_>) -> Result<()> {
        const WHAT: &str = "the contrastive loss pairs row i of one set with row i of the other";
        if x.rows != y.rows {
            return Err(mismatch(WHAT, x.shape(), y.shape()));
        }
        comparable(WHAT, x, y)?;
        if let Some(queue) = queue {
            comparable("the queue holds more points like those", x, queue)?;
        }
        at_least(Self::NAME, x, if queue.is_some_and(|queue| queue.rows > 0) { 1 } else { 2 })?;
        positive("tau", self.tau).map(drop)
    }
}

impl Candidates {
    /// The loss for every temperature.
    pub(crate) fn values(
        self,
        backend: &dyn Backend,
        sets: Sets<'_>,
        taus: &[f64],
        watch: &Watch<'_>,
    ) -> Result<Vec<ContrastiveValue>> {
        let metrics: Vec<_> = taus.iter().map(|&tau| Contrastive { tau, candidates: self }).collect();
        metrics.iter().try_for_each(|metric| metric.check(sets))?;
        let (x, y, queue) = sets;
        let dots = backend.paired_dots(x, y)?;
        let across = backend.row_log_sums_of_logits(Pairs::Unpaired(x, y), taus, watch)?;
        let others = |anchors| self.others(backend, (anchors, queue), taus, watch);
        let of_x = others(x)?;
        let mut of_y = if self == Self::OneWay { Vec::new() } else { others(y)? }.into_iter();
        let each = metrics.iter().zip(across.into_iter().zip(of_x)).map(|(metric, (across, of_x))| {
            let of_y =
                of_y.next().map(|others| Ok::<_, Error>(joined(others, &second(across.y)?))).transpose()?;
            let negatives = Negatives { x: joined(of_x, &across.x), y: of_y };
            metric.total(&metric.logits(&dots), &negatives, sets)
        });
        each.collect()
    }

    /// For every temperature, the log sums of anchors over the negatives that do not come from the other set.
    fn others(
        self,
        backend: &dyn Backend,
        (anchors, queue): (&Points, Option<&Points>),
        taus: &[f64],
        watch: &Watch<'_>,
    ) -> Result<Vec<Vec<f64>>> {
        let own = (self == Self::Views).then_some(Pairs::Within(anchors));
        let queued = queue.map(|queue| Pairs::Across(anchors, queue));
        let mut sums = vec![vec![f64::NEG_INFINITY; anchors.rows]; taus.len()];
        for pairs in own.into_iter().chain(queued) {
            let more = backend.row_log_sums_of_logits(pairs, taus, watch)?;
            sums = sums.into_iter().zip(more).map(|(sums, more)| joined(sums, &more.x)).collect();
        }
        Ok(sums)
    }
}

/// The log of what each anchor's negatives are multiplied by in the gradient, and how strongly it pulls its positive.
fn pulls(negatives: &[f64], logits: &[f64], anchors: f64) -> (Vec<f64>, Vec<f64>) {
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
