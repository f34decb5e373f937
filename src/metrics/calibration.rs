//! What a value of uniformity or alignment means.

use super::{alignment::Alignment, uniformity::Uniformity};
use crate::theory::{Estimate, Gaussian, Significance};

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
        Gaussian { t: self.t }.floor(dims)
    }

    /// How likely this value, over the pairs i < j of n points in `dims` dimensions, is to come of independent uniform
    /// points. NaN for fewer than two points, no dimensions, and for a t out of its range or so far beyond √dims (in the
    /// thousands) that chance alone decides.
    ///
    /// Of uniform points the mean m of w = exp(−t‖x−y‖²) is the same from any point: the U-statistic is degenerate, and
    /// its fluctuations are not normal but weighted sums of χ²−1. Over its C = n(n−1)/2 pairs Σw has the mean Cm, the
    /// variance Cσ² and the third moment C(κ + 2(n−2)τ), all exactly, where σ² and κ are the central moments of w and τ
    /// the mean of (w−m)(w′−m)(w″−m) over the sides of a triangle. The p-value is the tail of the gamma distribution with
    /// these three moments (Pearson's type III).
    ///
    /// ```
    /// # use unisphere::Uniformity;
    /// let metric = Uniformity { t: 2.0 };
    /// let even = metric.significance(metric.floor(64), 1000, 64);
    /// let uneven = metric.significance(metric.floor(64) + 0.01, 1000, 64);
    /// assert!(even.p_value > 0.3 && uneven.p_value < 1e-9);
    /// ```
    pub fn significance(self, value: f64, n: usize, dims: usize) -> Significance {
        Gaussian { t: self.t }.significance(value, n, dims)
    }

    /// How much of the way to the floor has been gone: value / [`floor`](Self::floor)(dims), from 0, where all points
    /// are equal, to 1, where they are as even as the uniform distribution or more so. NaN where the floor is.
    ///
    /// Values of other t or dims do not compare; scores do, more or less.
    pub fn score(self, value: f64, dims: usize) -> f64 {
        Gaussian { t: self.t }.score(value, dims)
    }

    /// The dimensions d ≥ 1 of the sphere whose uniform distribution has this value: `floor(d) = value`, for real d. None
    /// outside of (−2t, floor(1)], where there is no such sphere.
    ///
    /// Points that fill a sphere of fewer dimensions evenly, within a space of more, have the former for result. Near
    /// −2t it says little: a change of δ there is one of δd²/2t² in d.
    ///
    /// ```
    /// # use unisphere::Uniformity;
    /// let metric = Uniformity { t: 2.0 };
    /// assert!((metric.effective_dims(metric.floor(24)).unwrap() - 24.0).abs() < 1e-9);
    /// assert_eq!(metric.effective_dims(-4.0), None);
    /// ```
    pub fn effective_dims(self, value: f64) -> Option<f64> {
        Gaussian { t: self.t }.effective_dims(value)
    }

    /// The mean over all ordered pairs, with those of each point and itself, from the mean without: the V-statistic from
    /// the U-statistic of the same n points, e^V = ((n−1) e^U + 1)/n. NaN for no points.
    pub fn v_from_u(u: f64, n: usize) -> f64 {
        Gaussian::v_from_u(u, n)
    }

    /// The U-statistic from the V-statistic of the same n points, e^U = (n e^V − 1)/(n−1). No n points have a V below
    /// −log n: −∞ from there on. NaN for fewer than two points.
    pub fn u_from_v(v: f64, n: usize) -> f64 {
        Gaussian::u_from_v(v, n)
    }

    /// A value that no n points in `dims` dimensions can be below, over the pairs i < j. NaN for fewer than two points, no
    /// dimensions, and for a t out of its range.
    ///
    /// Up to dims + 1 points it is the value of the simplex, −2tn/(n−1), which they can take. For more it is the greater
    /// of two bounds: that of the floor for the V-statistic, which is the better where there are very many points, and the
    /// universal lower bound of third degree (Boyvalenkov, Dragnev, Hardin, Saff & Stoyanova 2016, *Universal lower
    /// bounds for potential energy of spherical codes*), which the 2·dims points ±eᵢ take.
    pub fn least_u(self, n: usize, dims: usize) -> f64 {
        Gaussian { t: self.t }.least_u(n, dims)
    }

    /// The same over all ordered pairs, with those of each point and itself: never below the floor.
    pub fn least_v(self, n: usize, dims: usize) -> f64 {
        Gaussian { t: self.t }.least_v(n, dims)
    }
}

impl Alignment {
    /// Alignment from the distances ‖x−y‖ of its pairs, with the standard error of a mean and a 95 % interval by Student's t
    /// distribution. The pairs are independent draws; for pairs that share points, such as all views of an image with
    /// each other, the error comes out too small. NaN for no pairs.
    pub fn estimate(self, distances: &[f64]) -> Estimate {
        Estimate::of_mean(distances.iter().map(|distance| distance.powf(self.alpha)), [0.0, f64::INFINITY])
    }
}
