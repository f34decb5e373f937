//! What only a GPU has: limits, an app's own device, its buffers and its error handlers.

mod support;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use libtest_mimic::Failed;
use support::{
    compare, devices, oracle,
    random::{normal, single},
    set::Set,
};
use unisphere::{
    Alignment, Embeddings, Engine, Error, Matrix, Precision, Result, Scaling, Storage, Uniformity,
    wgpu::{self, BufferUsages as Use},
};

/// More than five panels of the device with small limits, ragged.
const ROWS: usize = 700;
const DIMS: usize = 33;
/// Where an app might keep its points: at a multiple of 4 bytes, and of nothing more.
const OFFSET: u64 = 1028;

fn main() -> ExitCode {
    devices::run_on_adapters(&[
        ("small limits", small_limits),
        ("more blocks than a submission holds", many_blocks),
        ("t beyond single precision", extreme_t),
        ("matrices larger than a binding", large_matrices),
        ("limits too small", limits_too_small),
        ("an app's device with its adapter", with_adapter),
        ("an app's buffers", buffers),
        ("unusable buffers", unusable_buffers),
        ("points stored in half precision", half_storage),
        ("bad rows in a buffer", bad_rows),
        ("an app's error handler", error_handler),
        ("another engine's points", another_engine),
        ("a device destroyed", destroyed),
        ("threads that share an engine", threads),
        ("a ceiling", ceiling),
    ])
}

/// A device as an app makes it.
struct App {
    device: wgpu::Device,
    queue: wgpu::Queue,
}

impl App {
    fn new(adapter: &wgpu::Adapter, required_limits: wgpu::Limits) -> Result<Self, Failed> {
        let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))?;
        Ok(Self { device, queue })
    }

    fn engine(&self) -> Result<Engine> {
        Engine::from_wgpu(self.device.clone(), self.queue.clone())
    }

    fn buffer(&self, values: &[f32], usage: Use) -> wgpu::Buffer {
        let size = OFFSET + 4 * values.len() as u64;
        let descriptor = wgpu::BufferDescriptor {
            label: None,
            size,
            usage: usage | Use::COPY_DST,
            mapped_at_creation: false,
        };
        let buffer = self.device.create_buffer(&descriptor);
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.queue.write_buffer(&buffer, OFFSET, &bytes);
        buffer
    }

    fn read(&self, buffer: &wgpu::Buffer) -> Result<Vec<f32>, Failed> {
        let descriptor = wgpu::BufferDescriptor {
            label: None,
            size: buffer.size() - OFFSET,
            usage: Use::MAP_READ | Use::COPY_DST,
            mapped_at_creation: false,
        };
        let staging = self.device.create_buffer(&descriptor);
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, OFFSET, &staging, 0, staging.size());
        self.queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |_| ());
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        let view = staging.get_mapped_range(..)?;
        Ok(view.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
}

/// Bindings of 64 KiB: panels of 128 rows, and of fewer where there are more dimensions.
fn small() -> wgpu::Limits {
    wgpu::Limits {
        max_storage_buffer_binding_size: 64 << 10,
        max_buffer_size: 256 << 10,
        ..Default::default()
    }
}

fn values(seed: u64) -> Vec<f32> {
    single(&normal(ROWS, DIMS, seed))
}

fn small_limits(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let engine = App::new(adapter, small())?.engine()?;
    for scaling in [Scaling::Unit, Scaling::Raw] {
        let set = |seed| Set::new(&engine, Embeddings::with_scaling(values(seed), ROWS, DIMS, scaling)?);
        let (x, y) = (set(1)?, set(2)?);
        let t = if scaling == Scaling::Unit { 2.0 } else { 0.05 };
        let want = oracle::uniformity(&x.seen, t);
        let (value, grad) = engine.uniformity_with_grad(&x.points, Uniformity { t })?;
        x.potential(value, want, t)?;
        x.potential(engine.uniformity(&x.points, Uniformity { t })?, want, t)?;
        x.gradient(&grad, oracle::uniformity_grad(&x.seen, t), want, 0.0)??;

        let (value, (gx, gy)) = engine.value_and_grad(Uniformity::new(t).across(&x.points, &y.points))?;
        x.potential(value, oracle::cross_uniformity(&x.seen, &y.seen, t), t)?;
        let (wx, wy) = oracle::cross_uniformity_grad(&x.seen, &y.seen, t);
        x.gradient(&gx, wx, value, 0.0)??;
        y.gradient(&gy, wy, value, 0.0)??;

        let (value, gx, _) = engine.alignment_with_grad(&x.points, &y.points, Alignment { alpha: 1.0 })?;
        let want = oracle::alignment(&x.seen, &y.seen, 1.0);
        compare::value(value, want, 1e-6 * want)?;
        x.gradient(&gx, oracle::alignment_grad(&x.seen, &y.seen, 1.0), 0.0, 0.0)??;
    }
    Ok(())
}

/// Panels of 64 rows, and 820 blocks of them: more than the dispatches of one submission, from the first call on.
fn many_blocks(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 16 << 10, ..small() };
    let (rows, dims) = (2560, 4);
    for scaling in [Scaling::Unit, Scaling::Raw] {
        let values = single(&normal(rows, dims, 5));
        let engine = App::new(adapter, limits.clone())?.engine()?;
        let x = Set::new(&engine, Embeddings::with_scaling(&values, rows, dims, scaling)?)?;
        let want = oracle::uniformity(&x.seen, 2.0);
        x.potential(engine.uniformity(&x.points, Uniformity::default())?, want, 2.0)?;
        let engine = App::new(adapter, limits.clone())?.engine()?;
        let x = Set::new(&engine, Embeddings::with_scaling(&values, rows, dims, scaling)?)?;
        let (value, grad) = engine.uniformity_with_grad(&x.points, Uniformity::default())?;
        x.potential(value, want, 2.0)?;
        x.gradient(&grad, oracle::uniformity_grad(&x.seen, 2.0), want, 0.0)??;
    }
    Ok(())
}

/// Raw points so small or large that such a t makes a value: right on the CPU, and never silently wrong here.
fn extreme_t(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let engine = App::new(adapter, wgpu::Limits::default())?.engine()?;
    for (length, t) in [(1e-16, 1e32), (8e17, 1e-38)] {
        let values: Vec<f32> = normal(50, 4, 6).iter().map(|v| (v * length) as f32).collect();
        let x = engine.upload(&Embeddings::raw(&values, 50, 4)?)?;
        let refused = [
            engine.uniformity(&x, Uniformity { t }).map(|_| ()),
            engine.uniformity_with_grad(&x, Uniformity { t }).map(|_| ()),
        ];
        for result in refused {
            if !matches!(result, Err(Error::Parameter { name: "t", .. })) {
                return Err(format!("t={t:e}: {result:?}").into());
            }
        }
    }
    Ok(())
}

/// 700 × 150 distances: shards of 64 rows within panels of 128, and an upstream gradient whose shards are
/// longer than the panels of points of many dimensions.
fn large_matrices(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let engine = App::new(adapter, small())?.engine()?;
    for (dims, cols) in [(DIMS, 150), (200, 70)] {
        let set =
            |rows, seed| Set::new(&engine, Embeddings::raw(single(&normal(rows, dims, seed)), rows, dims)?);
        let (x, y) = (set(300, 1)?, set(cols, 2)?);
        let want: Vec<_> =
            oracle::squares_across(&x.seen, &y.seen).chunks(cols).map(<[f64]>::to_vec).collect();
        let distances = engine.squared_distances(&x.points, &y.points)?;
        x.squares(&distances.read()?, &want)?;
        let upstream = single(&normal(300, cols, 3));
        let upstream_matrix = engine.upload_matrix(&upstream, 300, cols)?;
        let (gx, gy) = engine.squared_distances_grad(&x.points, &y.points, &upstream_matrix)?;
        let (wx, wy) = oracle::squared_distances_grad(&x.seen, &y.seen, &oracle::rows(&upstream, cols));
        x.gradient(&gx, wx, 0.0, 0.0)??;
        y.gradient(&gy, wy, 0.0, 0.0)??;
    }
    Ok(())
}

fn limits_too_small(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let few_buffers = wgpu::Limits { max_storage_buffers_per_shader_stage: 4, ..Default::default() };
    let refused = App::new(adapter, few_buffers)?.engine();
    if !matches!(refused, Err(Error::Limit { needed: 8, limit: 4, .. })) {
        return Err(format!("4 storage buffers: {refused:?}").into());
    }
    // 64 rows of 257 dimensions are more than 64 KiB.
    let engine = App::new(adapter, small())?.engine()?;
    let refused = engine.upload(&Embeddings::new(vec![1.0; 2 * 257], 2, 257)?);
    if !matches!(refused, Err(Error::Limit { needed: 65792, limit: 65536, .. })) {
        return Err(format!("257 dimensions: {refused:?}").into());
    }
    Ok(())
}

/// Only with its adapter, and only where it was made with matrices, an app's device offers what takes them.
fn with_adapter(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let offered = |engine: Result<Engine>, what: &str, wanted: bool| -> Result<(), Failed> {
        match (engine.and_then(|engine| engine.with_precision(Precision::F16x2)), wanted) {
            (Ok(_), true) | (Err(Error::Precision { .. }), false) => Ok(()),
            (outcome, _) => Err(format!("{what}: {outcome:?}").into()),
        }
    };
    let App { device, queue } = App::new(adapter, wgpu::Limits::default())?;
    let plain = Engine::from_wgpu_with_adapter(device, queue, adapter);
    let x = plain.as_ref().map_err(Clone::clone)?.upload(&Embeddings::new(&[1.0, 0.0, 0.0, 1.0], 2, 2)?)?;
    let value = plain.as_ref().map_err(Clone::clone)?.uniformity(&x, Uniformity::new(2.0))?;
    if (value + 4.0).abs() > 1e-6 {
        return Err(format!("{value} of two points at a right angle").into());
    }
    offered(plain, "made without matrices", false)?;
    let features = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX
        | wgpu::Features::SHADER_F16
        | wgpu::Features::SUBGROUP;
    if !adapter.features().contains(features) {
        return Ok(());
    }
    let descriptor = wgpu::DeviceDescriptor {
        required_features: features,
        // SAFETY: no kernels run on this device but the library's own.
        experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))?;
    offered(Engine::from_wgpu(device.clone(), queue.clone()), "without its adapter", false)?;
    let listed = unisphere::adapters();
    let listed = listed.iter().find(|listed| listed.name == adapter.get_info().name);
    let wanted = listed.is_some_and(|listed| listed.precisions.contains(&Precision::F16x2));
    offered(Engine::from_wgpu_with_adapter(device, queue, adapter), "with its adapter", wanted)
}

fn buffers(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let app = App::new(adapter, wgpu::Limits::default())?;
    let engine = app.engine()?;
    let values = values(1);
    let points = app.buffer(&values, Use::COPY_SRC);
    let gradient = app.buffer(&vec![0.0; values.len()], Use::COPY_SRC);
    for scaling in [Scaling::Unit, Scaling::Raw] {
        let uploaded = engine.upload(&Embeddings::with_scaling(&values, ROWS, DIMS, scaling)?)?;
        let (want, want_grad) = engine.uniformity_with_grad(&uploaded, Uniformity { t: 0.5 })?;
        let x = engine.points_from_buffer(points.slice(OFFSET..), ROWS, DIMS, scaling)?;
        let (value, grad) = engine.uniformity_with_grad(&x, Uniformity { t: 0.5 })?;
        engine.copy_to_buffer(&grad, gradient.slice(OFFSET..))?;
        compare::value(value, want, 0.0)?;
        if app.read(&gradient)? != want_grad.read()? {
            return Err(format!("{scaling:?}: the gradient in the buffer is another").into());
        }
    }
    Ok(())
}

fn unusable_buffers(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let app = App::new(adapter, wgpu::Limits::default())?;
    let engine = app.engine()?;
    let values = values(1);
    let readable = app.buffer(&values, Use::COPY_SRC);
    let storage = app.buffer(&values, Use::STORAGE);
    let x = engine.points_from_buffer(readable.slice(OFFSET..), ROWS, DIMS, Scaling::Unit)?;
    let gradient: Matrix = engine.uniformity_with_grad(&x, Uniformity::default())?.1;
    let take = |slice, rows, dims| engine.points_from_buffer(slice, rows, dims, Scaling::Unit).map(|_| ());
    let refused = [
        ("too short", take(readable.slice(OFFSET..), ROWS + 1, DIMS)),
        ("beyond all sizes", take(readable.slice(OFFSET..), usize::MAX, DIMS)),
        ("an odd offset", take(readable.slice(OFFSET - 2..), ROWS, DIMS)),
        ("no source", take(storage.slice(OFFSET..), ROWS, DIMS)),
        ("a short target", engine.copy_to_buffer(&gradient, readable.slice(OFFSET + 4..))),
        (
            "the CPU",
            Engine::cpu().points_from_buffer(readable.slice(OFFSET..), ROWS, DIMS, Scaling::Unit).map(|_| ()),
        ),
    ];
    for (what, result) in refused {
        if !matches!(result, Err(Error::Buffer { .. })) {
            return Err(format!("{what}: {result:?}").into());
        }
    }
    match take(readable.slice(OFFSET..), ROWS, 0) {
        Err(Error::NoDims) => Ok(()),
        other => Err(format!("no dimensions: {other:?}").into()),
    }
}

fn half_storage(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let single = App::new(adapter, wgpu::Limits::default())?.engine()?;
    let engine = single.clone().with_storage(Storage::F16)?;
    for limited in [engine.clone(), App::new(adapter, small())?.engine()?.with_storage(Storage::F16)?] {
        let set = |seed| Set::new(&limited, Embeddings::new(values(seed), ROWS, DIMS)?);
        let (x, y) = (set(1)?, set(2)?);
        let uniformity = Uniformity { t: 2.0 };
        let (value, grad) = limited.uniformity_with_grad(&x.points, uniformity)?;
        let want = oracle::uniformity(&x.seen, 2.0);
        compare::value(value, want, 1e-5)?;
        compare::value(limited.uniformity(&x.points, uniformity)?, want, 1e-5)?;
        let want = oracle::through_unit(&x.given, &oracle::uniformity_grad(&x.seen, 2.0));
        compare::gradient(&grad.read()?, &want, &[1.0; ROWS], 1e-3, 0.0)?;
        let cross = limited.value(uniformity.across(&x.points, &y.points))?;
        compare::value(cross, oracle::cross_uniformity(&x.seen, &y.seen, 2.0), 1e-5)?;
        let alignment = limited.alignment(&x.points, &y.points, Alignment::default())?;
        let want = oracle::alignment(&x.seen, &y.seen, 2.0);
        compare::value(alignment, want, 1e-4 * want)?;
        compare::value(limited.alignment(&x.points, &x.points, Alignment::default())?, 0.0, 0.0)?;
    }
    // Raw points are beyond half precision, and stay as they are.
    let far = [70_000.0, 0.0, 70_001.0, 0.0];
    let raw = engine.upload(&Embeddings::raw(&far, 2, 2)?)?;
    compare::value(engine.uniformity(&raw, Uniformity { t: 2.0 })?, -2.0, 1e-6)?;
    let half = engine.upload(&Embeddings::new(values(1), ROWS, DIMS)?)?;
    let full = single.upload(&Embeddings::new(values(1), ROWS, DIMS)?)?;
    match engine.alignment(&half, &full, Alignment::default()) {
        Err(Error::MixedStorage) => Ok(()),
        other => Err(format!("two storages in one call: {other:?}").into()),
    }
}

/// The device finds them, in whichever panel, and the host says what is wrong.
fn bad_rows(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let app = App::new(adapter, small())?;
    let engine = app.engine()?;
    let row = 500;
    type Case = (Scaling, fn(&mut [f32]), fn(&Error) -> bool);
    let cases: [Case; 6] = [
        (Scaling::Unit, |r| r[7] = f32::NAN, |e| *e == Error::NotFinite { row: 500, dim: 7 }),
        (Scaling::Unit, |r| r[32] = f32::NEG_INFINITY, |e| *e == Error::NotFinite { row: 500, dim: 32 }),
        (Scaling::Unit, |r| r.fill(-0.0), |e| *e == Error::ZeroRow { row: 500 }),
        (Scaling::Unit, |r| r.fill(1e-37), |e| matches!(e, Error::RowLength { row: 500, .. })),
        (Scaling::Raw, |r| r[0] = f32::INFINITY, |e| *e == Error::NotFinite { row: 500, dim: 0 }),
        (Scaling::Raw, |r| r[3] = -1e30, |e| matches!(e, Error::TooLarge { row: 500, .. })),
    ];
    for (number, (scaling, spoil, expected)) in cases.into_iter().enumerate() {
        let mut values = values(1);
        spoil(&mut values[row * DIMS..(row + 1) * DIMS]);
        let buffer = app.buffer(&values, Use::COPY_SRC);
        match engine.points_from_buffer(buffer.slice(OFFSET..), ROWS, DIMS, scaling) {
            Err(error) if expected(&error) => {}
            other => return Err(format!("case {number}: {other:?}").into()),
        }
    }
    Ok(())
}

fn error_handler(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let app = App::new(adapter, wgpu::Limits::default())?;
    let caught = Arc::new(AtomicUsize::new(0));
    let count = caught.clone();
    app.device.on_uncaptured_error(Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    }));
    let engine = app.engine()?;
    let x = engine.upload(&Embeddings::new(values(1), ROWS, DIMS)?)?;
    engine.uniformity_with_grad(&x, Uniformity::default())?;
    // A buffer of another device is refused by wgpu, within the engine's own scopes.
    let stranger = App::new(adapter, wgpu::Limits::default())?;
    let foreign = stranger.buffer(&values(1), Use::COPY_SRC);
    let refused = engine.points_from_buffer(foreign.slice(OFFSET..), ROWS, DIMS, Scaling::Unit);
    if !matches!(refused, Err(Error::Device { .. })) {
        return Err(format!("a buffer of another device: {refused:?}").into());
    }
    if caught.load(Ordering::SeqCst) != 0 {
        return Err("the engine's errors reached the app's handler".into());
    }
    // An error of the app's own reaches it still.
    app.buffer(&[], Use::MAP_READ | Use::STORAGE);
    match caught.load(Ordering::SeqCst) {
        0 => Err("the app's handler is gone".into()),
        _ => Ok(()),
    }
}

fn another_engine(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let (one, two) = (App::new(adapter, small())?.engine()?, App::new(adapter, small())?.engine()?);
    let set = |engine: &Engine| engine.upload(&Embeddings::new(values(1), ROWS, DIMS)?);
    let (x, cpu) = (set(&one)?, set(&Engine::cpu())?);
    for (what, result) in [
        ("another GPU's", two.uniformity(&x, Uniformity::default())),
        ("the CPU's", two.uniformity(&cpu, Uniformity::default())),
        ("one of either", one.alignment(&x, &cpu, Alignment::default())),
    ] {
        if result != Err(Error::OtherDevice) {
            return Err(format!("{what}: {result:?}").into());
        }
    }
    Ok(())
}

fn destroyed(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let app = App::new(adapter, wgpu::Limits::default())?;
    let engine = app.engine()?;
    let x = engine.upload(&Embeddings::new(values(1), ROWS, DIMS)?)?;
    app.device.destroy();
    match engine.uniformity(&x, Uniformity::default()) {
        Err(Error::DeviceLost { .. }) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn threads(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let engine = App::new(adapter, wgpu::Limits::default())?.engine()?;
    let x = engine.upload(&Embeddings::new(values(1), ROWS, DIMS)?)?;
    let want = engine.uniformity(&x, Uniformity::default())?;
    let values = std::thread::scope(|scope| {
        let started: Vec<_> =
            (0..4).map(|_| scope.spawn(|| engine.uniformity(&x, Uniformity::default()))).collect();
        started.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    for value in values {
        let value = value.map_err(|_| "a thread panicked")?;
        compare::value(value?, want, 0.0)?;
    }
    Ok(())
}

/// Its kernel checks its own result.
fn ceiling(adapter: &wgpu::Adapter) -> Result<(), Failed> {
    let ceiling = App::new(adapter, wgpu::Limits::default())?.engine()?.ceiling()?;
    if ceiling.is_finite() && ceiling > 1e6 { Ok(()) } else { Err(format!("{ceiling:e}").into()) }
}
