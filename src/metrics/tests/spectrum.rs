use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{near, random::Random};
use crate::{
    error::{Error, Result},
    metrics::Spectrum,
    points::{Moments, Offset, gram},
    progress::Watch,
};

/// QΛQᵀ, where Q reflects at a random plane.
fn rotated(eigenvalues: &[f64], seed: u64) -> Vec<f64> {
    let (d, mut random) = (eigenvalues.len(), Random::new(seed));
    let v: Vec<f64> = (0..d).map(|_| random.normal()).collect();
    let square: f64 = v.iter().map(|v| v * v).sum();
    let q = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / square;
    let entry = |i, j| (0..d).map(|k| q(i, k) * eigenvalues[k] * q(j, k)).sum();
    (0..d * d).map(|k| entry(k / d, k % d)).collect()
}

fn of(mean: &[f64], covariance: Vec<f64>, rows: usize) -> Result<Spectrum> {
    let moments =
        Moments { mean: mean.to_vec(), scatter: covariance, side: mean.len(), offset: Some(Offset::OfDims) };
    Spectrum::of(moments, rows, &Watch::new(None, 0))
}

fn spectrum(mean: &[f64], eigenvalues: &[f64]) -> Spectrum {
    of(mean, rotated(eigenvalues, 1), usize::MAX).expect("a spectrum")
}

#[test]
fn eigenvalues_come_back() {
    let want = [7.0, 3.0, 3.0, 1.0, 1e-3, 0.0, 0.0];
    let got = spectrum(&[0.0; 7], &[0.0, 3.0, 1e-3, 7.0, 1.0, 3.0, 0.0]);
    got.eigenvalues().iter().zip(want).for_each(|(&got, want)| near(got, want, 1e-14));
    assert!(got.eigenvalues().iter().all(|&value| value >= 0.0));
}

#[test]
fn even_spread_is_the_best_there_is() {
    for d in [1usize, 2, 3, 50] {
        let even = spectrum(&vec![0.0; d], &vec![1.0 / d as f64; d]);
        near(even.wasserstein(), 0.0, 1e-7);
        near(even.effective_rank(), d as f64, 1e-10);
        near(even.participation_ratio(), d as f64, 1e-10);
        assert_eq!(even.mean_norm(), 0.0);
    }
}

#[test]
fn points_that_coincide() {
    let one = spectrum(&[0.6, 0.0, 0.8], &[0.0; 3]);
    near(one.mean_norm(), 1.0, 1e-15);
    near(one.wasserstein(), 2f64.sqrt(), 1e-15);
    assert_eq!((one.effective_rank(), one.participation_ratio()), (0.0, 0.0));
    assert_eq!(one.eigenvalues(), [0.0; 3]);
}

/// k axes of d, evenly: √(2 − 2√(k/d)), which is how far a collapse of dimensions shows.
#[test]
fn lost_axes() {
    for (k, d) in [(1, 2), (3, 12), (24, 32)] {
        let eigenvalues: Vec<_> = (0..d).map(|i| if i < k { 1.0 / k as f64 } else { 0.0 }).collect();
        // The zeros only to about 1e-17, of which the root is 3e-9.
        let got = spectrum(&vec![0.0; d], &eigenvalues);
        near(got.wasserstein(), (2.0 - 2.0 * (k as f64 / d as f64).sqrt()).sqrt(), 1e-7);
        near(got.effective_rank(), k as f64, 1e-9);
        near(got.participation_ratio(), k as f64, 1e-9);
        // With as many rows as say so, all the digits.
        let known = of(&vec![0.0; d], rotated(&eigenvalues, 1), k + 1).expect("a spectrum");
        near(known.wasserstein(), (2.0 - 2.0 * (k as f64 / d as f64).sqrt()).sqrt(), 1e-14);
        assert!(known.eigenvalues()[k..].iter().all(|&value| value == 0.0));
    }
}

/// The formula as it is printed, with traces.
#[test]
fn the_distance_as_published() {
    let (mean, eigenvalues) = ([0.1, -0.2, 0.3, 0.0], [0.5, 0.2, 0.1, 0.06]);
    let got = spectrum(&mean, &eigenvalues);
    let (trace, root) = (eigenvalues.iter().sum::<f64>(), eigenvalues.iter().map(|v| v.sqrt()).sum::<f64>());
    near(got.wasserstein(), (0.14 + 1.0 + trace - 2.0 / 2.0 * root).sqrt(), 1e-14);
    near(got.mean_norm(), 0.14f64.sqrt(), 1e-15);
    let entropy: f64 = eigenvalues.iter().map(|v| -v / trace * (v / trace).ln()).sum();
    near(got.effective_rank(), entropy.exp(), 1e-13);
    let squares: f64 = eigenvalues.iter().map(|v| v * v).sum();
    near(got.participation_ratio(), trace * trace / squares, 1e-13);
    assert!(got.participation_ratio() < got.effective_rank());
}

/// Rows (n, d) whose singular values are these: turned by reflections on either side.
fn with_singular_values(values: &[f64], n: usize, d: usize) -> Vec<Vec<f64>> {
    let mut random = Random::new(11);
    let mut reflection = |side: usize| {
        let v: Vec<f64> = (0..side).map(|_| random.normal()).collect();
        let square: f64 = v.iter().map(|v| v * v).sum();
        move |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / square
    };
    let (left, right) = (reflection(n), reflection(d));
    let entry = |i: usize, j: usize| (0..values.len()).map(|k| left(i, k) * values[k] * right(k, j)).sum();
    (0..n).map(|i| (0..d).map(|j| entry(i, j)).collect()).collect()
}

/// More rows than dimensions and fewer, of full rank and not, with a mean that is not 0.
#[test]
fn rank_me_of_known_singular_values() {
    let values = [5.0, 4.0, 2.5, 1.0, 0.25, 1e-3];
    let formula = |values: &[f64], count: usize| {
        let sum: f64 = values.iter().sum();
        let of = |k: usize| values.get(k).map_or(0.0, |value| value / sum) + 1e-7;
        (-(0..count).map(|k| of(k) * of(k).ln()).sum::<f64>()).exp()
    };
    for (n, d, rank) in [(6, 6, 6), (40, 6, 6), (9, 12, 6), (40, 30, 6), (30, 40, 3), (70, 8, 1), (1, 5, 1)] {
        let rows = with_singular_values(&values[..rank], n, d);
        let (mean, covariance) = covariance(&rows, d);
        assert!(mean.iter().any(|mean| mean.abs() > 1e-3));
        let want = formula(&values[..rank], n.min(d));
        let mut found = vec![of(&mean, covariance, n).expect("a spectrum")];
        if n < d {
            found.push(through_gram(&rows, d, &Watch::new(None, 0)).expect("a spectrum"));
        }
        for found in found {
            // Singular values that are 0 come out as 1e-8 of the greatest.
            near(found.rank_me().expect("in f64"), want, 2e-5 * want);
        }
    }
    let zeros = of(&[0.0; 3], vec![0.0; 9], 5).expect("a spectrum");
    assert_eq!(zeros.rank_me(), Some(0.0));
}

/// Matrices that an iteration may stumble over; those with eigenvalues below 0 are no covariances, and refused.
#[test]
fn any_matrix_ends() {
    for d in [1usize, 2, 3, 40] {
        let entries =
            |f: &dyn Fn(usize, usize) -> f64| (0..d * d).map(|k| f(k / d, k % d)).collect::<Vec<_>>();
        for scale in [1e-300, 1e-160, 1.0, 1e30, 1e150] {
            let off = |i: usize, j: usize| i.abs_diff(j) == 1;
            for (covariance, right) in [
                (entries(&|_, _| 0.0), true),
                (entries(&|_, _| scale), true),
                (entries(&|i, j| if i == j { scale } else { 0.0 }), true),
                (entries(&|i, j| scale / (i + j + 1) as f64), true),
                (entries(&|i, j| if off(i, j) { scale } else { 0.0 }), d == 1),
                (entries(&|i, j| if i == j { scale * 0.1f64.powi(8 * i as i32) } else { 0.0 }), true),
                (entries(&|i, j| if i.abs_diff(j) <= 1 { 1e-140 * scale } else { 0.0 }), d < 3),
            ] {
                match of(&vec![0.0; d], covariance, 1000) {
                    Ok(got) => {
                        assert!(got.eigenvalues().iter().all(|value| *value >= 0.0), "{d}, {scale}: {got:?}");
                        assert!(got.eigenvalues().is_sorted_by(|a, b| a >= b));
                        assert!(right || scale < 1e-100, "{d}, {scale}: {got:?}");
                    }
                    Err(Error::Spectrum { side, .. }) => assert!(!right && side == d, "{d}, {scale}"),
                    Err(error) => panic!("{d}, {scale}: {error}"),
                }
            }
        }
    }
    for bad in [f64::NAN, f64::INFINITY] {
        let got = of(&[0.0, 0.0], vec![1.0, bad, bad, 1.0], 5);
        assert_eq!(got, Err(Error::Overflow { metric: "the spectrum" }));
    }
}

/// The mean and the covariance of rows, by the formula.
fn covariance(rows: &[Vec<f64>], d: usize) -> (Vec<f64>, Vec<f64>) {
    let n = rows.len() as f64;
    let mean: Vec<f64> = (0..d).map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / n).collect();
    let mut sums = vec![0.0; d * d];
    for row in rows {
        for a in 0..d {
            for b in 0..d {
                sums[a * d + b] += (row[a] - mean[a]) * (row[b] - mean[b]) / n;
            }
        }
    }
    (mean, sums)
}

fn through_gram(rows: &[Vec<f64>], d: usize, watch: &Watch) -> Result<Spectrum> {
    let read = |row: usize, columns: std::ops::Range<usize>, out: &mut [f64]| {
        out.copy_from_slice(&rows[row][columns]);
    };
    Spectrum::of(gram::moments(rows.len(), d, read, watch)?, rows.len(), watch)
}

/// Rows of length 1, of three kinds: one-hot, sparse, and cut off below 0.
fn hard_rows(kind: usize, n: usize, d: usize, random: &mut Random) -> Vec<Vec<f64>> {
    let mut row = || {
        let mut row = vec![0.0; d];
        let mut axis = || (random.uniform() * d as f64) as usize % d;
        match kind {
            0 => row[axis()] = 1.0,
            1 => (0..3).for_each(|k| row[axis()] = 1.0 + f64::from(k)),
            _ => row.iter_mut().for_each(|value| *value = random.normal().max(0.0)),
        }
        if row.iter().all(|&value| value == 0.0) {
            row[0] = 1.0;
        }
        let length = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        row.iter().map(|v| v / length).collect::<Vec<_>>()
    };
    (0..n).map(|_| row()).collect()
}

/// Zeros and repeated eigenvalues: the covariance and the Gram matrix have the same spectrum, which adds up to the trace.
#[test]
fn sparse_rows_fewer_than_dimensions() {
    let mut random = Random::new(7);
    for set in 0..3000 {
        let d = 3 + (random.uniform() * 30.0) as usize;
        let n = 1 + (random.uniform() * (d - 1) as f64) as usize;
        let rows = hard_rows(set % 3, n, d, &mut random);
        let (mean, covariance) = covariance(&rows, d);
        let trace: f64 = (0..d).map(|k| covariance[k * d + k]).sum();
        let few = through_gram(&rows, d, &Watch::new(None, 0)).expect("a spectrum");
        let many = of(&mean, covariance, n).expect("a spectrum");
        near(few.mean_norm(), many.mean_norm(), 1e-14);
        assert_eq!(few.eigenvalues().len(), d);
        for got in [&few, &many] {
            assert!(got.eigenvalues().iter().all(|value| value.is_finite() && *value >= 0.0), "{got:?}");
            near(got.eigenvalues().iter().sum(), trace, 1e-13);
        }
        for (few, many) in few.eigenvalues().iter().zip(many.eigenvalues()) {
            near(*few, *many, 1e-13);
        }
        if set % 3 == 0 {
            let mut axes: Vec<_> = rows.iter().map(|row| row.iter().position(|&v| v == 1.0)).collect();
            axes.sort_unstable();
            axes.dedup();
            let rank = few.eigenvalues().iter().filter(|value| **value > 1e-12).count();
            assert_eq!(rank, axes.len() - 1, "the rank of {n} × {d}");
        }
    }
}

/// More rows than a tile, more columns than a panel, and zeros after them.
#[test]
fn padding_changes_nothing() {
    let (n, d, padded) = (150, 40, 1100);
    let mut random = Random::new(3);
    let rows: Vec<Vec<f64>> = (0..n).map(|_| (0..d).map(|_| 5.0 + random.normal()).collect()).collect();
    let (mean, covariance) = covariance(&rows, d);
    let want = of(&mean, covariance, n).expect("a spectrum");
    let spread = |row: &Vec<f64>| {
        let mut wide = vec![0.0; padded];
        row.iter().enumerate().for_each(|(k, value)| wide[k * 27] = *value);
        wide
    };
    let wide: Vec<_> = rows.iter().map(spread).collect();
    let got = through_gram(&wide, padded, &Watch::new(None, 0)).expect("a spectrum");
    near(got.mean_norm(), want.mean_norm(), 1e-12);
    for (k, got) in got.eigenvalues().iter().enumerate() {
        near(*got, want.eigenvalues().get(k).copied().unwrap_or(0.0), 1e-12);
    }
}

#[test]
fn a_stop_is_heeded() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let stop_at = |count: u32| {
        ASKED.store(0, Ordering::Relaxed);
        move |_| {
            if ASKED.fetch_add(1, Ordering::Relaxed) + 1 >= count {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    };
    // The second question comes while the solver runs.
    let d = 2000;
    let matrix: Vec<f64> = (0..d * d).map(|k| 1.0 / (k / d + k % d + 1) as f64).collect();
    let observer = stop_at(2);
    let moments = Moments { mean: vec![0.0; d], scatter: matrix, side: d, offset: Some(Offset::OfDims) };
    assert_eq!(Spectrum::of(moments, 5000, &Watch::new(Some(Arc::new(observer)), 0)), Err(Error::Stopped));
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    let rows = vec![vec![1.0; 200]; 130];
    for count in [1, 3] {
        let observer = stop_at(count);
        let got = through_gram(&rows, 200, &Watch::new(Some(Arc::new(observer)), 0));
        assert_eq!(got, Err(Error::Stopped));
    }
}
