//! The formulas in f64, as they stand in a book.

pub(super) type Point = Vec<f64>;

/// Points as metrics see them, and the lengths that they had.
pub(super) fn points_seen(values: &[f32], d: usize, unit: bool) -> (Vec<Point>, Vec<f64>) {
    let points = values.chunks(d).map(|row| row.iter().map(|&v| f64::from(v)).collect::<Point>());
    let scaled = points.map(|point| {
        let length = point.iter().map(|v| v * v).sum::<f64>().sqrt();
        let length = if unit { length } else { 1.0 };
        (point.iter().map(|v| v / length).collect(), if unit { length } else { f64::NAN })
    });
    scaled.unzip()
}

pub(super) fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum()
}

fn pairs(n: usize, m: Option<usize>) -> impl Iterator<Item = (usize, usize)> + Clone {
    (0..n).flat_map(move |i| m.map_or(i + 1..n, |m| 0..m).map(move |j| (i, j)))
}

pub(super) fn uniformity(x: &[Point], y: Option<&[Point]>, t: f64) -> f64 {
    let right = y.unwrap_or(x);
    let squares: Vec<f64> =
        pairs(x.len(), y.map(<[Point]>::len)).map(|(i, j)| squared_distance(&x[i], &right[j])).collect();
    let least = squares.iter().copied().fold(f64::INFINITY, f64::min);
    let sum: f64 = squares.iter().map(|square| (-t * (square - least)).exp()).sum();
    -t * least + (sum / squares.len() as f64).ln()
}

/// The gradients of `weight` · uniformity.
pub(super) fn uniformity_grad(
    x: &[Point],
    y: Option<&[Point]>,
    t: f64,
    weight: f64,
) -> (Vec<Point>, Vec<Point>) {
    let right = y.unwrap_or(x);
    let all = pairs(x.len(), y.map(<[Point]>::len));
    let least = all.clone().map(|(i, j)| squared_distance(&x[i], &right[j])).fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> =
        all.clone().map(|(i, j)| (-t * (squared_distance(&x[i], &right[j]) - least)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let mut gx = vec![vec![0.0; x[0].len()]; x.len()];
    let mut gy = vec![vec![0.0; x[0].len()]; right.len()];
    for ((i, j), w) in all.zip(weights) {
        for k in 0..x[0].len() {
            let g = -2.0 * t * weight * w / sum * (x[i][k] - right[j][k]);
            gx[i][k] += g;
            if y.is_some() {
                gy[j][k] -= g;
            } else {
                gx[j][k] -= g;
            }
        }
    }
    (gx, gy)
}

pub(super) fn alignment(x: &[Point], y: &[Point], alpha: f64) -> f64 {
    x.iter().zip(y).map(|(x, y)| squared_distance(x, y).sqrt().powf(alpha)).sum::<f64>() / x.len() as f64
}

/// The gradient of `weight` · alignment for x.
pub(super) fn alignment_grad(x: &[Point], y: &[Point], alpha: f64, weight: f64) -> Vec<Point> {
    let grad = |(x, y): (&Point, &Point)| {
        let distance = squared_distance(x, y).sqrt();
        x.iter().zip(y).map(|(a, b)| weight * alpha * distance.powf(alpha - 2.0) * (a - b)).collect::<Point>()
    };
    let n = x.len() as f64;
    x.iter().zip(y).map(grad).map(|g| g.into_iter().map(|g| g / n).collect()).collect()
}

/// Σⱼ wᵢⱼ (xᵢ − yⱼ)
pub(super) fn weighted_differences(
    x: &[Point],
    y: &[Point],
    weight: impl Fn(usize, usize) -> f64,
) -> Vec<Point> {
    let of = |(i, x): (usize, &Point)| {
        let at = |k: usize| y.iter().enumerate().map(|(j, y)| weight(i, j) * (x[k] - y[k])).sum();
        (0..x.len()).map(at).collect()
    };
    x.iter().enumerate().map(of).collect()
}

/// The gradient through x̂ = x / ‖x‖; raw points have no length.
pub(super) fn through(grad: &mut [Point], seen: &[Point], lengths: &[f64]) {
    for ((g, x), length) in grad.iter_mut().zip(seen).zip(lengths).filter(|(_, length)| length.is_finite()) {
        let radial: f64 = g.iter().zip(x).map(|(g, x)| g * x).sum();
        g.iter_mut().zip(x).for_each(|(g, x)| *g = (*g - radial * x) / length);
    }
}

/// Pairs of rows, as a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Within,
    Across,
    Distinct,
}

pub(super) fn list(kind: Kind, n: usize, m: usize) -> Vec<(usize, usize)> {
    let all = (0..n).flat_map(|i| (0..m).map(move |j| (i, j)));
    all.filter(|(i, j)| match kind {
        Kind::Within => i < j,
        Kind::Across => true,
        Kind::Distinct => i != j,
    })
    .collect()
}

pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// log Σ mass · exp(exponent)
pub(super) fn log_sum_exp(terms: &[(f64, f64)]) -> f64 {
    let counted = || terms.iter().filter(|(mass, _)| *mass > 0.0);
    let greatest = counted().map(|(mass, e)| mass.ln() + e).fold(f64::NEG_INFINITY, f64::max);
    if greatest == f64::NEG_INFINITY {
        return greatest;
    }
    greatest + counted().map(|(mass, e)| (mass.ln() + e - greatest).exp()).sum::<f64>().ln()
}
