//! Uniformity and its gradients to the promised accuracy, at any shape.

use super::*;

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
                let (value, gradients) = cpu.uniformity_with_grad(pairs, 2.0, 1.0).expect("a gradient");
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
