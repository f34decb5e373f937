//! Sums of exponentials per row, and gradients of weighted sums of exponents.

use super::{
    Cpu,
    gradient::{CANCELLED, cancel, centre, finish},
    kept::Kept,
    kernel::{Cosine, Difference, Dot, Gram, Kernel},
    log_sum::Potential,
    pull::{Pulls, pulls},
    row_sums::{LogMasses, RowSums, level_row_sums, row_sums},
    sets::Sets,
    weighing::Weighed,
};
use crate::{
    Error, Result, Scaling,
    backend::{Exponent, Gradients, Masses, NARROW, Pairs, RowLogSums, Weighing},
    progress::Watch,
};

/// An exponent as kernels have it.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// It is −t times the squared distance, and `shift` more; or, for raw logits, t times the inner product.
    pub(super) t: f64,
    pub(super) shift: f64,
    dot: bool,
}

impl Form {
    pub(super) fn of(exponent: Exponent, scaling: Scaling) -> Self {
        match exponent {
            Exponent::Gaussian { t } => Self { t, shift: 0.0, dot: false },
            // Of unit rows, ⟨x, y⟩ = 1 − ½‖x−y‖².
            Exponent::Logit { tau } => match scaling {
                Scaling::Unit => Self { t: 0.5 / tau, shift: 1.0 / tau, dot: false },
                Scaling::Raw => Self { t: 1.0 / tau, shift: 0.0, dot: true },
            },
        }
    }

    /// Whether kernels in f32 are exact enough: the rounding of cosines averages out over the rows of a softmax.
    pub(super) fn in_f32(self, pairs: Pairs<'_>) -> bool {
        let steepest = if self.shift > 0.0 { STEEPEST_LOGIT } else { Cosine::STEEPEST };
        !self.dot && self.t <= steepest && super::many(pairs)
    }
}

/// A t, which is 1 / 2τ, up to which logits of many rows are taken in f32.
const STEEPEST_LOGIT: f64 = 20.0;

/// log Σⱼ mⱼ exp(eᵢⱼ) for every point.
pub(super) fn row_log_sums(
    cpu: &Cpu,
    pairs: Pairs<'_>,
    exponent: Exponent,
    masses: Option<Masses<'_>>,
    watch: &Watch<'_>,
) -> Result<RowLogSums> {
    let sets = Sets::of(pairs)?;
    let form = Form::of(exponent, sets.scaling());
    let logs = masses.map(|m| [m.x, m.y].map(|m| m.iter().map(|m| m.ln()).collect::<Vec<_>>()));
    let logs = logs.as_ref().map(|[x, y]| [&**x, &**y]);
    if form.dot {
        return rows_with::<Dot>(cpu, sets, form, logs, watch);
    }
    if sets.few() {
        return rows_with::<Gram>(cpu, sets, form, logs, watch);
    }
    if form.in_f32(pairs) {
        let sums = rows_with::<Cosine>(cpu, sets, form, logs, watch)?;
        let none = [sets.x, sets.right()].map(|rows| rows.len() as f64);
        let all = masses.map_or(none, |m| [m.x, m.y].map(|masses| masses.iter().sum()));
        if form.shift > 0.0 || !is_narrow(&sums, all, form.t) {
            return Ok(sums);
        }
        return rows_with::<Difference>(cpu, sets, form, logs, &watch.again());
    }
    rows_with::<Difference>(cpu, sets, form, logs, watch)
}

/// Whether some point has all others so near that cosines in f32 say too little of it.
fn is_narrow(sums: &RowLogSums, [of_x, of_y]: [f64; 2], t: f64) -> bool {
    let near = |rows: &[f64], others: f64| {
        let greatest = rows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        greatest - others.ln() > -t * NARROW
    };
    near(&sums.x, of_y) || sums.y.as_ref().is_some_and(|y| near(y, of_x))
}

fn rows_with<K: Kernel>(
    cpu: &Cpu,
    sets: Sets<'_>,
    form: Form,
    masses: LogMasses<'_>,
    watch: &Watch<'_>,
) -> Result<RowLogSums> {
    let rate = K::RATE * form.t;
    match level_pivot::<K>(rate) {
        Some(pivot) if masses.is_none() => {
            let sums = level_row_sums::<K>(cpu.level, sets, &[(rate, pivot)], None, watch)?;
            only(sums.into_iter().map(|sums| logs::<K>(sums, form)))
        }
        _ => Ok(logs::<K>(row_sums::<K>(cpu.level, sets, rate, masses, watch)?, form)),
    }
}

/// The same for every exponent, all that single precision serves from the same products.
pub(super) fn several_row_log_sums(
    cpu: &Cpu,
    pairs: Pairs<'_>,
    exponents: &[Exponent],
    watch: &Watch<'_>,
) -> Result<Vec<RowLogSums>> {
    let sets = Sets::of(pairs)?;
    let together = |&exponent: &Exponent| {
        let form = Form::of(exponent, sets.scaling());
        let logit = form.shift > 0.0 && !sets.few() && form.in_f32(pairs);
        let rate = Cosine::RATE * form.t;
        level_pivot::<Cosine>(rate).filter(|_| logit).map(|pivot| (form, (rate, pivot)))
    };
    let plans: Vec<_> = exponents.iter().map(together).collect();
    let (forms, rates): (Vec<_>, Vec<_>) = plans.iter().flatten().copied().unzip();
    let mut shared = Vec::new();
    if !rates.is_empty() {
        let sums = level_row_sums::<Cosine>(cpu.level, sets, &rates, None, watch)?;
        shared.extend(sums.into_iter().zip(forms).map(|(sums, form)| logs::<Cosine>(sums, form)));
    }
    // Pairs count once, however often they are gone through.
    let again = watch.again();
    let mut watches = shared.is_empty().then_some(watch).into_iter().chain(std::iter::repeat(&again));
    let mut shared = shared.into_iter();
    let one = |(plan, &exponent): (&Option<_>, &Exponent)| match plan {
        Some(_) => only(shared.by_ref()),
        None => row_log_sums(cpu, pairs, exponent, None, watches.next().unwrap_or(&again)),
    };
    plans.iter().zip(exponents).map(one).collect()
}

/// The first of as many results as were asked for.
fn only(mut results: impl Iterator<Item = RowLogSums>) -> Result<RowLogSums> {
    results.next().ok_or_else(|| Error::Device { reason: "the sums of an exponent are missing".into() })
}

/// The same without masses, keeping what there is room for.
pub(super) fn rows_kept(
    cpu: &Cpu,
    sets: Sets<'_>,
    form: Form,
    kept: &Kept<f32>,
    watch: &Watch<'_>,
) -> Result<RowLogSums> {
    let rate = Cosine::RATE * form.t;
    let Some(pivot) = level_pivot::<Cosine>(rate) else {
        return rows_with::<Cosine>(cpu, sets, form, None, watch);
    };
    let sums = level_row_sums::<Cosine>(cpu.level, sets, &[(rate, pivot)], Some(kept), watch)?;
    only(sums.into_iter().map(|sums| logs::<Cosine>(sums, form)))
}

fn logs<K: Kernel>(RowSums { x, y }: RowSums, form: Form) -> RowLogSums {
    let rate = K::RATE * form.t;
    let logs = |sums: Vec<Potential>| {
        let log = |sum: Potential| match sum.sum {
            0.0 => f64::NEG_INFINITY,
            _ => K::steepness(rate) * sum.pivot + sum.sum.ln() + form.shift,
        };
        sums.into_iter().map(log).collect()
    };
    RowLogSums { x: logs(x), y: y.map(logs) }
}

/// A closeness next to which no exponential of such a rate is too large or too small for the precision.
fn level_pivot<K: Kernel>(rate: f64) -> Option<f64> {
    // Of unit rows, the closeness is at most the top, and 4 / RATE below it at the least.
    let least = -4.0 / K::RATE * rate;
    match K::NEAR {
        true if least >= K::LEVEL => Some(K::TOP),
        true if least >= 2.0 * K::LEVEL => Some(K::TOP - 2.0 / K::RATE),
        _ => None,
    }
}

/// The gradient of Σ wᵢⱼeᵢⱼ, the weights being constant.
pub(super) fn weighted_grad(
    cpu: &Cpu,
    pairs: Pairs<'_>,
    exponent: Exponent,
    weighing: Weighing<'_>,
    sum: Option<Gradients>,
    watch: &Watch<'_>,
) -> Result<Gradients> {
    let sets = Sets::of(pairs)?;
    let form = Form::of(exponent, sets.scaling());
    if form.dot {
        let centre = vec![0.0; sets.dims()];
        return Pulled::new::<Dot>(cpu, sets, form, weighing, centre, watch)?.finish(sets, form, sum);
    }
    let about = centre(sets);
    if sets.few() {
        return Pulled::new::<Gram>(cpu, sets, form, weighing, about, watch)?.finish(sets, form, sum);
    }
    let mut again = None;
    if form.in_f32(pairs) && super::mean_square(&about) > NARROW {
        let single = about.iter().map(|&v| v as f32).collect();
        let pulled = Pulled::new::<Cosine>(cpu, sets, form, weighing, single, watch)?;
        if pulled.in_range() && !pulled.cancels(sets, form) {
            return pulled.finish(sets, form, sum);
        }
        again = Some(watch.again());
    }
    let watch = again.as_ref().unwrap_or(watch);
    Pulled::new::<Difference>(cpu, sets, form, weighing, about, watch)?.finish(sets, form, sum)
}

/// What weights do to either set, about a centre.
pub(super) struct Pulled<T> {
    pub(super) centre: Vec<T>,
    pub(super) on_x: Pulls<T>,
    pub(super) on_y: Option<Pulls<T>>,
}

impl<T: super::float::Float> Pulled<T> {
    fn new<K: Kernel<Real = T>>(
        cpu: &Cpu,
        sets: Sets<'_>,
        form: Form,
        weighing: Weighing<'_>,
        centre: Vec<T>,
        watch: &Watch<'_>,
    ) -> Result<Self> {
        let rate = K::RATE * form.t;
        let weights = Weighed::<K>::new(rate, form.shift - rate * K::TOP, weighing);
        let (_, on_x, on_y) = pulls(cpu.level, sets, &weights, &centre, |pairs| watch.advance(pairs))?;
        Ok(Self { centre, on_x, on_y })
    }

    /// Whether single precision held the weights: the greatest are neither close to its end nor to its least.
    pub(super) fn in_range(&self) -> bool {
        let greatest = self.on_x.total.iter().copied().fold(0.0, f64::max);
        (1e-24..1e24).contains(&greatest)
    }

    pub(super) fn cancels(&self, sets: Sets<'_>, form: Form) -> bool {
        // A weight is as exact as its exponent, a cosine times 2t: some 3e-8 of it is rounding.
        let part = CANCELLED.max(2.0 * form.t * 3e-8 / 1e-5);
        let of_y = sets.y.zip(self.on_y.as_ref());
        cancel(sets.x, &self.on_x, &self.centre, part)
            || of_y.is_some_and(|(y, on)| cancel(y, on, &self.centre, part))
    }

    pub(super) fn finish(mut self, sets: Sets<'_>, form: Form, sum: Option<Gradients>) -> Result<Gradients> {
        if form.dot {
            // A point pulls by where it is, and not by how far away.
            self.on_x.total.fill(0.0);
            self.on_y.iter_mut().for_each(|on| on.total.fill(0.0));
        }
        let slope = if form.dot { form.t } else { 2.0 * form.t };
        let one_sided = sum.as_ref().is_some_and(|sum| sum.y.is_none());
        let (sum_x, sum_y) = sum.map_or((None, None), |sum| (Some(sum.x), sum.y));
        let x = finish(sets.x, self.on_x, &self.centre, slope, sum_x)?;
        let on_y = sets.y.zip(self.on_y).filter(|_| !one_sided);
        let y = on_y.map(|(y, on)| finish(y, on, &self.centre, slope, sum_y)).transpose()?;
        Ok(Gradients { x, y })
    }
}
