use super::{near, table};
use crate::{
    metrics::Uniformity,
    theory::{Moments, upper_tail},
};

#[test]
fn moments_of_uniform_points() {
    let lines = table("moments");
    assert!(lines.len() > 10);
    for line in lines {
        let [dims, t, variance, third, triangle] = line[..] else { panic!("{line:?}") };
        let got = Moments::new(dims, t);
        let context = format!("d = {dims}, t = {t}: {:e}", got.variance - variance);
        assert!((got.variance - variance).abs() < 1e-11 * (1.0 + t), "{context}");
        assert!((got.triangle - triangle).abs() < 1e-11 * (1.0 + t), "{context}");
        // Where it is 0, and where it is lost beside σ³, it is all the same to the skewness.
        let share = (third - 1.5 * variance).exp();
        near((got.third - 1.5 * variance).exp(), share, 1e-11 * (1.0 + t) * share.max(1e-3));
    }
}

#[test]
fn values_and_their_share_of_uniform_sets() {
    let lines = table("significance");
    assert!(lines.len() > 30);
    for line in lines {
        let [dims, t, n, value, z, p] = line[..] else { panic!("{line:?}") };
        let got = Uniformity { t }.significance(value, n as usize, dims as usize);
        // What the value's last digits are worth, in z.
        let digit = 1e-15 * n * dims.max(1.0) + 1e-11;
        near(got.z, z, digit);
        near(got.p_value, p, (100.0 * digit + 1e-9) * p);
    }
}

#[test]
fn tails_of_any_skewness() {
    let lines = table("tail");
    assert!(lines.len() > 50);
    for line in lines {
        let [skewness, z, p] = line[..] else { panic!("{line:?}") };
        near(upper_tail(z, skewness), p, 1e-8 * p);
    }
    near(upper_tail(1.0, 0.0), 0.158_655_253_931_457_05, 1e-15);
    // The exponential distribution.
    for z in [-0.5f64, 0.0, 3.0, 500.0] {
        near(upper_tail(z, 2.0), (-1.0 - z).exp(), 1e-12 * (-1.0 - z).exp());
    }
}

/// The two ways to a tail are one function.
#[test]
fn tails_meet_where_their_formulas_do() {
    let meeting = 2.0 / 1e5f64.sqrt();
    for z in [-40.0, -3.0, -0.1, 0.0, 1e-3, 0.5, 4.0, 25.0, 35.0] {
        let (above, below) = (upper_tail(z, meeting * (1.0 + 1e-12)), upper_tail(z, meeting * (1.0 - 1e-12)));
        near(above, below, 1e-7 * below);
    }
    for skewness in [1e-9, 1e-5, 6e-3, 0.1, 1.0, 10.0, 1e3] {
        let tails = (-4000..4000).map(|k| upper_tail(f64::from(k) / 100.0, skewness));
        let tails: Vec<_> = tails.collect();
        assert!(tails.iter().all(|p| (0.0..=1.0).contains(p)), "a share, at skewness {skewness}");
        assert!(tails.is_sorted_by(|a, b| *a >= *b * (1.0 - 1e-9)), "falls, at skewness {skewness}");
    }
}

#[test]
fn no_significance_without_pairs() {
    let metric = Uniformity::default();
    for got in [
        metric.significance(-1.0, 1, 3),
        metric.significance(-1.0, 10, 0),
        metric.significance(f64::NAN, 10, 3),
        Uniformity { t: 0.0 }.significance(-1.0, 10, 3),
    ] {
        assert!(got.z.is_nan() && got.p_value.is_nan());
    }
}

#[test]
fn the_ends_of_significance() {
    for t in [1e-6, 0.01, 2.0, 100.0, 1e4, 1e6] {
        let metric = Uniformity { t };
        for dims in [1usize, 2, 3, 128, 1536, 100_000] {
            for n in [2usize, 3, 100, 1_000_000] {
                let at = |value| metric.significance(value, n, dims);
                let context = format!("t = {t}, d = {dims}, n = {n}");
                let (equal, even, none) = (at(0.0), at(metric.floor(dims)), at(f64::NEG_INFINITY));
                assert!(
                    equal.z > even.z && even.z.abs() < 1e-6 && even.z >= none.z,
                    "{context}: {equal:?} {even:?}"
                );
                for got in [equal, even, none] {
                    assert!((0.0..=1.0).contains(&got.p_value), "{context}: {got:?}");
                }
                assert!(equal.p_value <= even.p_value && even.p_value <= none.p_value, "{context}");
            }
        }
    }
}
