use super::Uniformity;

impl Uniformity {
    /// The least uniformity of any distribution on the unit sphere in `dims` dimensions: the value of the
    /// uniform one, −2t + log ₀F₁(; dims/2; t²). NaN for no dimensions, and for a t out of its range.
    ///
    /// A finite set may lie below it: the pairs i < j leave out the distance 0 of each point to itself.
    ///
    /// ```
    /// # use unisphere::Uniformity;
    /// assert!((Uniformity { t: 2.0 }.floor(128) - -3.937530).abs() < 1e-6);
    /// ```
    pub fn floor(self, dims: usize) -> f64 {
        let t = self.t;
        if !(t > 0.0 && t.is_finite()) {
            return f64::NAN;
        }
        match dims {
            0 => f64::NAN,
            // The sphere is {−1, 1}.
            1 => ((-4.0 * t).exp_m1() / 2.0).ln_1p(),
            _ => Density::new(dims).floor(t),
        }
    }
}

/// How the squared distance of two uniform points is spread, for two dimensions and more.
///
/// That distance is 4b, and b follows the Beta distribution (a, a) with a = (dims − 1)/2, so the floor is the
/// log of the mean of exp(−4tb). With b = 1/(1 + e^−s) the density over s has the shape cosh(s/2)^−2a: smooth,
/// with one peak, and falling exponentially to both sides, where the trapezoid rule converges faster than any
/// power of its step. Nothing cancels, as it would between −2t and the series of ₀F₁.
struct Density {
    a: f64,
}

impl Density {
    fn new(dims: usize) -> Self {
        Self { a: (dims as f64 - 1.0) / 2.0 }
    }

    fn floor(self, t: f64) -> f64 {
        if t > 0.25 {
            return self.log_integral(t) - self.log_integral(0.0);
        }
        // Two logs nearly as large would cancel: the mean of exp(−4tb) − 1 instead.
        let (mut weights, mut change) = (0.0, 0.0);
        for s in self.nodes(0.0) {
            let weight = self.exponent(0.0, s).exp();
            weights += weight;
            change += weight * (-4.0 * t * beta(s)).exp_m1();
        }
        (change / weights).ln_1p()
    }

    /// log ∫ exp(−4tb) cosh(s/2)^−2a ds.
    fn log_integral(&self, t: f64) -> f64 {
        let peak = self.exponent(t, self.peak(t));
        let sum: f64 = self.nodes(t).map(|s| (self.exponent(t, s) - peak).exp()).sum();
        peak + (sum * self.step(t)).ln()
    }

    /// The log of the integrand.
    fn exponent(&self, t: f64, s: f64) -> f64 {
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
        let (peak, step) = (self.peak(t), self.step(t));
        let least = self.exponent(t, peak) - 45.0;
        let side = move |from: i32, sign: f64| {
            (from..)
                .map(move |k| peak + sign * step * f64::from(k))
                .take_while(move |&s| self.exponent(t, s) > least)
        };
        side(0, 1.0).chain(side(1, -1.0))
    }
}

/// A quarter of the squared distance.
fn beta(s: f64) -> f64 {
    (1.0 + (-s).exp()).recip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(dims: usize, t: f64, expected: f64) {
        let floor = Uniformity { t }.floor(dims);
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
            assert!(Uniformity { t: f64::MAX }.floor(dims) < 0.0);
        }
        near(usize::MAX, 5.0, -10.0);
    }

    #[test]
    fn outside_of_the_range_is_no_number() {
        assert!(Uniformity { t: 2.0 }.floor(0).is_nan());
        for t in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Uniformity { t }.floor(3).is_nan());
        }
    }
}
