//! Sums of rows together with the gradient of their logs, in single precision where that is exact enough.

use super::{
    Cpu,
    exact::Exact,
    gradient::{Exponentials, centre},
    kept::{Kept, Recalled},
    kernel::{Cosine, Gram, Kernel},
    one_way::{fits, one_way},
    rounded::Rounded,
    rows::{Form, level_rows, row_log_sums, rows},
    sets::Sets,
    weighted::{LEAST_TOTAL, Pulled, in_double, weighed},
};
use crate::{
    error::{Error, Result},
    kernel::Exponent,
    log_sum::log_add,
    pairs::Pairs,
    progress::Watch,
    weights::Gradients,
    weights::{ExtraTerms, RowLogSums},
};

/// The log sums of points that have a rest, and the gradient of `scale` · Σᵢ log(exp(restᵢ) + Σⱼ exp(eᵢⱼ)) over them.
pub(super) fn row_log_sums_with_grad(
    cpu: &Cpu,
    pairs: Pairs<'_>,
    exponent: Exponent,
    (rests, scale): (ExtraTerms<'_>, f64),
    watch: &Watch<'_>,
) -> Result<(RowLogSums, Gradients)> {
    let sets = Sets::of(pairs)?;
    let form = Form::of(exponent, sets);
    let about = centre(sets);
    let (of, rests) = ((sets, form), (rests, scale));
    let single = || about.iter().map(|&v| v as f32).collect();
    let mut passes = watch.passes();
    let (sums, pulled) = match form.exact {
        _ if sets.y.is_none() || !form.may_be_single(&about) => (None, None),
        Exact::Cosine if rests.0.y.is_none() && fits(sets) => {
            let (sums, pulled) = at_once(cpu, of, rests, single(), passes.next())?;
            (Some(sums), Some(pulled))
        }
        Exact::Cosine => {
            let kept = Kept::new(sets);
            let (sums, weights) = sums_first::<Cosine>(cpu, of, rests, &kept, watch)?;
            let pulled = weights.map(|weights| Pulled::new(cpu, sets, &weights, single(), passes.next()));
            (Some(sums), pulled.transpose()?)
        }
        _ => {
            let kept = Kept::new(sets);
            let (sums, weights) = sums_first::<Gram<false>>(cpu, of, rests, &kept, watch)?;
            let weights = weights.map(Rounded);
            let pulled = weights.map(|weights| Pulled::new(cpu, sets, &weights, single(), passes.next()));
            (Some(sums), pulled.transpose()?)
        }
    };
    let exact = pulled.filter(|pulled| pulled.is_exact(sets, form));
    let sums = match (sums, &exact, form.exact) {
        // What cancels takes weights that add up to 1 in more digits than sums in single precision have.
        (_, None, Exact::Cosine) => rows::<Gram<false>>(cpu, sets, form, None, &watch.silent())?,
        (Some(sums), ..) => sums,
        (None, ..) => row_log_sums(cpu, pairs, exponent, None, &watch.silent())?,
    };
    let gradients = match exact {
        Some(pulled) => pulled.finish(sets, form, None)?,
        None => {
            let factors = rests.0.scalings(&sums, scale, sets.right().len());
            in_double(cpu, of, factors.pair_weights(), about, None, passes.next())?
        }
    };
    let y = sums.y.filter(|_| rests.0.y.is_some());
    Ok((RowLogSums { y, ..sums }, gradients))
}

/// Of the first set alone, from weights that are computed once.
fn at_once(
    cpu: &Cpu,
    (sets, form): (Sets<'_>, Form),
    (rests, scale): (ExtraTerms<'_>, f64),
    centre: Vec<f32>,
    watch: &Watch<'_>,
) -> Result<(RowLogSums, Pulled<f32>)> {
    let rate = Cosine::RATE * form.t;
    // Exponents to both sides of 0.
    let pivot = Cosine::TOP - 2.0 / Cosine::RATE;
    let base = form.shift + rate * (pivot - Cosine::TOP);
    let weights = Exponentials::<Cosine>::new(rate, pivot);
    let divisor = |row: usize, sum: f64| log_add(rests.x[row] - base, sum.ln()).exp() / scale;
    let done = one_way(cpu, sets, &weights, &centre, divisor, watch)?;
    let sums = done.sums.into_iter().map(|sum| base + sum.ln()).collect();
    Ok((RowLogSums { x: sums, y: None }, Pulled { centre, on_x: done.on_x, on_y: Some(done.on_y) }))
}

/// Of both sets, or of the first: the sums of whole rows and columns, which come before the weight of any pair, and the
/// weights, where they are not beneath single precision.
pub(super) fn sums_first<'a, K: Kernel>(
    cpu: &Cpu,
    (sets, form): (Sets<'_>, Form),
    (rests, scale): (ExtraTerms<'_>, f64),
    kept: &'a Kept<K::Real>,
    watch: &Watch<'_>,
) -> Result<(RowLogSums, Option<Recalled<'a, K>>)> {
    let sums = level_rows::<K>(cpu, sets, &[form], Some(kept), &watch.silent())?.pop();
    let sums = sums.ok_or_else(|| Error::missing("the sum of each row"))?;
    let factors = rests.scalings(&sums, scale, sets.right().len());
    let greatest = sums.x.iter().zip(&factors.p).map(|(sum, p)| sum + p).fold(f64::NEG_INFINITY, f64::max);
    let weights = || Recalled { kept, weights: weighed(form, factors.pair_weights()) };
    let weights = (greatest > LEAST_TOTAL.ln()).then(weights);
    Ok((sums, weights))
}
