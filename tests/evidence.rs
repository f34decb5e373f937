//! Sets that plain single precision would get wrong: collapsed ones, and those of which one pair makes the sum. Every sum
//! over pairs has to see it, whichever request asks for it.

mod support;

use std::process::ExitCode;

use libtest_mimic::Failed;
use support::{
    compare::{self, Report},
    devices::{self, Check},
    oracle::{self, Rows},
    random::{Random, normal, single},
};
use unisphere::{DeviceKind, Embeddings, Engine, Groups, Points, Result, SquaredMmd, Uniformity};

fn main() -> ExitCode {
    let mut checks = Vec::new();
    for spread in [1e-3, 1e-4, 1e-5] {
        checks.push(Check::new(format!("collapsed to a spread of {spread:e}"), move |engine| {
            collapsed(engine, spread)
        }));
    }
    for close in [1, 2, 5] {
        for t in [2.0, 5.0, 10.0] {
            checks.push(Check::new(format!("{close} pairs that dominate, t = {t}"), move |engine| {
                dominated(engine, close, t)
            }));
        }
    }
    checks.push(Check::new("gradients follow their scale", scaled));
    devices::run(&checks)
}

fn scaled(engine: &Engine) -> Result<(), Failed> {
    let (x, _) = upload(engine, &normal(140, 9, 5), 9)?;
    let weights: Vec<_> = (0..140).map(|row| f64::from(row % 4)).collect();
    let metric = Uniformity::new(2.0);
    let mut report = Report::default();
    for (what, request) in [("plain", metric.within(&x)), ("weighted", metric.within(&x).weighted(&weights))]
    {
        for factor in [0.25, -2.0] {
            let plain = engine.value_and_grad(request)?.1.read()?;
            let scaled = engine.value_and_grad(request.scaled(factor))?.1.read()?;
            for (plain, scaled) in plain.into_iter().zip(scaled) {
                let (got, want) = (f64::from(scaled), factor * f64::from(plain));
                report.check(format!("{what} times {factor}"), compare::value(got, want, 1e-7));
            }
        }
    }
    Ok(report.finish()?)
}

/// Rows as the device has them: in f32, and of unit length in f64.
fn upload(engine: &Engine, values: &[f64], dims: usize) -> Result<(Points, Rows)> {
    let values = single(values);
    let points = engine.upload(&Embeddings::new(&values[..], values.len() / dims, dims)?)?;
    let unit = |row: &[f32]| {
        let row: Vec<_> = row.iter().map(|&v| f64::from(v)).collect();
        let length = oracle::length(&row);
        row.iter().map(|v| v / length).collect()
    };
    Ok((points, values.chunks_exact(dims).map(unit).collect()))
}

/// Mean of 1 − exp(−t‖x−y‖²), of which nothing cancels in narrow sets.
fn mean_loss(squares: impl IntoIterator<Item = f64>, t: f64) -> f64 {
    let losses: Vec<_> = squares.into_iter().map(|square| -(-t * square).exp_m1()).collect();
    losses.iter().sum::<f64>() / losses.len() as f64
}

fn collapsed(engine: &Engine, spread: f64) -> Result<(), Failed> {
    const ROWS: usize = 300;
    const DIMS: usize = 64;
    let about = |seed| normal(ROWS, DIMS, seed).iter().map(|v| 1.0 + spread * v).collect::<Vec<_>>();
    let ((x, x_seen), (y, y_seen)) = (upload(engine, &about(31), DIMS)?, upload(engine, &about(32), DIMS)?);
    // Points on a GPU are rounded to f32 after their scaling: by 6e-8 in each coordinate, next to distances of about
    // spread.
    let exact = engine.device().kind == DeviceKind::Cpu;
    let relative = if exact { 1e-3 } else { 1e-3 + 1e-7 / spread };
    let mut report = Report::default();
    let close = |got: f64, want: f64| compare::value(got, want, relative * want.abs());
    let ts = [0.5, 2.0, 5.0, 20.0];
    let (xs, ys) = (oracle::squares_within(&x_seen), oracle::squares_within(&y_seen));
    let several = engine.value(Uniformity::at(&ts).within(&x))?;
    for (&t, several) in ts.iter().zip(several) {
        let loss = mean_loss(xs.iter().copied(), t);
        let want = (-loss).ln_1p();
        report.check(format!("uniformity, t = {t}"), close(engine.uniformity(&x, Uniformity { t })?, want));
        report.check(format!("uniformity among several, t = {t}"), close(several, want));
        let (with_grad, _) = engine.uniformity_with_grad(&x, Uniformity { t })?;
        report.check(format!("uniformity with gradient, t = {t}"), close(with_grad, want));
        let potentials = engine.value(Uniformity::new(t).potentials(&x))?;
        report.check(format!("uniformity of potentials, t = {t}"), close(potentials.uniformity(), want));
        for row in [0, 7, ROWS - 1] {
            let others = (0..ROWS).filter(|&j| j != row);
            let squares = others.map(|j| oracle::squared_distance(&x_seen[row], &x_seen[j]));
            let want = (-mean_loss(squares, t)).ln_1p();
            report.check(format!("potential of row {row}, t = {t}"), close(potentials.logs()[row], want));
        }
        let ones = vec![1.0; ROWS];
        let weighted = engine.value(Uniformity::new(t).within(&x).weighted(&ones))?;
        report.check(format!("weighted uniformity, t = {t}"), close(weighted, want));
        let labels: Vec<_> = (0..ROWS as i64).map(|row| row % 2).collect();
        let groups = Groups::new(&labels)?;
        let within = engine.value(groups.uniformity(Uniformity::new(t), &x))?;
        let even: Rows = x_seen.iter().step_by(2).cloned().collect();
        let loss = mean_loss(oracle::squares_within(&even), t);
        let of_even = within.within[0].unwrap_or(f64::NAN);
        report.check(format!("uniformity of a group, t = {t}"), close(of_even, (-loss).ln_1p()));

        let unpaired = (0..ROWS).flat_map(|i| (0..ROWS).filter(move |&j| j != i).map(move |j| (i, j)));
        let cross = mean_loss(unpaired.map(|(i, j)| oracle::squared_distance(&x_seen[i], &y_seen[j])), t);
        let mmd = 2.0 * cross - mean_loss(xs.iter().copied(), t) - mean_loss(ys.iter().copied(), t);
        let got = engine.value(SquaredMmd::new(t).unpaired(&x, &y))?;
        // On a GPU the rounding of the points moves each of the three means by itself.
        let tolerance = if exact { 1e-3 * mmd.abs() } else { relative * loss };
        report.check(format!("squared MMD, t = {t}"), compare::value(got, mmd, tolerance));
    }
    Ok(report.finish()?)
}

/// Rows nearly at right angles, of which some pairs are close: their exponentials outweigh all others.
fn dominated(engine: &Engine, close: usize, t: f64) -> Result<(), Failed> {
    let mut report = Report::default();
    let promised = if t <= 5.0 { 1e-6 } else { 3e-6 };
    for seed in 0..6 {
        let mut random = Random::new(1000 * close as u64 + seed);
        let (rows, dims) = (130 + 37 * seed as usize, 160 + 61 * (seed as usize % 4));
        let mut values = normal(rows, dims, 77 + seed);
        for pair in 0..close {
            let (a, b) = (2 * pair, 2 * pair + 1);
            let cosine = [0.99999, 0.999, 0.97, 0.9][(random.uniform() * 3.999) as usize];
            let length = |row: &[f64]| oracle::length(row);
            let (x, y) = (values[a * dims..][..dims].to_vec(), values[b * dims..][..dims].to_vec());
            let (of_x, of_y) = (length(&x), length(&y));
            for k in 0..dims {
                values[b * dims + k] = cosine * x[k] / of_x + (1.0f64 - cosine * cosine).sqrt() * y[k] / of_y;
            }
        }
        // Lengths of all magnitudes round differently.
        for row in 0..rows {
            let length = (2.0 * random.uniform() - 1.0).exp();
            values[row * dims..][..dims].iter_mut().for_each(|v| *v *= length);
        }
        let (x, seen) = upload(engine, &values, dims)?;
        let want = oracle::uniformity(&seen, t);
        let metric = Uniformity { t };
        let potentials = engine.value(metric.potentials(&x))?;
        let ones = vec![1.0; rows];
        for (what, got) in [
            ("uniformity", engine.uniformity(&x, metric)?),
            ("uniformity with gradient", engine.uniformity_with_grad(&x, metric)?.0),
            ("uniformity among several", engine.value(Uniformity::at(&[1.0, t]).within(&x))?[1]),
            ("uniformity of potentials", potentials.uniformity()),
            ("weighted uniformity", engine.value(metric.within(&x).weighted(&ones))?),
        ] {
            report.check(format!("{what}, {rows} × {dims}"), compare::value(got, want, promised));
        }
        let squares = |row: usize| {
            let others = (0..rows).filter(move |&j| j != row);
            others.map(|j| -t * oracle::squared_distance(&seen[row], &seen[j])).collect::<Vec<_>>()
        };
        for row in 0..2 * close {
            let want = squares(row).iter().map(|e| e.exp()).sum::<f64>().ln() - (rows as f64 - 1.0).ln();
            report.check(
                format!("potential of row {row}, {rows} × {dims}"),
                compare::value(potentials.logs()[row], want, promised),
            );
        }
    }
    Ok(report.finish()?)
}
