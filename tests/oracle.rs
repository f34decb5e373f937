//! The oracle itself: values that need no program, and gradients by central differences.

mod support;

use support::{
    anchors::Anchors,
    cases, losses,
    oracle::{self, Rows},
    random::{normal, on_the_sphere},
    verses,
};

fn points(values: Vec<f64>, dims: usize) -> Rows {
    values.chunks(dims).map(<[f64]>::to_vec).collect()
}

fn sphere(rows: usize, dims: usize, seed: u64) -> Rows {
    points(on_the_sphere(normal(rows, dims, seed), dims), dims)
}

#[track_caller]
fn close(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "got {got:.12}, want {want:.12}");
}

/// (f(x + h) − f(x − h)) / 2h, coordinate by coordinate.
fn central_differences(x: &Rows, f: impl Fn(&Rows) -> f64) -> Rows {
    let h = 1e-5;
    let at = |i: usize, k: usize, step: f64| {
        let mut moved = x.clone();
        moved[i][k] += step;
        f(&moved)
    };
    let slope = |i, k| (at(i, k, h) - at(i, k, -h)) / (2.0 * h);
    (0..x.len()).map(|i| (0..x[i].len()).map(|k| slope(i, k)).collect()).collect()
}

#[track_caller]
fn same(got: &Rows, want: &Rows) {
    let error = oracle::norm(&oracle::sum(got, want, -1.0)) / oracle::norm(want);
    assert!(error < 1e-8, "relative error {error:e}");
}

#[test]
fn gradient_of_uniformity() {
    for t in [0.5, 2.0, 7.0] {
        let x = sphere(9, 4, 1);
        same(&oracle::uniformity_grad(&x, t), &central_differences(&x, |x| oracle::uniformity(x, t)));
    }
}

#[test]
fn gradients_of_cross_uniformity() {
    let (x, y, t) = (sphere(6, 3, 1), points(normal(4, 3, 2), 3), 1.5);
    let (gx, gy) = oracle::cross_uniformity_grad(&x, &y, t);
    same(&gx, &central_differences(&x, |x| oracle::cross_uniformity(x, &y, t)));
    same(&gy, &central_differences(&y, |y| oracle::cross_uniformity(&x, y, t)));
}

#[test]
fn gradient_of_alignment() {
    for alpha in [0.5, 1.0, 2.0, 3.0] {
        let (x, y) = (sphere(6, 5, 1), sphere(6, 5, 2));
        let grad = oracle::alignment_grad(&x, &y, alpha);
        same(&grad, &central_differences(&x, |x| oracle::alignment(x, &y, alpha)));
        let negative = oracle::sum(&grad, &grad, -2.0);
        same(&negative, &central_differences(&y, |y| oracle::alignment(&x, y, alpha)));
    }
    let x = sphere(3, 2, 1);
    assert_eq!(oracle::norm(&oracle::alignment_grad(&x, &x, 0.5)), 0.0);
}

#[test]
fn gradients_of_squared_distances() {
    let (x, y, upstream) = (sphere(4, 3, 1), sphere(5, 3, 2), points(normal(4, 5, 3), 5));
    let weighted = |x: &Rows, y: &Rows| {
        oracle::squares_across(x, y).iter().zip(upstream.iter().flatten()).map(|(s, u)| s * u).sum()
    };
    let (gx, gy) = oracle::squared_distances_grad(&x, &y, &upstream);
    same(&gx, &central_differences(&x, |x| weighted(x, &y)));
    same(&gy, &central_differences(&y, |y| weighted(&x, y)));
}

#[test]
fn gradient_through_the_scaling() {
    let given = points(normal(7, 4, 1).iter().map(|v| v * 3.0).collect(), 4);
    let seen = oracle::unit_rows(&given);
    let grad = oracle::through_unit(&given, &oracle::uniformity_grad(&seen, 2.0));
    same(&grad, &central_differences(&given, |x| oracle::uniformity(&oracle::unit_rows(x), 2.0)));
}

#[test]
fn two_points() {
    let x = points(vec![1.0, 0.0, 0.0, 0.6, 0.8, 0.0], 3);
    close(oracle::uniformity(&x, 2.0), -2.0 * 0.8, 1e-15);
    close(oracle::alignment(&x[..1].to_vec(), &x[1..].to_vec(), 1.0), 0.8f64.sqrt(), 1e-15);
    close(oracle::alignment(&x[..1].to_vec(), &x[1..].to_vec(), 3.0), 0.8f64.powf(1.5), 1e-15);
}

#[test]
fn a_simplex_is_as_far_apart_as_n_points_can_be() {
    for n in [2, 3, 10, 65] {
        let x = points(cases::simplex(n), n);
        for t in [0.5, 2.0, 50.0] {
            close(oracle::uniformity(&x, t), -t * 2.0 * n as f64 / (n as f64 - 1.0), 1e-12 * t);
            assert!(oracle::norm(&oracle::through_unit(&x, &oracle::uniformity_grad(&x, t))) < 1e-12);
        }
    }
}

#[test]
fn orthonormal_sets() {
    let n = 20;
    let basis = points((0..n * n).map(|k| if k / n == k % n { 1.0 } else { 0.0 }).collect(), n);
    for t in [0.5, 2.0, 50.0] {
        close(oracle::uniformity(&basis, t), -2.0 * t, 1e-12);
        close(oracle::cross_uniformity(&basis[..5].to_vec(), &basis[5..].to_vec(), t), -2.0 * t, 1e-12);
    }
}

#[test]
fn the_loss_is_its_parts() {
    let (x, y) = (sphere(5, 3, 1), sphere(5, 3, 2));
    let (ux, uy) = (oracle::uniformity(&x, 3.0), oracle::uniformity(&y, 3.0));
    let loss = oracle::loss(&x, &y, 0.3, 1.0, 3.0);
    close(loss, 0.3 * oracle::alignment(&x, &y, 1.0) + (ux + uy) / 2.0, 1e-15);
}

/// (d, t, the least uniformity of any distribution on the sphere), from tables.
const FLOORS: [(usize, f64, f64); 5] = [
    (2, 2.0, -1.575027),
    (3, 1.0, -1.404780),
    (3, 2.0, -2.079777),
    (8, 3.0, -4.097875),
    (64, 2.0, -3.875236),
];

#[test]
fn with_the_diagonal_no_set_lies_below_the_floor() {
    for (d, t, floor) in FLOORS {
        for x in [sphere(300, d, 1), points(cases::simplex(d + 1), d + 1)] {
            let n = x.len() as f64;
            // Of all ordered pairs: each unordered pair twice, and n of distance 0.
            let all = ((n - 1.0) / n * oracle::uniformity(&x, t).exp() + 1.0 / n).ln();
            close(all, oracle::cross_uniformity(&x, &x, t), 1e-12);
            close(oracle::uniformity(&x, t), ((n * all.exp() - 1.0) / (n - 1.0)).ln(), 1e-12);
            assert!(all >= floor - 1e-6, "{all} lies below {floor}");
        }
    }
}

#[test]
fn without_the_diagonal_a_set_may_lie_below_the_floor() {
    // Three points on the circle, 3 apart when squared.
    let triangle = points((0..3).flat_map(|i| [angle(i, 3).cos(), angle(i, 3).sin()]).collect(), 2);
    close(oracle::uniformity(&triangle, 2.0), -6.0, 1e-12);
    // Many points, evenly: the floor itself.
    let n = 1000;
    let circle = points((0..n).flat_map(|i| [angle(i, n).cos(), angle(i, n).sin()]).collect(), 2);
    close(oracle::cross_uniformity(&circle, &circle, 2.0), -1.575027, 5e-7);
}

fn angle(i: usize, n: usize) -> f64 {
    std::f64::consts::TAU * i as f64 / n as f64
}

#[test]
fn alignment_of_the_verses() {
    let (x, y) = (verses::on_the_sphere("kjv"), verses::on_the_sphere("web"));
    for (alpha, want) in verses::ALIGNMENT {
        close(oracle::alignment(&x, &y, alpha), want, 5e-11);
    }
}

#[test]
fn uniformity_of_the_verses() {
    for (translation, values) in verses::UNIFORMITY {
        let squares = oracle::squares_within(&verses::on_the_sphere(translation));
        for (t, want) in values {
            close(oracle::log_mean_exp(&squares, t), want, 5e-11);
        }
    }
}

#[test]
fn gradients_of_the_contrastive_loss() {
    let (x, y, queue) = (sphere(6, 3, 1), points(normal(6, 3, 2), 3), sphere(4, 3, 3));
    for build in [Anchors::one_way, Anchors::both_ways, Anchors::views] {
        for queue in [Rows::new(), queue.clone()] {
            let tau = 0.3;
            let grad = build(&x, &y, &queue).grad(tau);
            same(&grad[..6].to_vec(), &central_differences(&x, |x| build(x, &y, &queue).parts(tau).loss));
            same(&grad[6..12].to_vec(), &central_differences(&y, |y| build(&x, y, &queue).parts(tau).loss));
        }
    }
}

/// Two pairs by hand: anchors at right angles to what is not theirs.
#[test]
fn contrastive_loss_of_two_pairs() {
    let x = points(vec![1.0, 0.0, 0.0, 1.0], 2);
    let off = (-2.0f64).exp().ln_1p();
    close(Anchors::one_way(&x, &x, &Rows::new()).parts(0.5).loss, off, 1e-15);
    close(Anchors::both_ways(&x, &x, &Rows::new()).parts(0.5).loss, off, 1e-15);
    close(Anchors::views(&x, &x, &Rows::new()).parts(0.5).loss, (2.0 * (-2.0f64).exp()).ln_1p(), 1e-15);
    let parts = Anchors::one_way(&x, &x, &Rows::new()).parts(0.5);
    close(parts.alignment, -2.0, 1e-15);
    close(parts.uniformity, 0.0, 1e-15);
}

#[test]
fn gradients_of_the_sigmoid_loss() {
    let (x, y) = (sphere(6, 3, 1), sphere(6, 3, 2));
    let (s, b) = (4.0, -1.5);
    let (loss, by_s, by_b) = losses::sigmoid_loss(&x, &y, s, b);
    same(&loss.grads[0], &central_differences(&x, |x| losses::sigmoid_loss(x, &y, s, b).0.value));
    same(&loss.grads[1], &central_differences(&y, |y| losses::sigmoid_loss(&x, y, s, b).0.value));
    let value = |s, b| losses::sigmoid_loss(&x, &y, s, b).0.value;
    close(by_s, (value(s + 1e-5, b) - value(s - 1e-5, b)) / 2e-5, 1e-8);
    close(by_b, (value(s, b + 1e-5) - value(s, b - 1e-5)) / 2e-5, 1e-8);
}

#[test]
fn gradients_of_losses_by_label() {
    let (x, labels) = (sphere(9, 3, 1), [1, 2, 1, 3, 2, 1, 2, 4, 2]);
    let loss = losses::supcon(&x, &labels, 0.3);
    same(&loss.grads[0], &central_differences(&x, |x| losses::supcon(x, &labels, 0.3).value));
    for alpha in [1.0, 2.0, 3.5] {
        let loss = losses::alignment_by_label(&x, &labels, alpha);
        same(
            &loss.grads[0],
            &central_differences(&x, |x| losses::alignment_by_label(x, &labels, alpha).value),
        );
    }
}
