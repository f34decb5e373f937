//! Gradients of weighted sums of exponents, in single precision where that is exact enough.

use super::{
    Cpu,
    exact::Exact,
    float::Float,
    gradient::{CANCELLED, cancel, centre, finish},
    kernel::{Cosine, Difference, Dot, Gram, Kernel},
    points::Rows,
    pull::{Pulls, Weights, pulls},
    rounded::Rounded,
    rows::Form,
    sets::Sets,
    weighing::Weighed,
};
use crate::{
    accuracy::NARROW, error::Result, kernel::Exponent, pairs::Pairs, progress::Watch, weights::Gradients,
    weights::PairWeights,
};

/// The gradient of Σ wᵢⱼeᵢⱼ, the weights being constant.
pub(super) fn weighted_grad(
    cpu: &Cpu,
    pairs: Pairs<'_>,
    exponent: Exponent,
    weighing: PairWeights<'_>,
    sum: Option<Gradients>,
    watch: &Watch<'_>,
) -> Result<Gradients> {
    let sets = Sets::of(pairs)?;
    let form = Form::of(exponent, sets);
    let mut passes = watch.passes();
    let about = centre(sets);
    if form.may_be_single(&about) {
        let about: Vec<_> = about.iter().map(|&v| v as f32).collect();
        let pulled = match form.exact {
            Exact::Cosine => {
                let weights = weighed::<Cosine>(form, weighing);
                Pulled::new(cpu, sets, &weights, about, passes.next())?
            }
            _ => {
                let weights = Rounded(weighed::<Gram<false>>(form, weighing));
                Pulled::new(cpu, sets, &weights, about, passes.next())?
            }
        };
        if pulled.is_exact(sets, form) {
            return pulled.finish(sets, form, sum);
        }
    }
    in_double(cpu, (sets, form), weighing, about, sum, passes.next())
}

/// The same in double precision.
pub(super) fn in_double(
    cpu: &Cpu,
    (sets, form): (Sets<'_>, Form),
    weighing: PairWeights<'_>,
    about: Vec<f64>,
    sum: Option<Gradients>,
    watch: &Watch<'_>,
) -> Result<Gradients> {
    let pulled = match form.exact {
        // A point pulls by where it is, and not by how far away.
        Exact::Dot => {
            let origin = vec![0.0; sets.dims()];
            Pulled::new(cpu, sets, &weighed::<Dot>(form, weighing), origin, watch)?.without_totals()
        }
        Exact::FewGram => Pulled::new(cpu, sets, &weighed::<Gram<true>>(form, weighing), about, watch)?,
        Exact::Gram => Pulled::new(cpu, sets, &weighed::<Gram<false>>(form, weighing), about, watch)?,
        Exact::Cosine | Exact::Difference => {
            Pulled::new(cpu, sets, &weighed::<Difference>(form, weighing), about, watch)?
        }
    };
    pulled.finish(sets, form, sum)
}

impl Form {
    /// Whether single precision may hold the gradient, given the centre of all points.
    pub(super) fn may_be_single(self, centre: &[f64]) -> bool {
        matches!(self.exact, Exact::Cosine | Exact::Gram) && super::mean_square(centre) > NARROW
    }
}

pub(super) fn weighed<K: Kernel>(form: Form, weighing: PairWeights<'_>) -> Weighed<K> {
    let rate = K::RATE * form.t;
    Weighed::new(rate, form.shift - rate * K::TOP, weighing)
}

/// The weights of some row add up to more where single precision holds them.
pub(super) const LEAST_TOTAL: f64 = 1e-24;

/// What weights do to either set, about a centre.
pub(super) struct Pulled<T> {
    pub(super) centre: Vec<T>,
    pub(super) on_x: Pulls<T>,
    pub(super) on_y: Option<Pulls<T>>,
}

impl<T: Float> Pulled<T> {
    pub(super) fn new(
        cpu: &Cpu,
        sets: Sets<'_>,
        weights: &impl Weights<T>,
        centre: Vec<T>,
        watch: &Watch<'_>,
    ) -> Result<Self> {
        let (_, on_x, on_y) = pulls(cpu.level, sets, weights, &centre, |pairs| watch.advance(pairs))?;
        Ok(Self { centre, on_x, on_y })
    }

    fn without_totals(mut self) -> Self {
        self.on_x.total.fill(0.0);
        self.on_y.iter_mut().for_each(|on| on.total.fill(0.0));
        self
    }

    pub(super) fn finish(self, sets: Sets<'_>, form: Form, sum: Option<Gradients>) -> Result<Gradients> {
        let slope = if form.exact == Exact::Dot { form.t } else { 2.0 * form.t };
        let one_sided = sum.as_ref().is_some_and(|sum| sum.y.is_none());
        let (sum_x, sum_y) = sum.map_or((None, None), |sum| (Some(sum.x), sum.y));
        let x = finish(sets.x, self.on_x, &self.centre, slope, sum_x)?;
        let on_y = sets.y.zip(self.on_y).filter(|_| !one_sided);
        let y = on_y.map(|(y, on)| finish(y, on, &self.centre, slope, sum_y)).transpose()?;
        Ok(Gradients { x, y })
    }
}

impl Pulled<f32> {
    /// Whether single precision held the weights and leaves digits enough of what they add up to.
    pub(super) fn is_exact(&self, sets: Sets<'_>, form: Form) -> bool {
        // The greatest are neither close to its end nor to its least.
        let greatest = self.on_x.total.iter().copied().fold(0.0, f64::max);
        // A weight is as exact as its exponent, a cosine times 2t: some 3e-8 of it is rounding in f32.
        let rounding = if form.exact == Exact::Cosine { 2.0 * form.t * 3e-8 / 1e-5 } else { 0.0 };
        let cancels = |rows: &Rows, on: &Pulls<f32>| cancel(rows, on, &self.centre, CANCELLED.max(rounding));
        (LEAST_TOTAL..1e24).contains(&greatest)
            && !cancels(sets.x, &self.on_x)
            && !sets.y.zip(self.on_y.as_ref()).is_some_and(|(y, on)| cancels(y, on))
    }
}
