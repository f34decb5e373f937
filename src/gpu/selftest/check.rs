//! Whether a grade keeps its word on a device, tried there before it is used, and whether it is worth it.

use std::{sync::Arc, time::Duration};

use crate::{
    error::{Error, Result},
    gpu::{
        block::pass::Pass,
        device::{clock::Instant, context::Context},
        kernel::cooperative::Cooperative,
        points::panels::{Source, place},
    },
    kernel::Kernel,
    log_sum::LogSumExp,
    pairs::Pairs,
    points::{Embeddings, Points, Scaling},
    precision::{Precision, Storage},
    progress::Watch,
    schedule::unordered,
};

/// Points whose value and gradient are tried: tiles and matrices filled in part, and just so many coordinates that
/// single halves serve.
const CHECKED_SHAPE: (usize, usize) = (700, 190);
/// Points that are timed, and more of them where these take too little time to tell.
const TIMED_SHAPE: (usize, usize) = (2048, 256);
const ROWS_FACTOR_OF_FAST_DEVICES: usize = 8;
const MIN_TELLING_TIME: Duration = Duration::from_millis(10);
/// Trials at most, and what they should take in all on a device that is slow.
const MAX_TRIALS: usize = 3;
const TRIALS_TIME: Duration = Duration::from_millis(300);

const T: f64 = 2.0;

/// Fails where the grade does not hold, or does not run; warns where single precision is faster.
pub(crate) async fn check(
    context: &Arc<Context>,
    precision: Precision,
    cooperative: Cooperative,
) -> Result<()> {
    let device = context.device.adapter_info().name;
    let refused = |reason| Error::Precision { precision, device: device.clone(), reason };
    let outcome = match hold(context, precision, cooperative).await {
        Ok(Some(failure)) => Err(refused(format!("its check failed: {failure}"))),
        Ok(None) => race(context, cooperative).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok((plain, grade)) => {
            if grade > plain {
                log::warn!("on {device}, {precision} takes {grade:.1?} where f32 takes {plain:.1?}");
            }
            Ok(())
        }
        Err(Error::Device { reason }) => Err(refused(format!("its kernels do not run: {reason}"))),
        Err(error) => Err(error),
    }
}

/// How far the value may be from the formula, and the gradient from that of single precision, as a share of its length.
fn tolerances(precision: Precision) -> (f64, f64) {
    match precision {
        Precision::F32 | Precision::F16x2 => (1e-6, 1e-4),
        Precision::F16 => (1e-5, 1e-2),
    }
}

/// What is wrong with the results, if something is.
async fn hold(
    context: &Arc<Context>,
    precision: Precision,
    cooperative: Cooperative,
) -> Result<Option<String>> {
    let (rows, dims) = CHECKED_SHAPE;
    let values = values(rows, dims);
    let points = upload(context, &values, rows, dims).await?;
    let want = formula(&values, dims);
    let (value_off, gradient_off) = tolerances(precision);
    let count = unordered(rows);
    let watch = Watch::new(None, count);
    let alone = pass(context, &points, Some(cooperative)).await?.log_sum(&watch).await?;
    let (sum, gradient) = differentiate(context, &points, Some(cooperative)).await?;
    for got in [alone, sum].map(|sum| sum.log_mean(count)) {
        let close = (got - want).abs() <= value_off;
        if !close {
            return Ok(Some(format!("{got} for {want}, more than {value_off:e} off")));
        }
    }
    let (_, plain) = differentiate(context, &points, None).await?;
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let error = length(&mut gradient.iter().zip(&plain).map(|(a, b)| f64::from(a - b)));
    let off = error / length(&mut plain.iter().map(|&v| v.into()));
    let close = off <= gradient_off;
    Ok((!close).then(|| format!("a gradient {off:.1e} of its length off, more than {gradient_off:e}")))
}

/// The sum and its gradient.
async fn differentiate(
    context: &Arc<Context>,
    points: &Points,
    asked: Option<Cooperative>,
) -> Result<(LogSumExp, Vec<f32>)> {
    let watch = Watch::new(None, unordered(points.rows()));
    let (sum, gradients) = pass(context, points, asked).await?.log_sum_with_grad(1.0, &watch).await?;
    Ok((sum, gradients.x.read_async().await?))
}

/// What the sum takes in single precision, and by matrices.
async fn race(context: &Arc<Context>, cooperative: Cooperative) -> Result<(Duration, Duration)> {
    let (rows, dims) = TIMED_SHAPE;
    let points = upload(context, &values(rows, dims), rows, dims).await?;
    let plain = time(context, &points, None).await?;
    if plain >= MIN_TELLING_TIME {
        return Ok((plain, time(context, &points, Some(cooperative)).await?));
    }
    let points = upload(
        context,
        &values(rows * ROWS_FACTOR_OF_FAST_DEVICES, dims),
        rows * ROWS_FACTOR_OF_FAST_DEVICES,
        dims,
    )
    .await?;
    Ok((time(context, &points, None).await?, time(context, &points, Some(cooperative)).await?))
}

/// The best of some trials.
async fn time(context: &Arc<Context>, points: &Points, asked: Option<Cooperative>) -> Result<Duration> {
    // The first pays for what is done once.
    run(context, points, asked).await?;
    let start = Instant::now();
    let mut best = run(context, points, asked).await?;
    for _ in 1..MAX_TRIALS {
        if start.elapsed() < TRIALS_TIME {
            best = best.min(run(context, points, asked).await?);
        }
    }
    Ok(best)
}

async fn run(context: &Arc<Context>, points: &Points, asked: Option<Cooperative>) -> Result<Duration> {
    let start = Instant::now();
    let watch = Watch::new(None, unordered(points.rows()));
    pass(context, points, asked).await?.log_sum(&watch).await?;
    Ok(start.elapsed())
}

async fn pass<'a>(
    context: &'a Arc<Context>,
    points: &'a Points,
    asked: Option<Cooperative>,
) -> Result<Pass<'a>> {
    Pass::new(context, Pairs::Within(points), Kernel::gaussian(T), asked).await
}

async fn upload(context: &Arc<Context>, values: &[f32], rows: usize, dims: usize) -> Result<Points> {
    let embeddings = Embeddings::new(values, rows, dims)?;
    place(context, Source::Host(&embeddings), (rows, dims), Scaling::Unit, Storage::F32, None).await
}

/// Coordinates between −1 and 1: SplitMix64 (Steele, Lea & Flood 2014).
fn values(rows: usize, dims: usize) -> Vec<f32> {
    let one = |i: u64| {
        let z = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..(rows * dims) as u64).map(one).collect()
}

/// Uniformity in f64, by differences.
fn formula(values: &[f32], dims: usize) -> f64 {
    let unit = |row: &[f32]| -> Vec<f64> {
        let length = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        row.iter().map(|&v| f64::from(v) / length).collect()
    };
    let rows: Vec<_> = values.chunks_exact(dims).map(unit).collect();
    let square = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    let sum: f64 = (0..rows.len())
        .flat_map(|i| rows[i + 1..].iter().map(|y| (-T * square(&rows[i], y)).exp()).collect::<Vec<_>>())
        .sum();
    (sum / unordered(rows.len()) as f64).ln()
}
