//! Maps: functions of a pair's similarity in f64 that are no exponentials, each with its slope.

use pulp::Simd;

use crate::{
    cpu::{block::formula::Formula, simd::exp::Exp64, simd::float::Float},
    function::MAX_SLOPE,
};

/// Map from the similarity of a pair, as the formula `F` has it, to the function and its slope.
pub(crate) trait PairMap<F: Formula<Real = f64>>: Copy + Send + Sync {
    fn apply<S: Simd>(self, simd: S, similarity: S::f64s) -> Mapped<S::f64s>;
}

/// Function f of an exponent or distance, and what derivatives are made of.
#[derive(Clone, Copy)]
pub(crate) struct Mapped<V> {
    /// f
    pub(crate) value: V,
    /// Slope f′, for the exponent of a softplus, for the squared distance of a power.
    pub(crate) slope: V,
    /// f′ times what the exponent has beside its bias; 0 where there is no exponent.
    pub(crate) slope_by_scale: V,
}

/// Softplus log(1 + exp(e)), where e = rate · similarity + base + bias.
#[derive(Clone, Copy)]
pub(crate) struct Softplus {
    pub(crate) rate: f64,
    pub(crate) base: f64,
    pub(crate) bias: f64,
}

impl<F: Formula<Real = f64>> PairMap<F> for Softplus {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, similarity: S::f64s) -> Mapped<S::f64s> {
        let splat = |value| simd.splat_f64s(value);
        let logit = simd.mul_add_f64s(splat(self.rate), similarity, splat(self.base));
        // Beyond, nothing changes, and an infinity would make 0 · ∞.
        let logit = simd.min_f64s(simd.max_f64s(logit, splat(-1e300)), splat(1e300));
        let e = simd.add_f64s(logit, splat(self.bias));
        let (zero, one) = (splat(0.0), splat(1.0));
        let u = Exp64::new(1.0).of(simd, simd.sub_f64s(zero, simd.abs_f64s(e)));
        let value = simd.add_f64s(simd.max_f64s(e, zero), log_one_plus(simd, u));
        let share = simd.div_f64s(one, simd.add_f64s(one, u));
        let slope = simd.select_f64s(simd.greater_than_f64s(e, zero), share, simd.mul_f64s(u, share));
        Mapped { value, slope, slope_by_scale: simd.mul_f64s(slope, logit) }
    }
}

/// log(1 + u) for u in [0, 1], right to the last digits however small u is.
///
/// With v = u, or v = (u − 1) / 2 and a factor of 2 where u is large, it is 2 artanh(v / (2 + v)), whose series ends soon.
#[inline(always)]
fn log_one_plus<S: Simd>(simd: S, u: S::f64s) -> S::f64s {
    let splat = |value| simd.splat_f64s(value);
    let large = simd.greater_than_f64s(u, splat(std::f64::consts::SQRT_2 - 1.0));
    let halved = simd.mul_f64s(simd.sub_f64s(u, splat(1.0)), splat(0.5));
    let v = simd.select_f64s(large, halved, u);
    let z = simd.div_f64s(v, simd.add_f64s(v, splat(2.0)));
    let square = simd.mul_f64s(z, z);
    let mut series = splat(1.0 / (2 * TERMS + 1) as f64);
    for k in (0..TERMS).rev() {
        series = simd.mul_add_f64s(series, square, splat(1.0 / (2 * k + 1) as f64));
    }
    let of_factor = simd.select_f64s(large, splat(std::f64::consts::LN_2), splat(0.0));
    simd.mul_add_f64s(simd.add_f64s(z, z), series, of_factor)
}

/// Terms of the series of artanh after the first: |z| ≤ 0.172, so that what follows is below 1e-16.
const TERMS: usize = 10;

/// Power (‖x−y‖²)^`half`, of squared distances that are the negated similarity.
#[derive(Clone, Copy)]
pub(crate) struct Power {
    pub(crate) half: f64,
}

impl<F: Formula<Real = f64>> PairMap<F> for Power {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, similarity: S::f64s) -> Mapped<S::f64s> {
        let mut lanes = [[0.0; 8]; 2];
        f64::vectors_mut::<S>(&mut lanes[0])[0] = similarity;
        let [values, slopes] = &mut lanes;
        for (value, slope) in values[..f64::lanes::<S>()].iter_mut().zip(slopes) {
            let square = -*value;
            if square <= 0.0 {
                // By definition: the gradient of a pair that coincides is 0.
                (*value, *slope) = (0.0, 0.0);
                continue;
            }
            *value = if self.half == 0.5 { square.sqrt() } else { square.powf(self.half) };
            *slope = (self.half * (*value / square)).min(MAX_SLOPE);
        }
        let [value, slope] = lanes.each_ref().map(|lanes| f64::vectors::<S>(lanes)[0]);
        Mapped { value, slope, slope_by_scale: simd.splat_f64s(0.0) }
    }
}

/// Loss 1 − exp(−t‖x−y‖²), of squared distances that are the negated similarity.
#[derive(Clone, Copy)]
pub(crate) struct GaussianLoss {
    pub(crate) t: f64,
}

impl<F: Formula<Real = f64>> PairMap<F> for GaussianLoss {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, similarity: S::f64s) -> Mapped<S::f64s> {
        let splat = |value| simd.splat_f64s(value);
        let exponent = simd.max_f64s(simd.mul_f64s(splat(self.t), similarity), splat(-1000.0));
        let kernel = Exp64::new(1.0).of(simd, exponent);
        let near = simd.less_than_or_equal_f64s(splat(-MAX_SERIES_LOSS), exponent);
        let value = simd.select_f64s(near, minus_exp_m1(simd, exponent), simd.sub_f64s(splat(1.0), kernel));
        Mapped { value, slope: simd.mul_f64s(splat(self.t), kernel), slope_by_scale: splat(0.0) }
    }
}

/// Largest −e at which the series of 1 − exp(e) is taken: next to 1 the exponential has lost the digits of its distance from it.
const MAX_SERIES_LOSS: f64 = 0.25;

/// 1 − exp(e) for e in [−¼, 0] by its series −e (1 + e/2 (1 + e/3 (…))), whose remainder is below 1e-18 of it.
#[inline(always)]
fn minus_exp_m1<S: Simd>(simd: S, e: S::f64s) -> S::f64s {
    let one = simd.splat_f64s(1.0);
    let mut series = one;
    for k in (2..14).rev() {
        series = simd.mul_add_f64s(simd.mul_f64s(e, simd.splat_f64s(1.0 / f64::from(k))), series, one);
    }
    simd.mul_f64s(simd.neg_f64s(e), series)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{
        block::formula::Dot,
        simd::isa::{Isa, Job},
    };

    /// Softplus of every exponent, its slope and the slope times the exponent.
    struct All<'a>(&'a [f64]);

    impl Job for All<'_> {
        type Output = Vec<[f64; 3]>;

        #[inline(always)]
        fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output {
            let map = Softplus { rate: 1.0, base: 0.0, bias: 0.0 };
            let one = |&e: &f64| {
                let of = PairMap::<Dot>::apply(map, simd, simd.splat_f64s(e));
                [of.value, of.slope, of.slope_by_scale].map(|v| simd.reduce_max_f64s(v))
            };
            self.0.iter().map(one).collect()
        }
    }

    /// Loss of every squared distance, and its slope.
    struct Losses<'a> {
        t: f64,
        squares: &'a [f64],
    }

    impl Job for Losses<'_> {
        type Output = Vec<[f64; 2]>;

        #[inline(always)]
        fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output {
            let one = |&square: &f64| {
                let of = PairMap::<Dot>::apply(GaussianLoss { t: self.t }, simd, simd.splat_f64s(-square));
                [of.value, of.slope].map(|v| simd.reduce_max_f64s(v))
            };
            self.squares.iter().map(one).collect()
        }
    }

    #[test]
    fn a_gaussian_loss_is_right_to_its_last_digits_however_close_the_pair() {
        let mut squares: Vec<_> = (0..4000).map(|i| f64::from(i) / 1000.0).collect();
        squares.extend([1e-300, 1e-20, 1e-10, 1e-5, 1e300, f64::MAX]);
        for isa in Isa::all() {
            for t in [1e-3, 1.0, 20.0, 1e6] {
                for (&square, [value, slope]) in squares.iter().zip(isa.run(Losses { t, squares: &squares }))
                {
                    let (want, kernel) = (-(-t * square).exp_m1(), (-t * square).exp());
                    assert!((value - want).abs() <= 1e-11 * want, "loss of {square:e}, t = {t}: {value:e}");
                    assert!((slope - t * kernel).abs() <= 1e-10 * t * kernel + 1e-300, "slope of {square:e}");
                    let near = t * square <= MAX_SERIES_LOSS;
                    assert!(!near || (value - want).abs() <= 1e-15 * want, "loss of {square:e}, t = {t}");
                }
            }
        }
    }

    #[test]
    fn softplus_and_its_slope_are_right_to_eleven_digits_far_out_too() {
        let mut exponents: Vec<_> = (-6000..=6000).map(|i| f64::from(i) / 10.0).collect();
        exponents.extend([1e-9, -1e-9, 1e-300, 1e200, 0.881_373_587_019_543, 5e3, 1e308]);
        for isa in Isa::all() {
            for (&e, got) in exponents.iter().zip(isa.run(All(&exponents))) {
                // Exponents end at 1e300.
                let e = e.min(1e300);
                let value = e.max(0.0) + (-e.abs()).exp().ln_1p();
                let slope = if e > 0.0 { 1.0 / (1.0 + (-e).exp()) } else { e.exp() / (1.0 + e.exp()) };
                for (name, got, want) in
                    [("value", got[0], value), ("slope", got[1], slope), ("product", got[2], slope * e)]
                {
                    let off = (got - want).abs();
                    assert!(off <= 1e-10 * want.abs() + 1e-300, "{name} at {e}: {got:e}, not {want:e}");
                }
            }
        }
    }
}
