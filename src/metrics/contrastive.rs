use super::{at_least, comparable, finite, mismatch, positive};
use crate::{
    Error, Matrix, Points, Result,
    backend::{Backend, Exponent, Gradients, Pairs, Weighing},
    log_sum::log_add,
    progress::Watch,
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

    /// How many pairs a value goes through.
    pub(crate) fn pairs(self, x: &Points, queue: Option<&Points>) -> u64 {
        let (n, m) = (x.rows as u64, queue.map_or(0, |queue| queue.rows as u64));
        let sides = if self.candidates == Candidates::OneWay { 1 } else { 2 };
        let views = if self.candidates == Candidates::Views { 2 * Pairs::Within(x).count() } else { 0 };
        n * n.saturating_sub(1) + sides * n * m + views
    }

    pub(crate) fn value(
        self,
        backend: &dyn Backend,
        sets: Sets<'_>,
        watch: &Watch<'_>,
    ) -> Result<ContrastiveValue> {
        self.check(sets)?;
        let logits = self.logits(backend, sets)?;
        let negatives = self.negatives(backend, sets, watch)?;
        self.total(&logits, &negatives, sets)
    }

    pub(crate) fn value_with_grad(
        self,
        backend: &dyn Backend,
        sets: Sets<'_>,
        watch: &Watch<'_>,
    ) -> Result<(ContrastiveValue, Matrix, Matrix)> {
        self.check(sets)?;
        let logits = self.logits(backend, sets)?;
        if self.candidates == Candidates::OneWay {
            return self.one_way_with_grad(backend, sets, &logits, watch);
        }
        let (x, y, queue) = sets;
        let negatives = self.negatives(backend, sets, &watch.again())?;
        let value = self.total(&logits, &negatives, sets)?;
        let Negatives { x: on_x, y: Some(on_y) } = &negatives else {
            return Err(Error::Device { reason: "the sums of the second set are missing".into() });
        };
        let anchors = 2.0 * logits.len() as f64;
        let (px, cx) = pulls(on_x, &logits, anchors);
        let (py, cy) = pulls(on_y, &logits, anchors);
        let grad = |pairs, weighing, sum| backend.weighted_grad(pairs, self.exponent(), weighing, sum, watch);
        let across = grad(Pairs::Distinct(x, y), Weighing::Sum { p: &px, q: &py }, None)?;
        let (mut gx, mut gy) = (across.x, second(across.y)?);
        let alone = |matrix| Some(Gradients { x: matrix, y: None });
        if self.candidates == Candidates::Views {
            gx = grad(Pairs::Within(x), Weighing::Sum { p: &px, q: &px }, alone(gx))?.x;
            gy = grad(Pairs::Within(y), Weighing::Sum { p: &py, q: &py }, alone(gy))?.x;
        }
        if let Some(queue) = queue {
            let none = vec![0.0; queue.rows];
            gx = grad(Pairs::Across(x, queue), Weighing::Product { p: &px, q: &none }, alone(gx))?.x;
            gy = grad(Pairs::Across(y, queue), Weighing::Product { p: &py, q: &none }, alone(gy))?.x;
        }
        let coefficients: Vec<_> = cx.iter().zip(&cy).map(|(x, y)| -(x + y) / self.tau).collect();
        let (gx, gy) = backend.paired_dots_grad(x, y, &coefficients, Some((gx, gy)))?;
        Ok((value, gx, gy))
    }

    /// One pass finds the sums of a row before it weighs the row's pairs.
    fn one_way_with_grad(
        self,
        backend: &dyn Backend,
        sets: Sets<'_>,
        logits: &[f64],
        watch: &Watch<'_>,
    ) -> Result<(ContrastiveValue, Matrix, Matrix)> {
        let (x, y, queue) = sets;
        let anchors = logits.len() as f64;
        let queued = match queue {
            None => None,
            Some(queue) => {
                let pairs = Pairs::Across(x, queue);
                Some(backend.row_log_sums(pairs, self.exponent(), None, &watch.again())?.x)
            }
        };
        let mut rest = logits.to_vec();
        if let Some(queued) = &queued {
            join(&mut rest, queued);
        }
        let (mut sums, gradients) = backend.row_log_sums_with_grad(
            Pairs::Distinct(x, y),
            self.exponent(),
            &rest,
            1.0 / anchors,
            None,
            watch,
        )?;
        if let Some(queued) = &queued {
            join(&mut sums, queued);
        }
        let negatives = Negatives { x: sums, y: None };
        let value = self.total(logits, &negatives, sets)?;
        let (p, c) = pulls(&negatives.x, logits, anchors);
        let (mut gx, gy) = (gradients.x, second(gradients.y)?);
        if let Some(queue) = queue {
            let q = vec![0.0; queue.rows];
            let sum = Some(Gradients { x: gx, y: None });
            let weighing = Weighing::Product { p: &p, q: &q };
            gx = backend.weighted_grad(Pairs::Across(x, queue), self.exponent(), weighing, sum, watch)?.x;
        }
        let coefficients: Vec<_> = c.iter().map(|c| -c / self.tau).collect();
        let (gx, gy) = backend.paired_dots_grad(x, y, &coefficients, Some((gx, gy)))?;
        Ok((value, gx, gy))
    }

    fn exponent(self) -> Exponent {
        Exponent::Logit { tau: self.tau }
    }

    /// The logits of the positive pairs.
    fn logits(self, backend: &dyn Backend, (x, y, _): Sets<'_>) -> Result<Vec<f64>> {
        Ok(backend.paired_dots(x, y)?.into_iter().map(|dot| dot / self.tau).collect())
    }

    fn negatives(self, backend: &dyn Backend, sets: Sets<'_>, watch: &Watch<'_>) -> Result<Negatives> {
        let (x, y, queue) = sets;
        let across = backend.row_log_sums(Pairs::Distinct(x, y), self.exponent(), None, watch)?;
        let on_x = self.with_others(backend, across.x, (x, queue), watch)?;
        let on_y = match self.candidates {
            Candidates::OneWay => None,
            _ => Some(self.with_others(backend, second(across.y)?, (y, queue), watch)?),
        };
        Ok(Negatives { x: on_x, y: on_y })
    }

    /// The log sums of anchors with the negatives that do not come from the other set.
    fn with_others(
        self,
        backend: &dyn Backend,
        mut sums: Vec<f64>,
        (anchors, queue): (&Points, Option<&Points>),
        watch: &Watch<'_>,
    ) -> Result<Vec<f64>> {
        let own = (self.candidates == Candidates::Views).then_some(Pairs::Within(anchors));
        let queued = queue.map(|queue| Pairs::Across(anchors, queue));
        for pairs in own.into_iter().chain(queued) {
            join(&mut sums, &backend.row_log_sums(pairs, self.exponent(), None, watch)?.x);
        }
        Ok(sums)
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

/// The log of what each anchor's negatives are multiplied by in the gradient, and how strongly it pulls its positive.
fn pulls(negatives: &[f64], logits: &[f64], anchors: f64) -> (Vec<f64>, Vec<f64>) {
    let one = |(&sum, &logit): (&f64, &f64)| {
        let denominator = log_add(sum, logit);
        (-anchors.ln() - denominator, (sum - denominator).exp() / anchors)
    };
    negatives.iter().zip(logits).map(one).unzip()
}

/// Adds to each sum one more.
fn join(sums: &mut [f64], more: &[f64]) {
    sums.iter_mut().zip(more).for_each(|(sum, &more)| *sum = log_add(*sum, more));
}

fn second<T>(of_y: Option<T>) -> Result<T> {
    of_y.ok_or_else(|| Error::Device { reason: "the results for the second set are missing".into() })
}
