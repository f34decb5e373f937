//! The contrastive loss of every backend against its definition in f64.

mod support;

use std::process::ExitCode;

use libtest_mimic::Failed;
use serde_json::Value;
use support::{
    anchors::Anchors,
    cases::{self, Case},
    compare::{self, Report},
    devices::{self, Check},
    oracle::{self, Rows},
    random::{normal, on_the_sphere, single},
    set::Set,
};
use unisphere::{Candidates, Contrastive, DeviceKind, Embeddings, Engine, Points, Result, Scaling};

const TAUS: [f64; 4] = [0.01, 0.07, 0.5, 3.0];

fn main() -> ExitCode {
    // The oracle goes through all pairs of all anchors; raw sets so far out that single precision has no logits
    // are not for every device.
    let cases = cases::shapes().into_iter().chain(cases::ragged().into_iter().step_by(17)).chain([many()]);
    let cases = cases
        .filter(|case| case.rows > 1 && !case.name.starts_with("1,000 from") && !case.name.contains("far"));
    let checks = cases.map(|case| Check::new(case.name.clone(), move |engine| check(engine, &case)));
    let more = [
        Check::new("closed forms", closed_forms),
        Check::new("a row far below the others", far_below),
        Check::new("more rows than the CPU holds all weights of", of_many_rows),
        Check::new("PyTorch's values and gradients", pytorch),
        Check::new("PyTorch's values and gradients of many rows", pytorch_of_many),
    ];
    devices::run(&checks.chain(more).collect::<Vec<_>>())
}

/// So many rows that single precision has something to average over.
fn many() -> Case {
    let case = cases::ragged().pop().expect("a last case");
    assert!(case.rows > 512);
    case
}

fn check(engine: &Engine, case: &Case) -> Result<(), Failed> {
    let (x, y) = (Set::new(engine, case.x()?)?, Set::new(engine, case.y()?)?);
    let of_queue = random_like(case, case.rows / 2 + 3);
    let queue =
        Set::new(engine, Embeddings::with_scaling(of_queue, case.rows / 2 + 3, case.dims, case.scaling)?)?;
    let mut report = Report::default();
    for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
        let together = engine
            .value(Contrastive::at(&TAUS, candidates).paired(&x.points, &y.points).queue(&queue.points))?;
        assert_eq!(together.len(), TAUS.len());
        for (tau, got) in TAUS.into_iter().zip(together) {
            let metric = Contrastive { tau, candidates };
            let alone = engine.value(metric.paired(&x.points, &y.points).queue(&queue.points))?;
            report.check(format!("{metric:?} among others"), compare::value(got.loss, alone.loss, 0.0));
        }
    }
    // Edges of tiles are the same at every temperature.
    let taus = if case.name.starts_with("ragged") { &TAUS[1..2] } else { &TAUS[..3] };
    for &tau in taus {
        for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
            let metric = Contrastive { tau, candidates };
            compare(&mut report, engine, (&x, &y, None), metric)?;
            if tau == 0.07 {
                compare(&mut report, engine, (&x, &y, Some(&queue)), metric)?;
            }
        }
    }
    Ok(report.finish()?)
}

fn random_like(case: &Case, rows: usize) -> Vec<f32> {
    let values = normal(rows, case.dims, 50);
    single(&if case.scaling == Scaling::Unit { on_the_sphere(values, case.dims) } else { values })
}

fn compare(
    report: &mut Report,
    engine: &Engine,
    (x, y, queue): (&Set, &Set, Option<&Set>),
    metric: Contrastive,
) -> Result<()> {
    let Contrastive { tau, candidates } = metric;
    let build = match candidates {
        Candidates::OneWay => Anchors::one_way,
        Candidates::BothWays => Anchors::both_ways,
        Candidates::Views => Anchors::views,
        other => unreachable!("{other:?} has no formula here"),
    };
    let anchors = build(&x.seen, &y.seen, queue.map_or(&Rows::new(), |queue| &queue.seen));
    let want = anchors.parts(tau);
    let points = queue.map(|queue| &queue.points);
    let what = format!("τ={tau}, {candidates:?}{}", if queue.is_some() { ", with a queue" } else { "" });

    let greatest = anchors.greatest_logit(tau);
    let tolerance = if x.raw() { 1e-6 * greatest.max(1.0) } else { unit_tolerance(engine, tau) };
    let value = engine.value(metric.paired(&x.points, &y.points).queue(points))?;
    let (with_grad, (gx, gy)) = engine.value_and_grad(metric.paired(&x.points, &y.points).queue(points))?;
    for (how, got) in [("value", value), ("value with gradient", with_grad)] {
        let logs = (got.negatives as f64).ln();
        let count = anchors.anchors[0].2.len() as f64;
        for (part, got, want) in [
            ("loss", got.loss, want.loss),
            ("alignment", got.alignment, want.alignment),
            ("uniformity", got.uniformity, want.uniformity),
            ("negatives", logs, count.ln()),
            ("loss − log M", got.normalized, want.loss - count.ln()),
            ("residual", got.residual, want.loss - count.ln() - want.alignment - want.uniformity),
        ] {
            report.check(format!("{what}, {how}: {part}"), compare::value(got, want, tolerance));
        }
    }
    let grad = anchors.grad(tau);
    let n = x.seen.len();
    let gross = anchors.gross(tau);
    for (which, set, got, want) in [("x", x, &gx, &grad[..n]), ("y", y, &gy, &grad[n..2 * n])] {
        let outcome = if set.raw() {
            // Of equal points all pulls cancel.
            let longest = set.seen.iter().map(|row| oracle::length(row)).fold(0.0, f64::max);
            let (relative, floor) = (1e-5f64.max(1.2e-7 * greatest), 4.8e-7 * gross * longest);
            compare::gradient(&got.read()?, &want.to_vec(), &vec![1.0; n], relative, floor)
        } else {
            set.gradient(got, want.to_vec(), greatest, gross)?
        };
        report.check(format!("{what}: gradient of {which}"), outcome);
    }
    Ok(())
}

/// A cosine of a GPU is a few times 1e-8 off, and its logit that over τ.
fn unit_tolerance(engine: &Engine, tau: f64) -> f64 {
    if engine.device().kind == DeviceKind::Gpu && tau < 0.05 { 3e-6 } else { 1e-6 }
}

/// Values that need no program.
fn closed_forms(engine: &Engine) -> Result<(), Failed> {
    let mut report = Report::default();
    let upload = |values: Vec<f64>, n: usize| -> Result<Points> {
        engine.upload(&Embeddings::new(single(&values), n, values.len() / n)?)
    };
    let loss = |x: &Points, y: &Points, tau, candidates| {
        engine.contrastive(x, y, Contrastive { tau, candidates }).map(|value| value.loss)
    };
    for n in [2usize, 5, 66, 300] {
        let count = n as f64;
        // Orthonormal pairs: positives at 1, negatives at 0.
        let basis = upload((0..n * n).map(|k| if k / n == k % n { 1.0 } else { 0.0 }).collect(), n)?;
        let equal = upload(vec![0.5; 4 * n], n)?;
        let simplex = upload(cases::simplex(n), n)?;
        // Two directions that f32 rounds, the one for all x and the other for all y.
        let repeated = |seed| upload(on_the_sphere(normal(1, 768, seed), 768).repeat(n), n);
        let (here, there) = (repeated(62)?, repeated(63)?);
        for tau in TAUS {
            let what = format!("n={n}, τ={tau}");
            let off = ((count - 1.0) * (-1.0 / tau).exp()).ln_1p();
            report.check(
                format!("{what}, orthonormal"),
                compare::value(loss(&basis, &basis, tau, Candidates::OneWay)?, off, 1e-6),
            );
            // At a positive of 1 among 2n − 2 negatives of 0, and its own copies of the others.
            let views = ((2.0 * count - 2.0) * (-1.0 / tau).exp()).ln_1p();
            report.check(
                format!("{what}, orthonormal views"),
                compare::value(loss(&basis, &basis, tau, Candidates::Views)?, views, 1e-6),
            );
            report.check(
                format!("{what}, all equal"),
                compare::value(loss(&equal, &equal, tau, Candidates::BothWays)?, count.ln(), 1e-6),
            );
            report.check(
                format!("{what}, two points"),
                compare::value(loss(&here, &there, tau, Candidates::BothWays)?, count.ln(), 1e-6),
            );
            let apart = ((count - 1.0) * (-count / ((count - 1.0) * tau)).exp()).ln_1p();
            report.check(
                format!("{what}, simplex"),
                compare::value(loss(&simplex, &simplex, tau, Candidates::BothWays)?, apart, 1e-6),
            );
        }
    }
    Ok(report.finish()?)
}

/// One row whose greatest logit is 150 below those of the others: no exponential relative to a common one is left of it.
fn far_below(engine: &Engine) -> Result<(), Failed> {
    let (n, d) = (400, 24);
    let mut values = normal(n, d, 60).iter().map(|v| 0.2 * v).collect::<Vec<_>>();
    // All around one axis, and the first opposite to them.
    values.chunks_mut(d).for_each(|row| row[0] += 3.0);
    values[0] = -3.0;
    let set = |values: Vec<f64>| Set::new(engine, Embeddings::new(single(&on_the_sphere(values, d)), n, d)?);
    let noise = normal(n, d, 61);
    let partners = values.iter().zip(&noise).map(|(v, n)| v + 0.1 * n).collect();
    let (x, y) = (set(values)?, set(partners)?);
    let least = x.seen.iter().skip(1).map(|row| oracle::dot(row, &x.seen[0])).fold(-1.0, f64::max);
    assert!(least / 0.01 < -50.0, "{least}");
    let mut report = Report::default();
    for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
        compare(&mut report, engine, (&x, &y, None), Contrastive { tau: 0.01, candidates })?;
    }
    Ok(report.finish()?)
}

/// Up to 1024 rows, the CPU holds the weights of all pairs; of more, those of a few panels at a time.
fn of_many_rows(engine: &Engine) -> Result<(), Failed> {
    let (n, d) = (1100, 24);
    let values = normal(n, d, 70);
    let partners = values.iter().zip(normal(n, d, 71)).map(|(v, noise)| v + 0.4 * noise).collect();
    let set = |values: Vec<f64>| Set::new(engine, Embeddings::new(single(&on_the_sphere(values, d)), n, d)?);
    let (x, y) = (set(values)?, set(partners)?);
    let mut report = Report::default();
    for tau in [0.07, 0.5] {
        compare(&mut report, engine, (&x, &y, None), Contrastive { tau, candidates: Candidates::OneWay })?;
    }
    Ok(report.finish()?)
}

/// What autograd finds in f64: see `data/contrastive.py`.
fn pytorch(engine: &Engine) -> Result<(), Failed> {
    let data: Value = serde_json::from_str(include_str!("data/contrastive.json"))?;
    let count = |name: &str| data[name].as_u64().unwrap_or(0) as usize;
    let dims = count("dims");
    let mut report = Report::default();
    let results = results(&data, 36);
    for result in results {
        let raw = result["raw"] == true;
        let scaling = if raw { Scaling::Raw } else { Scaling::Unit };
        let upload = |name: &str, rows: usize| {
            engine.upload(&Embeddings::with_scaling(single(&numbers(&data[name])), rows, dims, scaling)?)
        };
        let (x, y) = (upload("x", count("rows"))?, upload("y", count("rows"))?);
        let queue = upload("queue", count("queue_rows"))?;
        let queue = (result["queue"] == true).then_some(&queue);
        let metric = metric_of(result);
        let Contrastive { tau, candidates } = metric;
        let (value, (gx, gy)) = engine.value_and_grad(metric.paired(&x, &y).queue(queue))?;
        let what = format!("{candidates:?}, τ={tau}, {scaling:?}, queue: {}", queue.is_some());
        let want = result["loss"].as_f64().unwrap_or(f64::NAN);
        let tolerance = if raw { 1e-6 * want.max(1.0) } else { unit_tolerance(engine, tau) };
        report.check(&what, compare::value(value.loss, want, tolerance));
        for (name, got) in [("grad_x", gx), ("grad_y", gy)] {
            let want: Rows = numbers(&result[name]).chunks(dims).map(<[f64]>::to_vec).collect();
            let weights = vec![1.0; want.len()];
            // The weights of raw points in single precision are as exact as their exponents, here up to 1,000 or so.
            let relative = if raw && engine.device().kind == DeviceKind::Gpu { 3e-4 } else { 1e-5 };
            report.check(
                format!("{what}, {name}"),
                compare::gradient(&got.read()?, &want, &weights, relative, 0.0),
            );
        }
    }
    Ok(report.finish()?)
}

/// Sets made of sines, as the script makes them, of which it kept some rows of the gradients.
fn pytorch_of_many(engine: &Engine) -> Result<(), Failed> {
    let data: Value = serde_json::from_str(include_str!("data/contrastive.json"))?;
    let data = &data["many"];
    let (rows, dims) =
        (data["rows"].as_u64().unwrap_or(0) as usize, data["dims"].as_u64().unwrap_or(0) as usize);
    let sines = |factor: f64| -> Vec<f64> {
        (0..rows * dims).map(|k| (factor * (k / dims + 1) as f64 * (k % dims + 1) as f64).sin()).collect()
    };
    let x = single(&sines(0.618));
    let y: Vec<f64> = x.iter().zip(sines(0.777)).map(|(&x, more)| f64::from(x) + 0.5 * more).collect();
    let x = engine.upload(&Embeddings::new(x, rows, dims)?)?;
    let y = engine.upload(&Embeddings::new(single(&y), rows, dims)?)?;
    let shown: Vec<usize> = numbers(&data["shown"]).iter().map(|&row| row as usize).collect();
    let mut report = Report::default();
    for result in results(data, 9) {
        let metric = metric_of(result);
        let (value, gx, gy) = engine.contrastive_with_grad(&x, &y, metric)?;
        let want = result["loss"].as_f64().unwrap_or(f64::NAN);
        report.check(
            format!("{metric:?}"),
            compare::value(value.loss, want, unit_tolerance(engine, metric.tau)),
        );
        for (name, got) in [("grad_x", gx), ("grad_y", gy)] {
            let got = got.read()?;
            let got: Vec<f32> = shown.iter().flat_map(|row| &got[row * dims..][..dims]).copied().collect();
            let want: Rows = numbers(&result[name]).chunks(dims).map(<[f64]>::to_vec).collect();
            let outcome = compare::gradient(&got, &want, &vec![1.0; shown.len()], 1e-5, 0.0);
            report.check(format!("{metric:?}, {name}"), outcome);
        }
    }
    Ok(report.finish()?)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

fn results(data: &Value, count: usize) -> &[Value] {
    let results = data["results"].as_array().map_or(&[][..], |results| results);
    assert_eq!(results.len(), count);
    results
}

fn metric_of(result: &Value) -> Contrastive {
    let candidates = match result["candidates"].as_str() {
        Some("one_way") => Candidates::OneWay,
        Some("both_ways") => Candidates::BothWays,
        _ => Candidates::Views,
    };
    Contrastive { tau: result["tau"].as_f64().unwrap_or(f64::NAN), candidates }
}
