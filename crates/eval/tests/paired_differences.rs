//! How often the 95 % interval of a paired difference holds the truth, over simulated models whose truth is known in closed form.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use unisphere::{Alignment, Potentials, Uniformity};
use unisphere_eval::compare::{LeaveOneOut, PairedDifference};

const DRAWS: usize = 2000;
const ROWS: usize = 200;
const T: f64 = 0.5;

type Row = [f64; 2];

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    // Box & Muller 1958.
    let (u, v) = (rng.random::<f64>(), rng.random::<f64>());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Two models of the same rows: normal points of these deviations, of which a row's in both are correlated by `common`.
fn models(rng: &mut ChaCha8Rng, deviations: [f64; 2], common: f64) -> [Vec<Row>; 2] {
    let mut models = [const { Vec::new() }; 2];
    for _ in 0..ROWS {
        let shared = [normal(rng), normal(rng)];
        for (model, deviation) in models.iter_mut().zip(deviations) {
            let own = (1.0 - common * common).sqrt();
            model.push(shared.map(|shared| deviation * (common * shared + own * normal(rng))));
        }
    }
    models
}

fn squared_distance(a: Row, b: Row) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

fn uniformity(rows: &[Row]) -> LeaveOneOut {
    let mut sums = vec![0.0; rows.len()];
    for (i, &a) in rows.iter().enumerate() {
        for (j, &b) in rows.iter().enumerate().take(i) {
            let kernel = (-T * squared_distance(a, b)).exp();
            sums[i] += kernel;
            sums[j] += kernel;
        }
    }
    let potentials = Potentials::of_log_sums(Uniformity { t: T }, sums.into_iter().map(f64::ln).collect());
    LeaveOneOut::of_uniformity(&potentials.unwrap()).unwrap()
}

/// U of normal points of this deviation in the plane: log E exp(−t‖x−x′‖²), where x − x′ has twice the variance.
fn true_uniformity(deviation: f64) -> f64 {
    -(1.0 + 4.0 * T * deviation * deviation).ln()
}

fn alignment(rows: &[Row]) -> LeaveOneOut {
    let distances: Vec<_> = rows.iter().map(|&row| squared_distance(row, [0.0, 0.0]).sqrt()).collect();
    LeaveOneOut::of_alignment(Alignment { alpha: 2.0 }, &distances).unwrap()
}

/// E‖x‖² of normal points of this deviation in the plane.
fn true_alignment(deviation: f64) -> f64 {
    2.0 * deviation * deviation
}

struct Found {
    /// Intervals that hold the truth, of `DRAWS`.
    hold: usize,
    /// p-values below 0.05.
    significant: usize,
    /// The mean width of the intervals, over that of the difference of two values that are not paired.
    relative_width: f64,
}

fn simulate(
    deviations: [f64; 2],
    value: fn(&[Row]) -> LeaveOneOut,
    truth: fn(f64) -> f64,
    seed: u64,
) -> Found {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let truth = truth(deviations[0]) - truth(deviations[1]);
    let mut found = Found { hold: 0, significant: 0, relative_width: 0.0 };
    for _ in 0..DRAWS {
        let [a, b] = models(&mut rng, deviations, 0.9).map(|model| value(&model));
        let difference = PairedDifference::of(&a, &b).unwrap();
        found.hold += usize::from(difference.low <= truth && truth <= difference.high);
        found.significant += usize::from(difference.p_value < 0.05);
        let [alone_a, alone_b] = [a, b].map(|of| of.estimate().standard_error.unwrap());
        found.relative_width += difference.standard_error / alone_a.hypot(alone_b) / DRAWS as f64;
    }
    found
}

fn check(found: &Found, what: &str) {
    let share = found.hold as f64 / DRAWS as f64;
    assert!((0.93..=0.97).contains(&share), "{what}: {share} of the intervals hold the truth");
    assert!(found.relative_width < 0.7, "{what}: {} of the width", found.relative_width);
}

#[test]
fn equal_models() {
    for (what, value, truth) in METRICS {
        let found = simulate([1.0, 1.0], value, truth, 1);
        check(&found, what);
        // What an interval leaves out at 0 is what its p-value finds.
        assert_eq!(found.significant, DRAWS - found.hold, "{what}");
    }
}

#[test]
fn models_that_differ_slightly() {
    for (what, value, truth) in METRICS {
        let found = simulate([1.0, 1.05], value, truth, 2);
        check(&found, what);
        assert!(found.significant > DRAWS / 4, "{what}: {} differences are found", found.significant);
    }
}

type OfMetric = (&'static str, fn(&[Row]) -> LeaveOneOut, fn(f64) -> f64);

const METRICS: [OfMetric; 2] =
    [("uniformity", uniformity, true_uniformity), ("alignment", alignment, true_alignment)];
