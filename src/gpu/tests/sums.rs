//! Sums over rows, groups and all pairs, and moments, against the formulas in f64.

use super::{
    contexts,
    oracle::{Kind, Products, Set, backends, dot, exponent_of, log_sum_exp, square, watch},
    upload, values,
};
use crate::{
    backend::{Backend, Diagnostics},
    device::{Device, DeviceKind},
    error::Result,
    gpu::{Gpu, reduce::moments::moments},
    kernel::{Kernel, Map},
    pairs::Pairs,
    pending::Block as _,
    points::{Moments, Scaling},
    precision::{Precision, Storage},
    schedule::unordered,
    weights::{PointWeights, RowLogSums},
};

const SIZES: [(usize, usize); 3] = [(1, 3), (67, 5), (641, 67)];
const KERNELS: [Kernel; 5] = [
    Kernel::gaussian(2.0),
    Kernel::gaussian(30.0),
    Kernel::logit(0.5),
    Kernel::logit(0.07),
    Kernel::logit(0.01),
];

/// How far a log may be from the one wanted.
fn tolerance(scaling: Scaling, kernel: Kernel, want: f64) -> f64 {
    let slope = if kernel.map == Map::Logit { 1.0 / kernel.scale } else { 2.0 * kernel.scale };
    match scaling {
        Scaling::Raw => 1e-6 * want.abs().max(10.0),
        // What is left after the rounding of coordinates shows in single rows.
        Scaling::Unit => 1e-6f64.max(1e-7 * slope),
    }
}

/// Log of each row's sum; both sides have as many rows as there are masses.
fn of_rows(kind: Kind, masses: &[f64], exponent: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let logs: Vec<_> = masses.iter().map(|mass| mass.ln()).collect();
    let row = |i: usize| {
        let others = (0..masses.len()).filter(|&j| kind.joins(i, j) && masses[j] > 0.0);
        log_sum_exp(others.map(|j| exponent(i, j) + logs[j]))
    };
    (0..masses.len()).map(row).collect()
}

#[test]
fn row_sums_are_the_formula() -> Result<()> {
    for (gpu, context) in backends() {
        for (size, scaling) in SIZES.into_iter().flat_map(|s| [Scaling::Unit, Scaling::Raw].map(|r| (s, r))) {
            let x = Set::random(&context, size, 1, scaling)?;
            let y = Set::random(&context, size, 2, scaling)?;
            let n = size.0;
            let ones = vec![1.0; n];
            let some: Vec<f64> = (0..n).map(|i| [0.0, 1e5, 3.0, 0.5][i % 4]).collect();
            let other: Vec<f64> = (0..n).map(|i| [2.0, 7.0, 0.0][i % 3]).collect();
            let products = [Products::of(&x.rows, &x.rows), Products::of(&x.rows, &y.rows)];
            for (kind, kernel) in Kind::ALL.into_iter().flat_map(|k| KERNELS.map(|e| (k, e))) {
                let products = &products[usize::from(kind != Kind::Within)];
                for (of_x, of_y) in
                    [(&ones, &ones), (&some, if kind == Kind::Within { &some } else { &other })]
                {
                    let masses = (of_x != &ones).then_some(PointWeights { x: of_x, y: of_y });
                    let got = gpu.rows(kind.pairs(&x, &y), kernel, masses)?;
                    let of_rows_of_x = of_rows(kind, of_y, |i, j| products.exponent(kernel, i, j));
                    let mut sides = vec![(got.x.clone(), of_rows_of_x)];
                    assert_eq!(got.y.is_none(), kind == Kind::Within);
                    if let Some(got) = got.y.clone() {
                        sides.push((got, of_rows(kind, of_x, |j, i| products.exponent(kernel, i, j))));
                    }
                    for (got, want) in sides {
                        assert_eq!(got.len(), want.len());
                        let apart: f64 =
                            got.iter().zip(&want).filter(|(a, b)| a != b).map(|(a, b)| a - b).sum();
                        let mean = apart.abs() / n as f64;
                        assert!(
                            scaling == Scaling::Raw || mean < 3e-6,
                            "{size:?}, {kind:?}, {kernel:?}: {mean:e} off"
                        );
                        for (i, (got, want)) in got.into_iter().zip(want).enumerate() {
                            let close = (got - want).abs() < tolerance(scaling, kernel, want) || got == want;
                            let what = format!("{size:?}, {scaling:?}, {kind:?}, {kernel:?}, row {i}");
                            assert!(close, "{what}: {got}, not {want}, {:e} off", got - want);
                        }
                    }
                    let RowLogSums { x: again, .. } = gpu.rows(kind.pairs(&x, &y), kernel, masses)?;
                    assert!(again.iter().zip(&got.x).all(|(a, b)| a.to_bits() == b.to_bits()), "other bits");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn sums_over_all_pairs_are_the_formula() -> Result<()> {
    for (gpu, context) in backends() {
        for (size, scaling) in
            [(67, 5), (641, 67)].into_iter().flat_map(|s| [Scaling::Unit, Scaling::Raw].map(|r| (s, r)))
        {
            let x = Set::random(&context, size, 1, scaling)?;
            let y = Set::random(&context, size, 2, scaling)?;
            for kind in Kind::ALL {
                let right = kind.right(&x, &y);
                let all = kind.all(size.0, size.0);
                let squares: Vec<_> = all.map(|(i, j)| square(&x.rows[i], &right.rows[j])).collect();
                let want = |t: f64| log_sum_exp(squares.iter().map(|square| -t * square));
                let pairs = kind.pairs(&x, &y);
                let close = |got: f64, t: f64, by: &str| {
                    let want = want(t);
                    let off = tolerance(scaling, Kernel::gaussian(t), want);
                    let what = format!("{size:?}, {scaling:?}, {kind:?}, t = {t}, {by}");
                    assert!((got - want).abs() < off, "{what}: {got}, not {want}, {:e} off", got - want);
                };
                for ts in [&[2.0][..], &[0.5, 1.0, 2.0, 5.0], &[0.01, 50.0, 3.0], &[]] {
                    let sums = gpu.totals(pairs, ts)?;
                    assert_eq!(sums.len(), ts.len());
                    ts.iter().zip(sums).for_each(|(&t, sum)| close(sum.log(), t, "several"));
                }
                for t in [0.1, 2.0, 20.0] {
                    close(gpu.total(pairs, t)?.log(), t, "one");
                    close(gpu.total_with_gradient(pairs, t)?.0.log(), t, "with its gradient");
                }
            }
        }
    }
    Ok(())
}

/// So close together that cosines in f32 say too little.
#[test]
fn narrow_sets_are_summed_in_a_better_way() -> Result<()> {
    for (gpu, context) in backends() {
        let (n, dims) = (700, 8);
        let near: Vec<f32> = values(n, dims, 3).iter().map(|v| 1.0 + 1e-3 * v).collect();
        let x = Set::new(&context, &near, dims, Scaling::Unit)?;
        let count = unordered(n);
        let ts = [0.5, 2.0];
        let ends = [300, 700];
        let groups = gpu.groups(&x.on, &ends, 2.0)?;
        for (&t, sum) in ts.iter().zip(gpu.totals(Pairs::Within(&x.on), &ts)?) {
            let want = log_sum_exp(Kind::Within.all(n, n).map(|(i, j)| -t * square(&x.rows[i], &x.rows[j])));
            let want = want - (count as f64).ln();
            let got = sum.log_mean(count);
            assert!((got - want).abs() < 2e-7, "t = {t}: {got:e}, not {want:e}");
        }
        let want = (0..300).flat_map(|i| (300..700).map(move |j| (i, j)));
        let want = log_sum_exp(want.map(|(i, j)| -2.0 * square(&x.rows[i], &x.rows[j]))) - 120_000f64.ln();
        let got = groups[1].log_mean(120_000);
        assert!((got - want).abs() < 2e-7, "groups: {got:e}, not {want:e}");
    }
    Ok(())
}

#[test]
fn sums_of_groups_are_the_formula() -> Result<()> {
    for (gpu, context) in backends() {
        for (n, scaling) in [(290, Scaling::Unit), (1100, Scaling::Unit), (600, Scaling::Raw)] {
            let x = Set::random(&context, (n, 7), 1, scaling)?;
            // More rectangles than a dispatch has workgroups.
            let every: Vec<_> = if n == 290 { (1..=n).collect() } else { (1..=40).chain([n]).collect() };
            for ends in [&[n][..], &[1, 1, 63, 64, 65, 100, n], &every, &[64, n, n]] {
                let k = ends.len();
                let group = |row: usize| ends.iter().position(|&end| row < end).expect("a group");
                let mut squares = vec![Vec::new(); k * k];
                let of_rows: Vec<_> = (0..n).map(group).collect();
                for (i, j) in Kind::Within.all(n, n) {
                    let (square, a, b) = (square(&x.rows[i], &x.rows[j]), of_rows[i], of_rows[j]);
                    squares[a * k + b].push(square);
                    if a != b {
                        squares[b * k + a].push(square);
                    }
                }
                for t in [2.0, 7.0] {
                    let got = gpu.groups(&x.on, ends, t)?;
                    assert_eq!(got.len(), k * k);
                    for (at, (got, squares)) in got.iter().zip(&squares).enumerate() {
                        let (got, want) = (got.log(), log_sum_exp(squares.iter().map(|square| -t * square)));
                        let off = tolerance(scaling, Kernel::gaussian(t), want);
                        let close = (got - want).abs() < off || got == want;
                        let what = format!("{n}, {scaling:?}, {ends:?}, t = {t}, {} and {}", at / k, at % k);
                        assert!(close, "{what}: {got}, not {want}, {:e} off", got - want);
                    }
                }
            }
        }
    }
    Ok(())
}

#[test]
fn moments_are_the_formula() -> Result<()> {
    for (gpu, context) in backends() {
        for (n, dims, far) in [
            (1, 1, 0.0),
            (1100, 7, 0.0),
            (2500, 63, 0.0),
            (700, 130, 30.0),
            (70, 130, 0.0),
            // The sums of rows have a tile of their own, and the last has chunks that do not fit at once.
            (130, 64, 0.0),
            (130, 128, 0.0),
            (600, 510, 0.0),
        ] {
            let shifted: Vec<f32> = values(n, dims, 4).iter().map(|v| v + far).collect();
            for scaling in [Scaling::Unit, Scaling::Raw] {
                let x = Set::new(&context, &shifted, dims, scaling)?;
                let got = gpu.moments(&x.on, &watch()).block()?;
                let rows = &x.stored;
                let mean: Vec<f64> =
                    (0..dims).map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / n as f64).collect();
                let (side, size) = (n.min(dims), dot(&mean, &mean).sqrt().max(0.3));
                for (k, (got, want)) in got.mean.iter().zip(&mean).enumerate() {
                    assert!((got - want).abs() < 1e-7 * size, "{n} × {dims}: mean {k}: {got}, not {want}");
                }
                assert_eq!((got.mean.len(), got.scatter.len(), got.side), (dims, side * side, side));
                let entry = |a: usize, b: usize| {
                    if n < dims {
                        let centred = |row: usize| rows[row].iter().zip(&mean).map(|(x, mean)| x - mean);
                        return centred(a).zip(centred(b)).map(|(a, b)| a * b).sum::<f64>() / n as f64;
                    }
                    rows.iter().map(|row| (row[a] - mean[a]) * (row[b] - mean[b])).sum::<f64>() / n as f64
                };
                let largest = (0..side).map(|k| entry(k, k)).fold(1e-12, f64::max);
                for (at, got) in got.scatter.iter().enumerate() {
                    let (a, b) = (at / side, at % side);
                    let off = (got - entry(a, b)).abs();
                    assert!(
                        off < 2e-7 * largest,
                        "{n} × {dims}, {scaling:?}: covariance of {a} and {b}: {off:e} off"
                    );
                }
            }
        }
    }
    Ok(())
}

/// Wherever an index ran out of range, the checks would put another value in its place.
#[test]
fn bounds_checks_change_no_moment() -> Result<()> {
    for (checked, unchecked) in contexts(true).iter().zip(&contexts(false)) {
        for (n, dims) in [(1, 1), (1100, 7), (2500, 63), (1030, 130), (130, 64), (600, 510)] {
            for storage in [Storage::F32, Storage::F16] {
                let all = |context| -> Result<Vec<u64>> {
                    let x = upload(context, &values(n, dims, 4), dims, storage)?;
                    let Moments { mean, scatter, .. } = moments(context, &x, &watch()).block()?;
                    Ok(mean.iter().chain(&scatter).map(|v| v.to_bits()).collect())
                };
                assert!(all(checked)? == all(unchecked)?, "{n} × {dims}, {storage}");
            }
        }
    }
    Ok(())
}

/// Without cooperative matrices there is one grade; with them, sets too small for one are summed in another.
#[test]
fn grades_are_noted_where_they_serve() -> Result<()> {
    for (context, matrices) in super::contexts_with_matrices(false).into_iter().take(1) {
        let device =
            Device { kind: DeviceKind::Gpu, name: "under test".into(), software: true, memory: None };
        let gpu = Gpu::new(device, context.clone(), Some(matrices));
        let gpu = gpu.with_precision(Precision::F16).block()?.expect("a grade");
        assert_eq!(gpu.precisions_used(), []);
        let large = Set::random(&context, (1100, 130), 1, Scaling::Unit)?;
        gpu.total(Pairs::Within(&large.on), 2.0)?;
        assert_eq!(gpu.precisions_used(), [Precision::F16]);
        gpu.total(Pairs::Within(&large.on), 9.0)?;
        assert_eq!(gpu.precisions_used(), [Precision::F32, Precision::F16]);
    }
    for (gpu, context) in backends().into_iter().take(1) {
        let x = Set::random(&context, (70, 3), 1, Scaling::Unit)?;
        gpu.total_with_gradient(Pairs::Within(&x.on), 2.0)?;
        assert_eq!(gpu.precisions_used(), [Precision::F32]);
    }
    Ok(())
}

/// Many dimensions, in which f32 has long sums to round, of points to one side, whose cosines are near one.
#[test]
fn long_rows_are_summed_as_well() -> Result<()> {
    for (gpu, context) in backends() {
        let (n, dims) = (530, 1500);
        let set = |seed| {
            let given: Vec<_> = values(n, dims, seed).iter().map(|v| v + 1.5).collect();
            Set::new(&context, &given, dims, Scaling::Unit)
        };
        let (x, y) = (set(1)?, set(2)?);
        let ones = vec![1.0; n];
        for kernel in [Kernel::gaussian(2.0), Kernel::logit(0.07)] {
            let got = gpu.rows(Pairs::Across(&x.on, &y.on), kernel, None)?.x;
            let want = of_rows(Kind::Across, &ones, |i, j| exponent_of(kernel, &x.rows[i], &y.rows[j]));
            for (got, want) in got.iter().zip(want) {
                assert!((got - want).abs() < 1e-6, "{kernel:?}: {:e} off", got - want);
            }
        }
    }
    Ok(())
}
