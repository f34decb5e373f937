use super::{near, random::Random};
use crate::metrics::Spectrum;

/// QΛQᵀ, where Q reflects at a random plane.
fn rotated(eigenvalues: &[f64], seed: u64) -> Vec<f64> {
    let (d, mut random) = (eigenvalues.len(), Random::new(seed));
    let v: Vec<f64> = (0..d).map(|_| random.normal()).collect();
    let square: f64 = v.iter().map(|v| v * v).sum();
    let q = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / square;
    let entry = |i, j| (0..d).map(|k| q(i, k) * eigenvalues[k] * q(j, k)).sum();
    (0..d * d).map(|k| entry(k / d, k % d)).collect()
}

fn spectrum(mean: &[f64], eigenvalues: &[f64]) -> Spectrum {
    Spectrum::new(mean.len(), mean, &rotated(eigenvalues, 1), usize::MAX)
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
        let known = Spectrum::new(d, &vec![0.0; d], &rotated(&eigenvalues, 1), k + 1);
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

/// Matrices that an iteration may stumble over.
#[test]
fn any_matrix_ends() {
    for d in [1usize, 2, 3, 40] {
        let entries =
            |f: &dyn Fn(usize, usize) -> f64| (0..d * d).map(|k| f(k / d, k % d)).collect::<Vec<_>>();
        for scale in [1e-300, 1e-160, 1.0, 1e30, 1e150] {
            for covariance in [
                entries(&|_, _| 0.0),
                entries(&|_, _| scale),
                entries(&|i, j| if i == j { scale } else { 0.0 }),
                entries(&|i, j| scale / (i + j + 1) as f64),
                entries(&|i, j| if i.abs_diff(j) == 1 { scale } else { 0.0 }),
                entries(&|i, j| if i == j { scale * 0.1f64.powi(8 * i as i32) } else { 0.0 }),
                entries(&|i, j| if i.abs_diff(j) <= 1 { 1e-200 * scale } else { 0.0 }),
            ] {
                let got = Spectrum::new(d, &vec![0.0; d], &covariance, 1000);
                assert!(
                    got.eigenvalues().iter().all(|value| *value >= 0.0),
                    "{d}, {scale}: {:?}",
                    got.eigenvalues()
                );
                assert!(got.eigenvalues().is_sorted_by(|a, b| a >= b));
            }
        }
    }
    assert!(Spectrum::new(1, &[0.0], &[f64::NAN], 5).eigenvalues()[0].is_nan());
}
