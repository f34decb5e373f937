//! Values and gradients of every backend against the formulas in f64: one set of checks for all devices.

mod support;

use std::process::ExitCode;

use libtest_mimic::Failed;
use support::{
    cases::{self, Case},
    compare::{self, Report},
    devices::{self, Check},
    oracle::{self, Rows},
    random,
    set::{Set, balanced},
    verses,
};
use unisphere::{Alignment, Embeddings, Engine, Loss, Result, Scaling, Uniformity};

const ALPHAS: [f64; 4] = [0.5, 1.0, 2.0, 3.0];

fn main() -> ExitCode {
    let cases = [cases::shapes(), cases::ragged(), cases::big()].into_iter().flatten();
    let checks = cases.map(|case| Check::new(case.name.clone(), move |engine| check(engine, &case)));
    let more = [
        Check::new("known values of the verses", verses),
        Check::new("the least and the greatest t", extreme_t),
    ];
    devices::run(&checks.chain(more).collect::<Vec<_>>())
}

fn check(engine: &Engine, case: &Case) -> Result<(), Failed> {
    let x = Set::new(engine, case.x()?)?;
    let y = Set::new(engine, case.y()?)?;
    // The first two thirds of the positives: another number of rows than x has.
    let rows = (case.rows * 2).div_ceil(3);
    let part = &case.y[..rows * case.dims];
    let part = Set::new(engine, Embeddings::with_scaling(part, rows, case.dims, case.scaling)?)?;
    let mut report = Report::default();
    for &t in case.ts {
        if case.rows > 1 {
            uniformity(&mut report, engine, &x, t)?;
            loss(&mut report, engine, &x, &y, t)?;
        }
        cross_uniformity(&mut report, engine, &x, &part, t)?;
    }
    for alpha in ALPHAS {
        alignment(&mut report, engine, &x, &y, alpha)?;
    }
    squared_distances(&mut report, engine, &x, &part)?;
    Ok(report.finish()?)
}

fn uniformity(report: &mut Report, engine: &Engine, x: &Set, t: f64) -> Result<()> {
    let squares = oracle::squares_within(&x.seen);
    let want = oracle::log_mean_exp(&squares, t);
    let metric = Uniformity { t };
    let (value, grad) = engine.uniformity_with_grad(&x.points, metric)?;
    for (how, value) in [("value", engine.uniformity(&x.points, metric)?), ("value with gradient", value)] {
        report.check(format!("uniformity t={t}, {how}"), x.potential(value, want, t));
    }
    let gross = oracle::gross(&x.seen, &x.seen, t, oracle::log_sum_exp(&squares, t), true);
    let grads = oracle::uniformity_grad(&x.seen, t);
    report.check(format!("uniformity t={t}, gradient"), x.gradient(&grad, grads, want, gross)?);
    if x.raw() {
        report.check(format!("uniformity t={t}, gradient"), balanced(&[&grad])?);
    }
    Ok(())
}

fn cross_uniformity(report: &mut Report, engine: &Engine, x: &Set, y: &Set, t: f64) -> Result<()> {
    let squares = oracle::squares_across(&x.seen, &y.seen);
    let want = oracle::log_mean_exp(&squares, t);
    let metric = Uniformity { t };
    let (value, (gx, gy)) = engine.value_and_grad(metric.across(&x.points, &y.points))?;
    let alone = engine.value(metric.across(&x.points, &y.points))?;
    for (how, value) in [("value", alone), ("value with gradient", value)] {
        report.check(format!("cross uniformity t={t}, {how}"), x.potential(value, want, t));
    }
    let log_sum = oracle::log_sum_exp(&squares, t);
    let (wx, wy) = oracle::cross_uniformity_grad(&x.seen, &y.seen, t);
    for (which, set, other, got, grad) in [("x", x, y, &gx, wx), ("y", y, x, &gy, wy)] {
        let gross = oracle::gross(&set.seen, &other.seen, t, log_sum, false);
        report.check(
            format!("cross uniformity t={t}, gradient of {which}"),
            set.gradient(got, grad, want, gross)?,
        );
    }
    if x.raw() {
        report.check(format!("cross uniformity t={t}, gradients"), balanced(&[&gx, &gy])?);
    }
    Ok(())
}

fn alignment(report: &mut Report, engine: &Engine, x: &Set, y: &Set, alpha: f64) -> Result<()> {
    let want = oracle::alignment(&x.seen, &y.seen, alpha);
    let metric = Alignment { alpha };
    let (value, gx, gy) = engine.alignment_with_grad(&x.points, &y.points, metric)?;
    for (how, value) in
        [("value", engine.alignment(&x.points, &y.points, metric)?), ("value with gradient", value)]
    {
        report.check(format!("alignment α={alpha}, {how}"), compare::value(value, want, 1e-6 * want));
    }
    let wx = oracle::alignment_grad(&x.seen, &y.seen, alpha);
    let (wy, gross) = (oracle::sum(&wx, &wx, -2.0), oracle::norm(&wx));
    for (which, set, got, want) in [("x", x, &gx, wx), ("y", y, &gy, wy)] {
        report
            .check(format!("alignment α={alpha}, gradient of {which}"), set.gradient(got, want, 0.0, gross)?);
    }
    Ok(())
}

fn loss(report: &mut Report, engine: &Engine, x: &Set, y: &Set, t: f64) -> Result<()> {
    let (weight, alpha) = (0.7, 1.0);
    let metric = Loss { weight, alignment: Alignment { alpha }, uniformity: Uniformity { t } };
    let (with_grad, gx, gy) = engine.loss_with_grad(&x.points, &y.points, metric)?;
    let aligned = oracle::alignment(&x.seen, &y.seen, alpha);
    let (ux, uy) = (oracle::uniformity(&x.seen, t), oracle::uniformity(&y.seen, t));
    let total = oracle::loss(&x.seen, &y.seen, weight, alpha, t);
    for value in [engine.loss(&x.points, &y.points, metric)?, with_grad] {
        let tolerance = 1e-6 * weight * aligned + x.tolerance(t, ux).max(y.tolerance(t, uy));
        report.check(format!("loss t={t}"), compare::value(value.loss, total, tolerance));
        report.check(format!("loss t={t}, x"), x.potential(value.uniformity_x, ux, t));
        report.check(format!("loss t={t}, y"), y.potential(value.uniformity_y, uy, t));
        report.check(
            format!("loss t={t}, alignment"),
            compare::value(value.alignment, aligned, 1e-6 * aligned),
        );
    }
    let pull = oracle::alignment_grad(&x.seen, &y.seen, alpha);
    for (which, set, got, sign, u) in [("x", x, &gx, 1.0, ux), ("y", y, &gy, -1.0, uy)] {
        let spread = oracle::uniformity_grad(&set.seen, t);
        let halved = oracle::sum(&spread, &spread, -0.5);
        let log_sum = oracle::log_sum_exp(&oracle::squares_within(&set.seen), t);
        let gross =
            oracle::gross(&set.seen, &set.seen, t, log_sum, true) / 2.0 + weight * oracle::norm(&pull);
        let want = oracle::sum(&halved, &pull, sign * weight);
        report.check(format!("loss t={t}, gradient of {which}"), set.gradient(got, want, u, gross)?);
    }
    Ok(())
}

fn squared_distances(report: &mut Report, engine: &Engine, x: &Set, y: &Set) -> Result<()> {
    let (rows, cols) = (x.given.len(), y.given.len());
    let want: Rows = oracle::squares_across(&x.seen, &y.seen).chunks(cols).map(<[f64]>::to_vec).collect();
    let got = engine.squared_distances(&x.points, &y.points)?;
    report.check("squared distances", x.squares(&got.read()?, &want));

    let upstream = random::single(&random::normal(rows, cols, 30));
    let matrix = engine.upload_matrix(&upstream, rows, cols)?;
    let (gx, gy) = engine.squared_distances_grad(&x.points, &y.points, &matrix)?;
    let upstream = oracle::rows(&upstream, cols);
    let (wx, wy) = oracle::squared_distances_grad(&x.seen, &y.seen, &upstream);
    let gross = 2.0 * (cols as f64).sqrt() * oracle::norm(&upstream);
    for (which, set, got, want) in [("x", x, &gx, wx), ("y", y, &gy, wy)] {
        report.check(format!("squared distances, gradient of {which}"), set.gradient(got, want, 0.0, gross)?);
    }
    Ok(())
}

/// The real set, against values computed elsewhere.
fn verses(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    let mut sets = Vec::new();
    for (translation, values) in verses::UNIFORMITY {
        let x = engine.upload(&Embeddings::new(verses::read(translation), verses::ROWS, verses::DIMS)?)?;
        for (t, want) in values {
            let got = engine.uniformity(&x, Uniformity { t })?;
            report.check(format!("uniformity of {translation}, t={t}"), compare::value(got, want, 1e-6));
        }
        sets.push(x);
    }
    for (alpha, want) in verses::ALIGNMENT {
        let got = engine.alignment(&sets[0], &sets[1], Alignment { alpha })?;
        report.check(format!("alignment, α={alpha}"), compare::value(got, want, 1e-6 * want));
    }
    Ok(report.finish()?)
}

/// Values for every t that has one; no gradient has more than finite values where the closest pair is all.
fn extreme_t(engine: &Engine) -> Result<(), Failed> {
    let (n, d) = (60, 7);
    let mut report = Report::default();
    for (rows, scaling) in [(2, Scaling::Unit), (n, Scaling::Unit), (2, Scaling::Raw), (n, Scaling::Raw)] {
        let values = random::single(&random::on_the_sphere(random::normal(rows, d, 40), d));
        let x = Set::new(engine, Embeddings::with_scaling(values, rows, d, scaling)?)?;
        for t in [5e-324, 1e-300, 1e-30, 1e-6, 1e3, 1e6, 1e30, 1e100, 1e300] {
            let (got, grad) = engine.uniformity_with_grad(&x.points, Uniformity { t })?;
            let want = oracle::uniformity(&x.seen, t);
            report.check(format!("{rows} rows, {scaling:?}, t={t:e}"), x.potential(got, want, t));
            let finite = grad.read()?.iter().all(|v| v.is_finite());
            report.check(format!("gradient at t={t:e}"), finite.then_some(()).ok_or("is not finite".into()));
        }
    }
    Ok(report.finish()?)
}
