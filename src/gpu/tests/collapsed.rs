//! Sets that collapsed to a narrow cone, and pairs that outweigh all others, against the formulas in f64.

use super::oracle::{Kind, Set, backends, square, watch};
use crate::{
    backend::{Backend, GroupPairs},
    error::Result,
    gpu::tests::values,
    kernel::Kernel,
    pending::Block as _,
    points::Scaling,
    weights::PointWeights,
};

/// Rows about one direction.
fn about_one_direction(rows: usize, dims: usize, spread: f32, seed: u64) -> Vec<f32> {
    values(rows, dims, seed).iter().map(|v| 1.0 + spread * v).collect()
}

/// log Σ w exp(−t‖x−y‖²) / Σ w, with all digits of a log near 0.
fn log_mean(t: f64, terms: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, weights) = terms.fold((0.0, 0.0), |(sum, weights), (square, weight)| {
        (sum + weight * (-t * square).exp_m1(), weights + weight)
    });
    (sum / weights).ln_1p()
}

fn close(got: f64, want: f64, share: f64, what: &str) {
    let off = (got - want).abs() / want.abs();
    assert!(off < share, "{what}: {got:e}, not {want:e}, {off:e} of itself off");
}

/// Half of a step of f32 at the coordinates of these rows, over the spread: what their rounding makes of one distance.
fn rounding(dims: usize, spread: f32) -> f64 {
    let step = f64::from(f32::EPSILON) / 4.0;
    step * 2.0 / (f64::from(spread) * 0.5 / (dims as f64).sqrt() * (dims as f64).sqrt()).max(step)
}

#[test]
fn collapsed_sets_keep_the_digits_that_their_points_have() -> Result<()> {
    for (gpu, context) in backends() {
        for (n, spread) in [(300, 1e-3), (300, 1e-4), (300, 1e-5), (700, 1e-3)] {
            let dims = 64;
            let [x, y] = [1, 2].map(|seed| {
                Set::new(&context, &about_one_direction(n, dims, spread, seed), dims, Scaling::Unit)
            });
            let (x, y) = (x?, y?);
            // Bounds of sums over many pairs, in which rounding averages out in part, and of single rows.
            let (many, few) =
                (1e-3f64.max(0.2 * rounding(dims, spread)), 1e-3f64.max(rounding(dims, spread)));
            let ts = [2.0, 0.5, 5.5];
            for kind in Kind::ALL {
                let (pairs, right) = (kind.pairs(&x, &y), kind.right(&x, &y));
                let squares: Vec<_> =
                    kind.all(n, n).map(|(i, j)| square(&x.rows[i], &right.rows[j])).collect();
                let several = gpu.totals(pairs, &ts)?;
                for (t, several) in ts.into_iter().zip(several) {
                    let want = log_mean(t, squares.iter().map(|&square| (square, 1.0)));
                    let what = format!("{n}, {spread:e}, {kind:?}, t = {t}");
                    let one = gpu.total(pairs, t)?.log_mean(pairs.count());
                    close(one, want, many, &what);
                    let several = several.log_mean(pairs.count());
                    assert!(
                        (one - several).abs() < 1e-6 * one.abs(),
                        "{what}: {one:e} alone, {several:e} beside"
                    );
                    let with_gradient = gpu.total_with_gradient(pairs, t)?.0.log_mean(pairs.count());
                    close(with_gradient, want, many, &format!("{what}, with its gradient"));
                }
            }
            // Within either set, less across.
            let [a, b, c] =
                [Kind::Within.pairs(&x, &x), Kind::Within.pairs(&y, &y), Kind::Unpaired.pairs(&x, &y)]
                    .map(|pairs| gpu.total(pairs, 2.0).map(|sum| sum.log_mean(pairs.count()).exp_m1()));
            let mean = |kind: Kind, a: &Set, b: &Set| {
                log_mean(2.0, kind.all(n, n).map(|(i, j)| (square(&a.rows[i], &b.rows[j]), 1.0))).exp_m1()
            };
            let (xx, yy) = (mean(Kind::Within, &x, &x), mean(Kind::Within, &y, &y));
            let want = xx + yy - 2.0 * mean(Kind::Unpaired, &x, &y);
            let got = a? + b? - 2.0 * c?;
            assert!(
                (got - want).abs() < many * 2e-2 * (xx + yy).abs(),
                "{n}, {spread:e}: MMD {got:e}, not {want:e}"
            );

            for (kernel, t, top) in [(Kernel::gaussian(2.0), 2.0, 0.0), (Kernel::logit(0.5), 1.0, 2.0)] {
                let rows = gpu.rows(Kind::Across.pairs(&x, &y), kernel, None)?;
                let sides = [(&x, &y, rows.x), (&y, &x, rows.y.unwrap_or_default())];
                for (own, other, got) in &sides {
                    assert_eq!(got.len(), n);
                    for (row, got) in own.rows.iter().zip(got) {
                        let want = log_mean(t, other.rows.iter().map(|other| (square(row, other), 1.0)));
                        close(
                            got - top - (n as f64).ln(),
                            want,
                            few,
                            &format!("{n}, {spread:e}, a row, {kernel:?}"),
                        );
                    }
                }
            }
            let weights: Vec<f64> = (0..n).map(|i| (i % 4) as f64).collect();
            let weighted = PointWeights { x: &weights, y: &weights };
            let got = gpu.rows(Kind::Within.pairs(&x, &x), Kernel::gaussian(2.0), Some(weighted))?.x;
            for (i, got) in got.iter().enumerate() {
                let others = || (0..n).filter(|&j| j != i);
                let of = others().map(|j| (square(&x.rows[i], &x.rows[j]), weights[j]));
                let total: f64 = others().map(|j| weights[j]).sum();
                close(
                    got - total.ln(),
                    log_mean(2.0, of),
                    few,
                    &format!("{n}, {spread:e}, weighted row {i}"),
                );
            }
            let ends = [100, 100, 201, n];
            let kernel = Kernel::gaussian(2.0);
            let all = gpu.group_log_sums(&x.on, &ends, kernel, GroupPairs::All, &watch()).block()?;
            let within = gpu.group_log_sums(&x.on, &ends, kernel, GroupPairs::Within, &watch()).block()?;
            for (group, rows) in [(0, 0..100), (2, 100..201), (3, 201..n)] {
                let pairs = || Kind::Within.all(n, n).filter(|(i, j)| rows.contains(i) && rows.contains(j));
                let want = log_mean(2.0, pairs().map(|(i, j)| (square(&x.rows[i], &x.rows[j]), 1.0)));
                for sum in [all[group * 5], within[group]] {
                    close(
                        sum.log_mean(pairs().count() as u64),
                        want,
                        many,
                        &format!("{n}, {spread:e}, group {group}"),
                    );
                }
            }
        }
    }
    Ok(())
}

/// Only what is narrow is summed again: the rest is as it would be alone.
#[test]
fn narrow_groups_leave_wide_ones_as_they_are() -> Result<()> {
    for (gpu, context) in backends() {
        let (wide, dims) = (values(600, 8, 1), 8);
        let narrow = about_one_direction(600, dims, 1e-3, 2);
        let alone = Set::new(&context, &wide, dims, Scaling::Unit)?;
        let both = Set::new(&context, &[wide, narrow].concat(), dims, Scaling::Unit)?;
        let sum = |set: &Set, ends: &[usize]| {
            gpu.group_log_sums(&set.on, ends, Kernel::gaussian(2.0), GroupPairs::Within, &watch()).block()
        };
        let (alone, both) = (sum(&alone, &[600])?, sum(&both, &[600, 1200])?);
        assert!((alone[0].log() - both[0].log()).abs() < 1e-9);
        assert!(both[1].log_mean(1200 * 599 / 4) > -1e-4);
    }
    Ok(())
}

/// One pair at a cosine near 1 among rows at right angles.
#[test]
fn a_pair_that_outweighs_all_others_is_not_rounded() -> Result<()> {
    for (gpu, context) in backends() {
        for (n, dims) in [(140, 160), (530, 544)] {
            for cosine in [0.99999f64, 0.999, 0.97, 0.9] {
                let mut given = vec![0.0f32; n * dims];
                for i in 0..n {
                    // Coordinates that f32 has to round.
                    let length = 0.3 + 0.017 * (i % 40) as f64;
                    given[i * dims + i] = (0.8 * length) as f32;
                    given[i * dims + dims - 1 - i % 10] += (0.6 * length / 40.0) as f32;
                }
                for k in 0..dims {
                    let other = if k == 1 { (1.0 - cosine * cosine).sqrt() } else { 0.0 };
                    given[dims + k] = (cosine * f64::from(given[k]) + 0.24 * other) as f32;
                }
                let x = Set::new(&context, &given, dims, Scaling::Unit)?;
                for (t, off) in [(2.0, 1e-6), (5.0, 1e-6), (10.0, 3e-6)] {
                    let pairs = Kind::Within.pairs(&x, &x);
                    let terms = Kind::Within.all(n, n).map(|(i, j)| (square(&x.rows[i], &x.rows[j]), 1.0));
                    let want = log_mean(t, terms);
                    for sum in [gpu.total(pairs, t)?, gpu.totals(pairs, &[t, 0.1])?[0]] {
                        let got = sum.log_mean(pairs.count());
                        assert!((got - want).abs() < off, "{n}, {cosine}, t = {t}: {:e} off", got - want);
                    }
                }
            }
        }
    }
    Ok(())
}
