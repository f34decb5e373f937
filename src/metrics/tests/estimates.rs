use super::{
    near,
    random::Random,
    sampling::{Fisher, row_log_sums},
};
use crate::{
    metrics::{Alignment, Potentials, Uniformity},
    theory::Estimate,
};

const METRIC: Uniformity = Uniformity { t: 2.0 };

fn weight(a: &[f64], b: &[f64]) -> f64 {
    (-METRIC.t * a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>()).exp()
}

/// The mean weight of all pairs but those with the row `without`.
fn mean(x: &[Vec<f64>], without: usize) -> f64 {
    let rest: Vec<_> = x.iter().enumerate().filter(|(i, _)| *i != without).map(|(_, x)| x).collect();
    let weights = rest.iter().enumerate().flat_map(|(i, a)| rest[i + 1..].iter().map(|b| weight(a, b)));
    let weights: Vec<_> = weights.collect();
    weights.iter().sum::<f64>() / weights.len() as f64
}

#[test]
fn the_jackknife_by_leaving_rows_out() {
    for n in [3usize, 4, 17, 40] {
        let x = Fisher { dims: 5, kappa: 2.0 }.points(n, &mut Random::new(7));
        let estimate = Potentials::new(METRIC, row_log_sums(&x, METRIC.t)).estimate();
        let (all, size) = (mean(&x, n), n as f64);
        let left_out: Vec<_> = (0..n).map(|i| mean(&x, i)).collect();
        let squares: f64 = left_out.iter().map(|mean| (mean - all).powi(2)).sum();
        near(estimate.value, all.ln(), 1e-13);
        near(estimate.standard_error, ((size - 1.0) / size * squares).sqrt() / all, 1e-12);
        assert!(estimate.low < estimate.value && estimate.value < estimate.high && estimate.high <= 0.0);
    }
}

#[test]
fn potentials_by_row() {
    let x = Fisher { dims: 5, kappa: 2.0 }.points(30, &mut Random::new(7));
    let potentials = Potentials::new(METRIC, row_log_sums(&x, METRIC.t));
    for (i, log) in potentials.logs().iter().enumerate() {
        let others = (0..30).filter(|j| *j != i).map(|j| weight(&x[i], &x[j]));
        near(*log, (others.sum::<f64>() / 29.0).ln(), 1e-13);
    }
    assert_eq!(potentials.metric(), METRIC);
}

#[test]
fn any_magnitude() {
    // Two rows as close as can be, and two far from all.
    let potentials = Potentials::new(METRIC, vec![0.0, 0.0, -5000.0, -5000.0]);
    let estimate = potentials.estimate();
    near(estimate.value, (2.0f64 / 12.0).ln(), 1e-12);
    near(estimate.standard_error, (3.0f64 * 4.0).sqrt() / 2.0, 1e-12);
    // All of them as far away.
    let far = Potentials::new(METRIC, vec![-5000.0 + 3f64.ln(); 4]).estimate();
    near(far.value, -5000.0, 1e-9);
    near(far.standard_error, 0.0, 1e-9);
}

#[test]
fn too_few_rows_to_tell() {
    let unknown = |estimate: Estimate, value: f64| {
        assert_eq!((estimate.value, estimate.standard_error), (value, f64::INFINITY));
        assert!(estimate.low == f64::NEG_INFINITY && estimate.high == 0.0);
    };
    unknown(Potentials::new(METRIC, vec![-3.0, -3.0]).estimate(), -3.0);
    unknown(Potentials::new(METRIC, vec![f64::NEG_INFINITY; 5]).estimate(), f64::NEG_INFINITY);
    assert_eq!(Potentials::new(METRIC, vec![f64::NEG_INFINITY]).uniformity(), f64::NEG_INFINITY);
    assert!(Potentials::new(METRIC, vec![]).uniformity().is_nan());
    assert!(Potentials::new(METRIC, vec![]).most_crowded(3).is_empty());
}

#[test]
fn the_most_crowded_first() {
    let potentials = Potentials::new(METRIC, [-2.0, -1.0, -3.0, -1.0, -2.0, f64::NEG_INFINITY].into());
    let rows = |k| potentials.most_crowded(k).into_iter().map(|(row, _)| row).collect::<Vec<_>>();
    assert_eq!(rows(0), [0usize; 0]);
    assert_eq!(rows(1), [1]);
    assert_eq!(rows(3), [1, 3, 0]);
    assert_eq!(rows(5), [1, 3, 0, 4, 2]);
    for k in [6, 7, usize::MAX] {
        assert_eq!(rows(k), [1, 3, 0, 4, 2, 5]);
    }
    near(potentials.most_crowded(1)[0].1, -1.0 - 5f64.ln(), 1e-15);
}

#[test]
fn the_error_of_a_mean() {
    let estimate = Alignment { alpha: 2.0 }.estimate(&[1.0, 2.0, 3.0, 0.0]);
    // 1, 4, 9, 0: mean 3.5, squares 6.25 + 0.25 + 30.25 + 12.25 = 49.
    near(estimate.value, 3.5, 1e-15);
    near(estimate.standard_error, (49.0f64 / 3.0 / 4.0).sqrt(), 1e-15);
    near(estimate.high, 3.5 + 3.182_446_305 * estimate.standard_error, 1e-9);
    assert_eq!(estimate.low, 0.0);

    let equal = Alignment { alpha: 1.0 }.estimate(&[0.5; 9]);
    assert_eq!((equal.value, equal.standard_error, equal.low, equal.high), (0.5, 0.0, 0.5, 0.5));
    let one = Alignment { alpha: 1.0 }.estimate(&[0.5]);
    assert_eq!((one.value, one.standard_error, one.low, one.high), (0.5, f64::INFINITY, 0.0, f64::INFINITY));
    assert!(Alignment { alpha: 1.0 }.estimate(&[]).value.is_nan());
}

/// scipy.stats.t.ppf(0.975, df)
#[test]
fn quantiles_of_student() {
    for (n, quantile) in [
        (2, 12.706_204_736),
        (11, 2.228_138_852),
        (12, 2.200_985_160),
        (13, 2.178_812_830),
        (101, 1.983_971_519),
    ] {
        // As many 0 as 2, with one 1 between where the number is odd.
        let distances: Vec<f64> = (0..n).map(|i| [0.0, 2.0][i % 2]).collect();
        let estimate = Alignment { alpha: 1.0 }.estimate(&distances);
        near((estimate.high - estimate.value) / estimate.standard_error, quantile, 5e-6);
    }
}
