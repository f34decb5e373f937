//! The sigmoid loss, the supervised contrastive loss and alignment by label, from their formulas in f64.

use super::oracle::{Rows, dot, squared_distance};

/// A value, its gradients, and the norm of the gradient's terms before they cancel.
pub(crate) struct Loss {
    pub(crate) value: f64,
    pub(crate) grads: Vec<Rows>,
    pub(crate) gross: f64,
}

fn softplus(e: f64) -> f64 {
    e.max(0.0) + (-e.abs()).exp().ln_1p()
}

fn sigmoid(e: f64) -> f64 {
    if e > 0.0 { 1.0 / (1.0 + (-e).exp()) } else { e.exp() / (1.0 + e.exp()) }
}

/// Σⱼ wᵢⱼ yⱼ for every i.
fn weighted(weights: &Rows, y: &Rows) -> Rows {
    let dims = y[0].len();
    let one = |w: &Vec<f64>| (0..dims).map(|k| w.iter().zip(y).map(|(w, y)| w * y[k]).sum()).collect();
    weights.iter().map(one).collect()
}

fn transposed(weights: &Rows) -> Rows {
    (0..weights[0].len()).map(|j| weights.iter().map(|row| row[j]).collect()).collect()
}

/// √Σᵢ(Σⱼ|wᵢⱼ|)², each times the longest point.
fn gross(weights: &Rows, points: &Rows) -> f64 {
    let longest = points.iter().map(|x| dot(x, x).sqrt()).fold(0.0, f64::max);
    longest * weights.iter().map(|row| row.iter().map(|w| w.abs()).sum::<f64>().powi(2)).sum::<f64>().sqrt()
}

/// mean over i of Σⱼ softplus(−zᵢⱼ(s⟨xᵢ, yⱼ⟩ + b)), and its derivatives for s and b.
pub(crate) fn sigmoid_loss(x: &Rows, y: &Rows, s: f64, b: f64) -> (Loss, f64, f64) {
    let n = x.len() as f64;
    let of = |i: usize, j: usize| (if i == j { 1.0 } else { -1.0 }, dot(&x[i], &y[j]));
    let all = || (0..x.len()).flat_map(|i| (0..y.len()).map(move |j| (i, j)));
    let slope = |i, j| {
        let (z, dot) = of(i, j);
        -z * sigmoid(-z * (s * dot + b)) / n
    };
    let value = all().map(|(i, j)| of(i, j)).map(|(z, dot)| softplus(-z * (s * dot + b))).sum::<f64>() / n;
    let by_s = all().map(|(i, j)| slope(i, j) * of(i, j).1).sum();
    let by_b = all().map(|(i, j)| slope(i, j)).sum();
    let weights: Rows = (0..x.len()).map(|i| (0..y.len()).map(|j| s * slope(i, j)).collect()).collect();
    let grads = vec![weighted(&weights, y), weighted(&transposed(&weights), x)];
    let gross = gross(&weights, y).max(gross(&transposed(&weights), x));
    (Loss { value, grads, gross }, by_s, by_b)
}

/// mean over anchors i of −1/|P(i)| Σₚ log(exp(⟨zᵢ, zₚ⟩/τ) / Σₐ exp(⟨zᵢ, zₐ⟩/τ)), where anchors have a positive.
pub(crate) fn supcon(z: &Rows, labels: &[i64], tau: f64) -> Loss {
    let n = z.len();
    let positives = |i: usize| (0..n).filter(move |&p| p != i && labels[p] == labels[i]);
    let anchors: Vec<_> = (0..n).filter(|&i| positives(i).count() > 0).collect();
    let (mut value, mut weights, mut sizes) = (0.0, vec![vec![0.0; n]; n], vec![vec![0.0; n]; n]);
    for &i in &anchors {
        let logits: Vec<_> = z.iter().map(|other| dot(&z[i], other) / tau).collect();
        let most = (0..n).filter(|&a| a != i).map(|a| logits[a]).fold(f64::MIN, f64::max);
        let sum: f64 = (0..n).filter(|&a| a != i).map(|a| (logits[a] - most).exp()).sum();
        let (count, number) = (positives(i).count() as f64, anchors.len() as f64);
        value += positives(i).map(|p| most + sum.ln() - logits[p]).sum::<f64>() / count / number;
        for a in (0..n).filter(|&a| a != i) {
            let share = (logits[a] - most).exp() / sum;
            let positive = if labels[a] == labels[i] { 1.0 / count } else { 0.0 };
            let weight = (share - positive) / number / tau;
            weights[i][a] += weight;
            weights[a][i] += weight;
            let size = (share + positive) / number / tau;
            sizes[i][a] += size;
            sizes[a][i] += size;
        }
    }
    Loss { value, gross: gross(&sizes, z), grads: vec![weighted(&weights, z)] }
}

/// mean of ‖xᵢ−xⱼ‖^α over i < j of one label.
pub(crate) fn alignment_by_label(x: &Rows, labels: &[i64], alpha: f64) -> Loss {
    weighted_alignment_by_label(x, labels, &vec![1.0; x.len()], alpha)
}

/// Σ wᵢwⱼ‖xᵢ−xⱼ‖^α / Σ wᵢwⱼ over i < j of one label.
pub(crate) fn weighted_alignment_by_label(x: &Rows, labels: &[i64], weights: &[f64], alpha: f64) -> Loss {
    let n = x.len();
    let pairs =
        || (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).filter(|&(i, j)| labels[i] == labels[j]);
    let weight = |(i, j): (usize, usize)| weights[i] * weights[j];
    let total: f64 = pairs().map(weight).sum();
    let power = |(i, j): (usize, usize)| squared_distance(&x[i], &x[j]).powf(alpha / 2.0);
    let value = pairs().map(|pair| weight(pair) * power(pair)).sum::<f64>() / total;
    let (dims, mut grad, mut size) = (x[0].len(), vec![vec![0.0; x[0].len()]; n], vec![0.0; n]);
    for (i, j) in pairs() {
        let square = squared_distance(&x[i], &x[j]);
        if square == 0.0 {
            continue;
        }
        let slope = weight((i, j)) * alpha * square.powf(alpha / 2.0 - 1.0) / total;
        for k in 0..dims {
            let part = slope * (x[i][k] - x[j][k]);
            grad[i][k] += part;
            grad[j][k] -= part;
        }
        size[i] += slope * square.sqrt();
        size[j] += slope * square.sqrt();
    }
    let gross = size.iter().map(|size| size * size).sum::<f64>().sqrt();
    Loss { value, grads: vec![grad], gross }
}

/// mean of ‖xᵢ−yⱼ‖^α over i, j of one label.
pub(crate) fn alignment_across_labels([x, y]: [&Rows; 2], [of_x, of_y]: [&[i64]; 2], alpha: f64) -> Loss {
    let all = (0..x.len()).flat_map(|i| (0..y.len()).map(move |j| (i, j)));
    let pairs: Vec<_> = all.filter(|&(i, j)| of_x[i] == of_y[j]).collect();
    let count = pairs.len() as f64;
    let zeros = |rows: &Rows| vec![vec![0.0; rows[0].len()]; rows.len()];
    let (mut value, mut grads, mut sizes) =
        (0.0, vec![zeros(x), zeros(y)], [vec![0.0; x.len()], vec![0.0; y.len()]]);
    for (i, j) in pairs {
        let square = squared_distance(&x[i], &y[j]);
        value += square.powf(alpha / 2.0) / count;
        if square == 0.0 {
            continue;
        }
        let slope = alpha * square.powf(alpha / 2.0 - 1.0) / count;
        for k in 0..x[i].len() {
            grads[0][i][k] += slope * (x[i][k] - y[j][k]);
            grads[1][j][k] -= slope * (x[i][k] - y[j][k]);
        }
        sizes[0][i] += slope * square.sqrt();
        sizes[1][j] += slope * square.sqrt();
    }
    let norm = |sizes: &Vec<f64>| sizes.iter().map(|size| size * size).sum::<f64>().sqrt();
    Loss { value, grads, gross: norm(&sizes[0]).max(norm(&sizes[1])) }
}
