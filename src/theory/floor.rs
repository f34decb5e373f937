//! The floor: the uniformity of the uniform distribution.

use super::Gaussian;
use crate::log_sum::log_add;

impl Gaussian {
    /// The least uniformity of any distribution on the unit sphere in `dims` dimensions: the value of the
    /// uniform one, −2t + log ₀F₁(; dims/2; t²). NaN for no dimensions, and for a t out of its range.
    pub(crate) fn floor(self, dims: usize) -> f64 {
        if self.is_valid() && dims > 0 { floor(dims as f64, self.t) } else { f64::NAN }
    }

    pub(crate) fn is_valid(self) -> bool {
        self.t > 0.0 && self.t.is_finite()
    }
}

/// The floor for a t in its range and any real number of dimensions from 1 on, between which the gamma function
/// interpolates.
pub(crate) fn floor(dims: f64, t: f64) -> f64 {
    if is_small(dims, t) {
        return series(dims, t).ln_1p() - 2.0 * t;
    }
    if dims == 1.0 {
        // The sphere is {−1, 1}.
        return ((-4.0 * t).exp_m1() / 2.0).ln_1p();
    }
    if dims < 2.0 {
        // The density has endless tails: ₀F₁(; b; z) = ₀F₁(; b+1; z) + z/(b(b+1)) ₀F₁(; b+2; z), at b = dims/2.
        let ratio = 2.0 * t.ln() - (dims / 2.0 * (dims / 2.0 + 1.0)).ln();
        return log_add(floor(dims + 2.0, t), ratio + floor(dims + 4.0, t));
    }
    let density = Density::new(dims);
    density.log_integral(t) - density.log_integral(0.0)
}

/// How far the floor lies above −2t: log ₀F₁(; dims/2; t²), with all of its digits where it is small.
pub(crate) fn rise(dims: f64, t: f64) -> f64 {
    // Up to here the series is the faster, and far from overflow.
    if t < 100.0 || is_small(dims, t) { series(dims, t).ln_1p() } else { floor(dims, t) + 2.0 * t }
}

/// Where the series loses nothing: its log and 2t differ enough.
fn is_small(dims: f64, t: f64) -> bool {
    t <= 2.0 || t <= dims / t
}

/// ₀F₁(; dims/2; t²) − 1, of which all terms are positive.
fn series(dims: f64, t: f64) -> f64 {
    let (mut sum, mut term) = (0.0, 1.0);
    for k in 0u32.. {
        let k = f64::from(k);
        term *= t / (dims / 2.0 + k) * (t / (k + 1.0));
        sum += term;
        if term <= f64::EPSILON * 1e-2 * sum {
            break;
        }
    }
    sum
}

/// How the squared distance of two uniform points is spread, for two dimensions and more.
///
/// That distance is 4b, and b follows the Beta distribution (a, a) with a = (dims − 1)/2, so the floor is the
/// log of the mean of exp(−4tb). With b = 1/(1 + e^−s) the density over s has the shape cosh(s/2)^−2a: smooth,
/// with one peak, and falling exponentially to both sides, where the trapezoid rule converges faster than any
/// power of its step. Nothing cancels, as it would between −2t and the series of ₀F₁ where t is large.
pub(crate) struct Density {
    a: f64,
}

impl Density {
    pub(crate) fn new(dims: f64) -> Self {
        Self { a: (dims - 1.0) / 2.0 }
    }

    /// log ∫ exp(−4tb) cosh(s/2)^−2a ds.
    fn log_integral(&self, t: f64) -> f64 {
        let peak = self.exponent(t, self.peak(t));
        let sum: f64 = self.nodes(t).map(|s| (self.exponent(t, s) - peak).min(0.0).exp()).sum();
        peak + (sum * self.step(t)).ln()
    }

    /// The log of the integrand.
    pub(crate) fn exponent(&self, t: f64, s: f64) -> f64 {
        // cosh(s/2) = 1 + 2 sinh²(s/4) keeps its digits around s = 0.
        -4.0 * (t * beta(s)) - 2.0 * self.a * (2.0 * (s / 4.0).sinh().powi(2)).ln_1p()
    }

    /// Where the integrand is greatest.
    fn peak(&self, t: f64) -> f64 {
        -(t / (self.a / 2.0)).asinh()
    }

    /// A quarter of the peak's width, and never more than the distance to the poles at s = ±πi allows.
    fn step(&self, t: f64) -> f64 {
        let curvature = self.a.hypot(2.0 * t);
        (self.a.recip() + curvature.recip()).sqrt().min(0.5) / 4.0
    }

    /// From the peak to both sides, as far as the integrand matters.
    fn nodes(&self, t: f64) -> impl Iterator<Item = f64> {
        self.nodes_between(t, t)
    }

    /// From the peak at `steep` to the one at `flat` ≤ `steep`, and on to both sides as far as the integrands matter:
    /// for all integrands between the two.
    pub(crate) fn nodes_between(&self, flat: f64, steep: f64) -> impl Iterator<Item = f64> {
        let step = self.step(steep).min(self.step(flat));
        let (first, last) = (self.peak(steep), self.peak(flat));
        let least = |t, peak| self.exponent(t, peak) - 45.0;
        let (below, above) = (least(steep, first), least(flat, last));
        // Neither end is further off than the tails of exp(−a|s|), should rounding hide where they are.
        let reach = (64.0 + 64.0 / (self.a * step)) as u32;
        let left = (1..reach)
            .map(move |k| first - step * f64::from(k))
            .take_while(move |&s| self.exponent(steep, s) > below);
        let right = (0..reach.saturating_add(((last - first) / step) as u32))
            .map(move |k| first + step * f64::from(k))
            .take_while(move |&s| s <= last || self.exponent(flat, s) > above);
        right.chain(left)
    }
}

/// A quarter of the squared distance.
pub(crate) fn beta(s: f64) -> f64 {
    (1.0 + (-s).exp()).recip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(dims: usize, t: f64, expected: f64) {
        let floor = Gaussian { t }.floor(dims);
        assert!((floor / expected - 1.0).abs() < 1e-13, "d = {dims}, t = {t}: {floor} for {expected}");
    }

    #[test]
    fn the_line_and_the_ball_have_closed_forms() {
        for t in [0.1f64, 0.25, 0.26, 1.0, 2.0, 5.0, 80.0] {
            near(1, t, (2.0 * t).cosh().ln() - 2.0 * t);
            near(3, t, ((2.0 * t).sinh() / (2.0 * t)).ln() - 2.0 * t);
        }
        near(3, 1e6, -(4e6f64).ln());
        near(3, 1e300, -(4e300f64).ln());
    }

    /// mpmath, 40 digits: `log(hyp0f1(mpf(d)/2, t*t)) - 2*t`; the last two by its series in 45 digits.
    #[test]
    #[allow(clippy::excessive_precision, reason = "typed as mpmath prints them")]
    fn any_dimension_at_any_t() {
        near(2, 1e5, -7.0219742309681971);
        near(5, 0.25, -0.47508863023956918);
        near(33, 1e3, -82.571856779218441);
        near(384, 2.0, -3.9791677909299937);
        near(1536, 50.0, -96.751642850637696);
        near(1_000_000, 2.0, -3.9999920000000001);
        near(512, 1e5, -1781.26842956436190);
        near(1_000_000, 1e6, -908_753.775934430421);
    }

    /// U = −2t + 2t²/d + O(t⁴) where t is small, and its end is −2t where d is large.
    #[test]
    fn the_ends_of_the_range() {
        for dims in [1, 2, 7, 1000, usize::MAX] {
            near(dims, 1e-9, -2e-9 + 2e-18 / dims as f64);
            near(dims, 1e-300, -2e-300);
            assert!(Gaussian { t: f64::MAX }.floor(dims) < 0.0);
        }
        near(usize::MAX, 5.0, -10.0);
    }

    /// As above, for numbers of dimensions between two whole ones.
    #[test]
    #[allow(clippy::excessive_precision, reason = "typed as mpmath prints them")]
    fn between_whole_dimensions() {
        let near = |dims: f64, t, expected: f64| {
            let value = floor(dims, t);
            assert!((value / expected - 1.0).abs() < 1e-13, "d = {dims}, t = {t}: {value} for {expected}");
        };
        near(1.0625, 0.1, -0.181291034263127015);
        near(1.0625, 2.5, -0.777342274114822412);
        near(1.0625, 1e5, -1.11195804973328832);
        near(1.5, 2.0, -1.20752180820956164);
        near(1.5, 50.0, -2.03929468680776953);
        near(1.9921875, 3.0, -1.78525743144535916);
        near(2.5, 7.0, -2.81626107217450171);
        near(40.25, 1000.0, -97.2100111522933755);
        near(1000.5, 4.0, -7.96801701234306864);
        near(1048576.5, 3.0, -5.99998283387049042);
    }

    #[test]
    fn the_series_and_the_integral_meet() {
        for dims in [1.0, 1.001, 1.5, 2.0, 3.7, 8.0, 384.0, 1e6, 1e12] {
            let t = f64::max(2.0, f64::sqrt(dims));
            let (below, above) = (floor(dims, t * (1.0 - 1e-15)), floor(dims, t * (1.0 + 1e-15)));
            assert!((below / above - 1.0).abs() < 1e-14, "d = {dims}: {below} and {above}");
        }
    }

    #[test]
    fn outside_of_the_range_is_no_number() {
        assert!(Gaussian { t: 2.0 }.floor(0).is_nan());
        for t in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Gaussian { t }.floor(3).is_nan());
        }
    }
}
