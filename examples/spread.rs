//! Gradient descent on uniformity: random points that start in a cluster spread over the whole sphere, until their
//! uniformity is near its floor, the value of the uniform distribution. (A finite set would end a little below it, as no
//! point is paired with itself.)
//!
//! `cargo run --release --example spread [auto|cpu|gpu|INDEX|NAME]`

#![expect(clippy::print_stdout, reason = "an example shows its numbers")]

use unisphere::{DeviceChoice, Embeddings, Engine, Result, Uniformity};

const POINTS: usize = 2000;
const DIMS: usize = 3;
const STEPS: usize = 1000;
/// How near to the floor is near.
const NEAR: f64 = 1e-3;
const RATE: f32 = 0.02;

fn main() -> Result<()> {
    let Ok(choice) = std::env::args().nth(1).unwrap_or("auto".into()).parse::<DeviceChoice>();
    let engine = Engine::on(&choice)?;
    let metric = Uniformity { t: 2.0 };
    let floor = metric.floor(DIMS);
    let mut points = cluster();

    println!("{POINTS} points in {DIMS} dimensions, on {}", engine.device().name);
    println!("{:>6} {:>10} {:>10} {:>10}", "step", "U", "floor", "U − floor");
    for step in 0..=STEPS {
        let x = engine.upload(&Embeddings::new(&points, POINTS, DIMS)?)?;
        let (u, grad) = engine.uniformity_with_grad(&x, metric)?;
        let near = u - floor < NEAR;
        if step % 10 == 0 || near {
            println!("{step:>6} {u:>10.5} {floor:>10.5} {:>10.5}", u - floor);
        }
        if near {
            return Ok(());
        }
        descend(&mut points, &grad.read()?);
    }
    println!("not there after {STEPS} steps");
    Ok(())
}

/// One step. U is a mean, so a point's own share of its gradient shrinks with their number.
fn descend(points: &mut [f32], grad: &[f32]) {
    for (point, grad) in points.chunks_exact_mut(DIMS).zip(grad.chunks_exact(DIMS)) {
        point.iter_mut().zip(grad).for_each(|(x, g)| *x -= RATE * POINTS as f32 * g);
        let length = point.iter().map(|v| v * v).sum::<f32>().sqrt();
        point.iter_mut().for_each(|v| *v /= length);
    }
}

/// Points around one pole, from a small generator.
fn cluster() -> Vec<f32> {
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..POINTS * DIMS).map(|k| noise() + if k % DIMS == 0 { 1.0 } else { 0.0 }).collect()
}
