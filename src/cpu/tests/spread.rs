//! What is told of all pairs, and of all points: histograms, groups, close pairs, moments.

use super::{
    oracle::{Kind, dot, list, log_sum_exp, squared_distance},
    *,
};
use crate::pending::Block as _;

fn watch() -> Watch {
    Watch::new(None, 0)
}

/// Some sets: few rows, more than few, more than a panel; one with clusters and duplicates.
fn sets(cpu: &Cpu, scaling: Scaling) -> Vec<Set> {
    let mut sets: Vec<_> = [(2, 3), (90, 7), (131, 40), (500, 33)]
        .map(|(n, d)| set(cpu, &random(n * d, n as u64), d, scaling))
        .into();
    let (n, d) = (400, 12);
    let mut clusters = random(n * d, 5);
    clusters.iter_mut().enumerate().for_each(|(i, v)| *v = 0.02 * *v + ((i / d * 7 + i % d) % 5) as f32);
    clusters.copy_within(0..3 * d, 200 * d);
    sets.push(set(cpu, &clusters, d, scaling));
    sets
}

fn within(set: &Set) -> Vec<(usize, usize)> {
    list(Kind::Within, set.seen.len(), set.seen.len())
}

#[test]
fn sums_of_several_t() {
    let ts = [2.0, 0.5, 10.0, 50.0, 2.0, 1e3];
    let kernels = ts.map(Kernel::gaussian);
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            for x in sets(cpu, scaling) {
                let pairs = Pairs::Within(&x.points);
                let sums = cpu.log_sum(pairs, &kernels, &watch()).block().expect("sums");
                assert_eq!(sums.len(), ts.len());
                for (sum, t) in sums.into_iter().zip(ts) {
                    let what = format!("{}, {:?}, t = {t}", cpu.device.name, x.points);
                    assert_eq!(sum, cpu.sum(pairs, t, &watch()).expect("a sum"), "{what}");
                    let want = oracle::uniformity(&x.seen, None, t);
                    close(&what, sum.log_mean(pairs.count()), want, 3e-6 * want.abs().max(1.0));
                }
            }
        }
    }
    let cpu = Cpu::new();
    let x = set(&cpu, &[1.0, 0.0], 2, Scaling::Unit);
    assert_eq!(cpu.log_sum(Pairs::Within(&x.points), &[], &watch()).block(), Ok(vec![]));
    assert_eq!(
        cpu.log_sum(Pairs::Within(&x.points), &[Kernel::gaussian(2.0)], &watch()).block(),
        Ok(vec![LogSumExp::EMPTY])
    );
}

#[test]
fn sums_without_positive_pairs() {
    for cpu in &cpus() {
        for (n, d) in [(1, 3), (2, 3), (60, 7), (140, 20), (500, 33)] {
            let x = set(cpu, &random(n * d, 1), d, Scaling::Unit);
            let y = set(cpu, &random(n * d, 2), d, Scaling::Unit);
            let pairs = Pairs::Unpaired(&x.points, &y.points);
            assert_eq!(pairs.count(), (n * (n - 1)) as u64);
            for t in [0.5, 2.0, 30.0] {
                let what = format!("{}, {n} × {d}, t = {t}", cpu.device.name);
                let exponent = |(i, j): (usize, usize)| -t * squared_distance(&x.seen[i], &y.seen[j]);
                let terms: Vec<_> =
                    list(Kind::Distinct, n, n).into_iter().map(|p| (1.0, exponent(p))).collect();
                let sum = cpu.sum(pairs, t, &watch()).expect("a sum").log();
                let want = log_sum_exp(&terms);
                assert!(sum == want || (sum - want).abs() < 2e-6, "{what}: {sum} is not {want}");
                let (with, _) = cpu.sum_with_grad(pairs, t, 1.0, &watch()).expect("a gradient");
                assert!(
                    with.log() == want || (with.log() - want).abs() < 2e-6,
                    "{what}: {with:?}, not {want}"
                );
            }
        }
    }
}

#[test]
fn groups() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            for x in sets(cpu, scaling) {
                let n = x.seen.len();
                for ends in [
                    vec![n],
                    vec![1, n],
                    vec![0, n / 3, n / 3, n / 2, n - 1, n],
                    (1..=n.min(90)).chain([n]).collect(),
                ] {
                    for t in [0.5, 2.0, 10.0, 200.0] {
                        let k = ends.len();
                        let group = |i: usize| ends.iter().position(|&end| i < end).expect("a group");
                        let mut terms = vec![Vec::new(); k * k];
                        for (i, j) in within(&x) {
                            let e = -t * squared_distance(&x.seen[i], &x.seen[j]);
                            let (g, h) = (group(i), group(j));
                            terms[g * k + h].push((1.0, e));
                            if g != h {
                                terms[h * k + g].push((1.0, e));
                            }
                        }
                        let got = cpu
                            .group_log_sums(&x.points, &ends, Kernel::gaussian(t), GroupPairs::All, &watch())
                            .block()
                            .expect("sums");
                        assert_eq!(got.len(), k * k);
                        for (cell, (got, terms)) in got.iter().zip(&terms).enumerate() {
                            let (got, want) = (got.log(), log_sum_exp(terms));
                            let what = format!("{}, {:?}, t = {t}, cell {cell}", cpu.device.name, x.points);
                            let tolerance = 1e-6 * want.abs().max(1.0);
                            assert!(
                                got == want || (got - want).abs() <= tolerance,
                                "{what}: {got} is not {want}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn histograms() {
    for cpu in &cpus() {
        for x in sets(cpu, Scaling::Unit) {
            let n = x.seen.len();
            let y = set(cpu, &random(n * x.points.dims(), 77), x.points.dims(), Scaling::Unit);
            for kind in [Kind::Within, Kind::Across, Kind::Distinct] {
                let (pairs, right) = match kind {
                    Kind::Within => (Pairs::Within(&x.points), &x.seen),
                    Kind::Across => (Pairs::Across(&x.points, &y.points), &y.seen),
                    Kind::Distinct => (Pairs::Unpaired(&x.points, &y.points), &y.seen),
                };
                for bins in [1, 2, 7, 64, 1000] {
                    let got = cpu.cosine_histogram(pairs, bins, &watch()).block().expect("a histogram");
                    assert_eq!((got.len(), got.iter().sum::<u64>()), (bins, pairs.count()));
                    // Below the end of each part, up to cosines that are close to that end.
                    let cosines: Vec<_> = list(kind, n, right.len())
                        .into_iter()
                        .map(|(i, j)| dot(&x.seen[i], &right[j]))
                        .collect();
                    let mut below = 0;
                    for (bin, count) in got.iter().enumerate() {
                        below += count;
                        let end = 2.0 * (bin + 1) as f64 / bins as f64 - 1.0;
                        let count = |end: f64| cosines.iter().filter(|&&c| c < end).count() as u64;
                        let last = bin + 1 == bins;
                        let (least, most) =
                            (count(end - 1e-6), if last { pairs.count() } else { count(end + 1e-6) });
                        assert!(
                            (least..=most).contains(&below),
                            "{bin} of {bins}: {below}, {least} to {most}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn pairs_that_lie_close() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            for x in sets(cpu, scaling) {
                let mut found = 0;
                for square in [0.0, 1e-12, 1e-4, 0.01, 0.3, 1.9, 1e9] {
                    let squares =
                        within(&x).into_iter().map(|(i, j)| (i, j, squared_distance(&x.seen[i], &x.seen[j])));
                    let all: Vec<_> = squares.collect();
                    // What differs by rounding alone may count or not.
                    let count = |square: f64| all.iter().filter(|pair| pair.2 <= square).count() as u64;
                    let (least, most) =
                        (count(square * (1.0 - 1e-12) - 1e-15), count(square * (1.0 + 1e-12) + 1e-15));
                    for limit in [0, 3, 100_000] {
                        let pairs = Pairs::Within(&x.points);
                        let got = cpu.close_pairs(pairs, square, limit, &watch()).block().expect("pairs");
                        let what = format!("{}, {:?}, within {square:e}", cpu.device.name, x.points);
                        assert!(
                            (least..=most).contains(&got.count),
                            "{what}: {}, {least} to {most}",
                            got.count
                        );
                        assert_eq!(got.pairs.len() as u64, got.count.min(limit as u64), "{what}");
                        let want = all.iter().filter(|pair| pair.2 <= square * (1.0 + 1e-12) + 1e-15);
                        if least == most {
                            for (got, want) in got.pairs.iter().zip(want) {
                                assert_eq!((got.0, got.1), (want.0, want.1), "{what}");
                                close(&what, got.2, want.2, 1e-12 * want.2 + 1e-15);
                            }
                        }
                        found += got.count;
                    }
                }
                assert!(found > 0, "no pairs to see");
            }
            let y = set(cpu, &random(300 * 5, 3), 5, scaling);
            for (pairs, of) in
                [(Pairs::Across(&y.points, &y.points), 300), (Pairs::Unpaired(&y.points, &y.points), 0)]
            {
                assert_eq!(cpu.close_pairs(pairs, 0.0, 1000, &watch()).block().expect("pairs").count, of);
            }
        }
    }
}

#[test]
fn mean_and_covariance() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            for (n, d, far) in [(1, 3, 0.0), (7, 1, 0.0), (5000, 37, 0.0), (300, 65, 100.0), (90, 130, 0.0)] {
                let values: Vec<f32> = random(n * d, 9).iter().map(|v| v + far).collect();
                let x = set(cpu, &values, d, scaling);
                let got = cpu.moments(&x.points, &watch()).block().expect("moments");
                let mean = |of: &dyn Fn(&Point) -> f64| x.seen.iter().map(of).sum::<f64>() / n as f64;
                let means: Vec<_> = (0..d).map(|k| mean(&|x| x[k])).collect();
                for (&got, &want) in got.mean.iter().zip(&means) {
                    close("mean", got, want, 1e-13 * want.abs().max(1.0));
                }
                let side = n.min(d);
                for at in 0..side * side {
                    let (a, b) = (at / side, at % side);
                    let want = if n < d {
                        let (x, y) = (&x.seen[a], &x.seen[b]);
                        (0..d).map(|k| (x[k] - means[k]) * (y[k] - means[k])).sum::<f64>() / n as f64
                    } else {
                        mean(&|x| (x[a] - means[a]) * (x[b] - means[b]))
                    };
                    close("covariance", got.scatter[at], want, 1e-13);
                }
                assert_eq!((got.mean.len(), got.scatter.len(), got.side), (d, side * side, side));
            }
        }
    }
}

#[test]
fn some_rows_again() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let (n, d) = (300, 33);
            let values = random(n * d, 6);
            let x = set(cpu, &values, d, scaling);
            for rows in [vec![], vec![7], vec![299, 0, 0, 13], (0..n).rev().collect::<Vec<_>>()] {
                let picked: Vec<f32> = rows.iter().flat_map(|&row| values[row * d..][..d].to_vec()).collect();
                let want = set(cpu, &picked, d, scaling);
                let got = cpu.gather(&x.points, &rows).block().expect("points");
                assert_eq!((got.shape(), got.scaling()), (want.points.shape(), scaling));
                for t in [2.0, 50.0] {
                    let sum = |points| cpu.sum(Pairs::Within(points), t, &watch()).expect("a sum");
                    assert_eq!(sum(&got), sum(&want.points), "the same bits as uploaded anew");
                }
            }
        }
    }
}

#[test]
fn gaussian_losses() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let of = |n: usize, seed| set(cpu, &random(n * 9, seed), 9, scaling);
            let (x, y) = (of(150, 41), of(131, 42));
            for t in [1e-6, 0.5, 20.0] {
                for (pairs, right) in
                    [(Pairs::Within(&x.points), None), (Pairs::Across(&x.points, &y.points), Some(&y))]
                {
                    let what = format!("{}, {scaling:?}, t = {t}", cpu.device.name);
                    let function = PairFunction::GaussianLoss { t };
                    let kind = if right.is_some() { Kind::Across } else { Kind::Within };
                    let other = right.unwrap_or(&x);
                    let of_pair = |(i, j): (usize, usize)| -t * squared_distance(&x.seen[i], &other.seen[j]);
                    let all = list(kind, x.seen.len(), other.seen.len());
                    let want: f64 = all.into_iter().map(|pair| -of_pair(pair).exp_m1()).sum();
                    let value = cpu.function_sum(pairs, function, &watch()).block().expect("a sum");
                    let (sums, gradients) = cpu
                        .function_gradient(pairs, function, -1.5, None, &watch())
                        .block()
                        .expect("a gradient");
                    close(&what, value, want, 1e-11 * want);
                    close(&what, sums.value, want, 1e-11 * want);
                    // The gradient for a row x of 1 − exp(−t‖x−y‖²) is 2t exp(−t‖x−y‖²) (x − y).
                    let differences = |a: &Set, b: &Set| {
                        let kernel =
                            |i: usize, j: usize| (-t * squared_distance(&a.seen[i], &b.seen[j])).exp();
                        let weight = |i, j| -1.5 * 2.0 * t * kernel(i, j);
                        let mut want = oracle::weighted_differences(&a.seen, &b.seen, weight);
                        oracle::through(&mut want, &a.seen, &a.lengths);
                        want
                    };
                    close_grad(&what, &gradients.x, &differences(&x, other), 1e-5);
                    if let Some(on_y) = &gradients.y {
                        close_grad(&what, on_y, &differences(other, &x), 1e-5);
                    }
                }
            }
        }
    }
}
