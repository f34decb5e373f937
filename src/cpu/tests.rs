//! Every primitive against its formula in f64, on every instruction set of this machine.

mod accuracy;
mod distances;
mod half_points;
mod hostile;
mod oracle;
mod rows;
mod schedule;
mod spread;

use super::*;
use crate::{metrics::Uniformity, pending::Block as _, points::Scaling};

impl Cpu {
    /// Σ exp(−t‖x−y‖²) over the pairs.
    fn sum(&self, pairs: Pairs<'_>, t: f64, watch: &Watch) -> Result<LogSumExp> {
        Ok(self.log_sum(pairs, &[Kernel::gaussian(t)], watch).block()?[0])
    }

    /// The same, and the gradient of `scale` · its log.
    fn sum_with_grad(
        &self,
        pairs: Pairs<'_>,
        t: f64,
        scale: f64,
        watch: &Watch,
    ) -> Result<(LogSumExp, Gradients)> {
        let normalizer = Normalizer::Total { scale };
        let (sums, gradients) = self.gradient(pairs, Kernel::gaussian(t), normalizer, watch).block()?;
        Ok((sums.total()?, gradients))
    }

    /// Uniformity, and the gradient of `scale` times it.
    fn uniformity_with_grad(&self, pairs: Pairs<'_>, t: f64, scale: f64) -> Result<(f64, Gradients)> {
        let (sum, gradients) = self.sum_with_grad(pairs, t, scale, &Watch::new(None, 0))?;
        Ok((Uniformity::log_mean(sum, pairs.count())?, gradients))
    }
}
use oracle::{Point, points_seen};

/// Reproducible values about 0.
fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..len).map(|_| (0..4).map(|_| uniform() - 0.5).sum()).collect()
}

struct Set {
    points: Points,
    seen: Vec<Point>,
    lengths: Vec<f64>,
}

fn set(cpu: &Cpu, values: &[f32], d: usize, scaling: Scaling) -> Set {
    let embeddings = Embeddings::with_scaling(values, values.len() / d, d, scaling).expect("good points");
    let (seen, lengths) = points_seen(values, d, scaling == Scaling::Unit);
    Set { points: cpu.upload(embeddings, None).block().expect("uploads"), seen, lengths }
}

fn cpus() -> Vec<Cpu> {
    Cpu::of_all_isas()
}

fn uniformity(cpu: &Cpu, pairs: Pairs<'_>, t: f64) -> f64 {
    let sum = cpu.sum(pairs, t, &Watch::new(None, 0)).expect("a sum");
    Uniformity::log_mean(sum, pairs.count()).expect("a value")
}

#[track_caller]
fn close(what: &str, got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{what}: {got} is not {want} to {tolerance:e}");
}

#[track_caller]
fn close_grad(what: &str, got: &Matrix, want: &[Point], tolerance: f64) {
    let got = got.read().expect("a matrix");
    let want: Vec<f64> = want.concat();
    assert_eq!(got.len(), want.len(), "{what}");
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let off = square(&mut got.iter().zip(&want).map(|(&g, w)| f64::from(g) - w));
    let of = square(&mut want.iter().copied());
    assert!(off <= tolerance * of, "{what}: the gradient is {:e} off, of {of:e}", off / of);
}

/// Uniformity within a set and its gradient, on some processors.
#[track_caller]
fn check_within(
    cpus: &[Cpu],
    what: &str,
    (values, d, scaling): (&[f32], usize, Scaling),
    t: f64,
    tolerance: f64,
) {
    const WEIGHT: f64 = -3.0;
    let (seen, lengths) = points_seen(values, d, scaling == Scaling::Unit);
    let want = oracle::uniformity(&seen, None, t);
    let (mut want_grad, _) = oracle::uniformity_grad(&seen, None, t, WEIGHT);
    oracle::through(&mut want_grad, &seen, &lengths);
    for cpu in cpus {
        let what = format!("{}, {what}, t = {t}", cpu.device.name);
        let x = set(cpu, values, d, scaling);
        let pairs = Pairs::Within(&x.points);
        close(&what, uniformity(cpu, pairs, t), want, tolerance);
        let (value, gradients) = cpu.uniformity_with_grad(pairs, t, WEIGHT).expect("a gradient");
        close(&what, value, want, tolerance);
        // In one dimension the gradient along the sphere is nothing but rounding.
        if d > 1 || scaling == Scaling::Raw {
            close_grad(&what, &gradients.x, &want_grad, 1e-5);
        }
    }
}

#[test]
fn a_ceiling_on_every_instruction_set() {
    for cpu in cpus() {
        let ceiling = cpu.ceiling().block().unwrap();
        assert!(ceiling.is_finite() && ceiling > 1e6, "{}: {ceiling:e} operations a second", cpu.device.name);
    }
}

#[test]
fn points_take_the_memory_of_points_given_up() {
    let cpu = Cpu::new();
    let values = random(40 * 5, 31);
    let embeddings = || Embeddings::new(&values, 40, 5).expect("good points");
    let memory = |points: &Points| Rows::of(points).expect("points of this device").row(0).as_ptr();
    let first = cpu.upload(embeddings(), None).block().expect("points");
    let at = memory(&first);
    let second = cpu.upload(embeddings(), Some(first)).block().expect("points");
    assert_eq!(memory(&second), at);
    let third = cpu.upload(embeddings(), Some(second.clone())).block().expect("points");
    assert!(memory(&third) != at && memory(&second) == at);
}

#[test]
fn rows_are_told_apart_by_all_of_their_values() {
    let cpu = Cpu::new();
    let varied =
        |values: &[f32]| Rows::of(&set(&cpu, values, 8, Scaling::Unit).points).expect("rows").varied();
    let mut values = random(300 * 8, 7);
    assert_eq!(varied(&values), 300.0);
    for row in values.chunks_exact_mut(8) {
        row[..4].copy_from_slice(&[1.0, 0.0, 1.0, 1.0]);
    }
    let off = (varied(&values) - 300.0).abs();
    assert!(off < 1e-9, "rows that differ behind equal starts: {off:e} off");
    // Half of the rows are one.
    for (i, row) in values.chunks_exact_mut(8).enumerate().filter(|(i, _)| i % 2 == 0) {
        row.copy_from_slice(&[1.0, if i % 4 == 0 { 0.0 } else { -0.0 }, 1.0, 1.0, 0.5, 0.0, 0.0, 0.0]);
    }
    let want = 1.0 / (0.25 + 150.0 / 300.0f64.powi(2));
    assert!((varied(&values) - want).abs() < 1e-9, "{}, not {want}", varied(&values));
    for dims in [3, 4] {
        let points = set(&cpu, &random(300 * dims, 8), dims, Scaling::Unit).points;
        assert_eq!(Rows::of(&points).expect("rows").varied(), 300.0, "{dims} dimensions");
    }
}
