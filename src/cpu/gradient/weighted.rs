//! Gradient of a weighted sum of exponents, in single precision where that is exact enough.

use crate::{
    cpu::{
        accuracy::{Arithmetic, PairExponent},
        block::formula::{Cosine, Difference, Dot, Formula, Gram},
        gradient::{
            accumulate::accumulate,
            factors::FactorWeights,
            finish::{MIN_F32_REMAINDER, along, cancels, finish},
            rounds::accumulate_left,
            sums::{Accumulated, WeightedSums},
            weights::{RoundedWeights, Weights},
        },
        pairs::PairSet,
        points::Rows,
        simd::{float::Float, isa::Isa},
    },
    error::Result,
    kernel::Kernel,
    progress::Watch,
    weights::{Gradients, PairWeights},
};

/// Where a gradient goes.
pub(crate) enum Target {
    /// To the points of all sets, added to what is given; that of a second set which is lacking there is left out.
    All(Option<Gradients>),
    /// To the points on the left alone, of pairs across two sets.
    Left,
}

impl Target {
    fn sums<T: Float>(
        &self,
        isa: Isa,
        pairs: PairSet<'_>,
        weights: &dyn Weights<T>,
        centre: Vec<T>,
        watch: &Watch,
    ) -> Result<CentredSums<T>> {
        match self {
            Self::All(_) => CentredSums::new(isa, pairs, weights, centre, watch),
            Self::Left => {
                let on_x = accumulate_left(isa, pairs, weights, &centre, &|pairs| watch.advance(pairs))?;
                Ok(CentredSums { centre, on_x, on_y: None })
            }
        }
    }

    fn into_sum(self) -> Option<Gradients> {
        match self {
            Self::All(into) => into,
            Self::Left => None,
        }
    }
}

/// Gradient of `scale` · Σ wᵢⱼeᵢⱼ, the weights being constant.
pub(crate) fn weighted_grad(
    isa: Isa,
    pairs: PairSet<'_>,
    kernel: Kernel,
    (weights, scale): (PairWeights<'_>, f64),
    target: Target,
    watch: &Watch,
) -> Result<Gradients> {
    let exponent = PairExponent::of(kernel, pairs);
    let mut passes = watch.passes();
    let centre = pairs.centre();
    if exponent.may_be_single(&centre) {
        let centre: Vec<_> = centre.iter().map(|&v| v as f32).collect();
        let sums = match exponent.arithmetic {
            Arithmetic::Cosine => {
                let weights = factor_weights::<Cosine>(exponent, weights);
                target.sums(isa, pairs, &weights, centre, passes.next())?
            }
            _ => {
                let weights = RoundedWeights(factor_weights::<Gram<false>>(exponent, weights));
                target.sums(isa, pairs, &weights, centre, passes.next())?
            }
        };
        if sums.is_exact(pairs, exponent) {
            return sums.finish(pairs, exponent, scale, target.into_sum());
        }
    }
    in_double(isa, pairs, exponent, (weights, scale), centre, target, passes.next())
}

/// Gradient of `scale` · Σ wᵢⱼeᵢⱼ in double precision.
pub(crate) fn in_double(
    isa: Isa,
    pairs: PairSet<'_>,
    exponent: PairExponent,
    (weights, scale): (PairWeights<'_>, f64),
    centre: Vec<f64>,
    target: Target,
    watch: &Watch,
) -> Result<Gradients> {
    let sums = match exponent.arithmetic {
        // The gradient of an inner product is the other point itself, and no difference.
        Arithmetic::Dot => {
            let (weights, origin) = (factor_weights::<Dot>(exponent, weights), vec![0.0; pairs.dims()]);
            target.sums(isa, pairs, &weights, origin, watch)?.without_totals()
        }
        Arithmetic::FewGram => {
            target.sums(isa, pairs, &factor_weights::<Gram<true>>(exponent, weights), centre, watch)?
        }
        Arithmetic::Gram => {
            target.sums(isa, pairs, &factor_weights::<Gram<false>>(exponent, weights), centre, watch)?
        }
        Arithmetic::Cosine | Arithmetic::Difference => {
            target.sums(isa, pairs, &factor_weights::<Difference>(exponent, weights), centre, watch)?
        }
    };
    sums.finish(pairs, exponent, scale, target.into_sum())
}

pub(crate) fn factor_weights<F: Formula>(
    exponent: PairExponent,
    weights: PairWeights<'_>,
) -> FactorWeights<F> {
    let rate = F::RATE * exponent.t;
    FactorWeights::new(rate, exponent.offset - rate * F::UPPER_BOUND, weights)
}

/// Smallest sum of a row's weights that single precision holds.
pub(crate) const MIN_F32_TOTAL: f64 = 1e-24;
/// Largest sum of a row's weights that single precision holds.
const MAX_F32_TOTAL: f64 = 1e24;

/// Weighted sums of both sets about a centre.
pub(crate) struct CentredSums<T> {
    pub(crate) centre: Vec<T>,
    pub(crate) on_x: WeightedSums<T>,
    pub(crate) on_y: Option<WeightedSums<T>>,
}

impl<T: Float> CentredSums<T> {
    pub(crate) fn new(
        isa: Isa,
        pairs: PairSet<'_>,
        weights: &dyn Weights<T>,
        centre: Vec<T>,
        watch: &Watch,
    ) -> Result<Self> {
        let Accumulated { on_x, on_y, .. } =
            accumulate(isa, pairs, weights, &centre, &|pairs| watch.advance(pairs))?;
        Ok(Self { centre, on_x, on_y })
    }

    pub(crate) fn without_totals(mut self) -> Self {
        self.on_x.total.fill(0.0);
        self.on_y.iter_mut().for_each(|on| on.total.fill(0.0));
        self
    }

    pub(crate) fn finish(
        self,
        pairs: PairSet<'_>,
        exponent: PairExponent,
        scale: f64,
        into: Option<Gradients>,
    ) -> Result<Gradients> {
        let slope =
            scale * if exponent.arithmetic == Arithmetic::Dot { exponent.t } else { 2.0 * exponent.t };
        let one_sided = into.as_ref().is_some_and(|into| into.y.is_none());
        let (into_x, into_y, before) = Gradients::parts(into);
        let x = finish(pairs.left(), self.on_x, &self.centre, slope, into_x)?;
        let (y, along_y) = match pairs.second().zip(self.on_y) {
            None => (None, 0.0),
            Some((y, on)) if one_sided => (None, along(y, &on, &self.centre)),
            Some((y, on)) => {
                let y = finish(y, on, &self.centre, slope, into_y)?;
                (Some(y.gradient), y.along)
            }
        };
        let by_log_scale = before + 0.5 * slope * (x.along + along_y);
        Ok(Gradients { x: x.gradient, y, by_log_scale })
    }
}

/// Rounding of a weight in f32, relative to its exponent 2t · cosine, over the accuracy that gradients promise.
const F32_ROUNDING_OVER_PROMISE: f64 = 3e-8 / 1e-5;

impl CentredSums<f32> {
    /// Whether single precision held the weights and leaves digits enough of what they add up to.
    pub(crate) fn is_exact(&self, pairs: PairSet<'_>, exponent: PairExponent) -> bool {
        let greatest = self.on_x.total.iter().copied().fold(0.0, f64::max);
        let rounding = match exponent.arithmetic {
            Arithmetic::Cosine => 2.0 * exponent.t * F32_ROUNDING_OVER_PROMISE,
            _ => 0.0,
        };
        let part = MIN_F32_REMAINDER.max(rounding);
        let cancels = |rows: &Rows, on: &WeightedSums<f32>| cancels(rows, on, &self.centre, part);
        (MIN_F32_TOTAL..MAX_F32_TOTAL).contains(&greatest)
            && !cancels(pairs.left(), &self.on_x)
            && !pairs.second().zip(self.on_y.as_ref()).is_some_and(|(y, on)| cancels(y, on))
    }
}
