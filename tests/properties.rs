//! Anything at all, thrown at the public API: no panic, and whatever succeeds is finite.
//!
//! The inputs are the same in every run; `PROPTEST_RNG_SEED` draws others.

mod support;

use std::{cell::Cell, process::ExitCode};

use libtest_mimic::Failed;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use support::devices::{self, Check};
use unisphere::{
    Alignment, Candidates, ClosePairs, Contrastive, CosineHistogram, DeviceKind, Embeddings, Engine, Groups,
    Loss, Matrix, Points, Result, Scaling, Spectrum, SquaredMmd, Uniformity, unordered_pairs,
};

fn main() -> ExitCode {
    devices::run(&[
        Check::new("what succeeds is finite", what_succeeds_is_finite),
        Check::new("shapes that do not fit are refused", shapes_that_do_not_fit_are_refused),
    ])
}

/// Values that points are made of, and all that they should not be made of.
fn coordinate() -> impl Strategy<Value = f32> {
    prop_oneof![
        20 => -2.0f32..2.0,
        4 => (-45i32..39, any::<bool>()).prop_map(|(e, sign)| if sign { -1.0 } else { 1.0 } * 10f32.powi(e)),
        3 => Just(0.0),
        3 => Just(1.0),
        1 => prop_oneof![Just(-0.0), Just(f32::MIN_POSITIVE), Just(1e-45), Just(f32::MAX), Just(1e38)],
    ]
}

/// One in some sets holds a value of any bits: NaN and infinities too.
fn values(length: usize) -> impl Strategy<Value = Vec<f32>> {
    (vec(coordinate(), length), any::<usize>(), any::<f32>(), 0..5u8).prop_map(
        |(mut values, at, any, spoil)| {
            if spoil == 0 && !values.is_empty() {
                let at = at % values.len();
                values[at] = any;
            }
            values
        },
    )
}

fn parameter() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.1f64..5.0,
        3 => (-308i32..308).prop_map(|e| 10f64.powi(e)),
        1 => any::<f64>(),
        1 => prop_oneof![Just(0.0), Just(f64::MAX), Just(f64::MIN_POSITIVE), Just(5e-324), Just(f64::NAN)],
    ]
}

fn scaling() -> impl Strategy<Value = Scaling> {
    prop_oneof![Just(Scaling::Unit), Just(Scaling::Raw)]
}

/// Two sets that fit together, mostly.
fn sets() -> impl Strategy<Value = ([usize; 4], Vec<f32>, Vec<f32>)> {
    let sizes = prop_oneof![
        4 => (0..9usize, 0..9usize, 0..6usize).prop_map(|(n, m, d)| [n, d, m, d]),
        4 => (1..40usize, 1..40usize).prop_map(|(n, d)| [n, d, n, d]),
        1 => (140..150usize, 1..4usize).prop_map(|(n, d)| [n, d, n, d]),
        1 => [0..5usize, 0..5, 0..5, 0..5],
    ];
    sizes.prop_flat_map(|s| (Just(s), values(s[0] * s[1]), values(s[2] * s[3])))
}

#[derive(Debug)]
struct Input {
    sizes: [usize; 4],
    x: Vec<f32>,
    y: Vec<f32>,
    scalings: [Scaling; 2],
    t: f64,
    alpha: f64,
    weight: f64,
}

fn input() -> impl Strategy<Value = Input> {
    let scalings = prop_oneof![5 => scaling().prop_map(|s| [s, s]), 1 => [scaling(), scaling()]];
    (sets(), scalings, parameter(), parameter(), parameter()).prop_map(
        |((sizes, x, y), scalings, t, alpha, weight)| Input { sizes, x, y, scalings, t, alpha, weight },
    )
}

fn finite(what: &str, value: f64) {
    assert!(value.is_finite(), "{what} is {value}");
}

fn finite_of_shape(what: &str, matrix: &Matrix, rows: usize, cols: usize) -> Result<()> {
    assert_eq!(matrix.shape(), (rows, cols), "{what}");
    let values = matrix.read()?;
    assert_eq!(values.len(), rows * cols, "{what}");
    assert!(values.iter().all(|v| v.is_finite()), "{what} is not finite: {values:?}");
    Ok(())
}

fn gradients(what: &str, (x, gx): (&Points, &Matrix), (y, gy): (&Points, &Matrix)) -> Result<()> {
    finite_of_shape(what, gx, x.rows(), x.dims())?;
    finite_of_shape(what, gy, y.rows(), y.dims())
}

/// Everything that an engine does with two sets; each call may refuse.
fn everything(engine: &Engine, input: &Input) -> Result<()> {
    let [n, d, m, e] = input.sizes;
    let x = engine.upload(&Embeddings::with_scaling(&input.x, n, d, input.scalings[0])?)?;
    let y = engine.upload_owned(Embeddings::with_scaling(&input.y, m, e, input.scalings[1])?)?;
    let (uniformity, alignment) = (Uniformity { t: input.t }, Alignment { alpha: input.alpha });
    let loss = Loss { weight: input.weight, alignment, uniformity };
    if let Ok(u) = engine.uniformity(&x, uniformity) {
        finite("uniformity", u);
        assert!(u <= 0.0, "uniformity is {u}");
    }
    if let Ok((u, grad)) = engine.uniformity_with_grad(&x, uniformity) {
        finite("uniformity", u);
        finite_of_shape("gradient of uniformity", &grad, n, d)?;
    }
    if let Ok(u) = engine.value(uniformity.across(&x, &y)) {
        finite("cross uniformity", u);
    }
    if let Ok((u, (gx, gy))) = engine.value_and_grad(uniformity.across(&x, &y)) {
        finite("cross uniformity", u);
        gradients("gradient of cross uniformity", (&x, &gx), (&y, &gy))?;
    }
    if let Ok(a) = engine.alignment(&x, &y, alignment) {
        finite("alignment", a);
        assert!(a >= 0.0, "alignment is {a}");
    }
    if let Ok((a, gx, gy)) = engine.alignment_with_grad(&x, &y, alignment) {
        finite("alignment", a);
        gradients("gradient of alignment", (&x, &gx), (&y, &gy))?;
    }
    if let Ok(value) = engine.loss(&x, &y, loss) {
        finite("loss", value.loss);
    }
    if let Ok((value, gx, gy)) = engine.loss_with_grad(&x, &y, loss) {
        finite("loss", value.loss);
        gradients("gradient of loss", (&x, &gx), (&y, &gy))?;
    }
    if let Ok(distances) = engine.squared_distances(&x, &y) {
        finite_of_shape("squared distances", &distances, n, m)?;
        if let Ok((gx, gy)) = engine.squared_distances_grad(&x, &y, &distances) {
            gradients("gradient of squared distances", (&x, &gx), (&y, &gy))?;
        }
    }
    more(engine, &x, &y, input);
    Ok(())
}

/// What follows from the same sums, of rows, weights, groups and softmaxes.
fn more(engine: &Engine, x: &Points, y: &Points, input: &Input) {
    let (uniformity, alignment) = (Uniformity { t: input.t }, Alignment { alpha: input.alpha });
    let (n, finite_grad) = (x.rows(), |what: &str, grad: &Matrix| {
        finite_of_shape(what, grad, x.rows(), x.dims()).expect("a gradient can be read");
    });
    for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
        let metric = Contrastive { tau: input.alpha, candidates };
        for queue in [None, Some(y)] {
            if let Ok(value) = engine.value(metric.paired(x, y).queue(queue)) {
                finite("the contrastive loss", value.loss);
                finite("its residual", value.residual);
            }
            if let Ok((value, (gx, gy))) = engine.value_and_grad(metric.paired(x, y).queue(queue)) {
                finite("the contrastive loss", value.loss);
                finite_grad("gradient of the contrastive loss", &gx);
                finite_grad("gradient of the contrastive loss", &gy);
            }
        }
    }
    let weights: Vec<f64> =
        (0..n).map(|row| input.weight.abs() * [1.0, 0.0, 1e-20, input.t][row % 4]).collect();
    if let Ok(u) = engine.value(uniformity.within(x).weighted(&weights)) {
        finite("weighted uniformity", u);
    }
    if let Ok((u, grad)) = engine.value_and_grad(uniformity.within(x).weighted(&weights)) {
        finite("weighted uniformity", u);
        finite_grad("gradient of weighted uniformity", &grad);
    }
    if let Ok((a, (gx, gy))) = engine.value_and_grad(alignment.paired(x, y).weighted(&weights)) {
        finite("weighted alignment", a);
        finite_grad("gradient of weighted alignment", &gx);
        finite_grad("gradient of weighted alignment", &gy);
    }
    for (what, values) in [
        ("uniformities", engine.value(Uniformity::at(&[input.t, 2.0]).within(x))),
        ("unpaired uniformities", engine.value(Uniformity::at(&[input.t, 2.0]).unpaired(x, y))),
        ("pooled uniformities", engine.value(Uniformity::at(&[input.t, 2.0]).pooled(x, y))),
        ("distances", engine.value(Alignment::distances(x, y))),
    ] {
        values.into_iter().flatten().for_each(|value| finite(what, value));
    }
    for mmd in [
        engine.value(SquaredMmd::new(uniformity.t).across(x, y)),
        engine.value(SquaredMmd::new(uniformity.t).unpaired(x, y)),
    ] {
        mmd.into_iter().for_each(|mmd| finite("squared MMD", mmd));
    }
    if let Ok(potentials) = engine.value(uniformity.potentials(x)) {
        potentials.logs().iter().for_each(|&log| finite("a potential", log));
        finite("uniformity of potentials", potentials.uniformity());
        assert!(!potentials.estimate().standard_error.is_nan());
    }
    let labels: Vec<i64> = (0..n as i64).map(|row| row % 3).collect();
    let groups = Groups::new(&labels).expect("memory for few labels");
    if let Ok(found) = engine.value(groups.uniformity(uniformity, x).across_groups()) {
        let within = found.sizes.iter().enumerate().map(|(k, &size)| (found.between(k, k), size > 1));
        for (value, defined) in within {
            assert_eq!(value.is_some(), defined);
            value.into_iter().for_each(|value| finite("uniformity of a group", value));
        }
    }
    if let Ok(histogram) = engine.value(CosineHistogram::new(7).within(x)) {
        assert_eq!(histogram.iter().sum::<u64>(), unordered_pairs(n));
    }
    if let Ok(close) = engine.value(ClosePairs::within(x, input.t).limit(3)) {
        assert!(close.pairs.len() as u64 == close.count.min(3));
    }
    if let Ok(spectrum) = engine.value(Spectrum::within(x)) {
        finite("norm of the mean", spectrum.mean_norm());
        assert!(spectrum.eigenvalues().iter().all(|&value| value >= 0.0), "{spectrum:?}");
        assert!(spectrum.effective_rank() <= 1.0001 * x.dims() as f64, "{spectrum:?}");
        finite("Wasserstein distance", spectrum.wasserstein());
    }
}

/// Throws so many inputs at `check`.
fn throw<S: Strategy>(inputs: S, cases: u32, check: impl Fn(S::Value)) -> Result<(), Failed> {
    let asked = ProptestConfig::default();
    let rng_seed = if asked.rng_seed == RngSeed::Random { RngSeed::Fixed(0) } else { asked.rng_seed };
    let config = ProptestConfig { cases, rng_seed, failure_persistence: None, ..asked };
    let check = |input| {
        check(input);
        Ok(())
    };
    TestRunner::new(config).run(&inputs, check).map_err(|failure| failure.to_string().into())
}

/// An engine must take a fair share of what is thrown at it; software adapters are slow.
fn what_succeeds_is_finite(engine: &Engine) -> Result<(), Failed> {
    let cases = if engine.device().kind == DeviceKind::Cpu { 3000 } else { 100 };
    let taken = Cell::new(0);
    let count = |input| taken.set(taken.get() + u32::from(everything(engine, &input).is_ok()));
    throw(input(), cases, count)?;
    if taken.get() <= cases / 10 {
        return Err(format!("{} of {cases} inputs were taken", taken.get()).into());
    }
    Ok(())
}

fn shapes_that_do_not_fit_are_refused(engine: &Engine) -> Result<(), Failed> {
    let cases = if engine.device().kind == DeviceKind::Cpu { 3000 } else { 100 };
    throw((0..9usize, any::<usize>(), any::<usize>()), cases, |(length, rows, dims)| {
        let matrix = rows.checked_mul(dims) == Some(length);
        let fits = dims > 0 && matrix;
        assert_eq!(Embeddings::new(vec![1.0; length], rows, dims).is_ok(), fits);
        assert_eq!(Embeddings::raw(vec![1.0; length], rows, dims).is_ok(), fits);
        assert_eq!(engine.upload_matrix(&vec![1.0; length], rows, dims).is_ok(), matrix);
    })
}
