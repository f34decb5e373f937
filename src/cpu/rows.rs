//! Sums of exponentials per row, each by the kernel that is exact enough for it.

use super::{
    Cpu,
    exact::Exact,
    kept::Kept,
    kernel::{Cosine, Difference, Dot, Gram, Kernel},
    log_sum::Potential,
    row_sums::{LogMasses, RowSums, level_row_sums, row_sums},
    sets::Sets,
};
use crate::{
    accuracy::NARROW,
    error::Result,
    kernel::Exponent,
    pairs::Pairs,
    progress::Watch,
    weights::{PointWeights, RowLogSums},
};

/// An exponent as kernels have it.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// It is −t times the squared distance, and `shift` more; or, for raw logits, t times the inner product.
    pub(super) t: f64,
    pub(super) shift: f64,
    pub(super) exact: Exact,
}

impl Form {
    pub(super) fn of(exponent: Exponent, sets: Sets<'_>) -> Self {
        match exponent {
            Exponent::Gaussian { t } => Self { t, shift: 0.0, exact: Exact::gaussian(sets, t) },
            Exponent::Logit { tau } => {
                let exact = Exact::logit(sets, tau);
                match exact {
                    Exact::Dot => Self { t: 1.0 / tau, shift: 0.0, exact },
                    // Of unit rows, ⟨x, y⟩ = 1 − ½‖x−y‖².
                    _ => Self { t: 0.5 / tau, shift: 1.0 / tau, exact },
                }
            }
        }
    }
}

/// log Σⱼ mⱼ exp(eᵢⱼ) for every point.
pub(super) fn row_log_sums(
    cpu: &Cpu,
    pairs: Pairs<'_>,
    exponent: Exponent,
    masses: Option<PointWeights<'_>>,
    watch: &Watch<'_>,
) -> Result<RowLogSums> {
    let sets = Sets::of(pairs)?;
    let form = Form::of(exponent, sets);
    let logs = masses.map(|m| [m.x, m.y].map(|m| m.iter().map(|m| m.ln()).collect::<Vec<_>>()));
    let logs = logs.as_ref().map(|[x, y]| [&**x, &**y]);
    let mut passes = watch.passes();
    let sums = match form.exact {
        Exact::Dot => rows::<Dot>(cpu, sets, form, logs, passes.next()),
        Exact::FewGram => rows::<Gram<true>>(cpu, sets, form, logs, passes.next()),
        Exact::Gram => rows::<Gram<false>>(cpu, sets, form, logs, passes.next()),
        Exact::Difference => rows::<Difference>(cpu, sets, form, logs, passes.next()),
        Exact::Cosine => rows::<Cosine>(cpu, sets, form, logs, passes.next()),
    }?;
    if form.exact == Exact::Cosine && form.shift == 0.0 {
        let none = [sets.x, sets.right()].map(|rows| rows.len() as f64);
        let all = masses.map_or(none, |m| [m.x, m.y].map(|masses| masses.iter().sum()));
        if is_narrow(&sums, all, form.t) {
            return rows::<Difference>(cpu, sets, form, logs, passes.next());
        }
    }
    Ok(sums)
}

/// Whether some point has all others so near that cosines in f32 say too little of it.
fn is_narrow(sums: &RowLogSums, [of_x, of_y]: [f64; 2], t: f64) -> bool {
    let near = |rows: &[f64], others: f64| {
        let greatest = rows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        greatest - others.ln() > -t * NARROW
    };
    near(&sums.x, of_y) || sums.y.as_ref().is_some_and(|y| near(y, of_x))
}

pub(super) fn rows<K: Kernel>(
    cpu: &Cpu,
    sets: Sets<'_>,
    form: Form,
    masses: LogMasses<'_>,
    watch: &Watch<'_>,
) -> Result<RowLogSums> {
    if masses.is_none()
        && let Some(sums) = level_rows::<K>(cpu, sets, &[form], None, watch)?.pop()
    {
        return Ok(sums);
    }
    Ok(logs::<K>(row_sums::<K>(cpu.level, sets, K::RATE * form.t, masses, watch)?, form))
}

/// The same for every form, from the same products, where all exponents are so small that rows can share a pivot; else
/// nothing. How close pairs are may be kept.
pub(super) fn level_rows<K: Kernel>(
    cpu: &Cpu,
    sets: Sets<'_>,
    forms: &[Form],
    kept: Option<&Kept<K::Real>>,
    watch: &Watch<'_>,
) -> Result<Vec<RowLogSums>> {
    let level = |form: &Form| {
        let rate = K::RATE * form.t;
        level_pivot::<K>(rate).map(|pivot| (rate, pivot))
    };
    let Some(rates) = forms.iter().map(level).collect::<Option<Vec<_>>>() else { return Ok(Vec::new()) };
    let sums = level_row_sums::<K>(cpu.level, sets, &rates, kept, watch)?;
    Ok(sums.into_iter().zip(forms).map(|(sums, &form)| logs::<K>(sums, form)).collect())
}

/// log Σⱼ exp(⟨x, y⟩/τ) for every point and every τ, from as few products as their precision allows.
pub(super) fn row_log_sums_of_logits(
    cpu: &Cpu,
    pairs: Pairs<'_>,
    taus: &[f64],
    watch: &Watch<'_>,
) -> Result<Vec<RowLogSums>> {
    let sets = Sets::of(pairs)?;
    let forms: Vec<_> = taus.iter().map(|&tau| Form::of(Exponent::Logit { tau }, sets)).collect();
    let mut sums: Vec<Option<RowLogSums>> = vec![None; taus.len()];
    let mut passes = watch.passes();
    for exact in [Exact::Cosine, Exact::Gram] {
        let places: Vec<_> = (0..forms.len()).filter(|&i| forms[i].exact == exact).collect();
        if places.is_empty() {
            continue;
        }
        let forms: Vec<_> = places.iter().map(|&i| forms[i]).collect();
        let found = match exact {
            Exact::Cosine => level_rows::<Cosine>(cpu, sets, &forms, None, passes.next()),
            _ => level_rows::<Gram<false>>(cpu, sets, &forms, None, passes.next()),
        };
        places.into_iter().zip(found?).for_each(|(i, found)| sums[i] = Some(found));
    }
    for (sum, &tau) in sums.iter_mut().zip(taus) {
        if sum.is_none() {
            *sum = Some(row_log_sums(cpu, pairs, Exponent::Logit { tau }, None, passes.next())?);
        }
    }
    Ok(sums.into_iter().flatten().collect())
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
