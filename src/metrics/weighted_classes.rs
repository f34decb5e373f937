//! Alignment of the rows of one class where rows have weights: class by class, on the host in f64.

use rayon::prelude::*;

use super::{
    alignment::Alignment,
    check::{finite, positive},
    groups::Groups,
    weighted_groups::WeightedGroups,
    weights::{proportions, sum_of_pairs},
};
use crate::{
    backend::{GroupPairs, Term},
    error::{Error, Result},
    function::MAX_SLOPE,
    memory::{filled, reserved},
    pending::{Pending, offload, on_the_pool},
    points::{Embeddings, HostRows, Matrix, Points, Scaling},
    progress::Watch,
    request::{Differentiable, Metric, Run, Sealed},
    schedule::unordered,
};

/// A request for the alignment of the rows that have one label, where rows have weights: see
/// [`AlignmentByLabel::weighted`](super::AlignmentByLabel::weighted).
#[derive(Clone, Copy, Debug)]
pub struct WeightedAlignmentByLabel<'a> {
    pub(super) metric: Alignment,
    pub(super) x: &'a Points,
    pub(super) groups: &'a Groups,
    pub(super) weights: &'a [f64],
    pub(super) scale: f64,
}

/// Rows of one class, two or more, and the weight of each; all are positive.
struct Class<'a> {
    rows: &'a [usize],
    weights: &'a [f64],
}

impl WeightedAlignmentByLabel<'_> {
    /// The same with its gradient multiplied by `scale`, such as the upstream gradient of automatic differentiation; finite.
    /// The value stays as it is.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The checked exponent, and the rows that count.
    fn check(&self) -> Result<(f64, WeightedGroups)> {
        self.groups.check(self.x.rows())?;
        let alpha = positive("alpha", self.metric.alpha)?;
        let groups = WeightedGroups::new(self.groups, &proportions(self.weights, self.x.rows(), 1)?)?;
        if classes(&groups).next().is_none() {
            let problem = "have no two rows of one label whose weights are positive, and alignment by label needs them; merge \
                           labels, or give more rows weight";
            return Err(Error::Labels { problem: problem.into() });
        }
        Ok((alpha, groups))
    }
}

/// The classes that have pairs.
fn classes(groups: &WeightedGroups) -> impl Iterator<Item = Class<'_>> {
    groups.members().filter(|(rows, _)| rows.len() > 1).map(|(rows, weights)| Class { rows, weights })
}

/// Σ wᵢwⱼ over the pairs of all classes.
fn total(groups: &WeightedGroups) -> f64 {
    classes(groups).map(|class| sum_of_pairs(class.weights.iter().copied())).sum()
}

/// Σ wᵢwⱼ‖xᵢ−xⱼ‖^α over the pairs of all classes.
fn sum(groups: &WeightedGroups, x: &dyn HostRows, alpha: f64, watch: &Watch) -> Result<f64> {
    let mut all = reserved(groups.count(), 1, || format!("{} classes of rows", groups.count()))?;
    all.extend(classes(groups));
    let sums: Vec<f64> = all.par_iter().map(|class| class.sum(x, alpha, watch)).collect::<Result<_>>()?;
    Ok(sums.into_iter().sum())
}

impl Class<'_> {
    /// Σ wᵢwⱼ‖xᵢ−xⱼ‖^α over i < j.
    fn sum(&self, x: &dyn HostRows, alpha: f64, watch: &Watch) -> Result<f64> {
        if alpha == 2.0 {
            let sum = self.sum_of_squares(x);
            watch.advance(unordered(self.rows.len()))?;
            return Ok(sum);
        }
        let of_row = |place: usize| {
            let (row, weight) = (x.view(self.rows[place]), self.weights[place]);
            let before = self.rows[..place].iter().zip(self.weights);
            let terms = before.map(|(&other, other_weight)| {
                let squares = row.seen().zip(x.view(other).seen()).map(|(a, b)| (a - b).powi(2));
                other_weight * squares.sum::<f64>().powf(alpha / 2.0)
            });
            let sum = weight * terms.sum::<f64>();
            watch.advance(place as u64)?;
            Ok(sum)
        };
        let rows = self.rows.len();
        let mut sums = filled(0.0, rows, 1, || format!("the sums of {rows} rows"))?;
        sums.par_iter_mut()
            .enumerate()
            .try_for_each(|(place, sum)| of_row(place).map(|found| *sum = found))?;
        Ok(sums.into_iter().sum())
    }

    /// The same with α = 2, by the weighted mean m: Σ w · Σ wᵢ‖xᵢ−m‖².
    fn sum_of_squares(&self, x: &dyn HostRows) -> f64 {
        let mean = self.mean(x);
        let of_row = |(&row, weight): (&usize, &f64)| {
            let squares = self.relative(x, row).zip(&mean).map(|(value, mean)| (value - mean).powi(2));
            weight * squares.sum::<f64>()
        };
        self.weight() * self.rows.iter().zip(self.weights).map(of_row).sum::<f64>()
    }

    /// The sum of its weights.
    fn weight(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// A row less the first of the class: rows which are equal are 0 apart.
    fn relative<'x>(&self, x: &'x dyn HostRows, row: usize) -> impl Iterator<Item = f64> + 'x {
        x.view(row).seen().zip(x.view(self.rows[0]).seen()).map(|(x, first)| x - first)
    }

    /// The weighted mean of its rows, relative to the first.
    fn mean(&self, x: &dyn HostRows) -> Vec<f64> {
        let total = self.weight();
        let mut mean = vec![0.0; x.dims()];
        for (&row, weight) in self.rows.iter().zip(self.weights) {
            mean.iter_mut()
                .zip(self.relative(x, row))
                .for_each(|(sum, value)| *sum += weight / total * value);
        }
        mean
    }

    /// The gradient of Σ wᵢwⱼ‖xᵢ−xⱼ‖^α over i < j for the row at a place, as metrics see it. With α = 2 it takes the weight and the mean
    /// of the class.
    fn slope(&self, x: &dyn HostRows, alpha: f64, (total, mean): &(f64, Vec<f64>), place: usize) -> Vec<f64> {
        let (row, weight) = (self.rows[place], self.weights[place]);
        if alpha == 2.0 {
            let factor = 2.0 * weight * total;
            return self.relative(x, row).zip(mean).map(|(value, mean)| factor * (value - mean)).collect();
        }
        let mut slope = vec![0.0; x.dims()];
        for (&other, other_weight) in self.rows.iter().zip(self.weights) {
            let apart = || x.view(row).seen().zip(x.view(other).seen()).map(|(a, b)| a - b);
            let square: f64 = apart().map(|value| value * value).sum();
            if square > 0.0 {
                let factor = weight * other_weight * (alpha * square.powf(alpha / 2.0 - 1.0)).min(MAX_SLOPE);
                slope.iter_mut().zip(apart()).for_each(|(sum, value)| *sum += factor * value);
            }
        }
        slope
    }
}

/// The gradient of every row as metrics see it, as a direction of unit length and the length that it has. Of unit rows it is the part
/// that turns them: no other passes through the scaling.
struct Slopes {
    directions: Vec<f32>,
    lengths: Vec<f64>,
}

impl Slopes {
    /// Those of `scale` · Σ wᵢwⱼ‖xᵢ−xⱼ‖^α.
    fn of(
        groups: &WeightedGroups,
        x: &dyn HostRows,
        is_unit: bool,
        (alpha, scale): (f64, f64),
        watch: &Watch,
    ) -> Result<Self> {
        let (n, dims) = (x.rows(), x.dims());
        let what = || format!("the gradient of {n} × {dims} points");
        let mut directions = filled(0.0_f32, n, dims, what)?;
        let mut lengths = filled(0.0, n, 1, what)?;
        let mut places = filled(None, n, 1, what)?;
        for (class, members) in classes(groups).enumerate() {
            members.rows.iter().enumerate().for_each(|(place, &row)| places[row] = Some((class, place)));
        }
        let mut all = reserved(groups.count(), 1, what)?;
        all.extend(classes(groups));
        let mean = |class: &Class<'_>| if alpha == 2.0 { class.mean(x) } else { Vec::new() };
        let means: Vec<_> = all.par_iter().map(|class| (class.weight(), mean(class))).collect();
        let rows = directions.par_chunks_exact_mut(dims).zip(&mut lengths).zip(&places).enumerate();
        rows.try_for_each(|(row, ((direction, length), place))| {
            let seen = || x.view(row).seen();
            let slope = place.map(|(class, place): (usize, usize)| {
                let mut slope = all[class].slope(x, alpha, &means[class], place);
                if is_unit {
                    let radial: f64 = slope.iter().zip(seen()).map(|(slope, x)| slope * x).sum();
                    slope.iter_mut().zip(seen()).for_each(|(slope, x)| *slope -= radial * x);
                }
                slope
            });
            let norm = slope.as_ref().map_or(0.0, |slope| slope.iter().map(|v| v * v).sum::<f64>().sqrt());
            *length = (norm * scale).clamp(f64::from(f32::MIN), f64::from(f32::MAX));
            // A row that has no gradient has no direction: any of unit length serves.
            match slope.filter(|_| norm > 0.0) {
                Some(slope) => direction.iter_mut().zip(&slope).for_each(|(out, v)| *out = (v / norm) as f32),
                None => direction[0] = 1.0,
            }
            watch.advance(0)
        })?;
        Ok(Self { directions, lengths })
    }
}

impl Sealed for WeightedAlignmentByLabel<'_> {}

impl Metric for WeightedAlignmentByLabel<'_> {
    type Value = f64;

    fn pairs(&self) -> u64 {
        WeightedGroups::pairs(self.groups, self.weights, GroupPairs::Within)
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, f64> {
        Box::pin(async move {
            let (alpha, groups) = self.check()?;
            let x = on.backend.on_host(self.x, on.watch).await?;
            let watch = on.watch.clone();
            let value = offload(on_the_pool, move || Ok(sum(&groups, &*x, alpha, &watch)? / total(&groups)));
            finite("alignment by label", value.await?)
        })
    }
}

impl Differentiable for WeightedAlignmentByLabel<'_> {
    type Gradients = Matrix;

    fn differentiate<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, (f64, Matrix)> {
        Box::pin(async move {
            let (alpha, groups) = self.check()?;
            let scale = finite("the scale of a gradient", self.scale)?;
            let x = on.backend.on_host(self.x, on.watch).await?;
            let (watch, scaling) = (on.watch.clone(), self.x.scaling());
            let (value, slopes) = offload(on_the_pool, move || {
                let total = total(&groups);
                let value = finite("alignment by label", sum(&groups, &*x, alpha, &watch)? / total)?;
                let is_unit = scaling == Scaling::Unit;
                Ok((value, Slopes::of(&groups, &*x, is_unit, (alpha, scale / total), &watch.silent())?))
            })
            .await?;
            let Slopes { directions, lengths } = slopes;
            // The device carries them through the scaling: the gradient of Σ cᵢ⟨xᵢ, gᵢ⟩ for x is cᵢgᵢ.
            let directions = Embeddings::with_scaling(directions, self.x.rows(), self.x.dims(), scaling)?;
            let directions = on.backend.upload(directions, None).await?;
            let (gradient, _) =
                on.backend.paired_gradient(self.x, &directions, Term::Dot, &lengths, None).await?;
            Ok((value, gradient))
        })
    }
}
