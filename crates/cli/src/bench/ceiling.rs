//! The ceiling of a device: the best rate of its arithmetic alone, observed again between the runs.

use std::time::{Duration, Instant};

use gemm::{Parallelism, gemm};
use unisphere::{DeviceKind, Engine};

use crate::{exit::Failure, interrupt};

/// Rows and columns of the product.
const PRODUCT_ROWS: usize = 2048;
/// The time for which the product is repeated.
const OBSERVING_TIME: Duration = Duration::from_millis(150);

/// The best rate observed of one kind of work, in operations per second.
#[derive(Debug)]
pub(super) struct Ceiling {
    pub(super) name: &'static str,
    pub(super) rate: f64,
}

/// The ceilings of one device.
#[derive(Debug, Default)]
pub(super) struct Ceilings(Vec<Ceiling>);

impl Ceilings {
    /// Observes the device once more, by this library and on the CPU by another.
    pub(super) fn observe(&mut self, engine: &Engine) -> Result<(), Failure> {
        match engine.device().kind {
            DeviceKind::Gpu => self.note("a shader of fused multiply-adds alone", engine.ceiling()?),
            DeviceKind::Cpu => {
                self.note("the kernels' innermost loop alone", engine.ceiling()?);
                self.note("the gemm crate's product of 2048³", interrupt::leaving_at_once(product)??);
            }
            _ => self.note("fused multiply-adds alone", engine.ceiling()?),
        }
        Ok(())
    }

    fn note(&mut self, name: &'static str, rate: f64) {
        match self.0.iter_mut().find(|ceiling| ceiling.name == name) {
            Some(ceiling) => ceiling.rate = ceiling.rate.max(rate),
            None => self.0.push(Ceiling { name, rate }),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Ceiling> {
        self.0.iter()
    }

    /// The highest of them.
    pub(super) fn rate(&self) -> f64 {
        self.0.iter().map(|ceiling| ceiling.rate).fold(0.0, f64::max)
    }
}

/// A product of matrices in f32 on all cores.
fn product() -> Result<f64, Failure> {
    let (left, right) =
        (vec![0.5f32; PRODUCT_ROWS * PRODUCT_ROWS], vec![0.25f32; PRODUCT_ROWS * PRODUCT_ROWS]);
    let mut result = vec![0.0f32; PRODUCT_ROWS * PRODUCT_ROWS];
    let column = PRODUCT_ROWS as isize;
    let mut best = f64::INFINITY;
    let first = Instant::now();
    while first.elapsed() < OBSERVING_TIME {
        let start = Instant::now();
        // SAFETY: each pointer is of PRODUCT_ROWS × PRODUCT_ROWS values, by columns without a gap, and the result overlaps nothing.
        unsafe {
            gemm(
                PRODUCT_ROWS,
                PRODUCT_ROWS,
                PRODUCT_ROWS,
                result.as_mut_ptr(),
                column,
                1,
                false,
                left.as_ptr(),
                column,
                1,
                right.as_ptr(),
                column,
                1,
                0.0,
                1.0,
                false,
                false,
                false,
                Parallelism::Rayon(0),
            );
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    if result.iter().any(|&v| v != PRODUCT_ROWS as f32 / 8.0) {
        return Err(Failure::Internal("the gemm crate's product is wrong; please report it".into()));
    }
    Ok(2.0 * (PRODUCT_ROWS as f64).powi(3) / best)
}
