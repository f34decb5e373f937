//! Mean and covariance beyond memory: the spectrum of an engine that holds all points, and the formula in f64.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with the library's tests, which use more of it")]
#[path = "../../../tests/support/random.rs"]
mod random;

use std::{ops::ControlFlow, sync::Arc};

use tempfile::TempDir;
use unisphere::{Embeddings, Engine, Error as EngineError, MomentSums, Scaling, Spectrum};
use unisphere_io::File;
use unisphere_scale::{Error, Evaluation, Resources};

const N: usize = 700;
const DIMS: usize = 70;

/// Points about one that is far from the origin, where squares about 0 would cancel, with more spread along later axes.
fn points() -> Vec<f32> {
    let normal = random::normal(N, DIMS, 1);
    normal.iter().enumerate().map(|(at, value)| (50.0 + ((at % DIMS) as f64).sqrt() * value) as f32).collect()
}

/// ‖mean‖, the trace of the covariance and the sum of its squared entries, by their formulas.
fn formula(values: &[f32], scaling: Scaling) -> [f64; 3] {
    let values = values.iter().map(|&value| f64::from(value)).collect();
    let values = if scaling == Scaling::Unit { random::on_the_sphere(values, DIMS) } else { values };
    let rows: Vec<_> = values.chunks(DIMS).collect();
    let n = rows.len() as f64;
    let mean: Vec<f64> = (0..DIMS).map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / n).collect();
    let entry =
        |a: usize, b: usize| rows.iter().map(|row| (row[a] - mean[a]) * (row[b] - mean[b])).sum::<f64>() / n;
    let trace = (0..DIMS).map(|k| entry(k, k)).sum();
    let squares = (0..DIMS * DIMS).map(|at| entry(at / DIMS, at % DIMS).powi(2)).sum();
    [mean.iter().map(|value| value * value).sum::<f64>().sqrt(), trace, squares]
}

#[track_caller]
fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found:e} and {wanted:e}");
}

#[track_caller]
fn check(found: &Spectrum, wanted: &Spectrum, [mean_norm, trace, squares]: [f64; 3]) {
    near(found.mean_norm(), mean_norm, 1e-12 * mean_norm);
    near(found.eigenvalues().iter().sum(), trace, 1e-10 * trace);
    near(found.eigenvalues().iter().map(|value| value * value).sum(), squares, 1e-10 * squares);
    near(found.effective_rank(), wanted.effective_rank(), 1e-9 * DIMS as f64);
    near(found.rank_me().unwrap(), wanted.rank_me().unwrap(), 1e-6 * DIMS as f64);
    for (&found, &wanted) in found.eigenvalues().iter().zip(wanted.eigenvalues()) {
        near(found, wanted, 1e-10 * trace);
    }
}

#[test]
fn pieces_make_the_spectrum_of_the_whole() {
    let (values, engine) = (points(), Engine::cpu());
    for scaling in [Scaling::Unit, Scaling::Raw] {
        let whole = Embeddings::with_scaling(&values, N, DIMS, scaling).unwrap();
        let wanted = engine.value(Spectrum::within(&engine.upload(&whole).unwrap())).unwrap();
        for rows in [1, 13, 64, 699, 700] {
            let mut sums = MomentSums::new(DIMS).unwrap();
            for piece in values.chunks(rows * DIMS) {
                let piece = Embeddings::with_scaling(piece, piece.len() / DIMS, DIMS, scaling).unwrap();
                sums.add(&piece).unwrap();
            }
            assert_eq!(sums.rows(), N);
            check(&engine.value(sums.spectrum()).unwrap(), &wanted, formula(&values, scaling));
        }
    }
}

/// Four points on the axes of a plane, in two pieces whose means lie apart.
#[test]
fn a_cross_spreads_evenly_about_its_centre() {
    let mut sums = MomentSums::new(2).unwrap();
    for half in [[1.0, 0.0, 0.0, 1.0], [-1.0, 0.0, 0.0, -1.0]] {
        sums.add(&Embeddings::new(&half, 2, 2).unwrap()).unwrap();
    }
    let spectrum = Engine::cpu().value(sums.spectrum()).unwrap();
    assert_eq!((spectrum.mean_norm(), spectrum.eigenvalues()), (0.0, &[0.5, 0.5][..]));
}

#[test]
fn a_file_has_the_spectrum_of_its_points_whatever_the_memory() {
    let (folder, engine, values) = (TempDir::new().unwrap(), Engine::cpu(), points());
    let path = folder.path().join("points.npy");
    unisphere_io::write(&path, &values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>(), DIMS)
        .unwrap();
    let file = File::open(&path).unwrap();
    let evaluation = Evaluation::new().with_panel_rows(64);
    let whole = engine.upload_owned(file.embeddings(Scaling::Unit).unwrap()).unwrap();
    let wanted = engine.value(Spectrum::within(&whole)).unwrap();
    let much = evaluation.spectrum(&engine, &file, &Resources::default()).unwrap();
    check(&much, &wanted, formula(&values, Scaling::Unit));
    let mut few = Resources::default();
    few.max_memory = Some(1);
    let Err(Error::Memory { needed, .. }) = evaluation.spectrum(&engine, &file, &few) else {
        panic!("1 byte")
    };
    few.max_memory = Some(needed);
    assert_eq!(evaluation.spectrum(&engine, &file, &few).unwrap(), much);
    let mut stopped = Resources::default();
    stopped.observer = Some(Arc::new(|_| ControlFlow::Break(())));
    let error = evaluation.spectrum(&engine, &file, &stopped).unwrap_err();
    assert!(matches!(error, Error::Engine(EngineError::Stopped)), "{error}");
}

#[test]
fn other_points_and_none_are_refused() {
    let mut sums = MomentSums::new(2).unwrap();
    sums.add(&Embeddings::new(&[1.0, 2.0, 3.0, 4.0], 2, 2).unwrap()).unwrap();
    let raw = Embeddings::raw(&[1.0, 2.0], 1, 2).unwrap();
    assert!(matches!(sums.add(&raw), Err(EngineError::MixedScaling)));
    let wide = Embeddings::new(&[1.0, 2.0, 3.0], 1, 3).unwrap();
    assert!(matches!(sums.add(&wide), Err(EngineError::Mismatch { .. })));
    assert_eq!(sums.rows(), 2);
    assert!(matches!(MomentSums::new(0), Err(EngineError::NoDims)));
    let none = MomentSums::new(3).unwrap();
    let error = Engine::cpu().value(none.spectrum()).unwrap_err();
    assert!(matches!(error, EngineError::TooFewRows { .. }), "{error}");
}
