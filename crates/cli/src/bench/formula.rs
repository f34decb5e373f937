//! Metrics and their gradients in f64, as they are written.

use unisphere::Candidates;

use super::work::{METRIC, TAU};

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
        along_the_sphere(&mut gradient, &x, length);
        (gradient, scale * weights)
    }
}

fn weight(x: &[f64], y: &[f64]) -> f64 {
    (-METRIC.t * squared_distance(x, y)).exp()
}

/// The contrastive loss of unit rows, row i of both sets being a pair.
pub(super) struct Contrastive {
    x: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    lengths: Vec<f64>,
    /// Σⱼ exp((⟨xᵢ, yⱼ⟩ − 1)/τ) for every i, and the same over i for every j.
    sums: [Vec<f64>; 2],
}

impl Contrastive {
    pub(super) fn new(x: &Rows<'_>, y: &Rows<'_>) -> Self {
        let n = x.len();
        let (x, lengths) = (0..n).map(|i| x.row(i)).unzip();
        let y = (0..n).map(|i| y.row(i).0).collect();
        let mut all = Self { x, y, lengths, sums: [vec![0.0; n], vec![0.0; n]] };
        for i in 0..n {
            for j in 0..n {
                let weight = all.weight(i, j);
                all.sums[0][i] += weight;
                all.sums[1][j] += weight;
            }
        }
        all
    }

    fn weight(&self, i: usize, j: usize) -> f64 {
        (-squared_distance(&self.x[i], &self.y[j]) / (2.0 * TAU)).exp()
    }

    fn ways(&self, candidates: Candidates) -> &[Vec<f64>] {
        if candidates == Candidates::OneWay { &self.sums[..1] } else { &self.sums }
    }

    pub(super) fn loss(&self, candidates: Candidates) -> f64 {
        let ways = self.ways(candidates);
        let all = ways.iter().flat_map(|sums| (0..sums.len()).map(|i| (sums[i] / self.weight(i, i)).ln()));
        all.sum::<f64>() / (ways.len() * self.x.len()) as f64
    }

    /// For row i of x as it was given, and how long the terms are of which it is the difference.
    pub(super) fn gradient(&self, i: usize, candidates: Candidates) -> (Vec<f64>, f64) {
        let (ways, n) = (self.ways(candidates), self.x.len());
        let share = 1.0 / (TAU * (ways.len() * n) as f64);
        let (mut gradient, mut terms) = (vec![0.0; self.x[i].len()], 0.0);
        for j in 0..n {
            let mut slope = self.weight(i, j) / self.sums[0][i];
            slope += if ways.len() == 2 { self.weight(i, j) / self.sums[1][j] } else { 0.0 };
            slope -= if i == j { ways.len() as f64 } else { 0.0 };
            terms += share * slope.abs();
            gradient.iter_mut().zip(&self.y[j]).for_each(|(g, y)| *g += share * slope * y);
        }
        along_the_sphere(&mut gradient, &self.x[i], self.lengths[i]);
        (gradient, terms)
    }
}

/// Through the scaling to unit length: (I − xxᵀ) g / ‖x‖.
fn along_the_sphere(gradient: &mut [f64], x: &[f64], length: f64) {
    let along: f64 = gradient.iter().zip(x).map(|(g, x)| g * x).sum();
    gradient.iter_mut().zip(x).for_each(|(g, x)| *g = (*g - along * x) / length);
}

/// The number of pairs i < j.
fn pairs(n: usize) -> f64 {
    n as f64 * (n as f64 - 1.0) / 2.0
}

/// ‖x−y‖², in several sums side by side.
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
