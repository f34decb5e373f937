//! Exponentials of vectors, in f32 and f64.

use pulp::Simd;

/// Exponential exp(rate · z) in f32, for rate · z in [−87, 88].
///
/// It is computed as 2ⁿ·2ᶠ. The product and its rounding to n lose nothing: f is the exact remainder of an FMA, and the
/// part of the rate that f32 cannot hold is added to f.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exp32 {
    high: f32,
    low: f32,
}

/// Polynomial for (2ᶠ − 1) / f with |f| ≤ ½: a Chebyshev interpolation, off by at most 9e-9 in 2ᶠ and by 3e-10 on average.
const POLYNOMIAL: [f32; 6] =
    [std::f32::consts::LN_2, 0.240_226_5, 0.055_503_57, 0.009_618_083, 0.001_339_086_3, 0.000_154_531_63];

/// Constant that rounds by addition: no bits below 1 remain, and the last bits of the sum are the rounded integer.
const ROUNDER: f32 = 1.5 * (1u32 << 23) as f32;

impl Exp32 {
    pub(crate) fn new(rate: f64) -> Self {
        let rate = rate * std::f64::consts::LOG2_E;
        let high = rate as f32;
        Self { high, low: (rate - f64::from(high)) as f32 }
    }

    #[inline(always)]
    pub(crate) fn of<S: Simd>(self, simd: S, z: S::f32s) -> S::f32s {
        let (integer, _, p) = self.parts(simd, z);
        shift(simd, p, integer)
    }

    /// Scaled exponential exp(rate · z) · 2ᵖ · r at any rate · z, where `power` is p, a whole number below 2²¹, and `rest` r
    /// is about 1. Below the range of f32 it is next to 0.
    #[inline(always)]
    pub(crate) fn times<S: Simd>(self, simd: S, z: S::f32s, power: S::f32s, rest: S::f32s) -> S::f32s {
        let (_, n, p) = self.parts(simd, z);
        let n = simd.add_f32s(n, power);
        let n = simd.min_f32s(simd.max_f32s(n, simd.splat_f32s(-125.0)), simd.splat_f32s(126.0));
        let power = shift(simd, p, simd.add_f32s(n, simd.splat_f32s(ROUNDER)));
        simd.mul_f32s(power, rest)
    }

    /// Parts of the exponential: n in the last bits, n as a float, and 2ᶠ.
    #[inline(always)]
    fn parts<S: Simd>(self, simd: S, z: S::f32s) -> (S::f32s, S::f32s, S::f32s) {
        let (high, low) = (simd.splat_f32s(self.high), simd.splat_f32s(self.low));
        let rounder = simd.splat_f32s(ROUNDER);
        let integer = simd.mul_add_f32s(high, z, rounder);
        let n = simd.sub_f32s(integer, rounder);
        let f = simd.mul_add_f32s(high, z, simd.neg_f32s(n));
        let f = simd.mul_add_f32s(low, z, f);
        let mut p = simd.splat_f32s(POLYNOMIAL[5]);
        for &coefficient in POLYNOMIAL[..5].iter().rev() {
            p = simd.mul_add_f32s(p, f, simd.splat_f32s(coefficient));
        }
        (integer, n, simd.mul_add_f32s(p, f, simd.splat_f32s(1.0)))
    }
}

/// Product p · 2ⁿ, with n in the last bits of `integer`.
#[inline(always)]
fn shift<S: Simd>(simd: S, p: S::f32s, integer: S::f32s) -> S::f32s {
    // Moved into the place of the exponent, it multiplies by 2ⁿ.
    let n = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(integer), simd.splat_u32s(23));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(p), n))
}

/// Exponential exp(rate · z) for z ≤ 0 in f64, at any rate; 0 below the range of f64.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exp64 {
    rate: f64,
    floor: f64,
}

/// Number of squarings: exp(x) is exp(x / 2¹²) squared 12 times.
const SQUARINGS: i32 = 12;

/// Taylor coefficients 1 / k!.
const SERIES: [f64; 11] = {
    let mut series = [1.0; 11];
    let mut k = 1;
    while k < series.len() {
        series[k] = series[k - 1] / k as f64;
        k += 1;
    }
    series
};

impl Exp64 {
    pub(crate) fn new(rate: f64) -> Self {
        // The cap keeps products finite; above it only equal points have a weight other than 0.
        let rate = rate.min(1e300);
        Self { rate: rate / f64::from(1 << SQUARINGS), floor: -1000.0 / rate }
    }

    #[inline(always)]
    pub(crate) fn of<S: Simd>(self, simd: S, z: S::f64s) -> S::f64s {
        // The result is 0 below −1000, and the series holds only down to −1000 / 2¹².
        let z = simd.max_f64s(z, simd.splat_f64s(self.floor));
        power(simd, simd.mul_f64s(z, simd.splat_f64s(self.rate)))
    }

    /// Scaled exponential exp(rate · z + more) · rest, for exponents up to 700.
    #[inline(always)]
    pub(crate) fn times<S: Simd>(self, simd: S, z: S::f64s, more: S::f64s, rest: S::f64s) -> S::f64s {
        let scale = 1.0 / f64::from(1 << SQUARINGS);
        let x = simd.mul_add_f64s(more, simd.splat_f64s(scale), simd.mul_f64s(z, simd.splat_f64s(self.rate)));
        let x = simd.max_f64s(x, simd.splat_f64s(-1000.0 * scale));
        let x = simd.min_f64s(x, simd.splat_f64s(700.0 * scale));
        simd.mul_f64s(power(simd, x), rest)
    }
}

/// Exponential exp(2¹² · x).
#[inline(always)]
fn power<S: Simd>(simd: S, x: S::f64s) -> S::f64s {
    let mut p = simd.splat_f64s(SERIES[SERIES.len() - 1]);
    for &coefficient in SERIES[..SERIES.len() - 1].iter().rev() {
        p = simd.mul_add_f64s(p, x, simd.splat_f64s(coefficient));
    }
    for _ in 0..SQUARINGS {
        p = simd.mul_f64s(p, p);
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::isa::{Isa, Job};

    /// Exponentials of every z in both precisions.
    struct Both<'a> {
        rate: f64,
        z: &'a [f32],
    }

    impl Job for Both<'_> {
        type Output = Vec<(f32, f64)>;

        #[inline(always)]
        fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output {
            let (single, double) = (Exp32::new(self.rate), Exp64::new(self.rate));
            let one = |&z: &f32| {
                let single = single.of(simd, simd.splat_f32s(z));
                let double = double.of(simd, simd.splat_f64s(z.into()));
                (simd.reduce_max_f32s(single), simd.reduce_max_f64s(double))
            };
            self.z.iter().map(one).collect()
        }
    }

    #[test]
    fn close_without_bias_and_exactly_one_at_zero() {
        let z: Vec<f32> = (0..20_000).map(|i| -i as f32 / 10_000.0).collect();
        for isa in Isa::all() {
            for rate in [1e-300, 1e-3, 1.0, 4.0, 19.99] {
                let got = isa.run(Both { rate, z: &z });
                assert_eq!(got[0], (1.0, 1.0));
                let mut bias = 0.0;
                for (&z, (single, double)) in z.iter().zip(got) {
                    let want = (rate * f64::from(z)).exp();
                    let off = f64::from(single) / want - 1.0;
                    assert!(off.abs() < 1.2e-7, "exp({rate} · {z}) is {off:e} off in f32");
                    assert!((double / want - 1.0).abs() < 1e-11, "exp({rate} · {z}) in f64");
                    bias += off / 20_000.0;
                }
                assert!(bias.abs() < 3e-9, "{rate}: {bias:e}");
            }
            let far = isa.run(Both { rate: 1e300, z: &[0.0, -1e-30, -1.0, f32::MIN] });
            assert!(far.iter().map(|&(_, double)| double).eq([1.0, 0.0, 0.0, 0.0]));
        }
    }
}
