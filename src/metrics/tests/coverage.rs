//! 2,000 drawn sets: in how many the interval holds the value of the distribution.

use super::{
    random::Random,
    sampling::{Fisher, row_log_sums},
};
use crate::{Alignment, Estimate, Potentials, Uniformity};

const SETS: usize = 2000;

/// The share of intervals that hold `truth`.
fn coverage(truth: f64, mut draw: impl FnMut() -> Estimate) -> f64 {
    let holds = |estimate: Estimate| estimate.low <= truth && truth <= estimate.high;
    (0..SETS).filter(|_| holds(draw())).count() as f64 / SETS as f64
}

#[test]
#[ignore]
fn explore() {
    for dims in [3usize, 8, 32] {
        for kappa in [1.0, 2.0, 4.0, 16.0] {
            for n in [20, 50, 100, 200] {
                let f = Fisher { dims, kappa };
                let metric = Uniformity { t: 2.0 };
                let mut random = Random::new(1);
                let truth = f.uniformity(metric.t);
                let (mut se, mut values) = (0.0, vec![]);
                let c = coverage(truth, || {
                    let e =
                        Potentials::new(metric, row_log_sums(&f.points(n, &mut random), metric.t)).estimate();
                    se += e.standard_error;
                    values.push(e.value);
                    e
                });
                let mean = values.iter().sum::<f64>() / SETS as f64;
                let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / SETS as f64).sqrt();
                println!(
                    "d={dims} k={kappa} n={n}: coverage {c:.4} bias {:.4} sd {sd:.4} se {:.4}",
                    mean - truth,
                    se / SETS as f64
                );
            }
        }
    }
}
