//! The squared distances of all pairs of a set, from one pass over its rows.

use unisphere::{Embeddings, Scaling};

/// The spread of rows about their mean.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    rows: f64,
    mean: Vec<f64>,
    /// Σ‖xᵢ−mean‖²
    squares: f64,
}

impl Spread {
    pub(super) fn of(points: &Embeddings<'_>) -> Self {
        let (rows, dims) = (points.rows() as f64, points.dims());
        let scale = |row: &[f32]| match points.scaling() {
            Scaling::Unit => row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt().recip(),
            Scaling::Raw => 1.0,
        };
        let scaled: Vec<_> = points.values().chunks(dims).map(|row| (row, scale(row))).collect();
        let mut mean = vec![0.0; dims];
        for (row, scale) in &scaled {
            mean.iter_mut().zip(*row).for_each(|(sum, &value)| *sum += f64::from(value) * scale);
        }
        mean.iter_mut().for_each(|sum| *sum /= rows);
        let square = |(row, scale): &(&[f32], f64)| {
            let differences = row.iter().zip(&mean).map(|(&value, mean)| f64::from(value) * scale - mean);
            differences.map(|difference| difference * difference).sum::<f64>()
        };
        let squares = scaled.iter().map(square).sum();
        Self { rows, mean, squares }
    }

    /// Σ‖xᵢ−xⱼ‖² over the pairs: n Σ‖xᵢ−mean‖².
    pub(super) fn squared_distances(&self) -> f64 {
        self.rows * self.squares
    }

    /// That of both (Chan, Golub & LeVeque 1979).
    pub(super) fn merged(self, other: Self) -> Self {
        if self.rows == 0.0 {
            return other;
        }
        let rows = self.rows + other.rows;
        let apart: Vec<_> = self.mean.iter().zip(&other.mean).map(|(a, b)| b - a).collect();
        let between = apart.iter().map(|apart| apart * apart).sum::<f64>() * self.rows / rows * other.rows;
        let mean = self.mean.iter().zip(&apart).map(|(mean, apart)| mean + apart * (other.rows / rows));
        Self { rows, mean: mean.collect(), squares: self.squares + other.squares + between }
    }
}
