//! Every primitive against its formula in f64, on every instruction set of this machine.

mod oracle;

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::*;
use crate::{Alignment, Error, Uniformity, progress::Progress};
use oracle::{Point, points_seen};

/// Reproducible values about 0.
fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..len).map(|_| (0..4).map(|_| uniform() - 0.5).sum()).collect()
}

struct Set {
    points: Points,
    seen: Vec<Point>,
    lengths: Vec<f64>,
}

fn set(cpu: &Cpu, values: &[f32], d: usize, scaling: Scaling) -> Set {
    let embeddings = Embeddings::with_scaling(values, values.len() / d, d, scaling).expect("good points");
    let (seen, lengths) = points_seen(values, d, scaling == Scaling::Unit);
    Set { points: cpu.upload(embeddings).expect("uploads"), seen, lengths }
}

fn cpus() -> Vec<Cpu> {
    Level::all().into_iter().map(Cpu::at).collect()
}

fn uniformity(cpu: &Cpu, pairs: Pairs<'_>, t: f64) -> f64 {
    Uniformity { t }.value(cpu, pairs, &Watch::new(None, 0)).expect("a value")
}

#[track_caller]
fn close(what: &str, got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{what}: {got} is not {want} to {tolerance:e}");
}

#[track_caller]
fn close_grad(what: &str, got: &Matrix, want: &[Point], tolerance: f64) {
    let got = got.read().expect("a matrix");
    let want: Vec<f64> = want.concat();
    assert_eq!(got.len(), want.len(), "{what}");
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let off = square(&mut got.iter().zip(&want).map(|(&g, w)| f64::from(g) - w));
    let of = square(&mut want.iter().copied());
    assert!(off <= tolerance * of, "{what}: the gradient is {:e} off, of {of:e}", off / of);
}

/// Uniformity within a set and its gradient, on some processors.
#[track_caller]
fn check_within(
    cpus: &[Cpu],
    what: &str,
    (values, d, scaling): (&[f32], usize, Scaling),
    t: f64,
    tolerance: f64,
) {
    const WEIGHT: f64 = -3.0;
    let (seen, lengths) = points_seen(values, d, scaling == Scaling::Unit);
    let want = oracle::uniformity(&seen, None, t);
    let (mut want_grad, _) = oracle::uniformity_grad(&seen, None, t, WEIGHT);
    oracle::through(&mut want_grad, &seen, &lengths);
    for cpu in cpus {
        let what = format!("{}, {what}, t = {t}", cpu.device.name);
        let x = set(cpu, values, d, scaling);
        let pairs = Pairs::Within(&x.points);
        close(&what, uniformity(cpu, pairs, t), want, tolerance);
        let (value, gradients) =
            Uniformity { t }.value_with_grad(cpu, pairs, WEIGHT, &Watch::new(None, 0)).expect("a gradient");
        close(&what, value, want, tolerance);
        // In one dimension the gradient along the sphere is nothing but rounding.
        if d > 1 || scaling == Scaling::Raw {
            close_grad(&what, &gradients.x, &want_grad, 1e-5);
        }
    }
}

#[test]
fn uniformity_of_any_shape() {
    let cpus = cpus();
    let shapes = [
        (2, 1),
        (2, 2),
        (3, 1),
        (2, 4097),
        (5, 3),
        (31, 33),
        (47, 768),
        (127, 16),
        (128, 5),
        (129, 1),
        (129, 2),
        (130, 31),
        (131, 257),
        (193, 127),
        (130, 4097),
        (389, 12),
        (500, 64),
        (537, 17),
    ];
    for (n, d) in shapes {
        let values = random(n * d, (n * 31 + d) as u64);
        for (t, tolerance) in [(0.5, 1e-6), (5.0, 1e-6), (10.0, 2e-6), (50.0, 3e-6)] {
            check_within(&cpus, &format!("{n} × {d}"), (&values, d, Scaling::Unit), t, tolerance);
        }
    }
}

#[test]
fn uniformity_of_many_points() {
    let cpu = Cpu::new();
    for (n, d) in [(5000, 2), (5000, 8), (4999, 67)] {
        let x = set(&cpu, &random(n * d, 5), d, Scaling::Unit);
        for (t, tolerance) in [(2.0, 1e-6), (5.0, 1e-6), (50.0, 3e-6)] {
            let want = oracle::uniformity(&x.seen, None, t);
            let value = uniformity(&cpu, Pairs::Within(&x.points), t);
            close(&format!("{n} × {d}, t = {t}"), value, want, tolerance);
        }
    }
}

#[test]
fn across_two_sets() {
    for cpu in &cpus() {
        for (n, m, d) in [(1, 1, 3), (1, 700, 9), (200, 131, 40), (33, 600, 7), (97, 389, 130)] {
            for scaling in [Scaling::Unit, Scaling::Raw] {
                let x = set(cpu, &random(n * d, 1), d, scaling);
                let y = set(cpu, &random(m * d, 2), d, scaling);
                let what = format!("{}, {n} and {m} × {d}, {scaling:?}", cpu.device.name);
                let pairs = Pairs::Across(&x.points, &y.points);
                let want = oracle::uniformity(&x.seen, Some(&y.seen), 2.0);
                close(&what, uniformity(cpu, pairs, 2.0), want, 1e-6 * want.abs().max(1.0));
                let (value, gradients) = Uniformity { t: 2.0 }
                    .value_with_grad(cpu, pairs, 1.0, &Watch::new(None, 0))
                    .expect("a gradient");
                close(&what, value, want, 1e-6 * want.abs().max(1.0));
                let (mut gx, mut gy) = oracle::uniformity_grad(&x.seen, Some(&y.seen), 2.0, 1.0);
                oracle::through(&mut gx, &x.seen, &x.lengths);
                oracle::through(&mut gy, &y.seen, &y.lengths);
                close_grad(&what, &gradients.x, &gx, 1e-5);
                close_grad(&what, &gradients.y.expect("the second gradient"), &gy, 1e-5);
            }
        }
    }
}

#[test]
fn raw_points_far_from_the_origin() {
    let cpus = [Cpu::new()];
    for (n, d, far) in [(60, 3, 1e3), (300, 20, 1e3), (300, 20, 1e4), (150, 300, 1e3), (700, 5, 0.0)] {
        let values: Vec<f32> = random(n * d, 3).iter().map(|v| v + far).collect();
        for t in [0.1, 2.0] {
            check_within(&cpus, &format!("{n} × {d} at {far}"), (&values, d, Scaling::Raw), t, 1e-6);
        }
    }
}

#[test]
fn a_narrow_cone_of_unit_rows() {
    let cpus = [Cpu::new()];
    let (n, d) = (300, 24);
    for width in [0.01, 0.1, 1.0, 10.0] {
        let values: Vec<f32> =
            random(n * d, 4).iter().enumerate().map(|(i, v)| v * width + (i % d) as f32).collect();
        check_within(&cpus, &format!("cone of {width}"), (&values, d, Scaling::Unit), 2.0, 1e-6);
    }
}

#[test]
fn rows_of_any_length() {
    let cpus = [Cpu::new()];
    for (n, length) in [(40, 1e18), (300, 1e18), (300, 1e-18), (300, 1e29), (300, 1e-29)] {
        let values: Vec<f32> = random(n * 7, 8).iter().map(|v| v * length).collect();
        check_within(&cpus, &format!("{n} rows of {length:e}"), (&values, 7, Scaling::Unit), 2.0, 1e-6);
    }
}

#[test]
fn equal_points_are_exactly_equal() {
    for cpu in &cpus() {
        for n in [2, 150] {
            for scaling in [Scaling::Unit, Scaling::Raw] {
                for d in [1, 3, 300] {
                    let x = set(cpu, &random(d, 9).repeat(n), d, scaling);
                    for t in [1e-300, 2.0, 50.0, 1e300] {
                        let (pairs, watch) = (Pairs::Within(&x.points), Watch::new(None, 0));
                        let sum = cpu.log_sum(pairs, t, &watch).expect("a sum");
                        assert_eq!(sum, LogSum { max: 0.0, sum: pairs.count() as f64 });
                        let (sum, gradients) =
                            cpu.log_sum_with_grad(pairs, t, 1.0, &watch).expect("a gradient");
                        assert_eq!(sum, LogSum { max: 0.0, sum: pairs.count() as f64 });
                        let gradient = gradients.x.read().expect("a matrix");
                        assert!(gradient.iter().all(|g| g.is_finite()));
                    }
                    let squares = cpu.paired_squared_distances(&x.points, &x.points).expect("distances");
                    assert!(squares.iter().all(|&square| square == 0.0));
                }
            }
        }
    }
}

#[test]
fn antipodes_duplicates_and_a_simplex() {
    let cpu = Cpu::new();
    let antipodes = set(&cpu, &[0.6, 0.8, -0.6, -0.8], 2, Scaling::Unit);
    close("antipodes", uniformity(&cpu, Pairs::Within(&antipodes.points), 2.0), -8.0, 1e-6);
    let d = 200;
    let simplex: Vec<f32> = (0..d * d).map(|i| if i % (d + 1) == 0 { 1.0 } else { 0.0 }).collect();
    let simplex = set(&cpu, &simplex, d, Scaling::Unit);
    close("orthonormal basis", uniformity(&cpu, Pairs::Within(&simplex.points), 3.0), -6.0, 1e-6);
    let mut values = random(100 * 6, 10);
    values.extend_from_within(..);
    values.extend(values.clone().iter().map(|v| -v));
    for t in [2.0, 9.0, 11.0] {
        check_within(&[Cpu::new()], "duplicates and antipodes", (&values, 6, Scaling::Unit), t, 1e-6);
    }
}

#[test]
fn any_steepness_is_finite_or_overflows() {
    for cpu in &cpus() {
        for (n, scaling) in [(50, Scaling::Unit), (200, Scaling::Unit), (200, Scaling::Raw)] {
            let x = set(cpu, &random(n * 5, 11), 5, scaling);
            for t in [5e-324, 1e-300, 1e-10, 10.0, 10.1, 1e4, 1e30, 1e300, f64::MAX] {
                let result = Uniformity { t }.value_with_grad(
                    cpu,
                    Pairs::Within(&x.points),
                    1.0,
                    &Watch::new(None, 0),
                );
                match result {
                    Ok((value, gradients)) => {
                        let want = oracle::uniformity(&x.seen, None, t);
                        close(&format!("t = {t:e}"), value, want, 1e-6 * want.abs().max(1.0));
                        let gradient = gradients.x.read().expect("a matrix");
                        assert!(gradient.iter().all(|g| g.is_finite()), "t = {t:e}");
                    }
                    Err(error) => assert!(t > 1e300 && matches!(error, Error::Overflow { .. }), "{t:e}"),
                }
            }
        }
    }
}

#[test]
fn pairs_of_rows() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let (n, d) = (150, 37);
            let x = set(cpu, &random(n * d, 12), d, scaling);
            let y = set(cpu, &random(n * d, 13), d, scaling);
            for alpha in [1.0, 2.0, 3.0] {
                let metric = Alignment { alpha };
                let want = oracle::alignment(&x.seen, &y.seen, alpha);
                let value = metric.value(cpu, &x.points, &y.points).expect("a value");
                close("alignment", value, want, 1e-6 * want);
                let start = random(n * d, 14);
                let matrix = || cpu.upload_matrix(&start, n, d).expect("a matrix");
                let (_, gx, gy) = metric
                    .value_with_grad(cpu, &x.points, &y.points, 0.7, Some((matrix(), matrix())))
                    .expect("a gradient");
                for (got, x, y) in [(gx, &x, &y), (gy, &y, &x)] {
                    let mut want = oracle::alignment_grad(&x.seen, &y.seen, alpha, 0.7);
                    oracle::through(&mut want, &x.seen, &x.lengths);
                    for (w, s) in want.iter_mut().flatten().zip(&start) {
                        *w += f64::from(*s);
                    }
                    close_grad("alignment", &got, &want, 1e-6);
                }
            }
        }
    }
}

#[test]
fn matrices_of_squared_distances() {
    for cpu in &cpus() {
        for scaling in [Scaling::Unit, Scaling::Raw] {
            for (n, m, d) in [(1, 1, 1), (3, 200, 2), (130, 101, 19)] {
                let x = set(cpu, &random(n * d, 15), d, scaling);
                let y = set(cpu, &random(m * d, 16), d, scaling);
                let matrix = cpu.squared_distances(&x.points, &y.points).expect("distances");
                let want: Vec<Point> = x
                    .seen
                    .iter()
                    .map(|x| y.seen.iter().map(|y| oracle::squared_distance(x, y)).collect())
                    .collect();
                close_grad("squared distances", &matrix, &want, 1e-6);
                let upstream = random(n * m, 17);
                let upstream_matrix = cpu.upload_matrix(&upstream, n, m).expect("a matrix");
                let (gx, gy) =
                    cpu.squared_distances_grad(&x.points, &y.points, &upstream_matrix).expect("gradients");
                if d > 1 {
                    let at = |i: usize, j: usize| f64::from(upstream[i * m + j]);
                    let mut want = oracle::weighted_differences(&x.seen, &y.seen, |i, j| 2.0 * at(i, j));
                    oracle::through(&mut want, &x.seen, &x.lengths);
                    close_grad("for x", &gx, &want, 1e-6);
                    let mut want = oracle::weighted_differences(&y.seen, &x.seen, |j, i| 2.0 * at(i, j));
                    oracle::through(&mut want, &y.seen, &y.lengths);
                    close_grad("for y", &gy, &want, 1e-6);
                }
            }
            let x = set(cpu, &random(70 * 5, 18), 5, scaling);
            let own = cpu.squared_distances(&x.points, &x.points).and_then(|m| m.read()).expect("distances");
            assert!((0..70).all(|i| own[i * 71].to_bits() == 0), "equal rows are +0 apart");
        }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let cpu = Cpu::new();
    for scaling in [Scaling::Unit, Scaling::Raw] {
        let x = set(&cpu, &random(700 * 33, 19), 33, scaling);
        let y = set(&cpu, &random(500 * 33, 20), 33, scaling);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                [Pairs::Within(&x.points), Pairs::Across(&x.points, &y.points)].map(|pairs| {
                    let watch = Watch::new(None, 0);
                    let sum = cpu.log_sum(pairs, 2.0, &watch).expect("a sum");
                    let (with, gradients) =
                        cpu.log_sum_with_grad(pairs, 2.0, 1.0, &watch).expect("gradients");
                    let gradients = [Some(gradients.x), gradients.y].map(|g| g.map(|g| g.read()));
                    (sum, with, gradients)
                })
            })
        };
        let one = run(1);
        assert_eq!(run(2), one);
        assert_eq!(run(7), one);
    }
}

#[test]
fn every_pair_is_counted_and_a_stop_is_obeyed() {
    let cpu = Cpu::new();
    for n in [100, 1000] {
        let x = set(&cpu, &random(n * 4, 21), 4, Scaling::Unit);
        let y = set(&cpu, &random(n * 4, 22), 4, Scaling::Unit);
        for pairs in [Pairs::Within(&x.points), Pairs::Across(&x.points, &y.points)] {
            let last = Arc::new(AtomicU64::new(0));
            let seen = last.clone();
            let observe = move |progress: Progress| {
                seen.fetch_max(progress.done, Ordering::Relaxed);
                ControlFlow::Continue(())
            };
            cpu.log_sum(pairs, 2.0, &Watch::new(Some(&observe), pairs.count())).expect("a sum");
            assert_eq!(last.swap(0, Ordering::Relaxed), pairs.count());
            let watch = Watch::new(Some(&observe), pairs.count());
            cpu.log_sum_with_grad(pairs, 2.0, 1.0, &watch).expect("gradients");
            assert_eq!(last.load(Ordering::Relaxed), pairs.count());
            let stop = |_: Progress| ControlFlow::Break(());
            let watch = Watch::new(Some(&stop), pairs.count());
            assert_eq!(cpu.log_sum(pairs, 2.0, &watch), Err(Error::Stopped));
            assert_eq!(cpu.log_sum_with_grad(pairs, 2.0, 1.0, &watch).map(|_| ()), Err(Error::Stopped));
        }
    }
}
