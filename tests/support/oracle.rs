//! The formulas in f64, one expression each, with nothing from the library in them.

#[path = "products.rs"]
mod products;

pub(crate) use products::{dot, squared_distance};

/// Points, one vector each.
pub(crate) type Rows = Vec<Vec<f64>>;

pub(crate) fn rows(values: &[f32], dims: usize) -> Rows {
    values.chunks(dims).map(|row| row.iter().map(|&v| v.into()).collect()).collect()
}

pub(crate) fn length(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

pub(crate) fn unit_rows(x: &Rows) -> Rows {
    x.iter().map(|row| row.iter().map(|v| v / length(row)).collect()).collect()
}

/// ‖xᵢ−xⱼ‖² for i < j.
pub(crate) fn squares_within(x: &Rows) -> Vec<f64> {
    x.iter().enumerate().flat_map(|(i, a)| x[i + 1..].iter().map(|b| squared_distance(a, b))).collect()
}

/// ‖xᵢ−yⱼ‖² for all i and j.
pub(crate) fn squares_across(x: &Rows, y: &Rows) -> Vec<f64> {
    x.iter().flat_map(|a| y.iter().map(|b| squared_distance(a, b))).collect()
}

/// log Σ exp(−t·square).
pub(crate) fn log_sum_exp(squares: &[f64], t: f64) -> f64 {
    let max = -t * squares.iter().copied().fold(f64::INFINITY, f64::min);
    max + squares.iter().map(|square| (-t * square - max).exp()).sum::<f64>().ln()
}

/// log mean exp(−t·square).
pub(crate) fn log_mean_exp(squares: &[f64], t: f64) -> f64 {
    log_sum_exp(squares, t) - (squares.len() as f64).ln()
}

pub(crate) fn uniformity(x: &Rows, t: f64) -> f64 {
    log_mean_exp(&squares_within(x), t)
}

pub(crate) fn cross_uniformity(x: &Rows, y: &Rows, t: f64) -> f64 {
    log_mean_exp(&squares_across(x, y), t)
}

pub(crate) fn alignment(x: &Rows, y: &Rows, alpha: f64) -> f64 {
    x.iter().zip(y).map(|(x, y)| squared_distance(x, y).powf(alpha / 2.0)).sum::<f64>() / x.len() as f64
}

pub(crate) fn loss(x: &Rows, y: &Rows, weight: f64, alpha: f64, t: f64) -> f64 {
    weight * alignment(x, y, alpha) + (uniformity(x, t) + uniformity(y, t)) / 2.0
}

/// Σⱼ aⱼ (x − yⱼ), where a point that coincides with x pulls nowhere, however great its weight.
fn weighted_differences(x: &[f64], y: &Rows, weight: impl Fn(usize, &[f64]) -> f64) -> Vec<f64> {
    y.iter().enumerate().filter(|(_, y)| *y != x).fold(vec![0.0; x.len()], |mut sum, (j, y)| {
        let a = weight(j, y);
        sum.iter_mut().zip(x.iter().zip(y)).for_each(|(sum, (x, y))| *sum += a * (x - y));
        sum
    })
}

/// The gradient for `x` of log Σ exp(−t‖x−yⱼ‖²) over a sum whose log is `log_sum`.
pub(crate) fn potential_grad(x: &[f64], y: &Rows, t: f64, log_sum: f64) -> Vec<f64> {
    weighted_differences(x, y, |_, y| -2.0 * t * (-t * squared_distance(x, y) - log_sum).exp())
}

pub(crate) fn uniformity_grad(x: &Rows, t: f64) -> Rows {
    let log_sum = log_sum_exp(&squares_within(x), t);
    x.iter().map(|row| potential_grad(row, x, t, log_sum)).collect()
}

pub(crate) fn cross_uniformity_grad(x: &Rows, y: &Rows, t: f64) -> (Rows, Rows) {
    let log_sum = log_sum_exp(&squares_across(x, y), t);
    let one = |x: &Rows, y| x.iter().map(|row| potential_grad(row, y, t, log_sum)).collect();
    (one(x, y), one(y, x))
}

/// The norm of the gradient's terms before they cancel on the sphere: 2t Σⱼ wᵢⱼ/S for every i.
pub(crate) fn gross(x: &Rows, y: &Rows, t: f64, log_sum: f64, within: bool) -> f64 {
    let weight = |x: &[f64], y: &[f64]| (-t * squared_distance(x, y) - log_sum).exp();
    let others = |i| y.iter().enumerate().filter(move |(j, _)| !(within && i == *j));
    let share = |(i, x): (usize, &Vec<f64>)| others(i).map(|(_, y)| weight(x, y)).sum::<f64>();
    2.0 * t * length(&x.iter().enumerate().map(share).collect::<Vec<_>>())
}

/// For x; the one for y is its negative.
pub(crate) fn alignment_grad(x: &Rows, y: &Rows, alpha: f64) -> Rows {
    let steepness = |square: f64| match square {
        0.0 => 0.0,
        _ => alpha / x.len() as f64 * square.powf(alpha / 2.0 - 1.0),
    };
    let grad = |(x, y): (&Vec<f64>, &Vec<f64>)| {
        let a = steepness(squared_distance(x, y));
        x.iter().zip(y).map(|(x, y)| a * (x - y)).collect()
    };
    x.iter().zip(y).map(grad).collect()
}

/// Of Σ uᵢⱼ‖xᵢ−yⱼ‖², for x and y.
pub(crate) fn squared_distances_grad(x: &Rows, y: &Rows, upstream: &Rows) -> (Rows, Rows) {
    (
        x.iter().zip(upstream).map(|(x, u)| weighted_differences(x, y, |j, _| 2.0 * u[j])).collect(),
        y.iter().enumerate().map(|(j, y)| weighted_differences(y, x, |i, _| 2.0 * upstream[i][j])).collect(),
    )
}

/// The gradient for the rows as given, from the gradient for those rows scaled to unit length.
pub(crate) fn through_unit(given: &Rows, grad: &Rows) -> Rows {
    let project = |(x, g): (&Vec<f64>, &Vec<f64>)| {
        let (length, along) = (length(x), dot(x, g) / dot(x, x));
        x.iter().zip(g).map(|(x, g)| (g - along * x) / length).collect()
    };
    given.iter().zip(grad).map(project).collect()
}

pub(crate) fn sum(a: &Rows, b: &Rows, weight: f64) -> Rows {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + weight * b).collect()).collect()
}

/// ‖the whole matrix‖.
pub(crate) fn norm(x: &Rows) -> f64 {
    x.iter().map(|row| dot(row, row)).sum::<f64>().sqrt()
}

/// The singular values of x, by rotations that make its vectors orthogonal (one-sided Jacobi).
pub(crate) fn singular_values(x: &Rows) -> Vec<f64> {
    let (n, d) = (x.len(), x[0].len());
    let mut vectors: Rows =
        if n < d { x.clone() } else { (0..d).map(|k| x.iter().map(|row| row[k]).collect()).collect() };
    let mut turned = true;
    while turned {
        turned = false;
        for b in 1..vectors.len() {
            for a in 0..b {
                let (left, right) = vectors.split_at_mut(b);
                let (u, v) = (&mut left[a], &mut right[0]);
                let (uu, vv, uv) = (dot(u, u), dot(v, v), dot(u, v));
                if uv.abs() <= 1e-14 * (uu * vv).sqrt() {
                    continue;
                }
                turned = true;
                let (sin, cos) = ((2.0 * uv).atan2(uu - vv) / 2.0).sin_cos();
                for (u, v) in u.iter_mut().zip(v) {
                    (*u, *v) = (*u * cos + *v * sin, *v * cos - *u * sin);
                }
            }
        }
    }
    vectors.iter().map(|vector| length(vector)).collect()
}

/// RankMe of singular values, as its paper has it.
pub(crate) fn rank_me(values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    (-values.iter().map(|value| value / sum + 1e-7).map(|p| p * p.ln()).sum::<f64>()).exp()
}
