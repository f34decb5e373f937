//! Two views of the same things: how close their pairs lie, and how evenly they cover the sphere.
//!
//! `cargo run --release --example first_call`

#![expect(clippy::print_stdout, reason = "an example shows its numbers")]

use unisphere::{Alignment, Embeddings, Engine, Result, Uniformity};

fn main() -> Result<()> {
    let (n, d) = (1000, 32);
    // Any encoder's output: n rows of d values. Row i of both is a positive pair.
    let view = |offset| -> Vec<f32> { (0..n * d).map(|k| noise(k) + 0.2 * noise(k + offset)).collect() };

    let engine = Engine::new()?; // the best GPU here, else the CPU
    let x = engine.upload(&Embeddings::new(view(n * d), n, d)?)?; // (n, d), on the unit sphere
    let y = engine.upload(&Embeddings::new(view(2 * n * d), n, d)?)?;

    println!("on {}", engine.device().name);
    println!("alignment   {:8.5}   0 is best", engine.alignment(&x, &y, Alignment::default())?);
    let best = Uniformity::default().floor(d);
    let (u, grad) = engine.uniformity_with_grad(&x, Uniformity::default())?;
    println!("uniformity  {u:8.5}   {best:.5} is best");

    let grad = grad.read()?; // (n, d), row-major
    println!(
        "the gradient moves the first point along {:.1e}, {:.1e}, {:.1e}, …",
        -grad[0], -grad[1], -grad[2]
    );
    Ok(())
}

/// From −1 to 1, the same for the same k.
fn noise(k: usize) -> f32 {
    let mixed = (k as u32 ^ 0x9e37_79b9).wrapping_mul(0x85eb_ca6b);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0xc2b2_ae35);
    (mixed ^ (mixed >> 16)) as f32 / (1u32 << 31) as f32 - 1.0
}
