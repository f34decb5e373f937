//! 2,000 drawn sets: in how many the interval holds the value of the distribution. Both of the interval's ends may fail.

use super::{
    random::Random,
    sampling::{Fisher, row_log_sums},
};
use crate::{
    metrics::{Alignment, Potentials, Uniformity},
    theory::Estimate,
};

const SETS: usize = 2000;

/// The share of intervals that hold `truth`.
fn coverage(truth: f64, mut draw: impl FnMut() -> Estimate) -> f64 {
    let holds = |estimate: Estimate| estimate.low <= truth && truth <= estimate.high;
    (0..SETS).filter(|_| holds(draw())).count() as f64 / SETS as f64
}

fn of_uniformity(dims: usize, kappa: f64, t: f64, n: usize) -> f64 {
    let (source, metric, mut random) = (Fisher { dims, kappa }, Uniformity { t }, Random::new(1));
    coverage(source.uniformity(t), || {
        Potentials::new(metric, row_log_sums(&source.points(n, &mut random), t)).estimate()
    })
}

#[test]
fn of_uniformity_is_95_in_100() {
    for (dims, kappa, t, n) in
        [(3, 2.0, 2.0, 30), (8, 2.0, 2.0, 100), (8, 4.0, 2.0, 50), (8, 4.0, 0.5, 150), (8, 16.0, 5.0, 100)]
    {
        let share = of_uniformity(dims, kappa, t, n);
        assert!((0.93..=0.97).contains(&share), "{share} for d = {dims}, κ = {kappa}, t = {t}, n = {n}");
    }
}

/// Where rows hardly differ but by chance, the interval is wider than it need be.
#[test]
fn of_uniformity_is_no_less_where_points_are_even() {
    for (dims, kappa, n) in [(8, 0.0, 100), (32, 0.0, 100), (32, 2.0, 50)] {
        let share = of_uniformity(dims, kappa, 2.0, n);
        assert!(share >= 0.95, "{share} for d = {dims}, κ = {kappa}, n = {n}");
    }
}

#[test]
fn of_alignment_is_95_in_100() {
    for (kappa, alpha, n) in
        [(4.0, 2.0, 100), (20.0, 1.0, 100), (20.0, 2.0, 200), (4.0, 3.0, 200), (4.0, 2.0, 10)]
    {
        let (source, mut random) = (Fisher { dims: 8, kappa }, Random::new(1));
        let share = coverage(source.alignment(alpha), || {
            let distance = |cosine: f64| (2.0 - 2.0 * cosine).sqrt();
            let distances: Vec<_> = (0..n).map(|_| distance(source.cosine(&mut random))).collect();
            Alignment { alpha }.estimate(&distances)
        });
        assert!((0.93..=0.97).contains(&share), "{share} for κ = {kappa}, α = {alpha}, n = {n}");
    }
}

/// P-values of uniform sets are uniform.
#[test]
fn of_significance() {
    for (dims, t, n) in [(8, 2.0, 100), (2, 2.0, 50), (3, 10.0, 100), (32, 2.0, 60)] {
        let (source, metric, mut random) = (Fisher { dims, kappa: 0.0 }, Uniformity { t }, Random::new(1));
        let mut value =
            || Potentials::new(metric, row_log_sums(&source.points(n, &mut random), t)).uniformity();
        let mut values: Vec<_> = (0..SETS).map(|_| value()).collect();
        // The greatest value first, of the least p-value.
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let p_value = |value: f64| metric.significance(value, n, dims).p_value;
        let below = |p: f64| values.partition_point(|&value| p_value(value) < p) as f64 / SETS as f64;
        let (low, share, high) = (below(0.01), below(0.05), 1.0 - below(0.95));
        // Kolmogorov & Smirnov: 1.95/√SETS in one of 1,000 such tests.
        let some = values.iter().enumerate().step_by(20);
        let furthest = some.map(|(i, value)| (p_value(*value) - (i as f64 + 0.5) / SETS as f64).abs());
        let distance = furthest.fold(0.0, f64::max) * (SETS as f64).sqrt();
        let context = format!("d = {dims}, t = {t}, n = {n}: {low}, {share}, {high}, KS {distance}");
        assert!((0.03..=0.07).contains(&share) && (0.03..=0.07).contains(&high), "{context}");
        assert!((0.004..=0.018).contains(&low) && distance < 1.95, "{context}");
    }
}

/// The samples are what they say they are.
#[test]
fn samples_have_the_value_of_their_distribution() {
    for kappa in [0.0, 4.0] {
        let (source, mut random) = (Fisher { dims: 8, kappa }, Random::new(3));
        let set =
            Potentials::new(Uniformity { t: 2.0 }, row_log_sums(&source.points(3000, &mut random), 2.0));
        super::near(set.uniformity(), source.uniformity(2.0), 0.03);
    }
    // In three dimensions a mean of cosines is coth κ − 1/κ.
    let source = Fisher { dims: 3, kappa: 4.0 };
    super::near(source.mean(|cosine| cosine), 1.0 / 4f64.tanh() - 0.25, 1e-9);
    super::near(source.alignment(2.0), 2.5 - 2.0 / 4f64.tanh(), 1e-9);
    super::near(Fisher { dims: 8, kappa: 0.0 }.uniformity(2.0), Uniformity { t: 2.0 }.floor(8), 1e-9);
}
