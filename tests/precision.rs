//! What cooperative matrices multiply, against the formulas in f64, and where single precision takes their place.

mod support;

use std::process::ExitCode;

use libtest_mimic::Failed;
use support::{
    cases::{self, Case},
    compare::{self, Report},
    devices, oracle,
    random::{normal, on_the_sphere, single},
    set::Set,
    verses,
};
use unisphere::{Embeddings, Engine, Matrix, Points, Precision, Result, Scaling, Storage, Uniformity};

const T: f64 = 2.0;

fn main() -> ExitCode {
    devices::run_at_grades(&[
        ("random points", random_points),
        ("sizes around tile edges", ragged),
        ("several panels", panels),
        ("clusters", clusters),
        ("cones and others that are hard", hard),
        ("the verses", real),
        ("single precision where a grade would not hold", fallbacks),
        ("points stored in half precision", half_storage),
        ("run to run", repeated),
    ])
}

/// How far uniformity may be off at t = 2, and gradients, as a share of their length and of that of their terms.
fn tolerances(precision: Precision) -> (f64, f64, f64) {
    match precision {
        Precision::F32 | Precision::F16x2 => (1e-6, 1e-5, f32::EPSILON.into()),
        Precision::F16 => (1e-5, 2e-3, 0.0),
    }
}

fn unit(engine: &Engine, values: Vec<f64>, dims: usize) -> Result<Set> {
    let rows = values.len() / dims;
    Set::new(engine, Embeddings::new(single(&on_the_sphere(values, dims)), rows, dims)?)
}

/// Value and gradient within one set.
fn within(report: &mut Report, what: &str, engine: &Engine, x: &Set) -> Result<()> {
    let metric = Uniformity { t: T };
    let squares = oracle::squares_within(&x.seen);
    let want = oracle::log_mean_exp(&squares, T);
    let (value, grad) = engine.uniformity_with_grad(&x.points, metric)?;
    for (how, got) in [("value", engine.uniformity(&x.points, metric)?), ("value with gradient", value)] {
        let tolerance = tolerances(engine.precision()).0;
        report.check(format!("{what}, {how}"), compare::value(got, want, tolerance));
    }
    let wanted = oracle::uniformity_grad(&x.seen, T);
    gradient(
        report,
        &format!("{what}, gradient"),
        engine,
        (x, x, oracle::log_sum_exp(&squares, T)),
        &grad,
        wanted,
    )
}

/// Value and gradients across two sets.
fn across(report: &mut Report, what: &str, engine: &Engine, x: &Set, y: &Set) -> Result<()> {
    let metric = Uniformity { t: T };
    let squares = oracle::squares_across(&x.seen, &y.seen);
    let (want, log_sum) = (oracle::log_mean_exp(&squares, T), oracle::log_sum_exp(&squares, T));
    let (value, (gx, gy)) = engine.value_and_grad(metric.across(&x.points, &y.points))?;
    let alone = engine.value(metric.across(&x.points, &y.points))?;
    for (how, got) in [("value", alone), ("value with gradient", value)] {
        let tolerance = tolerances(engine.precision()).0;
        report.check(format!("{what}, across, {how}"), compare::value(got, want, tolerance));
    }
    let (wx, wy) = oracle::cross_uniformity_grad(&x.seen, &y.seen, T);
    gradient(report, &format!("{what}, across, gradient of x"), engine, (x, y, log_sum), &gx, wx)?;
    gradient(report, &format!("{what}, across, gradient of y"), engine, (y, x, log_sum), &gy, wy)
}

fn gradient(
    report: &mut Report,
    what: &str,
    engine: &Engine,
    (x, y, log_sum): (&Set, &Set, f64),
    got: &Matrix,
    want: oracle::Rows,
) -> Result<()> {
    let (_, relative, cancelled) = tolerances(engine.precision());
    let floor = cancelled * oracle::gross(&x.seen, &y.seen, T, log_sum, std::ptr::eq(x, y));
    let want = oracle::through_unit(&x.given, &want);
    let lengths = vec![1.0; want.len()];
    report.check(what, compare::gradient(&got.read()?, &want, &lengths, relative, floor));
    Ok(())
}

fn random_points(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    let (x, y) = (unit(engine, normal(1500, 128, 1), 128)?, unit(engine, normal(1027, 128, 2), 128)?);
    within(&mut report, "1500 × 128", engine, &x)?;
    across(&mut report, "1500 and 1027 × 128", engine, &x, &y)?;
    let plain = engine.clone().with_precision(Precision::F32)?;
    let metric = Uniformity { t: T };
    let (_, grad) = engine.uniformity_with_grad(&x.points, metric)?;
    let (_, single) = plain.uniformity_with_grad(&x.points, metric)?;
    if grad.read()? == single.read()? {
        report.check("the grade", Err("single precision has made the gradient".into()));
    }
    Ok(report.finish()?)
}

/// Tiles of 32, 64 and 128 rows, matrices of 8 and 16 dimensions; more pairs than single precision splits.
fn ragged(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    let few = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65].map(|d| (577, d));
    let many = [(1023, 129), (1024, 136), (1025, 144), (641, 255), (639, 256), (640, 257)];
    let rows = [543, 544, 545, 575, 576].map(|n| (n, 33));
    for (n, d) in few.into_iter().chain(many).chain(rows) {
        let x = unit(engine, normal(n, d, (n * 1000 + d) as u64), d)?;
        within(&mut report, &format!("{n} × {d}"), engine, &x)?;
    }
    for (n, m, d) in [(513, 700, 257), (1100, 1025, 120), (45, 6000, 3)] {
        let (x, y) = (unit(engine, normal(n, d, 3), d)?, unit(engine, normal(m, d, 4), d)?);
        across(&mut report, &format!("{n} and {m} × {d}"), engine, &x, &y)?;
    }
    Ok(report.finish()?)
}

fn panels(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    let (x, y) = (unit(engine, normal(4300, 64, 5), 64)?, unit(engine, normal(2100, 64, 6), 64)?);
    within(&mut report, "4300 × 64", engine, &x)?;
    across(&mut report, "4300 and 2100 × 64", engine, &x, &y)?;
    across(&mut report, "2100 and 4300 × 64", engine, &y, &x)?;
    Ok(report.finish()?)
}

/// Few directions, with exact duplicates and without: rounding has the least to average over.
fn clusters(engine: &Engine) -> Result<(), Failed> {
    let (n, d) = (1500, 128);
    let mut report = Report::default();
    for count in [1, 2, 10, 100] {
        let centres = on_the_sphere(normal(count, d, 7), d);
        for spread in [0.0, 0.01, 0.3] {
            let (noise, step) = (normal(n, d, 8), spread / (d as f64).sqrt());
            let values = (0..n * d).map(|k| centres[k / d % count * d + k % d] + step * noise[k]).collect();
            let x = unit(engine, values, d)?;
            let want = oracle::uniformity(&x.seen, T);
            let tolerance = if count == 1 && spread == 0.0 { 0.0 } else { tolerances(engine.precision()).0 };
            let got = engine.uniformity(&x.points, Uniformity { t: T })?;
            report.check(format!("{count} clusters of {spread}"), compare::value(got, want, tolerance));
        }
    }
    Ok(report.finish()?)
}

/// Sets that take other kernels half-way, or differences for their gradients.
fn hard(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    for case in cases::big().iter().filter(|case| case.rows < 5000 && case.scaling == Scaling::Unit) {
        let Case { rows, dims, .. } = *case;
        let x = Set::new(engine, case.x()?)?;
        let y = Set::new(engine, Embeddings::new(&case.y[..rows / 2 * dims], rows / 2, dims)?)?;
        within(&mut report, &case.name, engine, &x)?;
        across(&mut report, &case.name, engine, &x, &y)?;
    }
    Ok(report.finish()?)
}

fn real(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    for (translation, values) in verses::UNIFORMITY {
        let x = engine.upload(&Embeddings::new(verses::read(translation), verses::ROWS, verses::DIMS)?)?;
        for (t, want) in values.into_iter().filter(|&(t, _)| t <= T) {
            let got = engine.uniformity(&x, Uniformity { t })?;
            let close = compare::value(got, want, tolerances(engine.precision()).0);
            report.check(format!("{translation}, t = {t}"), close);
        }
    }
    Ok(report.finish()?)
}

fn fallbacks(engine: &Engine) -> Result<(), Failed> {
    let plain = engine.clone().with_precision(Precision::F32)?;
    let (n, d) = (900, 150);
    let values = single(&on_the_sphere(normal(n, d, 9), d));
    let set = |rows: usize, scaling| {
        engine.upload(&Embeddings::with_scaling(&values[..rows * d], rows, d, scaling)?)
    };
    let mut report = Report::default();
    for (what, x, t) in [
        ("raw points", set(n, Scaling::Raw)?, 2.0),
        ("few pairs", set(300, Scaling::Unit)?, 2.0),
        ("t = 20", set(n, Scaling::Unit)?, 20.0),
    ] {
        let same = bits(engine, &x, t)? == bits(&plain, &x, t)?;
        report.check(what, same.then_some(()).ok_or("not what single precision makes of it".into()));
    }
    Ok(report.finish()?)
}

fn half_storage(engine: &Engine) -> Result<(), Failed> {
    let halved = engine.clone().with_storage(Storage::F16)?;
    let x = unit(&halved, normal(1500, 128, 10), 128)?;
    let plain = halved.clone().with_precision(Precision::F32)?;
    let metric = Uniformity { t: T };
    let (want, wanted) = plain.uniformity_with_grad(&x.points, metric)?;
    let (got, grad) = halved.uniformity_with_grad(&x.points, metric)?;
    let (value, relative, _) = tolerances(engine.precision());
    compare::value(got, want, value)?;
    let wanted = oracle::rows(&wanted.read()?, 128);
    Ok(compare::gradient(&grad.read()?, &wanted, &vec![1.0; 1500], relative, 0.0)?)
}

fn repeated(engine: &Engine) -> Result<(), Failed> {
    let values = single(&on_the_sphere(normal(1291, 130, 11), 130));
    let run = || bits(engine, &engine.upload(&Embeddings::new(&values, 1291, 130)?)?, T);
    let first = run()?;
    for _ in 0..2 {
        if run()? != first {
            return Err("another run has other bits".into());
        }
    }
    Ok(())
}

/// The bits of the value, alone and with the gradient, and of the gradient.
fn bits(engine: &Engine, x: &Points, t: f64) -> Result<(u64, u64, Vec<u32>)> {
    let alone = engine.uniformity(x, Uniformity { t })?;
    let (value, grad) = engine.uniformity_with_grad(x, Uniformity { t })?;
    Ok((alone.to_bits(), value.to_bits(), grad.read()?.into_iter().map(f32::to_bits).collect()))
}
