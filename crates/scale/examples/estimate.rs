//! Uniformity of one set, or across two, with a proven interval:
//! `cargo run --release -p unisphere-scale --example estimate -- x.npy [y.npy] [--t 2] [--tolerance 1e-4] [--seed 0]`.

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use std::{error::Error, path::PathBuf, time::Instant};

use unisphere::{Engine, Scaling};
use unisphere_scale::Sampling;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut files, mut t, mut sampling) = (Vec::new(), 2.0, Sampling::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or(format!("{argument} takes a number"));
        match &*argument {
            "--t" => t = number()?.parse()?,
            "--tolerance" => sampling = sampling.with_tolerance(number()?.parse()?),
            "--seed" => sampling = sampling.with_seed(number()?.parse()?),
            unknown if unknown.starts_with("--") => {
                return Err(format!("there is no option {unknown}").into());
            }
            _ => files.push(PathBuf::from(argument)),
        }
    }
    let start = Instant::now();
    let read = |path: &PathBuf| unisphere_io::File::open(path)?.embeddings(Scaling::Unit);
    let engine = Engine::new()?;
    let found = match &*files {
        [x] => {
            let x = read(x)?;
            println!("read after {:.2} s", start.elapsed().as_secs_f64());
            sampling.uniformity(&engine, x, t)?
        }
        [x, y] => sampling.cross_uniformity(&engine, read(x)?, read(y)?, t)?,
        _ => return Err("name one file, or two".into()),
    };
    println!(
        "uniformity    {:.7}, ± {:.2e} at {} %",
        found.value,
        found.half_width(),
        100.0 * found.confidence
    );
    println!("method        {:?}, {} blocks, seed {}", found.method, found.blocks, found.seed);
    println!("pairs         {}, {:.2e} of all", found.pairs, found.share);
    if let Some(error) = found.row_error {
        println!("rows          standard error {error:.2e} as a sample");
    }
    println!("seconds       {:.2}", start.elapsed().as_secs_f64());
    Ok(())
}
