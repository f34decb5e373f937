//! Two views of the same things: how close their pairs lie, and how evenly they cover the sphere.
//!
//! `cargo run --release --example first_call`

#![expect(clippy::print_stdout, reason = "an example shows its numbers")]

use unisphere::{Alignment, Embeddings, Engine, Result, Uniformity};

fn main() -> Result<()> {
    let (n, d) = (1000, 32);
    // Any encoder's output: n rows of d values. Row i of both is a positive pair.
    let view = |noise: f32| -> Vec<f32> {
        (0..n * d).map(|k| (k as f32 * 0.7).sin() + noise * (k as f32 * 1.3).cos()).collect()
    };

    let engine = Engine::new()?; // the best GPU here, else the CPU
    let x = engine.upload(&Embeddings::new(view(0.1), n, d)?)?; // (n, d), on the unit sphere
    let y = engine.upload(&Embeddings::new(view(-0.1), n, d)?)?;

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
