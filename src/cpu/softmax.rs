//! Sums of rows together with the gradient of their logs, in single precision where that is exact enough.

use super::{
    Cpu,
    gradient::{Exponentials, centre},
    kept::{Kept, Recalled},
    kernel::{Cosine, Kernel},
    one_way::{fits, one_way},
    pull::pulls,
    sets::Sets,
    weighing::Weighed,
    weighted::{Form, Pulled, rows_kept},
};
use crate::{
    Result,
    backend::{Exponent, Gradients, NARROW, Pairs, Rests, RowLogSums, Weighing, in_two_passes},
    log_sum::log_add,
    progress::Watch,
};

/// The log sums of points that have a rest, and the gradient of `scale` · Σᵢ log(exp(restᵢ) + Σⱼ exp(eᵢⱼ)) over them.
pub(super) fn row_log_sums_with_grad(
    cpu: &Cpu,
    pairs: Pairs<'_>,
    exponent: Exponent,
    (rests, scale): (Rests<'_>, f64),
    watch: &Watch<'_>,
) -> Result<(RowLogSums, Gradients)> {
    let sets = Sets::of(pairs)?;
    let form = Form::of(exponent, sets.scaling());
    let about = centre(sets);
    let mut again = None;
    let single = sets.y.is_some() && !sets.few() && form.in_f32(pairs);
    if single && (rests.y.is_some() || fits(sets)) && super::mean_square(&about) > NARROW {
        let about = about.iter().map(|&v| v as f32).collect();
        let (sums, pulled) = match rests.y {
            None => rows(cpu, (sets, form), (rests.x, scale), about, watch)?,
            Some(_) => rows_and_columns(cpu, (sets, form), (rests, scale), about, watch)?,
        };
        if pulled.in_range() && !pulled.cancels(sets, form) {
            return Ok((sums, pulled.finish(sets, form, None)?));
        }
        again = Some(watch.again());
    }
    in_two_passes(cpu, pairs, exponent, (rests, scale), again.as_ref().unwrap_or(watch))
}

/// Of the first set alone, from weights that are computed once.
fn rows(
    cpu: &Cpu,
    (sets, form): (Sets<'_>, Form),
    (rest, scale): (&[f64], f64),
    centre: Vec<f32>,
    watch: &Watch<'_>,
) -> Result<(RowLogSums, Pulled<f32>)> {
    let rate = Cosine::RATE * form.t;
    // Exponents to both sides of 0.
    let pivot = Cosine::TOP - 2.0 / Cosine::RATE;
    let base = form.shift + rate * (pivot - Cosine::TOP);
    let weights = Exponentials::<Cosine>::new(rate, pivot);
    let divisor = |row: usize, sum: f64| log_add(rest[row] - base, sum.ln()).exp() / scale;
    let done = one_way(cpu, sets, &weights, &centre, divisor, watch)?;
    let sums = done.sums.into_iter().map(|sum| base + sum.ln()).collect();
    Ok((RowLogSums { x: sums, y: None }, Pulled { centre, on_x: done.on_x, on_y: Some(done.on_y) }))
}

/// Of both sets: the sums of rows and of columns come before the weight of any pair.
fn rows_and_columns(
    cpu: &Cpu,
    (sets, form): (Sets<'_>, Form),
    (rests, scale): (Rests<'_>, f64),
    centre: Vec<f32>,
    watch: &Watch<'_>,
) -> Result<(RowLogSums, Pulled<f32>)> {
    let kept = Kept::new(sets);
    let sums = rows_kept(cpu, sets, form, &kept, &watch.again())?;
    let (p, q) = rests.factors(&sums, scale);
    let q = q.unwrap_or_default();
    let rate = Cosine::RATE * form.t;
    let weighing = Weighing::Sum { p: &p, q: &q };
    let weights = Weighed::<Cosine>::new(rate, form.shift - rate * Cosine::TOP, weighing);
    let weights = Recalled { kept: &kept, weights };
    let (_, on_x, on_y) = pulls(cpu.level, sets, &weights, &centre, |pairs| watch.advance(pairs))?;
    Ok((sums, Pulled { centre, on_x, on_y }))
}
