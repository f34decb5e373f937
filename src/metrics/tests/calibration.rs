use super::near;
use crate::metrics::Uniformity;

const TS: [f64; 6] = [1e-3, 0.5, 2.0, 5.0, 50.0, 1e4];

/// log mean exp(−t(2 − 2c)) over cosines, each as often as it says.
fn from_cosines(t: f64, cosines: &[(f64, f64)]) -> f64 {
    let there: Vec<_> = cosines.iter().filter(|(_, times)| *times > 0.0).collect();
    let total: f64 = there.iter().map(|(_, times)| times).sum();
    let top = there.iter().fold(f64::NEG_INFINITY, |top: f64, (c, _)| top.max(*c));
    let sum: f64 = there.iter().map(|(c, times)| times / total * (2.0 * t * (c - top)).exp()).sum();
    sum.ln() - 2.0 * t * (1.0 - top)
}

#[test]
fn a_score_is_a_share_of_the_way() {
    let metric = Uniformity::default();
    let floor = metric.floor(10);
    for (value, score) in [(0.0, 0.0), (floor, 1.0), (floor / 4.0, 0.25), (floor * 1.01, 1.0), (1e-9, 0.0)] {
        near(metric.score(value, 10), score, 1e-15);
    }
    assert!(metric.score(f64::NAN, 10).is_nan() && metric.score(-1.0, 0).is_nan());
}

#[test]
fn dimensions_come_back_from_their_floor() {
    for t in TS {
        for dims in [1usize, 2, 3, 7, 64, 1000, 100_000] {
            let metric = Uniformity { t };
            let got = metric.effective_dims(metric.floor(dims)).unwrap();
            // What the floor's last digit is worth.
            let digits = 1e-14 * t * dims as f64 * (dims as f64 + t) / (t * t);
            assert!(
                (got - dims as f64).abs() <= digits.max(1e-9 * dims as f64),
                "{got} for {dims} at t = {t}"
            );
        }
    }
}

#[test]
fn between_whole_dimensions_the_effective_ones_lie_between() {
    let metric = Uniformity::default();
    let mut last = 1.0;
    for k in 1..=30 {
        let value = metric.floor(1) + (metric.floor(4) - metric.floor(1)) * f64::from(k) / 30.0;
        let dims = metric.effective_dims(value).unwrap();
        assert!(last < dims && dims <= 4.0 + 1e-9, "{dims} after {last}");
        last = dims;
    }
}

#[test]
fn no_sphere_has_a_value_outside() {
    for t in TS {
        let metric = Uniformity { t };
        for value in
            [0.0, 1.0, -2.0 * t, -5.0 * t, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, metric.floor(1) / 2.0]
        {
            assert_eq!(metric.effective_dims(value), None, "{value} at t = {t}");
        }
    }
    for t in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Uniformity { t }.effective_dims(-0.1), None);
    }
    // 2t² overflows, and 2t² over the height does not.
    assert!(Uniformity { t: 1e200 }.effective_dims(-500.0).is_some());
}

#[test]
fn estimators_from_one_another() {
    for n in [2usize, 3, 10, 4096, 1 << 40] {
        for u in [0.0, -1e-12, -0.3, -0.99, -1.01, -4.0, -30.0] {
            let (v, size) = (Uniformity::v_from_u(u, n), n as f64);
            near(v, (((size - 1.0) * f64::exp(u) + 1.0) / size).ln(), 1e-13);
            // e^U is what is left of n e^V after 1 is taken away.
            let left = 1e-14 * (1.0 + (-u).exp() / size) + 1e-13 * u.abs();
            near(Uniformity::u_from_v(v, n), u, left.max(1e-16));
        }
        assert_eq!(Uniformity::u_from_v(-(n as f64).ln(), n), f64::NEG_INFINITY);
        near(Uniformity::v_from_u(f64::NEG_INFINITY, n), -(n as f64).ln(), 1e-12);
    }
    near(Uniformity::v_from_u(-1e-14, 4), -0.75e-14, 1e-28);
    near(Uniformity::u_from_v(-0.75e-14, 4), -1e-14, 1e-28);
    assert!(Uniformity::v_from_u(-1.0, 0).is_nan());
    assert_eq!(Uniformity::v_from_u(-1.0, 1), 0.0);
    assert!(Uniformity::u_from_v(-1.0, 1).is_nan() && Uniformity::u_from_v(f64::NAN, 5).is_nan());
}

/// Codes that no others surpass at any t (Cohn & Kumar 2007), by the cosines of one point to all others.
#[test]
fn the_best_of_sets_reach_the_bound() {
    for t in TS {
        let metric = Uniformity { t };
        for d in [1usize, 2, 3, 8, 100] {
            let size = d as f64;
            for n in 2..=(d + 1).min(12) {
                near(metric.least_u(n, d), -2.0 * t * n as f64 / (n as f64 - 1.0), 1e-12 * t);
            }
            near(metric.least_u(d + 1, d), from_cosines(t, &[(-1.0 / size, 1.0)]), 1e-12 * t);
            let cross = from_cosines(t, &[(-1.0, 1.0), (0.0, 2.0 * size - 2.0)]);
            near(metric.least_u(2 * d, d), cross, 1e-12 * t.max(1.0));
        }
        // The 27 lines of Schläfli in 6 dimensions, and the 275 points of McLaughlin in 22.
        for (n, d, cosines) in
            [(27, 6, [(-0.5, 10.0), (0.25, 16.0)]), (275, 22, [(-0.25, 112.0), (1.0 / 6.0, 162.0)])]
        {
            near(metric.least_u(n, d), from_cosines(t, &cosines), 1e-12 * t.max(1.0));
        }
    }
}

#[test]
fn good_sets_lie_above_the_bound() {
    for t in TS {
        let metric = Uniformity { t };
        // Evenly around the circle.
        for n in [3usize, 4, 5, 6, 7, 10, 100, 1000] {
            let angle = |k: usize| std::f64::consts::TAU * k as f64 / n as f64;
            let value = from_cosines(t, &(1..n).map(|k| (angle(k).cos(), 1.0)).collect::<Vec<_>>());
            let least = metric.least_u(n, 2);
            assert!(value >= least - 1e-12 * t.max(1.0), "{value} below {least} at n = {n}, t = {t}");
            if t <= 5.0 && n >= 100 {
                near(value, least, 1e-9);
            }
        }
        // The icosahedron, and the 240 shortest vectors of E₈.
        let fifth = 0.2f64.sqrt();
        for (n, d, cosines) in [
            (12, 3, vec![(-1.0, 1.0), (-fifth, 5.0), (fifth, 5.0)]),
            (240, 8, vec![(-1.0, 1.0), (-0.5, 56.0), (0.0, 126.0), (0.5, 56.0)]),
        ] {
            let (value, least) = (from_cosines(t, &cosines), metric.least_u(n, d));
            assert!(value >= least - 1e-12 * t.max(1.0), "{value} below {least} at n = {n}, t = {t}");
            let v = Uniformity::v_from_u(value, n);
            assert!(
                v >= metric.least_v(n, d) - 1e-12 * t.max(1.0)
                    && metric.least_v(n, d) >= metric.floor(d) - 1e-13 * t
            );
        }
    }
}

#[test]
fn a_bound_falls_with_room_and_rises_with_points() {
    let metric = Uniformity::default();
    for d in [1usize, 2, 5, 64, 768] {
        let bounds = |n| metric.least_u(n, d);
        let sizes = [2, 3, 5, d + 1, d + 2, 2 * d, 2 * d + 1, 10 * d, 100 * d, 100_000 * d].map(|n| n.max(2));
        let mut sorted = sizes;
        sorted.sort_unstable();
        assert!(sorted.map(bounds).is_sorted(), "d = {d}: {:?}", sorted.map(bounds));
        near(bounds(usize::MAX), metric.floor(d), 1e-9);
        near(metric.least_v(usize::MAX, d), metric.floor(d), 1e-9);
        assert!(sorted.iter().all(|&n| metric.least_u(n, d + 1) <= bounds(n)));
    }
}

#[test]
fn what_has_no_bound() {
    let metric = Uniformity::default();
    assert!(metric.least_u(1, 5).is_nan() && metric.least_u(5, 0).is_nan() && metric.least_v(0, 5).is_nan());
    assert_eq!(metric.least_v(1, 5), 0.0);
    assert!(
        Uniformity { t: -1.0 }.least_u(5, 5).is_nan() && Uniformity { t: f64::NAN }.least_v(1, 5).is_nan()
    );
}
