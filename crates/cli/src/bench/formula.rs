//! Uniformity and its gradient in f64, as they are written.

use super::work::METRIC;

/// Points as they were given, and as metrics see them: scaled to unit length.
pub(super) struct Rows<'a> {
    pub(super) given: &'a [f32],
    pub(super) dims: usize,
}

impl Rows<'_> {
    fn len(&self) -> usize {
        self.given.len() / self.dims
    }

    /// Row i of unit length, and the length that it had.
    fn row(&self, i: usize) -> (Vec<f64>, f64) {
        let row = || self.given[i * self.dims..][..self.dims].iter().map(|&v| f64::from(v));
        let length = row().map(|v| v * v).sum::<f64>().sqrt();
        (row().map(|v| v / length).collect(), length)
    }

    /// log mean exp(−t‖xᵢ−xⱼ‖²) over i < j.
    pub(super) fn uniformity(&self) -> f64 {
        let rows: Vec<_> = (0..self.len()).map(|i| self.row(i).0).collect();
        let sum: f64 = (rows.iter().enumerate())
            .map(|(i, x)| rows[i + 1..].iter().map(|y| weight(x, y)).sum::<f64>())
            .sum();
        (sum / pairs(self.len())).ln()
    }

    /// The gradient for row i as it was given, where the uniformity of all rows is known; and how long the terms are
    /// of which it is the difference.
    pub(super) fn gradient(&self, i: usize, uniformity: f64) -> (Vec<f64>, f64) {
        let (x, length) = self.row(i);
        let scale = 2.0 * METRIC.t / (pairs(self.len()) * uniformity.exp());
        let mut gradient = vec![0.0; self.dims];
        let mut weights = 0.0;
        for j in (0..self.len()).filter(|&j| j != i) {
            let (y, _) = self.row(j);
            let weight = weight(&x, &y);
            weights += weight;
            gradient.iter_mut().zip(&x).zip(&y).for_each(|((g, x), y)| *g -= scale * weight * (x - y));
        }
        // Through the scaling to unit length: (I − xxᵀ) g / ‖x‖.
        let along: f64 = gradient.iter().zip(&x).map(|(g, x)| g * x).sum();
        gradient.iter_mut().zip(&x).for_each(|(g, x)| *g = (*g - along * x) / length);
        (gradient, scale * weights)
    }
}

fn weight(x: &[f64], y: &[f64]) -> f64 {
    (-METRIC.t * squared_distance(x, y)).exp()
}

/// How many pairs i < j there are.
fn pairs(n: usize) -> f64 {
    n as f64 * (n as f64 - 1.0) / 2.0
}

/// In several sums, side by side.
fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    const SIDE: usize = 16;
    let mut sums = [0.0; SIDE];
    let (xs, ys) = (x.chunks_exact(SIDE), y.chunks_exact(SIDE));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| (x - y) * (x - y)).sum();
    for (x, y) in xs.zip(ys) {
        for k in 0..SIDE {
            sums[k] += (x[k] - y[k]) * (x[k] - y[k]);
        }
    }
    rest + sums.iter().sum::<f64>()
}
