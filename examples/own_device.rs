//! A program that owns its wgpu device and its buffers: the points never leave them, and the gradient
//! arrives in one.
//!
//! `cargo run --release --example own_device`

#![expect(clippy::print_stdout, reason = "an example shows its numbers")]

use std::error::Error;

use unisphere::{
    Embeddings, Engine, Scaling, Uniformity,
    wgpu::{self, BufferUsages},
};

const ROWS: usize = 1000;
const DIMS: usize = 48;
/// Where the points begin in the app's buffer: any multiple of 4, here behind a small header of the app's.
const OFFSET: u64 = 52;
const BYTES: u64 = (ROWS * DIMS * size_of::<f32>()) as u64;

fn main() -> Result<(), Box<dyn Error>> {
    let (device, queue) = app()?;

    // The app's buffers: points behind a header, and room for their gradient.
    let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    let points = buffer(&device, "points", OFFSET + BYTES, usage);
    let gradient = buffer(&device, "gradient", OFFSET + BYTES, usage);
    let values: Vec<f32> = (0..ROWS * DIMS).map(noise).collect();
    queue.write_buffer(&points, OFFSET, bytemuck::cast_slice(&values));

    // The engine works on the same device.
    let engine = Engine::from_wgpu(device.clone(), queue.clone())?;
    let slice = points.slice(OFFSET..);
    let x = engine.points_from_buffer(slice, ROWS, DIMS, Scaling::Unit)?;
    let (u, grad) = engine.uniformity_with_grad(&x, Uniformity::default())?;
    engine.copy_to_buffer(&grad, gradient.slice(OFFSET..))?;
    let on_gpu = read(&device, &queue, &gradient)?;

    // The CPU says the same.
    let cpu = Engine::cpu();
    let x = cpu.upload(&Embeddings::new(&values, ROWS, DIMS)?)?;
    let (on_cpu, grad) = cpu.uniformity_with_grad(&x, Uniformity::default())?;
    println!("uniformity {u:.7}; on the CPU {on_cpu:.7}");
    println!("gradients differ by {:.1e} of their norm", difference(&on_gpu, &grad.read()?));
    Ok(())
}

/// What an app has anyway: here, a device with WebGPU's default limits.
fn app() -> Result<(wgpu::Device, wgpu::Queue), Box<dyn Error>> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))
        .map_err(|_| "this example needs a GPU adapter, and there is none here; a software one would do")?;
    println!("the app's device: {}", adapter.get_info().name);
    Ok(pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))?)
}

fn buffer(device: &wgpu::Device, label: &str, size: u64, usage: BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage,
        mapped_at_creation: false,
    })
}

/// The gradient's values, through a buffer that the host may read.
fn read(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    source: &wgpu::Buffer,
) -> Result<Vec<f32>, Box<dyn Error>> {
    let staging = buffer(device, "staging", BYTES, BufferUsages::MAP_READ | BufferUsages::COPY_DST);
    let mut commands = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    commands.copy_buffer_to_buffer(source, OFFSET, &staging, 0, BYTES);
    queue.submit([commands.finish()]);
    let (sender, mapped) = std::sync::mpsc::channel();
    staging.map_async(wgpu::MapMode::Read, .., move |outcome| {
        let _gone = sender.send(outcome);
    });
    device.poll(wgpu::PollType::wait_indefinitely())?;
    mapped.recv()??;
    Ok(bytemuck::cast_slice(&staging.get_mapped_range(..)?).to_vec())
}

/// ‖a − b‖ / ‖b‖.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

/// From −1 to 1, the same for the same k.
fn noise(k: usize) -> f32 {
    let mixed = (k as u32 ^ 0x9e37_79b9).wrapping_mul(0x85eb_ca6b);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0xc2b2_ae35);
    (mixed ^ (mixed >> 16)) as f32 / (1u32 << 31) as f32 - 1.0
}
