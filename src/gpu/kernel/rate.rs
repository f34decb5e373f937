//! Rates of exponents: how fast a kernel falls, and whether f32 can hold that.

use std::f64::consts::LOG2_E;

use crate::{
    kernel::{Kernel, Map},
    points::Scaling,
};

/// Factors of an exponent that f32 can hold and multiply.
pub(crate) const MIN_RATE: f64 = 1e-37;
pub(crate) const MAX_RATE: f64 = 1e30;

/// t of the Gaussian that a kernel is but for a factor; 1/τ of dot products of raw rows.
pub(crate) fn gaussian_scale(kernel: Kernel, scaling: Scaling) -> f64 {
    match (kernel.map, scaling) {
        (Map::Logit, Scaling::Unit) => 0.5 / kernel.scale,
        (Map::Logit, Scaling::Raw) => 1.0 / kernel.scale,
        _ => kernel.scale,
    }
}

/// Whether f32 holds a t.
pub(crate) fn fits(t: f64) -> bool {
    (MIN_RATE..=MAX_RATE).contains(&(LOG2_E * t))
}

/// A rate in base 2, to be held by f32: the parts of a `Scale`, see `shaders/shared/exp.wgsl`.
pub(crate) fn parts(rate: f64) -> [f32; 3] {
    let high = f32::from_bits((rate as f32).to_bits() & 0xffff_f000);
    [high, (rate - f64::from(high)) as f32, (-125.0 / rate).max(-3e38) as f32]
}
