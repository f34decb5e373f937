//! Points and parameters that break careless arithmetic.

use super::*;
use crate::error::Error;
use crate::pending::Block as _;

#[test]
fn rows_whose_rounding_repeats() {
    let cpus = [Cpu::new()];
    let (n, d) = (150, 1500);
    let of = |f: &dyn Fn(f32) -> f32| random(n * d, 23).into_iter().map(f).collect::<Vec<_>>();
    for (what, values) in [
        ("positive", of(&|v| v.abs())),
        ("signs", of(&|v| v.signum())),
        ("bits", of(&|v| if v > 0.0 { 1.0 } else { 0.0 })),
        ("sparse", of(&|v| if v > 0.6 { v } else { 0.0 })),
    ] {
        for t in [2.0, 10.0] {
            check_within(&cpus, what, (&values, d, Scaling::Unit), t, 1e-6);
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
                        let sum = cpu.sum(pairs, t, &watch).expect("a sum");
                        assert_eq!(sum, LogSumExp { max: 0.0, sum: pairs.count() as f64 });
                        let (sum, gradients) = cpu.sum_with_grad(pairs, t, 1.0, &watch).expect("a gradient");
                        assert_eq!(sum, LogSumExp { max: 0.0, sum: pairs.count() as f64 });
                        let gradient = gradients.x.read().expect("a matrix");
                        assert!(gradient.iter().all(|g| g.is_finite()));
                    }
                    let squares =
                        cpu.paired(&x.points, &x.points, Term::SquaredDistance).block().expect("distances");
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
                let result = cpu.uniformity_with_grad(Pairs::Within(&x.points), t, 1.0);
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
