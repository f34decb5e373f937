//! The supervised contrastive loss.

use super::{
    check::{finite, positive, row_by_row},
    groups::Groups,
};
use crate::{
    error::{Error, Result},
    function::{ClassTerm, Classes, PairFunction},
    kernel::Kernel,
    log_sum::log_add,
    memory::{filled, listed},
    pairs::Pairs,
    pending::Pending,
    points::{Matrix, Points, Scaling},
    request::{Differentiable, Metric, Parametric, Run, Sealed, WithParameter, without_parameter},
    schedule::unordered,
    weights::{Gradients, Normalizer, PairWeights},
};

/// The supervised contrastive loss, which has several positives an anchor: the mean over anchors i of
/// −1/|P(i)| Σₚ log(exp(⟨xᵢ, xₚ⟩/τ) / Σₐ exp(⟨xᵢ, xₐ⟩/τ)), where p runs over P(i), the other rows with the label of i, and a
/// over all other rows (Khosla et al. 2020, arXiv 2004.11362, the form L_out).
///
/// Rows whose label no other row has are no anchors, and stay among the rows that anchors are held against. Some code counts
/// them as anchors of loss 0, which makes the mean smaller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SupCon {
    /// The temperature; positive and finite.
    pub tau: f64,
}

impl Default for SupCon {
    /// τ = 0.1, as in the paper.
    fn default() -> Self {
        Self { tau: 0.1 }
    }
}

/// A request for the supervised contrastive loss of one set.
#[derive(Clone, Copy, Debug)]
pub struct SupConWithin<'a>(Labelled<'a>);

/// A request for the supervised contrastive loss of two views.
#[derive(Clone, Copy, Debug)]
pub struct SupConOfViews<'a>(Labelled<'a>);

/// Points with labels: one set, or two views of the same rows.
#[derive(Clone, Copy, Debug)]
struct Labelled<'a> {
    tau: f64,
    x: &'a Points,
    y: Option<&'a Points>,
    groups: &'a Groups,
    scale: f64,
}

/// The rows that a set of pairs runs over: those of the first view, of the second, or of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    First,
    Second,
    Both,
}

/// The anchors of a loss, and the weights of its classes.
struct Anchors {
    /// The number of the class of each row.
    of_rows: Vec<u32>,
    /// For each class, whether its rows have positives.
    have_positives: Vec<bool>,
    /// For each class, the factor of the terms of its pairs.
    weights: Vec<f64>,
    count: f64,
}

/// The log of the softmax denominator of every row.
struct Denominators {
    x: Vec<f64>,
    y: Option<Vec<f64>>,
}

impl SupCon {
    const NAME: &str = "the supervised contrastive loss";

    /// The loss of temperature τ, which is to be positive and finite.
    pub fn new(tau: f64) -> Self {
        Self { tau }
    }

    /// The loss of x (n, d), row i having the label `groups` was made of; the gradient is (n, d).
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Labels`] unless there is one label per row and two rows have the same.
    pub fn within<'a>(self, x: &'a Points, groups: &'a Groups) -> SupConWithin<'a> {
        SupConWithin(Labelled { tau: self.tau, x, y: None, groups, scale: 1.0 })
    }

    /// The loss of two views of the same rows, x (n, d) and y (n, d), which have one label for each row: all 2n points are
    /// anchors, and each has its other view among its positives. The gradients are (n, d) each.
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Labels`] unless there is one label per row.
    pub fn views<'a>(self, x: &'a Points, y: &'a Points, groups: &'a Groups) -> SupConOfViews<'a> {
        SupConOfViews(Labelled { tau: self.tau, x, y: Some(y), groups, scale: 1.0 })
    }
}

impl<'a> Labelled<'a> {
    /// The sets of pairs that the loss runs over, and which rows they are of.
    fn pairs(&self) -> Vec<(Rows, Pairs<'a>)> {
        let of_y = self.y.map(|y| [(Rows::Second, Pairs::Within(y)), (Rows::Both, Pairs::Across(self.x, y))]);
        [(Rows::First, Pairs::Within(self.x))].into_iter().chain(of_y.into_iter().flatten()).collect()
    }

    fn views(&self) -> usize {
        if self.y.is_some() { 2 } else { 1 }
    }

    fn count(&self) -> u64 {
        let of_classes = self.groups.sizes().map(|size| unordered(self.views() * size));
        unordered(self.views() * self.x.rows()) + of_classes.sum::<u64>()
    }

    fn anchors(&self) -> Result<Anchors> {
        const WHAT: &str = "the supervised contrastive loss takes two views of the same rows";
        let Self { tau, x, y, groups, .. } = *self;
        if let Some(y) = y {
            row_by_row(WHAT, x, y)?;
        }
        let tau = positive("tau", tau)?;
        groups.check(x.rows())?;
        let what = || format!("the sizes of {} classes", groups.count());
        let sizes = listed(groups.sizes().map(|size| self.views() * size), what)?;
        let count = sizes.iter().filter(|&&size| size > 1).sum::<usize>() as f64;
        if count == 0.0 {
            let problem = "are all different, and the supervised contrastive loss needs two rows of one label; merge labels";
            return Err(Error::Labels { problem: problem.into() });
        }
        // Each unordered pair is a positive of either row.
        let factor = match x.scaling() {
            // ⟨x, y⟩ = 1 − ½‖x−y‖², of which the 1 goes with the denominators.
            Scaling::Unit => 1.0 / tau,
            Scaling::Raw => -2.0 / tau,
        };
        let weight = |&size: &usize| if size > 1 { factor / (count * (size - 1) as f64) } else { 0.0 };
        Ok(Anchors {
            of_rows: groups.number_of_rows()?,
            have_positives: sizes.iter().map(|&size| size > 1).collect(),
            weights: sizes.iter().map(weight).collect(),
            count,
        })
    }

    fn function<'c>(&self, anchors: &'c Anchors) -> PairFunction<'c> {
        let Anchors { of_rows, weights, .. } = anchors;
        let term = match self.x.scaling() {
            Scaling::Unit => ClassTerm::Distance { alpha: 2.0 },
            Scaling::Raw => ClassTerm::Dot,
        };
        PairFunction::InClass { term, classes: Classes { of_x: of_rows, of_y: of_rows, weights } }
    }

    async fn denominators(&self, on: &Run<'_>) -> Result<Denominators> {
        let rows = self.x.rows();
        let nothing = || filled(f64::NEG_INFINITY, rows, 1, || format!("the sums of {rows} rows"));
        let mut sums = Denominators { x: nothing()?, y: self.y.map(|_| nothing()).transpose()? };
        let add = |sums: &mut [f64], more: &[f64]| {
            sums.iter_mut().zip(more).for_each(|(sum, &more)| *sum = log_add(*sum, more));
        };
        for (rows, pairs) in self.pairs() {
            let found =
                on.backend.row_log_sums(pairs, &[Kernel::logit(self.tau)], None, on.watch).await?.pop();
            let found = found.ok_or_else(|| Error::missing("the sum of each row"))?;
            if rows != Rows::Second {
                add(&mut sums.x, &found.x);
            }
            if let Some(sums) = &mut sums.y {
                match (rows, &found.y) {
                    (Rows::Second, _) => add(sums, &found.x),
                    (Rows::Both, Some(more)) => add(sums, more),
                    _ => {}
                }
            }
        }
        Ok(sums)
    }

    fn value(&self, anchors: &Anchors, denominators: &Denominators, of_classes: f64) -> Result<f64> {
        let of_equal = self.logit_of_equal();
        let sides = [Some(&denominators.x), denominators.y.as_ref()];
        let terms = sides.into_iter().flatten().flat_map(|logs| logs.iter().zip(&anchors.of_rows));
        let terms = terms.filter(|&(_, &class)| anchors.have_positives[class as usize]);
        let sum: f64 = terms.map(|(log, _)| log - of_equal).sum();
        finite(SupCon::NAME, sum / anchors.count + of_classes)
    }

    async fn measure(&self, on: &Run<'_>) -> Result<f64> {
        let anchors = self.anchors()?;
        let denominators = self.denominators(on).await?;
        let mut of_classes = 0.0;
        for (_, pairs) in self.pairs() {
            of_classes += on.backend.function_sum(pairs, self.function(&anchors), on.watch).await?;
        }
        self.value(&anchors, &denominators, of_classes)
    }

    /// The value, its gradients, and its derivative for τ.
    async fn differentiate(&self, on: &Run<'_>) -> Result<(f64, Gradients, f64)> {
        let anchors = self.anchors()?;
        let scale = finite("the scale of a gradient", self.scale)?;
        let first = Run { watch: &on.watch.silent(), ..*on };
        let denominators = self.denominators(&first).await?;
        // The logs of the factors by which a softmax weighs its pairs; rows that are no anchors have none.
        let factors = |logs: &[f64]| -> Vec<f64> {
            let one = |(&log, &class): (&f64, &u32)| {
                if anchors.have_positives[class as usize] {
                    -anchors.count.ln() - log
                } else {
                    f64::NEG_INFINITY
                }
            };
            logs.iter().zip(&anchors.of_rows).map(one).collect()
        };
        let p = factors(&denominators.x);
        let q = denominators.y.as_deref().map(factors);
        let (mut gx, mut gy, mut of_classes, mut by_log_scale) = (None, None, 0.0, 0.0);
        for (rows, pairs) in self.pairs() {
            let q = q.as_deref().unwrap_or(&p);
            let (weights, into) = match rows {
                Rows::First => (PairWeights::Sum { p: &p, q: &p }, None),
                Rows::Second => (PairWeights::Sum { p: q, q }, None),
                Rows::Both => (PairWeights::Sum { p: &p, q }, gx.take()),
            };
            let into = into.map(|x| Gradients { x, y: gy.take(), by_log_scale: 0.0 });
            let normalizer = Normalizer::Given { weights, scale, into };
            let (_, gradients) =
                on.backend.gradient(pairs, Kernel::logit(self.tau), normalizer, on.watch).await?;
            by_log_scale += gradients.by_log_scale;
            let function = self.function(&anchors);
            let (sums, gradients) =
                on.backend.function_gradient(pairs, function, scale, Some(gradients), on.watch).await?;
            of_classes += sums.value;
            match rows {
                Rows::Second => gy = Some(gradients.x),
                _ => (gx, gy) = (Some(gradients.x), gradients.y),
            }
        }
        let x = gx.ok_or_else(|| Error::missing("the gradient"))?;
        // All terms are in 1/τ. What equal rows have is the same in denominators and classes.
        let by_tau = -(by_log_scale + scale * of_classes) / self.tau;
        let value = self.value(&anchors, &denominators, of_classes)?;
        Ok((value, Gradients { x, y: gy, by_log_scale }, by_tau))
    }

    /// The logit of equal points, which the terms of the classes leave out.
    fn logit_of_equal(&self) -> f64 {
        if self.x.scaling() == Scaling::Unit { 1.0 / self.tau } else { 0.0 }
    }
}

macro_rules! request {
    ($request:ident, $gradients:ty, $finish:expr) => {
        impl $request<'_> {
            /// The same with its gradients multiplied by `scale`, such as the upstream gradient of automatic differentiation;
            /// finite. The value stays as it is.
            #[must_use]
            pub fn scaled(self, scale: f64) -> Self {
                Self(Labelled { scale, ..self.0 })
            }

            /// The gradients become a pair: those for the points, and the derivative for τ. Both are multiplied by the factor of
            /// [`scaled`](Self::scaled). It costs no further pass.
            #[must_use]
            pub fn with_tau(self) -> WithParameter<Self> {
                WithParameter(self)
            }
        }

        impl Sealed for $request<'_> {}

        impl Metric for $request<'_> {
            type Value = f64;

            fn pairs(&self) -> u64 {
                self.0.count()
            }

            fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
                Box::pin(self.0.measure(on))
            }
        }

        impl Differentiable for $request<'_> {
            without_parameter!($gradients);
        }

        impl Parametric for $request<'_> {
            fn differentiate_with_parameter<'r>(
                &'r self,
                on: &'r Run<'r>,
            ) -> Pending<'r, (f64, ($gradients, f64))> {
                Box::pin(async move {
                    let (value, gradients, by_tau) = self.0.differentiate(on).await?;
                    Ok((value, ($finish(gradients)?, by_tau)))
                })
            }
        }
    };
}

request!(SupConWithin, Matrix, |gradients: Gradients| Ok::<_, Error>(gradients.x));
request!(SupConOfViews, (Matrix, Matrix), Gradients::both);
