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
    backend::GroupPairs,
    error::{Error, Result},
    memory::{filled, reserved},
    pending::{Pending, offload, on_the_pool},
    points::{HostRows, Points},
    progress::Watch,
    request::{Metric, Run, Sealed},
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
}

/// Rows of one class, two or more, and the weight of each; all are positive.
struct Class<'a> {
    rows: &'a [usize],
    weights: &'a [f64],
}

/// The classes that have pairs.
fn classes(groups: &WeightedGroups) -> impl Iterator<Item = Class<'_>> {
    groups.members().filter(|(rows, _)| rows.len() > 1).map(|(rows, weights)| Class { rows, weights })
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

    /// The same with α = 2, by the weighted mean m: Σ w · Σ wᵢ‖xᵢ−m‖². Means are relative to a row of the class, so that rows which
    /// are equal are 0 apart.
    fn sum_of_squares(&self, x: &dyn HostRows) -> f64 {
        let total: f64 = self.weights.iter().sum();
        let first = x.view(self.rows[0]);
        let relative = |row: usize| x.view(row).seen().zip(first.seen()).map(|(x, first)| x - first);
        let mut mean = vec![0.0; x.dims()];
        for (&row, weight) in self.rows.iter().zip(self.weights) {
            mean.iter_mut().zip(relative(row)).for_each(|(sum, value)| *sum += weight / total * value);
        }
        let of_row = |(&row, weight): (&usize, &f64)| {
            let squares = relative(row).zip(&mean).map(|(value, mean)| (value - mean).powi(2));
            weight * squares.sum::<f64>()
        };
        total * self.rows.iter().zip(self.weights).map(of_row).sum::<f64>()
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
            self.groups.check(self.x.rows())?;
            let alpha = positive("alpha", self.metric.alpha)?;
            let groups = WeightedGroups::new(self.groups, &proportions(self.weights, self.x.rows(), 1)?)?;
            if classes(&groups).next().is_none() {
                let problem = "have no two rows of one label whose weights are positive, and alignment by label needs them; merge \
                               labels, or give more rows weight";
                return Err(Error::Labels { problem: problem.into() });
            }
            let x = on.backend.on_host(self.x, on.watch).await?;
            let watch = on.watch.clone();
            let value = offload(on_the_pool, move || {
                let mut all = reserved(groups.count(), 1, || format!("{} classes of rows", groups.count()))?;
                all.extend(classes(&groups));
                let sums: Vec<f64> =
                    all.par_iter().map(|class| class.sum(&*x, alpha, &watch)).collect::<Result<_>>()?;
                let totals = all.iter().map(|class| sum_of_pairs(class.weights.iter().copied()));
                Ok(sums.into_iter().sum::<f64>() / totals.sum::<f64>())
            });
            finite("alignment by label", value.await?)
        })
    }
}
