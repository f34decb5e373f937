//! Inner products and squared distances in f64, for oracles.

/// Σ term(xᵢ, yᵢ), in sums side by side: one chain of additions takes several times as long.
fn sum_of_terms(x: &[f64], y: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    let ((x, last_x), (y, last_y)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    for (x, y) in x.iter().zip(y) {
        for lane in 0..8 {
            sums[lane] += term(x[lane], y[lane]);
        }
    }
    let last: f64 = last_x.iter().zip(last_y).map(|(&x, &y)| term(x, y)).sum();
    sums.iter().sum::<f64>() + last
}

pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    sum_of_terms(x, y, |x, y| x * y)
}

pub(crate) fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    sum_of_terms(x, y, |x, y| (x - y).powi(2))
}
