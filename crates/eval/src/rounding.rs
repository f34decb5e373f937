//! What rounding points to f32 may do to values, where the points had more digits.

use std::fmt;

use unisphere::{Alignment, Sigmoid, Uniformity};

use crate::data::SetName;

/// The share of the larger of 1 and a value below which it is not worth a word.
const NEGLIGIBLE: f64 = 1e-6;

/// How far rounding to f32 may have moved points, at most, as lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    /// The distance of two points of x.
    pub x: f64,
    /// The distance of two points of y; 0 where there is no y.
    pub y: f64,
    /// A point of either in all dimensions, those in which all points are alike too: they move products of points, and no distances.
    /// Infinite where it is not known.
    pub of_point: f64,
    /// The greatest length of a point of either, where it was measured; infinite where it is not known.
    pub longest: f64,
    /// What would save most of it.
    pub cure: RoundingCure,
}

/// What would save most of what rounding takes, where points were left as they lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoundingCure {
    /// Nothing: the points reach too far from any one place, or are taken about their mean already.
    #[default]
    None,
    /// The mean of all points, taken from points in memory: distances alone are measured, which stay as they are.
    Mean,
    /// A report of distances alone, which takes files about their mean: this one has values that would change with it.
    DistancesAlone,
}

impl RoundingCure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Mean, Self::DistancesAlone];

    /// Its name in plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mean => "mean",
            Self::DistancesAlone => "distances alone",
        }
    }
}

/// A value that rounding may have moved, and how far at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// The value; of a table, the one that may have moved farthest.
    pub value: MovedValue,
    /// How far.
    pub by: f64,
}

/// The values of a report that rounding may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MovedValue {
    /// Alignment.
    Alignment,
    /// Uniformity of a set.
    Uniformity(SetName),
    /// Uniformity of a model, of its set or the mean of both, or of a view.
    AnyUniformity,
    /// Uniformity of the table over several t, within, across and over both sets.
    Sweep,
    /// Uniformity across both sets.
    CrossUniformity,
    /// Uniformity over both sets together.
    Pooled,
    /// The squared discrepancy of two sets.
    SquaredMmd,
    /// The paper's loss: alignment and uniformity.
    Loss,
    /// The contrastive losses.
    Contrastive,
    /// The sigmoid losses.
    Sigmoid,
    /// The supervised contrastive losses.
    SupCon,
    /// Alignment and uniformity of groups.
    Groups,
}

impl MovedValue {
    /// Whether it is of products of points, which depend on where they lie.
    pub fn is_of_products(self) -> bool {
        matches!(self, Self::Contrastive | Self::Sigmoid | Self::SupCon)
    }

    /// Its key in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Alignment => "alignment",
            Self::Uniformity(set) => set.as_str(),
            Self::AnyUniformity => "uniformity",
            Self::Sweep => "sweep",
            Self::CrossUniformity => "cross",
            Self::Pooled => "pooled",
            Self::SquaredMmd => "squared_mmd",
            Self::Loss => "loss",
            Self::Contrastive => "contrastive",
            Self::Sigmoid => "sigmoid",
            Self::SupCon => "supcon",
            Self::Groups => "groups",
        }
    }
}

impl fmt::Display for MovedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alignment => f.write_str("alignment"),
            Self::Uniformity(set) => write!(f, "uniformity of {set}"),
            Self::AnyUniformity => f.write_str("uniformity"),
            Self::Sweep => f.write_str("uniformity over t"),
            Self::CrossUniformity => f.write_str("cross uniformity"),
            Self::Pooled => f.write_str("uniformity of both together"),
            Self::SquaredMmd => f.write_str("squared MMD"),
            Self::Loss => f.write_str("the loss"),
            Self::Contrastive => f.write_str("the contrastive loss"),
            Self::Sigmoid => f.write_str("the sigmoid loss"),
            Self::SupCon => f.write_str("the supervised contrastive loss"),
            Self::Groups => f.write_str("values of groups"),
        }
    }
}

impl Moved {
    /// So much, unless it is less than a millionth of the larger of 1 and the number, or is not known: infinite.
    pub fn told(value: MovedValue, by: f64, number: f64) -> Option<Self> {
        (by.is_finite() && by > NEGLIGIBLE * number.abs().max(1.0)).then_some(Self { value, by })
    }

    /// The one of these that may have moved farthest.
    pub(crate) fn farthest(of: impl IntoIterator<Item = Self>) -> Option<Self> {
        of.into_iter().max_by(|a, b| a.by.total_cmp(&b.by))
    }
}

impl Rounding {
    /// How far the distance of two points of a set may have moved.
    fn within(self, set: SetName) -> f64 {
        if set == SetName::X { self.x } else { self.y }
    }

    /// The same of a point of x and a point of y: either loses half of what two of its set may.
    fn across(self) -> f64 {
        (self.x + self.y) / 2.0
    }

    /// How far it may move a uniformity of this value of a set.
    pub fn of_uniformity(self, set: SetName, metric: Uniformity, value: f64) -> f64 {
        uniformity(self.within(set), metric, value)
    }

    /// The same of one across both sets.
    pub fn of_cross_uniformity(self, metric: Uniformity, value: f64) -> f64 {
        uniformity(self.across(), metric, value)
    }

    /// The same of one over all pairs of both sets together.
    pub fn of_pooled(self, metric: Uniformity, value: f64) -> f64 {
        uniformity(self.x.max(self.y), metric, value)
    }

    /// The same of the squared discrepancy of two sets, of which uniformity of x, of y and across both is known.
    pub fn of_squared_mmd(self, metric: Uniformity, [x, y, cross]: [f64; 3]) -> f64 {
        // No mean of the kernel is above 1.
        let moved = |value: f64, by: f64| (value.exp() * by.exp_m1()).min(1.0);
        moved(x, self.of_uniformity(SetName::X, metric, x))
            + moved(y, self.of_uniformity(SetName::Y, metric, y))
            + 2.0 * moved(cross, self.of_cross_uniformity(metric, cross))
    }

    /// The same of an alignment of pairs of x and y.
    pub fn of_alignment(self, metric: Alignment, value: f64) -> f64 {
        alignment(self.across(), metric, value)
    }

    /// The same of an alignment of pairs of one set.
    pub fn of_alignment_within(self, set: SetName, metric: Alignment, value: f64) -> f64 {
        alignment(self.within(set), metric, value)
    }

    /// How far the inner product of any two points may move where either moves so far.
    fn of_products(self, by: f64) -> f64 {
        2.0 * self.longest * by + by * by
    }

    /// How far it may move a loss of softmaxes of temperature τ: a contrastive one, or a supervised one. The log of a sum of
    /// exponentials moves no farther than the farthest exponent, and the positive as far the other way. Dimensions in which all points are
    /// alike move all exponents alike, and no such loss.
    pub fn of_softmax(self, tau: f64) -> f64 {
        // Points lose half of what their distances may.
        2.0 * self.of_products(self.x.max(self.y) / 2.0) / tau
    }

    /// Whether it may move a loss of softmaxes of this value noticeably, whose anchors also meet a queue. The bound is not known, as the
    /// queue may lose digits of its own, and need not be alike in any dimension.
    pub(crate) fn moves_with_queue(self, tau: f64, loss: f64) -> bool {
        2.0 * self.of_products(self.of_point) / tau > NEGLIGIBLE * loss.abs().max(1.0)
    }

    /// Whether it may move distances noticeably: by more than a millionth, and of what another place would save most.
    pub fn moves_distances(self) -> bool {
        self.cure != RoundingCure::None && self.x.max(self.y) > NEGLIGIBLE
    }

    /// Whether it is not known how far it moves products: of points in memory beside those that lose digits.
    pub(crate) fn has_no_bound_of_products(self) -> bool {
        (self.longest.is_infinite() || self.of_point.is_infinite()) && self.of_point > 0.0
    }

    /// How far it may move a sigmoid loss of this value over so many candidates of each row. The slope of log(1 + exp(z)) is at most 1,
    /// and at most its value.
    pub fn of_sigmoid(self, metric: Sigmoid, value: f64, candidates: usize) -> f64 {
        let by = metric.scale.abs() * self.of_products(self.of_point);
        (value.max(0.0) * by.exp_m1()).min(candidates as f64 * by)
    }
}

/// With w the share that each pair has in the sum, −U ≥ t E_w d², so that E_w |Δd²| ≤ 2e √(−U/t) + e² of distances that move by e.
fn uniformity(e: f64, metric: Uniformity, value: f64) -> f64 {
    2.0 * e * (metric.t * -value.min(0.0)).sqrt() + metric.t * e * e
}

/// The mean of d^(α−1) is at most the power of the mean of d^α.
fn alignment(e: f64, metric: Alignment, value: f64) -> f64 {
    let alpha = metric.alpha;
    if alpha <= 1.0 {
        return e.powf(alpha);
    }
    alpha * e * (value.max(0.0).powf(1.0 / alpha) + e).powf(alpha - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What all points lose in the dimension in which they are alike.
    const ALIKE: f64 = 5e-3;

    fn rounding(x: f64, y: f64) -> Rounding {
        Rounding { x, y, of_point: x.max(y) / 2.0, longest: 0.0, cure: RoundingCure::None }
    }

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
        let both = rounding(e, e);
        let (of_u, of_a) = (both.of_uniformity(SetName::X, t, u), both.of_alignment(alpha, a));
        for moved in [of(&|_| e), of(&|_| -e), of(&|i| if i % 2 == 0 { e } else { -e })] {
            assert!((moved.0 - u).abs() <= of_u && (moved.1 - a).abs() <= of_a, "{moved:?} from {u} and {a}");
        }
        // No bound without worth: within an order of magnitude.
        assert!((of(&|_| e).0 - u).abs() > of_u / 10.0 && (of(&|_| e).1 - a).abs() > of_a / 10.0);
        assert_eq!(both.of_uniformity(SetName::Y, t, u), of_u);
        assert_eq!(rounding(e, 0.0).of_uniformity(SetName::Y, t, u), 0.0);
        // Across both sets, either point loses half of what two of its set may.
        assert_eq!(rounding(2.0 * e, 0.0).of_cross_uniformity(t, u), of_u);
        assert_eq!(rounding(e, 0.0).of_alignment_within(SetName::X, alpha, a), of_a);
        // k(x, x′) + k(y, y′) − 2k(x, y), of distances that all move by e.
        let mmd = |[x, y, cross]: [f64; 3]| x.exp() + y.exp() - 2.0 * cross.exp();
        let (nearer, farther) = (of(&|_| -e).0, of(&|_| e).0);
        let moved = (mmd([nearer, nearer, farther]) - mmd([u; 3])).abs();
        let bound = both.of_squared_mmd(t, [u; 3]);
        assert!(moved <= bound && bound < 10.0 * moved, "{moved} of {bound}");
    }

    /// Every point moves by half of e in a direction of its own, and all alike in a dimension in which all are alike: losses of products
    /// move no farther than told.
    #[test]
    fn losses_of_products_move_no_further() {
        let at = |i: usize, moved: f64| {
            let angle = i as f64 * 2.4;
            let constant = 1000.0 + moved.signum() * ALIKE * f64::from(moved != 0.0);
            [
                3.0 + angle.cos() + moved * (angle * 7.0).sin(),
                1.0 + angle.sin() + moved * (angle * 7.0).cos(),
                constant,
            ]
        };
        let (n, e, tau, sigmoid) = (24, 1e-3f64, 0.2, Sigmoid { scale: 1.5, bias: -1_500_012.0 });
        let losses = |moved: f64| {
            let logit = |i: usize, j: usize| {
                let (x, mut y) = (at(i, moved), at(j + 5, -moved));
                // One number, which is rounded to one.
                y[2] = x[2];
                x[0] * y[0] + x[1] * y[1] + x[2] * y[2]
            };
            let softmax = |i: usize| {
                let sum: f64 = (0..n).map(|j| ((logit(i, j) - logit(i, i)) / tau).exp()).sum();
                sum.ln()
            };
            let term = |i: usize, j: usize| {
                let z = if i == j { 1.0 } else { -1.0 };
                (-z * (sigmoid.scale * logit(i, j) + sigmoid.bias)).exp().ln_1p()
            };
            let pairs = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
            let of_pairs = pairs.map(|(i, j)| term(i, j)).sum::<f64>() / n as f64;
            ((0..n).map(softmax).sum::<f64>() / n as f64, of_pairs)
        };
        let (of_softmax, of_sigmoid) = losses(0.0);
        let longest = (10f64.sqrt() + 1.0).hypot(1000.0);
        let rounding = Rounding { longest, of_point: (e / 2.0).hypot(ALIKE), ..rounding(e, e) };
        let told = (rounding.of_softmax(tau), rounding.of_sigmoid(sigmoid, of_sigmoid, n));
        for moved in [losses(e / 2.0), losses(-e / 2.0)] {
            let by = ((moved.0 - of_softmax).abs(), (moved.1 - of_sigmoid).abs());
            assert!(by.0 <= told.0 && by.1 <= told.1, "{by:?} of {told:?}");
            assert!(by.0 > told.0 / 1e6 && by.1 > told.1 / 1e3, "{by:?} of {told:?}");
            // What all points lose alike moves the sigmoid loss farther than distances could.
            assert!(
                by.1 > Rounding { of_point: e / 2.0, ..rounding }.of_sigmoid(sigmoid, of_sigmoid, n),
                "{by:?}"
            );
        }
    }

    #[test]
    fn what_is_negligible_has_no_word() {
        let told = |by, number| Moved::told(MovedValue::Alignment, by, number).map(|moved| moved.by);
        assert_eq!([told(2e-6, 0.5), told(2e-6, 5.0), told(0.0, 0.0)], [Some(2e-6), None, None]);
        assert_eq!(told(f64::INFINITY, 1.0), None);
    }
}
