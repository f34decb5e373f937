//! Everything that is recorded of two sets: each computation is one line.

use unisphere::{
    Alignment, Candidates, ClosePairs, Contrastive, ContrastiveValue, CosineHistogram, Embeddings, Engine,
    Groups, Loss, Matrix, Result, Scaling, Sigmoid, Spectrum, SquaredMmd, SupCon, Uniformity,
};

use crate::{Case, Found};

const TS: [f64; 6] = [0.05, 2.0, 5.0, 12.0, 60.0, 200.0];
const TAUS: [f64; 5] = [5.0, 0.5, 0.07, 0.01, 0.003];

/// All results, by name.
#[derive(Default)]
struct Results(Vec<(String, Found)>);

impl Results {
    fn number(&mut self, what: impl Into<String>, value: f64) {
        self.0.push((what.into(), Found::Numbers(vec![value])));
    }

    fn numbers(&mut self, what: impl Into<String>, values: &[f64]) {
        self.0.push((what.into(), Found::Numbers(values.to_vec())));
    }

    fn many(&mut self, what: impl Into<String>, values: &[f64]) {
        self.0.push((what.into(), Found::Many(values.iter().map(|value| value.to_bits()).collect())));
    }

    fn counts(&mut self, what: impl Into<String>, values: Vec<u64>) {
        self.0.push((what.into(), Found::Many(values)));
    }

    fn gradients<const N: usize>(&mut self, what: &str, gradients: [Matrix; N]) -> Result<()> {
        for (side, gradient) in ["x", "y"].into_iter().zip(gradients) {
            let bits = gradient.read()?.iter().map(|value| value.to_bits().into()).collect();
            self.0.push((format!("{what}, gradient for {side}"), Found::Many(bits)));
        }
        Ok(())
    }

    fn loss(&mut self, what: &str, value: ContrastiveValue) {
        let ContrastiveValue { loss, alignment, uniformity, residual, .. } = value;
        self.numbers(what, &[loss, alignment, uniformity, residual]);
    }
}

pub(crate) fn all(engine: &Engine, case: &Case) -> Result<Vec<(String, Found)>> {
    let upload = |values: &[f32]| {
        engine.upload(&Embeddings::with_scaling(values, case.rows, case.dims, case.scaling)?)
    };
    let (x, y) = (&upload(&case.x)?, &upload(&case.y)?);
    let mut results = Results::default();
    let r = &mut results;

    for t in TS {
        let u = Uniformity { t };
        r.number(format!("uniformity, t = {t}"), engine.uniformity(x, u)?);
        let (value, gx) = engine.uniformity_with_grad(x, u)?;
        r.number(format!("uniformity with gradient, t = {t}"), value);
        r.gradients(&format!("uniformity, t = {t}"), [gx])?;
        r.number(format!("cross uniformity, t = {t}"), engine.value(u.across(x, y))?);
        let (value, (gx, gy)) = engine.value_and_grad(u.across(x, y))?;
        r.number(format!("cross uniformity with gradient, t = {t}"), value);
        r.gradients(&format!("cross uniformity, t = {t}"), [gx, gy])?;
        r.many(format!("potentials, t = {t}"), engine.value(u.potentials(x))?.logs());
    }
    r.numbers("uniformity for several t", &engine.value(Uniformity::at(&TS).within(x))?);
    r.numbers("cross uniformity for several t", &engine.value(Uniformity::at(&TS).across(x, y))?);
    r.numbers("unpaired uniformity for several t", &engine.value(Uniformity::at(&TS).unpaired(x, y))?);
    r.numbers("pooled uniformity for several t", &engine.value(Uniformity::at(&TS).pooled(x, y))?);
    r.number("squared MMD", engine.value(SquaredMmd::new(2.0).across(x, y))?);
    r.number("squared MMD of unpaired rows", engine.value(SquaredMmd::new(2.0).unpaired(x, y))?);

    let weights: Vec<_> = (0..case.rows).map(|row| (row % 7) as f64).collect();
    for t in [2.0, 30.0] {
        let u = Uniformity { t };
        r.number(format!("weighted uniformity, t = {t}"), engine.value(u.within(x).weighted(&weights))?);
        let (value, gx) = engine.value_and_grad(u.within(x).weighted(&weights))?;
        r.number(format!("weighted uniformity with gradient, t = {t}"), value);
        r.gradients(&format!("weighted uniformity, t = {t}"), [gx])?;
    }
    for alpha in [1.0, 2.0, 3.0] {
        let a = Alignment { alpha };
        r.number(format!("alignment, α = {alpha}"), engine.alignment(x, y, a)?);
        let (_, gx, gy) = engine.alignment_with_grad(x, y, a)?;
        r.gradients(&format!("alignment, α = {alpha}"), [gx, gy])?;
        r.number(
            format!("weighted alignment, α = {alpha}"),
            engine.value(a.paired(x, y).weighted(&weights))?,
        );
        let (_, (gx, gy)) = engine.value_and_grad(a.paired(x, y).weighted(&weights))?;
        r.gradients(&format!("weighted alignment, α = {alpha}"), [gx, gy])?;
    }
    r.many("pair distances", &engine.value(Alignment::distances(x, y))?);
    let loss = Loss { weight: 1.5, ..Loss::default() };
    r.number("loss", engine.loss(x, y, loss)?.loss);
    let (_, gx, gy) = engine.loss_with_grad(x, y, loss)?;
    r.gradients("loss", [gx, gy])?;

    for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
        for tau in TAUS {
            let c = Contrastive { tau, candidates };
            let what = format!("contrastive loss, {candidates:?}, τ = {tau}");
            r.loss(&what, engine.contrastive(x, y, c)?);
            let (value, gx, gy) = engine.contrastive_with_grad(x, y, c)?;
            r.loss(&format!("{what}, with gradient"), value);
            r.gradients(&what, [gx, gy])?;
        }
        let what = format!("contrastive loss with a queue, {candidates:?}");
        let c = Contrastive { tau: 0.1, candidates };
        let (value, (gx, gy)) = engine.value_and_grad(c.paired(x, y).queue(x))?;
        r.loss(&what, value);
        r.gradients(&what, [gx, gy])?;
        for (tau, value) in TAUS.iter().zip(engine.value(Contrastive::at(&TAUS, candidates).paired(x, y))?) {
            r.loss(&format!("contrastive loss among several, {candidates:?}, τ = {tau}"), value);
        }
    }

    let labels: Vec<_> = (0..case.rows as i64).map(|row| row * row % 3).collect();
    for t in [2.0, 30.0] {
        let groups = engine.value(Groups::new(&labels)?.uniformity(Uniformity { t }, x).across_groups())?;
        let all = [groups.between(0, 0), groups.between(0, 1), groups.between(1, 1)];
        r.numbers(format!("uniformity of groups, t = {t}"), &all.map(|value| value.unwrap_or(f64::NAN)));
    }
    let groups = &Groups::new(&labels)?;
    for metric in [Sigmoid::default(), Sigmoid::new(100.0, -12.0)] {
        let (value, grads) = engine.value_and_grad(metric.paired(x, y))?;
        r.numbers(
            format!("{metric:?}"),
            &[engine.value(metric.paired(x, y))?, value, grads.scale, grads.bias],
        );
        r.gradients(&format!("{metric:?}"), [grads.x, grads.y])?;
    }
    let request = SupCon::new(0.1).views(x, y, groups);
    let (value, ((gx, gy), by_tau)) = engine.value_and_grad(request.with_tau())?;
    r.numbers("supervised contrastive loss", &[engine.value(request)?, value, by_tau]);
    r.gradients("supervised contrastive loss", [gx, gy])?;
    for alpha in [1.0, 2.0] {
        let request = Alignment { alpha }.by_label(x, groups);
        let (value, grad) = engine.value_and_grad(request)?;
        r.numbers(format!("alignment by label, alpha = {alpha}"), &[engine.value(request)?, value]);
        r.gradients(&format!("alignment by label, alpha = {alpha}"), [grad])?;
    }
    let (_, (_, by_t)) = engine.value_and_grad(Uniformity::new(2.0).within(x).with_t())?;
    r.number("uniformity, derivative for t = 2", by_t);
    if case.scaling == Scaling::Unit {
        r.counts("histogram of cosines", engine.value(CosineHistogram::new(50).within(x))?);
    }
    let close = engine.value(ClosePairs::within(x, 0.9).limit(1000))?;
    let listed = close.pairs.iter().flat_map(|&(i, j, distance)| [i as u64, j as u64, distance.to_bits()]);
    r.counts("close pairs", [close.count].into_iter().chain(listed).collect());
    r.number("norm of the mean", engine.value(Spectrum::within(x))?.mean_norm());
    let distances = engine.squared_distances(x, y)?;
    let (dx, dy) = engine.squared_distances_grad(x, y, &distances)?;
    r.gradients("squared distances", [dx, dy])?;
    r.counts("squared distances", distances.read()?.iter().map(|value| value.to_bits().into()).collect());
    Ok(results.0)
}
