//! Sums of exponentials per row, and gradients of weighted sums of exponents.

use super::{
    Cpu,
    gradient::{cancel, centre, finish},
    kernel::{Cosine, Difference, Dot, Gram, Kernel},
    log_sum::Potential,
    pull::{Pulls, pulls},
    row_sums::{LogMasses, RowSums, row_sums},
    sets::Sets,
    weighing::Weighed,
};
use crate::{
    Result, Scaling,
    backend::{Exponent, Gradients, Masses, NARROW, Pairs, RowLogSums, Weighing},
    progress::Watch,
};

/// An exponent as kernels have it.
#[derive(Clone, Copy)]
struct Form {
    /// It is −t times the squared distance, and `shift` more; or, for raw logits, t times the inner product.
    t: f64,
    shift: f64,
    dot: bool,
}

impl Form {
    fn of(exponent: Exponent, scaling: Scaling) -> Self {
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
    fn in_f32(self, pairs: Pairs<'_>) -> bool {
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
    if masses.is_none() && form.in_f32(pairs) {
        let sums = rows_with::<Cosine>(cpu, sets, form, None, watch)?;
        if form.shift > 0.0 || !is_narrow(&sums, sets, form.t) {
            return Ok(sums);
        }
        return rows_with::<Difference>(cpu, sets, form, None, &watch.again());
    }
    rows_with::<Difference>(cpu, sets, form, logs, watch)
}

/// Whether some point has all others so near that cosines in f32 say too little of it.
fn is_narrow(sums: &RowLogSums, sets: Sets<'_>, t: f64) -> bool {
    let near = |rows: &[f64], others: usize| {
        let greatest = rows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        greatest - (others as f64).ln() > -t * NARROW
    };
    near(&sums.x, sets.right().len()) || sums.y.as_ref().is_some_and(|y| near(y, sets.x.len()))
}

fn rows_with<K: Kernel>(
    cpu: &Cpu,
    sets: Sets<'_>,
    form: Form,
    masses: LogMasses<'_>,
    watch: &Watch<'_>,
) -> Result<RowLogSums> {
    let rate = K::RATE * form.t;
    let RowSums { x, y } = row_sums::<K>(cpu.level, sets, rate, masses, watch)?;
    let logs = |sums: Vec<Potential>| {
        let log = |sum: Potential| match sum.sum {
            0.0 => f64::NEG_INFINITY,
            _ => K::steepness(rate) * sum.pivot + sum.sum.ln() + form.shift,
        };
        sums.into_iter().map(log).collect()
    };
    Ok(RowLogSums { x: logs(x), y: y.map(logs) })
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
        if pulled.in_range() && !pulled.cancels(sets) {
            return pulled.finish(sets, form, sum);
        }
        again = Some(watch.again());
    }
    let watch = again.as_ref().unwrap_or(watch);
    Pulled::new::<Difference>(cpu, sets, form, weighing, about, watch)?.finish(sets, form, sum)
}

/// What weights do to either set, about a centre.
struct Pulled<T> {
    centre: Vec<T>,
    on_x: Pulls<T>,
    on_y: Option<Pulls<T>>,
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
    fn in_range(&self) -> bool {
        let greatest = self.on_x.total.iter().copied().fold(0.0, f64::max);
        (1e-24..1e24).contains(&greatest)
    }

    fn cancels(&self, sets: Sets<'_>) -> bool {
        let of_y = sets.y.zip(self.on_y.as_ref());
        cancel(sets.x, &self.on_x, &self.centre) || of_y.is_some_and(|(y, on)| cancel(y, on, &self.centre))
    }

    fn finish(mut self, sets: Sets<'_>, form: Form, sum: Option<Gradients>) -> Result<Gradients> {
        if form.dot {
            // A point pulls by where it is, and not by how far away.
            self.on_x.total.fill(0.0);
            self.on_y.iter_mut().for_each(|on| on.total.fill(0.0));
        }
        let slope = if form.dot { form.t } else { 2.0 * form.t };
        let (sum_x, sum_y) = sum.map_or((None, None), |sum| (Some(sum.x), sum.y));
        let x = finish(sets.x, self.on_x, &self.centre, slope, sum_x)?;
        let on_y = sets.y.zip(self.on_y);
        let y = on_y.map(|(y, on)| finish(y, on, &self.centre, slope, sum_y)).transpose()?;
        Ok(Gradients { x, y })
    }
}
