//! The same bits from run to run, and for any number of threads.

mod support;

use std::process::ExitCode;

use libtest_mimic::Failed;
use support::{
    cases::size,
    devices::{self, Check},
    random::{normal, on_the_sphere, single},
};
use unisphere::{
    Alignment, Candidates, Contrastive, Embeddings, Engine, Groups, Loss, Result, Scaling, Spectrum,
    Uniformity,
};

/// Many rows are more than one panel on either side, ragged, and gradients of them come in rounds; of the few, a CPU holds all
/// weights in memory.
fn many_and_few_rows() -> [usize; 2] {
    [1061, size(391, 129)]
}

fn dims() -> usize {
    size(37, 5)
}

fn main() -> ExitCode {
    let mut checks = Vec::new();
    for scaling in [Scaling::Unit, Scaling::Raw] {
        checks.push(Check::new(format!("run to run, {scaling:?}"), move |engine| {
            for rows in many_and_few_rows() {
                let first = bits(engine, rows, scaling)?;
                same("a second run", &first, &bits(engine, rows, scaling)?)?;
                same("a third run", &first, &bits(engine, rows, scaling)?)?;
            }
            Ok(())
        }));
        checks.push(Check::new(format!("1, 2 and 7 threads, {scaling:?}"), move |engine| {
            for rows in many_and_few_rows() {
                let first = with_threads(1, engine, rows, scaling)?;
                same("2 threads", &first, &with_threads(2, engine, rows, scaling)?)?;
                same("7 threads", &first, &with_threads(7, engine, rows, scaling)?)?;
            }
            Ok(())
        }));
    }
    devices::run(&checks)
}

fn with_threads(
    threads: usize,
    engine: &Engine,
    rows: usize,
    scaling: Scaling,
) -> Result<Vec<(String, Vec<u64>)>, Failed> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    Ok(pool.install(|| bits(engine, rows, scaling))?)
}

fn same(what: &str, first: &[(String, Vec<u64>)], second: &[(String, Vec<u64>)]) -> Result<(), Failed> {
    for ((name, first), (_, second)) in first.iter().zip(second) {
        let differences = first.iter().zip(second).filter(|(a, b)| a != b).count();
        if first.len() != second.len() || differences > 0 {
            return Err(format!("{what}: {differences} of {} values of {name} differ", first.len()).into());
        }
    }
    Ok(())
}

/// The bits of everything that an engine computes, from points uploaded anew.
fn bits(engine: &Engine, rows: usize, scaling: Scaling) -> Result<Vec<(String, Vec<u64>)>> {
    let set = |seed| {
        let values = single(&on_the_sphere(normal(rows, dims(), seed), dims()));
        engine.upload(&Embeddings::with_scaling(values, rows, dims(), scaling)?)
    };
    let (x, y) = (set(1)?, set(2)?);
    let mut all = Vec::new();
    let mut value = |name: &str, value: f64| all.push((name.to_owned(), vec![value.to_bits()]));
    let mut gradients = Vec::new();
    for t in [2.0, 50.0] {
        let uniformity = Uniformity { t };
        let (u, gu) = engine.uniformity_with_grad(&x, uniformity)?;
        let (cross, (gx, gy)) = engine.value_and_grad(uniformity.across(&x, &y))?;
        value("uniformity", engine.uniformity(&x, uniformity)?);
        value("uniformity with gradient", u);
        value("cross uniformity", engine.value(uniformity.across(&x, &y))?);
        value("cross uniformity with gradient", cross);
        gradients.extend([("uniformity", gu), ("cross uniformity, x", gx), ("cross uniformity, y", gy)]);
    }
    let (a, gx, gy) = engine.alignment_with_grad(&x, &y, Alignment { alpha: 1.0 })?;
    let (loss, lx, ly) = engine.loss_with_grad(&x, &y, Loss::default())?;
    value("alignment", a);
    value("loss", loss.loss);
    let weights: Vec<_> = (0..rows).map(|row| (row % 7) as f64).collect();
    let (u, gw) = engine.value_and_grad(Uniformity::new(2.0).within(&x).weighted(&weights))?;
    value("weighted uniformity", u);
    gradients.push(("weighted uniformity", gw));
    for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
        for tau in [0.01, 0.5] {
            let (loss, gx, gy) = engine.contrastive_with_grad(&x, &y, Contrastive { tau, candidates })?;
            value("the contrastive loss", loss.loss);
            gradients.extend([("the contrastive loss, x", gx), ("the contrastive loss, y", gy)]);
        }
    }
    for u in engine.value(Uniformity::at(&[0.5, 2.0, 5.0]).within(&x))? {
        value("uniformity in a sweep", u);
    }
    let potentials = engine.value(Uniformity::new(2.0).potentials(&x))?;
    all.push(("potentials".into(), potentials.logs().iter().map(|v| v.to_bits()).collect()));
    let spectrum = engine.value(Spectrum::within(&x))?;
    all.push(("spectrum".into(), spectrum.eigenvalues().iter().map(|v| v.to_bits()).collect()));
    let mut value = |name: &str, value: f64| all.push((name.to_owned(), vec![value.to_bits()]));
    let labels: Vec<_> = (0..rows as i64).map(|row| row % 3).collect();
    let groups = engine.value(Groups::new(&labels)?.uniformity(Uniformity { t: 2.0 }, &x).across_groups())?;
    value("uniformity across groups", groups.between(0, 1).unwrap_or(f64::NAN));
    let distances = engine.squared_distances(&x, &y)?;
    let (dx, dy) = engine.squared_distances_grad(&x, &y, &distances)?;
    gradients.extend([("alignment, x", gx), ("alignment, y", gy), ("loss, x", lx), ("loss, y", ly)]);
    gradients.extend([("squared distances, x", dx), ("squared distances, y", dy)]);
    gradients.push(("squared distances", distances));
    for (name, gradient) in gradients {
        let bits = gradient.read()?.iter().map(|v| v.to_bits().into()).collect();
        all.push((format!("the gradient of {name}"), bits));
    }
    Ok(all)
}
