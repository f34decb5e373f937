//! Every tiling on every adapter, over sets that end within its tiles, against the formula in f64; with and without the
//! driver's bounds checks, to the same bits.

mod collapsed;
mod gradients;
mod oracle;
mod similarities;
mod sums;
mod tables;

use std::sync::Arc;

use oracle::{Set, backends, dot, square, watch};

use crate::{
    backend::Backend,
    error::Result,
    gpu::{
        block::pass::Pass,
        device::context::Context,
        kernel::{cooperative::Matrices, table::Shader, tiling::Tiling},
        points::panels::{Source, place},
        selftest::contract::number,
    },
    kernel::Kernel,
    pairs::Pairs,
    pending::Block as _,
    points::{Embeddings, Points, Scaling},
    precision::Storage,
    progress::Watch,
    weights::{ExtraTerms, Normalizer},
};

/// Rows, dimensions, and rows of a second set: ends within tiles, several panels of the small limits, and more than few
/// pairs, so that cosines are taken as they are. In the last, sums are set aside.
const SIZES: [(usize, usize, usize); 3] = [(513, 3, 515), (641, 67, 521), (513, 1030, 514)];
pub(crate) const T: f64 = 2.0;

/// Devices of every adapter, with the limits of WebGPU and with small ones, which add up without subgroups.
pub(crate) fn contexts(checked: bool) -> Vec<Arc<Context>> {
    let adapters = adapters();
    assert!(!adapters.is_empty() || std::env::var_os("UNISPHERE_REQUIRE_GPU").is_none(), "there is no GPU");
    let both = |adapter: &wgpu::Adapter| {
        let offered = adapter.features() & wgpu::Features::SUBGROUP;
        let [large, small] = limits();
        [open(adapter, large, offered, checked), open(adapter, small, wgpu::Features::empty(), checked)]
    };
    adapters.iter().flat_map(both).collect()
}

/// Devices of every adapter that has matrices, with the same limits.
pub(crate) fn contexts_with_matrices(checked: bool) -> Vec<(Arc<Context>, Matrices)> {
    let both = |adapter: &wgpu::Adapter| {
        Matrices::of(adapter).map(|matrices| {
            limits().map(|limits| (open(adapter, limits, Matrices::FEATURES, checked), matrices))
        })
    };
    adapters().iter().filter_map(both).flatten().collect()
}

fn adapters() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

fn limits() -> [wgpu::Limits; 2] {
    let small = wgpu::Limits {
        max_storage_buffer_binding_size: 1 << 20,
        max_buffer_size: 1 << 22,
        ..Default::default()
    };
    [wgpu::Limits::default(), small]
}

fn open(
    adapter: &wgpu::Adapter,
    required_limits: wgpu::Limits,
    required_features: wgpu::Features,
    checked: bool,
) -> Arc<Context> {
    let descriptor = wgpu::DeviceDescriptor {
        required_limits,
        required_features,
        // SAFETY: for the kernels over matrices, which the contract checks.
        experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).expect("a device");
    let mut context = Context::new(device, queue).expect("a context");
    context.checked = checked;
    Arc::new(context)
}

/// Rows of values between −1 and 1.
pub(crate) fn values(rows: usize, dims: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..rows * dims).map(|_| next()).collect()
}

pub(crate) fn upload(
    context: &Arc<Context>,
    values: &[f32],
    dims: usize,
    storage: Storage,
) -> Result<Points> {
    let rows = values.len() / dims;
    let embeddings = Embeddings::new(values, rows, dims)?;
    place(context, Source::Host(&embeddings), (rows, dims), Scaling::Unit, storage, None).block()
}

/// A value and the gradients' values of pairs within x, or across x and y.
fn compute(context: &Arc<Context>, pairs: Pairs<'_>, tiling: Tiling) -> Result<(f64, f64, Vec<Vec<f32>>)> {
    results(&Pass::with_tiling(context, pairs, Kernel::gaussian(T), tiling)?)
}

pub(crate) fn results(pass: &Pass<'_>) -> Result<(f64, f64, Vec<Vec<f32>>)> {
    let watch = Watch::new(None, 0);
    let value = pass.log_sum(&watch).block()?.log();
    let (sum, gradients) = pass.log_sum_with_grad(1.0, &watch).block()?;
    let read = std::iter::once(gradients.x).chain(gradients.y).map(|gradient| gradient.read());
    Ok((value, sum.log(), read.collect::<Result<_>>()?))
}

pub(crate) fn unit(values: &[f32], dims: usize) -> Vec<Vec<f64>> {
    let row = |row: &[f32]| {
        let length = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        row.iter().map(|&v| f64::from(v) / length).collect()
    };
    values.chunks(dims).map(row).collect()
}

/// log Σ exp(−t‖x−y‖²) in f64, and its gradient for the last row of x times that row's length.
pub(crate) fn formula(x: &[Vec<f64>], y: Option<&[Vec<f64>]>) -> (f64, Vec<f64>) {
    let weight = |a: &[f64], b: &[f64]| (-T * square(a, b)).exp();
    let sum: f64 = match y {
        None => x.iter().enumerate().flat_map(|(i, a)| x[..i].iter().map(move |b| weight(a, b))).sum(),
        Some(y) => x.iter().flat_map(|a| y.iter().map(move |b| weight(a, b))).sum(),
    };
    let last = &x[x.len() - 1];
    let mut gradient = vec![0.0; last.len()];
    for b in y.unwrap_or(&x[..x.len() - 1]) {
        let w = 2.0 * T / sum * weight(last, b);
        gradient.iter_mut().zip(b).for_each(|(g, b)| *g += w * b);
    }
    let along = dot(&gradient, last);
    (sum.ln(), gradient.iter().zip(last).map(|(g, x)| g - along * x).collect())
}

/// How far the last row of a gradient is from the one wanted, of its norm.
pub(crate) fn last_row_error(got: &[f32], want: &[f64], length: f64) -> f64 {
    let row = &got[got.len() - want.len()..];
    let error: f64 = row.iter().zip(want).map(|(&g, w)| (f64::from(g) * length - w).powi(2)).sum();
    error.sqrt() / dot(want, want).sqrt()
}

#[test]
fn every_tiling_computes_the_formula() -> Result<()> {
    for context in contexts(false) {
        for (rows, dims, others) in SIZES {
            let (x, y) = (values(rows, dims, 1), values(others, dims, 2));
            let points = [&x, &y].map(|values| upload(&context, values, dims, Storage::F32));
            let [on_x, on_y] = points.map(|points| points.expect("points"));
            let (unit_x, unit_y) = (unit(&x, dims), unit(&y, dims));
            let length = x[x.len() - dims..].iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
            for (pairs, other) in
                [(Pairs::Within(&on_x), None), (Pairs::Across(&on_x, &on_y), Some(&*unit_y))]
            {
                let (want, gradient) = formula(&unit_x, other);
                // What is set aside does not depend on the tiles, and takes long.
                let tilings = if dims > 1000 { &Tiling::ALL[..1] } else { &Tiling::ALL };
                for &tiling in tilings {
                    let (value, with_grad, got) = compute(&context, pairs, tiling)?;
                    let what = format!("{rows} × {dims}, {tiling}, across: {}", other.is_some());
                    assert!((value - want).abs() < 1e-6, "{what}: {value}, not {want}");
                    assert!((with_grad - want).abs() < 1e-6, "{what}: {with_grad}, not {want}");
                    let error = last_row_error(&got[0], &gradient, length);
                    assert!(error < 3e-5, "{what}: the last row of the gradient is {error:e} off");
                }
            }
        }
    }
    Ok(())
}

/// Wherever an index ran out of range, the checks would put another value in its place.
#[test]
fn bounds_checks_change_nothing() -> Result<()> {
    for (number, (checked, unchecked)) in contexts(true).iter().zip(&contexts(false)).enumerate() {
        // Several panels of many dimensions on every second device, which has the small limits.
        let wide = if number % 2 == 1 { (577, 67, 521) } else { (201, 67, 150) };
        for (rows, dims, others) in [SIZES[0], wide] {
            let (x, y) = (values(rows, dims, 3), values(others, dims, 4));
            let bits = |context: &Arc<Context>, tiling, storage| -> Result<Vec<u64>> {
                let (x, y) = (upload(context, &x, dims, storage)?, upload(context, &y, dims, storage)?);
                let mut bits = Vec::new();
                for pairs in [Pairs::Within(&x), Pairs::Across(&x, &y)] {
                    let (value, with_grad, gradients) = compute(context, pairs, tiling)?;
                    bits.extend([value.to_bits(), with_grad.to_bits()]);
                    bits.extend(gradients.iter().flatten().map(|v| u64::from(v.to_bits())));
                }
                Ok(bits)
            };
            for tiling in Tiling::ALL {
                for storage in [Storage::F32, Storage::F16] {
                    let same: bool = bits(checked, tiling, storage)? == bits(unchecked, tiling, storage)?;
                    assert!(same, "{rows} × {dims}, {tiling}, {storage}");
                }
            }
        }
    }
    Ok(())
}

/// Indices into workgroup memory follow from the tiling alone: all that the shaders form, for every invocation.
#[test]
fn every_index_into_workgroup_memory_is_in_range() {
    for tiling in Tiling::ALL.into_iter().flat_map(|tiling| [tiling, tiling.for_columns(1)]) {
        let constants = tiling.constants();
        let constant = |wanted| {
            let found = constants.iter().find(|&&(name, _)| name == wanted);
            found.map(|&(_, value)| value as usize).unwrap_or_else(|| panic!("{wanted}"))
        };
        let [high, wide, lanes] = ["HIGH", "WIDE", "LANES"].map(constant);
        let [tall, broad] = ["TALL", "BROAD"].map(|flag| constant(flag) == 1);
        let [row_quads, col_quads] = ["ROW_QUADS", "COL_QUADS"].map(constant);
        let [depth, left, right] = ["DEPTH", "LEFT", "RIGHT"].map(constant);
        let second = |on: bool, by: usize| if on { by } else { 0 };
        // Stages are written out for either depth in log_sum/similarities.wgsl.
        assert!([8, 16].contains(&depth) && left == depth * row_quads && right == depth * col_quads);
        // put and reductions of log_sum.wgsl, which is not compiled for half the columns: one vector a side and
        // invocation, or two.
        let whole = Tiling::ALL.contains(&tiling);
        assert!(!whole || [left, right].iter().all(|side| [lanes, 2 * lanes].contains(side)), "{tiling}");
        // The squares of weighted_sums.wgsl, which has both sides in one array, the right one behind the left.
        assert!((left + right) / 4 <= lanes && left + right == constant("SIDES"), "{tiling}");
        for lane in 0..lanes {
            let last = (depth - 1) * row_quads + second(tall, high) + lane / wide;
            assert!(last < left, "{tiling}");
            let last = (depth - 1) * col_quads + second(broad, wide) + lane % wide;
            assert!(last < right, "{tiling}");
            if lane < left / 4 {
                assert!(
                    lane / row_quads * 4 * row_quads + lane % row_quads + 3 * row_quads < left,
                    "{tiling}"
                );
            }
            if lane < right / 4 {
                assert!(
                    lane / col_quads * 4 * col_quads + lane % col_quads + 3 * col_quads < right,
                    "{tiling}"
                );
            }
        }
        // Every pair of a tile has an invocation, and only one.
        let quads = |side: usize, second: bool| side * if second { 2 } else { 1 };
        assert_eq!((quads(high, tall), quads(wide, broad)), (row_quads, col_quads), "{tiling}");
    }
}

/// The same of kernels with tiles of 64 × 64 and 256 invocations: each place of a stage that is read has been written, by one of them.
#[test]
fn every_place_of_small_stages_is_written_once_and_read_within() {
    let number = |name| number(Shader::WeightedDifferences, name) as usize;
    let [quads, depth, stride, stage] = ["QUADS", "DEPTH", "STRIDE", "STAGE"].map(number);
    let [fours, wide, stage_by_fours] = ["FOURS", "WIDE", "STAGE_BY_FOURS"].map(number);
    // left and right of squared_distances.wgsl, and the weights of weighted_differences.wgsl, whichever way these lie.
    let along = |lane: usize| lane / quads * stride + lane % quads;
    let across = |lane: usize| lane % depth * stride + lane / depth;
    // The points of weighted_differences.wgsl and of moments.wgsl.
    let by_fours = |lane: usize| lane % fours * wide + lane / fours;
    let steps: Vec<_> = (0..depth).map(|step| step * stride).collect();
    let steps_by_fours =
        (0..fours).flat_map(|four| (0..4).map(move |dim| four * wide + dim * quads)).collect();
    for (write, size, reads) in [
        (&along as &dyn Fn(usize) -> usize, stage, steps.clone()),
        (&across, stage, steps),
        (&by_fours, stage_by_fours, steps_by_fours),
    ] {
        let mut written = vec![0; size];
        (0..256).for_each(|lane| written[write(lane)] += 1);
        assert!(written.iter().all(|&times| times <= 1));
        for read in reads {
            (0..256)
                .for_each(|lane| assert!(written[read + lane / quads] + written[read + lane % quads] == 2));
        }
    }
}

/// The dimensions that log_sum/similarities.wgsl and squared_distances.wgsl stage and add: each once, in their order, and none that is
/// not there.
#[test]
fn every_dimension_is_staged_within_the_last_and_added_once() {
    for depth in [8, 16] {
        for dims in 1..=3 * depth {
            let first_dim = |stage: usize| (stage * depth).min(dims.max(depth) - depth);
            let stages = dims / depth;
            let mut added = Vec::new();
            for stage in 0..=stages {
                for slot in 0..depth {
                    assert!(first_dim(stage) + slot.min(dims - 1) < dims, "{dims} by {depth}");
                }
                let first = first_dim(stage);
                let steps =
                    if stage < stages { 0..depth } else { stage * depth - first..depth.min(dims - first) };
                added.extend(steps.map(|step| first + step));
            }
            assert!(added.iter().copied().eq(0..dims), "{dims} by {depth}: {added:?}");
        }
    }
}

#[test]
fn tiles_are_called_what_they_are_found_by() {
    for tiling in Tiling::ALL {
        assert_eq!(Tiling::named(&tiling.to_string()), Some(tiling));
    }
    assert_eq!(Tiling::named("128x128"), None);
}

/// Submissions that the host waits for, each some tens of microseconds: of few points, no more than the steps of a metric need.
#[test]
fn few_points_take_few_submissions() -> Result<()> {
    // Of each adapter, the device with the limits of WebGPU.
    for (gpu, context) in backends().into_iter().step_by(2) {
        let x = Set::random(&context, (1024, 128), 1, Scaling::Unit)?;
        let y = Set::random(&context, (1024, 128), 2, Scaling::Unit)?;
        // As on a device of 20 TFLOP/s; from submission to submission, a slow one is found to be slower by four times at most.
        let count = |run: &dyn Fn() -> Result<()>| -> Result<u64> {
            context.set_rate(1e13);
            let before = context.next_receipt();
            run()?;
            Ok(context.next_receipt() - before - 1)
        };
        let (within, across) = (Pairs::Within(&x.on), Pairs::Across(&x.on, &y.on));
        let softmax =
            || Normalizer::Rows { extra: ExtraTerms { x: &[f64::NEG_INFINITY; 1024], y: None }, scale: 1.0 };
        // The first sum times the tiles.
        gpu.total(within, T)?;
        let found = [
            ("uniformity", 1, count(&|| gpu.total(within, T).map(drop))?),
            ("uniformity at four t", 1, count(&|| gpu.totals(within, &[0.5, 1.0, 2.0, 5.0]).map(drop))?),
            ("uniformity with its gradient", 3, count(&|| gpu.total_with_gradient(within, T).map(drop))?),
            ("cross uniformity with gradients", 5, count(&|| gpu.total_with_gradient(across, T).map(drop))?),
            (
                "contrastive loss with gradients",
                6,
                count(&|| gpu.gradient(across, Kernel::logit(0.07), softmax(), &watch()).block().map(drop))?,
            ),
        ];
        for (what, most, submissions) in found {
            assert!(submissions <= most, "{what}: {submissions} submissions, not {most}");
        }
    }
    Ok(())
}
