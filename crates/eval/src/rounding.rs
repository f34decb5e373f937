//! What rounding points to f32 may do to values, where the points had more digits.

use unisphere::{Alignment, Uniformity};

use crate::data::SetName;

/// The share of the larger of 1 and a value below which it is not worth a word.
const NEGLIGIBLE: f64 = 1e-6;

/// How far rounding to f32 may have moved the distance of two points, at most, as a length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    /// Of two points of x.
    pub x: f64,
    /// Of two points of y; 0 where there is no y.
    pub y: f64,
}

impl Rounding {
    /// How far it may move a uniformity of this value of a set. None where that is less than a millionth of the larger of 1 and the value.
    ///
    /// With w the share that each pair has in the sum, −U ≥ t E_w d², so that E_w |Δd²| ≤ 2e √(−U/t) + e² of distances that move
    /// by e.
    pub fn of_uniformity(self, set: SetName, metric: Uniformity, value: f64) -> Option<f64> {
        let e = if set == SetName::X { self.x } else { self.y };
        told(2.0 * e * (metric.t * -value.min(0.0)).sqrt() + metric.t * e * e, value)
    }

    /// The same of an alignment.
    pub fn of_alignment(self, metric: Alignment, value: f64) -> Option<f64> {
        // Either point loses half of what two of its set may.
        let (alpha, e) = (metric.alpha, (self.x + self.y) / 2.0);
        // The mean of d^(alpha−1) is at most the power of the mean of d^alpha.
        let least = e.powf(alpha);
        let most = alpha * e * (value.max(0.0).powf(1.0 / alpha) + e).powf(alpha - 1.0);
        told(if alpha <= 1.0 { least } else { most }, value)
    }
}

fn told(moved: f64, value: f64) -> Option<f64> {
    (moved > NEGLIGIBLE * value.abs().max(1.0)).then_some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distances of pairs that all move by e, to either side.
    #[test]
    fn values_move_no_further() {
        let distances: Vec<f64> = (0..4000).map(|i| 0.2 + 3.0 * (f64::from(i) * 0.618).fract()).collect();
        let e = 1e-3;
        let (t, alpha) = (Uniformity::new(2.0), Alignment::new(3.0));
        let of = |move_by: &dyn Fn(usize) -> f64| {
            let moved: Vec<f64> = distances.iter().enumerate().map(|(i, d)| d + move_by(i)).collect();
            let mean = |term: &dyn Fn(f64) -> f64| moved.iter().map(|&d| term(d)).sum::<f64>() / 4000.0;
            (mean(&|d| (-2.0 * d * d).exp()).ln(), mean(&|d| d.powi(3)))
        };
        let (u, a) = of(&|_| 0.0);
        let rounding = Rounding { x: e, y: e };
        let (of_u, of_a) =
            (rounding.of_uniformity(SetName::X, t, u).unwrap(), rounding.of_alignment(alpha, a).unwrap());
        for moved in [of(&|_| e), of(&|_| -e), of(&|i| if i % 2 == 0 { e } else { -e })] {
            assert!((moved.0 - u).abs() <= of_u && (moved.1 - a).abs() <= of_a, "{moved:?} from {u} and {a}");
        }
        // No bound without worth: within an order of magnitude.
        assert!((of(&|_| e).0 - u).abs() > of_u / 10.0 && (of(&|_| e).1 - a).abs() > of_a / 10.0);
        assert_eq!(rounding.of_uniformity(SetName::Y, t, u), Some(of_u));
        let small = Rounding { x: 1e-9, y: 0.0 };
        assert_eq!(small.of_uniformity(SetName::X, t, u), None);
        assert_eq!(small.of_alignment(Alignment::new(1.0), 5.0), None);
        assert_eq!(Rounding { x: e, y: 0.0 }.of_uniformity(SetName::Y, t, u), None);
    }
}
