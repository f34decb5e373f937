//! How long it takes. Not a test: `cargo test --release --lib speed -- --ignored --nocapture --test-threads 1`.

#![allow(clippy::print_stderr, reason = "figures are what it is for")]

use std::time::Instant;

use super::*;
use crate::log_sum::log_add;

const ROWS: usize = 8192;
const TAU: Exponent = Exponent::Logit { tau: 0.1 };

/// The median of some runs, in seconds.
fn seconds(what: &str, mut run: impl FnMut()) -> f64 {
    run();
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    eprintln!("{what}: {:.3} s, median of {times:.3?}", times[2]);
    times[2]
}

fn two(cpu: &Cpu, d: usize) -> (Set, Set) {
    let of = |seed| {
        let values = random(ROWS * d, seed);
        let embeddings = Embeddings::new(values, ROWS, d).expect("good points");
        Set { points: cpu.upload(embeddings).expect("uploads"), seen: Vec::new(), lengths: Vec::new() }
    };
    (of(1), of(2))
}

fn watch() -> Watch<'static> {
    Watch::new(None, 0)
}

/// The mean loss of rows against columns, and its gradients.
fn one_direction(cpu: &Cpu, x: &Points, y: &Points) -> f64 {
    let n = x.rows() as f64;
    let positive: Vec<_> = cpu.paired_dots(x, y).expect("dots").into_iter().map(|s| s / 0.1).collect();
    let pairs = Pairs::Distinct(x, y);
    let (rows, grads) =
        cpu.row_log_sums_with_grad(pairs, TAU, &positive, 1.0 / n, None, &watch()).expect("gradients");
    let all = rows.iter().zip(&positive).map(|(&row, &p)| log_add(row, p));
    let coefficients: Vec<_> =
        all.clone().zip(&positive).map(|(all, p)| ((p - all).exp() - 1.0) / (0.1 * n)).collect();
    let sum = Some((grads.x, grads.y.expect("the second gradient")));
    cpu.paired_dots_grad(x, y, &coefficients, sum).expect("gradients");
    all.zip(&positive).map(|(all, p)| all - p).sum::<f64>() / n
}

fn both_directions(cpu: &Cpu, x: &Points, y: &Points) -> f64 {
    let n = x.rows() as f64;
    let positive: Vec<_> = cpu.paired_dots(x, y).expect("dots").into_iter().map(|s| s / 0.1).collect();
    let pairs = Pairs::Distinct(x, y);
    let rows = cpu.row_log_sums(pairs, TAU, None, &watch()).expect("sums");
    let log = |sums: &[f64]| -> Vec<f64> {
        sums.iter().zip(&positive).map(|(&row, &p)| -log_add(row, p) - (2.0 * n).ln()).collect()
    };
    let (p, q) = (log(&rows.x), log(&rows.y.expect("columns")));
    let weighing = Weighing::Sum { p: &p, q: &q };
    let grads = cpu.weighted_grad(pairs, TAU, weighing, None, &watch()).expect("gradients");
    let at = |(p, q): (&f64, &f64), s: f64| ((s + p).exp() + (s + q).exp() - 1.0 / n) / 0.1;
    let coefficients: Vec<_> = p.iter().zip(&q).zip(&positive).map(|(pq, &s)| at(pq, s)).collect();
    let sum = Some((grads.x, grads.y.expect("the second gradient")));
    cpu.paired_dots_grad(x, y, &coefficients, sum).expect("gradients");
    p.iter().zip(&q).zip(&positive).map(|((p, q), s)| -(p + q) / 2.0 - (2.0 * n).ln() - s).sum::<f64>() / n
}

#[test]
#[ignore = "a measurement"]
fn speed_of_contrastive() {
    let cpu = Cpu::new();
    for d in [128, 768] {
        let (x, y) = two(&cpu, d);
        seconds(&format!("d = {d}, one direction"), || {
            one_direction(&cpu, &x.points, &y.points);
        });
        seconds(&format!("d = {d}, both directions"), || {
            both_directions(&cpu, &x.points, &y.points);
        });
    }
}

#[test]
#[ignore = "a measurement"]
fn speed_of_parts() {
    let cpu = Cpu::new();
    for d in [128, 384, 768] {
        let (x, y) = two(&cpu, d);
        let (within, across) = (Pairs::Within(&x.points), Pairs::Distinct(&x.points, &y.points));
        let ts = [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5];
        let of = |what: &str| format!("d = {d}, {what}");
        let one = seconds(&of("log_sum"), || {
            cpu.log_sum(within, 2.0, &watch()).expect("a sum");
        });
        let eight = seconds(&of("8 values of t"), || {
            cpu.log_sums(within, &ts, &watch()).expect("sums");
        });
        eprintln!("d = {d}, 8 values of t: {:.2} times one", eight / one);
        seconds(&of("row_log_sums within"), || {
            cpu.row_log_sums(within, Exponent::Gaussian { t: 2.0 }, None, &watch()).expect("sums");
        });
        seconds(&of("log_sum_with_grad"), || {
            cpu.log_sum_with_grad(within, 2.0, 1.0, &watch()).expect("gradients");
        });
        seconds(&of("log_sum of two"), || {
            cpu.log_sum(across, 2.0, &watch()).expect("a sum");
        });
        for tau in [0.1, 0.02, 0.01] {
            seconds(&of(&format!("row_log_sums, τ = {tau}")), || {
                cpu.row_log_sums(across, Exponent::Logit { tau }, None, &watch()).expect("sums");
            });
        }
        seconds(&of("histogram of 200"), || {
            cpu.cosine_histogram(within, 200, &watch()).expect("counts");
        });
        seconds(&of("close pairs"), || {
            cpu.close_pairs(within, 1e-6, 100, &watch()).expect("pairs");
        });
        let ends: Vec<_> = (1..=64).map(|g| g * ROWS / 64).collect();
        seconds(&of("64 groups"), || {
            cpu.group_log_sums(&x.points, &ends, 2.0, &watch()).expect("sums");
        });
        seconds(&of("moments"), || {
            cpu.moments(&x.points).expect("moments");
        });
        let masses: Vec<_> = (0..ROWS).map(|i| 1.0 + i as f64).collect();
        seconds(&of("row_log_sums with masses"), || {
            let masses = Some(Masses { x: &masses, y: &masses });
            cpu.row_log_sums(within, Exponent::Gaussian { t: 2.0 }, masses, &watch()).expect("sums");
        });
    }
}
