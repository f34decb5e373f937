//! Sets drawn from the von Mises–Fisher distribution, of density ∝ exp(κ⟨μ, x⟩), and what their metrics are on average.
//! All of it naive, in f64.

use super::random::Random;

pub(super) type Point = Vec<f64>;

/// In `dims` dimensions about the first axis; κ = 0 is the uniform distribution.
#[derive(Clone, Copy)]
pub(super) struct Fisher {
    pub(super) dims: usize,
    pub(super) kappa: f64,
}

impl Fisher {
    /// The density of the cosine to the axis, but for a factor.
    fn density(self, cosine: f64) -> f64 {
        (self.kappa * (cosine - 1.0)).exp() * (1.0 - cosine * cosine).powf((self.dims as f64 - 3.0) / 2.0)
    }

    /// The mean of a function of that cosine, by Simpson's rule over the angle.
    pub(super) fn mean(self, f: impl Fn(f64) -> f64) -> f64 {
        let steps = 2000;
        let sums = (0..=steps).fold((0.0, 0.0), |(weights, sum), k| {
            let angle = std::f64::consts::PI * f64::from(k) / f64::from(steps);
            let simpson = if k == 0 || k == steps { 1.0 } else { f64::from(2 + 2 * (k % 2)) };
            let cosine = angle.cos();
            let weight =
                simpson * (self.kappa * (cosine - 1.0)).exp() * angle.sin().powi(self.dims as i32 - 2);
            (weights + weight, sum + weight * f(cosine))
        });
        sums.1 / sums.0
    }

    /// log ∫ exp(κ⟨μ, x⟩) over the uniform distribution, by its series.
    fn log_mass(self, kappa: f64) -> f64 {
        let terms = (0..200u32).scan(1.0, |term, k| {
            let now = *term;
            *term *= kappa * kappa / 4.0 / (f64::from(k) + 1.0) / (self.dims as f64 / 2.0 + f64::from(k));
            Some(now)
        });
        terms.sum::<f64>().ln()
    }

    /// log E exp(−t‖x−y‖²), where E over y is of the same family: ∫ exp(⟨κμ + 2tx, y⟩).
    pub(super) fn uniformity(self, t: f64) -> f64 {
        let length = |cosine: f64| (self.kappa.powi(2) + 4.0 * t * t + 4.0 * t * self.kappa * cosine).sqrt();
        let own = self.log_mass(self.kappa);
        self.mean(|cosine| (self.log_mass(length(cosine)) - own).exp()).ln() - 2.0 * t
    }

    /// E‖x−μ‖^α.
    pub(super) fn alignment(self, alpha: f64) -> f64 {
        self.mean(|cosine| (2.0 - 2.0 * cosine).max(0.0).powf(alpha / 2.0))
    }

    /// A cosine to the axis, by rejection.
    pub(super) fn cosine(self, random: &mut Random) -> f64 {
        // Where the density is greatest: κ(1−c²) = (d−3)c.
        let half = (self.dims as f64 - 3.0) / 2.0;
        let top = if self.kappa == 0.0 { 0.0 } else { self.kappa / (half + half.hypot(self.kappa)) };
        let greatest = self.density(top);
        loop {
            let cosine = 2.0 * random.uniform() - 1.0;
            if random.uniform() * greatest <= self.density(cosine) {
                return cosine;
            }
        }
    }

    pub(super) fn points(self, n: usize, random: &mut Random) -> Vec<Point> {
        (0..n).map(|_| self.point(random)).collect()
    }

    fn point(self, random: &mut Random) -> Point {
        let mut x: Point = (0..self.dims).map(|_| random.normal()).collect();
        let square = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>();
        if self.kappa == 0.0 {
            let length = square(&x).sqrt();
            x.iter_mut().for_each(|v| *v /= length);
        } else {
            let cosine = self.cosine(random);
            let scale = ((1.0 - cosine * cosine) / square(&x[1..])).sqrt();
            x[1..].iter_mut().for_each(|v| *v *= scale);
            x[0] = cosine;
        }
        x
    }
}

/// log Σ_{j≠i} exp(−t‖xᵢ−xⱼ‖²) of every row.
pub(super) fn row_log_sums(x: &[Point], t: f64) -> Vec<f64> {
    let mut sums = vec![0.0; x.len()];
    for (i, a) in x.iter().enumerate() {
        for (j, b) in x[..i].iter().enumerate() {
            let weight = (-t * a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>()).exp();
            sums[i] += weight;
            sums[j] += weight;
        }
    }
    sums.into_iter().map(f64::ln).collect()
}
