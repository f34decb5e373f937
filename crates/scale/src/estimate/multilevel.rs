//! The contrastive loss from few candidates, corrected level by level.
//!
//! The loss over c of the M candidates is biased, so that a mean of it says little. But f(M) = f(c₀) + Σ f(2c) − f(c), and of c
//! and 2c candidates that share their draw the difference is small: f(2c) less the mean of both halves' f(c), which is the
//! antithetic difference of multilevel Monte Carlo (Giles 2015; Goda, Hironaka & Iwamoto 2020 for nested logs). Every level is
//! a mean of independent draws, unbiased for the finite set: an odd number of candidates has two equal halves and one left
//! over, and each half is drawn as the whole of the level below.
//!
//! The lowest level takes every anchor, so that the spread of the losses over the anchors does not matter. The others
//! draw groups. How many is settled by the variance and cost of each level, for the least cost in all.
//!
//! The interval is by Student's t, with the degrees of freedom of Welch and Satterthwaite, and a tenth wider: simulated, not
//! proven. A difference is at least 0 and at most about half of the logits' range, 1/τ. A betting interval would hold for such
//! draws, and take some 3.7/τ over the tolerance of them in each level: at τ = 0.07 and ±1e-3, fifty thousand, where the simulated
//! interval takes a few thousand anchors.

use rand::{RngExt, rngs::ChaCha8Rng};

use super::{
    candidates::{Groups, Run},
    rounding::Rounding,
    sampling::tolerance_or_default,
    stages::{Fallback, MAX_SHARE},
    student::{Moments, quantile},
};
use crate::error::Result;

/// Candidates of the lowest level, at least.
const LEAST_CANDIDATES: usize = 64;
/// Part of the candidates of a large set that the lowest level has about.
const PART_OF_CANDIDATES: usize = 1024;
/// Draws of the first stage: groups of each level, so many where they take little of what may be drawn, and runs of each group of
/// the lowest.
const FIRST_GROUPS: usize = 100;
const SHARE_OF_FIRST: f64 = 0.25;
/// The fewest groups that tell their spread.
const LEAST_GROUPS: usize = 30;
const FIRST_RUNS: usize = 2;
/// Draws beyond what the stages before say, since they are uncertain themselves.
const SAFETY: f64 = 1.1;
/// Stages after the first.
const STAGES: usize = 4;
/// Factor by which intervals are wider than Student's: differences are skewed, and few draws of them seldom show their tail.
const WIDER_FOR_SKEWNESS: f64 = 1.1;
/// Groups that are drawn at a time, which bounds the memory of a stage.
const GROUPS_AT_ONCE: usize = 1024;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Goal {
    /// The half-width; None for one that the spread of the losses calls for.
    pub(crate) tolerance: Option<f64>,
    pub(crate) confidence: f64,
    /// Error of the arithmetic.
    pub(crate) rounding: Rounding,
    pub(crate) fallback: Fallback,
}

/// A loss that was estimated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimated {
    pub(crate) value: f64,
    pub(crate) half_width: f64,
    pub(crate) tolerance: f64,
    /// The standard error of the loss as one of a sample of pairs.
    pub(crate) row_error: f64,
    /// Groups that were drawn, each as often as it was.
    pub(crate) groups: u64,
    pub(crate) products: u64,
    /// Whether the tolerance would take too many products for another stage.
    pub(crate) is_dear: bool,
}

/// Draws of all levels.
pub(crate) struct Levels<'a> {
    groups: &'a Groups<'a>,
    /// Of the runs of every group, at the lowest level.
    lowest: Vec<Moments>,
    /// Of the losses of all pairs, at the lowest level.
    losses: Moments,
    /// Of the groups of every other level, from the lowest of them on.
    others: Vec<Moments>,
    /// Groups of each level that are drawn first.
    first_groups: usize,
    products: u64,
    drawn: u64,
}

impl<'a> Levels<'a> {
    /// None where the first stage would be about as dear as all products, or there are too few groups to tell their spread.
    pub(crate) fn new(groups: &'a Groups<'a>) -> Option<Self> {
        let panels = groups.panels();
        let outside = panels.rows.checked_sub(panels.panel_rows)?;
        let least = LEAST_CANDIDATES.max(outside / PART_OF_CANDIDATES);
        let doublings = (outside / least).checked_ilog2()? as usize;
        let mut levels = Self {
            groups,
            lowest: vec![Moments::default(); panels.count()],
            losses: Moments::default(),
            others: vec![Moments::default(); doublings],
            first_groups: FIRST_GROUPS,
            products: groups.products_within(),
            drawn: 0,
        };
        if levels.first_cost() > SHARE_OF_FIRST * levels.most_products() {
            levels.first_groups = LEAST_GROUPS;
        }
        let is_dear = levels.products as f64 + levels.first_cost() > levels.most_products();
        let has_few = panels.count() < LEAST_GROUPS;
        (!is_dear && !has_few && doublings > 0).then_some(levels)
    }

    /// The loss, by stages.
    pub(crate) fn find(mut self, rng: &mut ChaCha8Rng, goal: Goal) -> Result<Estimated> {
        for level in 0..=self.others.len() {
            self.draw(rng, level, self.first_draws(level))?;
        }
        let mut found = self.estimated(goal);
        for _ in 0..STAGES {
            if found.half_width <= found.tolerance {
                break;
            }
            let more = self.more(found, goal);
            let cost: f64 = more.iter().enumerate().map(|(level, draws)| draws * self.cost(level)).sum();
            let left = self.most_products() - self.products as f64;
            let is_dear = cost.is_nan() || cost > left;
            if is_dear && goal.fallback != Fallback::LargestSample {
                found.is_dear = true;
                break;
            }
            let scale = if is_dear { (left / cost).max(0.0) } else { 1.0 };
            let draws: Vec<_> = more.iter().map(|draws| (draws * scale) as usize).collect();
            if draws.iter().all(|&draws| draws == 0) {
                break;
            }
            for (level, draws) in draws.into_iter().enumerate() {
                self.draw(rng, level, draws)?;
            }
            found = self.estimated(goal);
            if is_dear {
                break;
            }
        }
        found.is_dear |= goal.fallback != Fallback::LargestSample && found.half_width > found.tolerance;
        Ok(found)
    }

    fn most_products(&self) -> f64 {
        MAX_SHARE * self.groups.products_of_all() as f64
    }

    /// Candidates of a group at a level: all of them at the highest, and half as many, rounded down, at each below.
    fn count(&self, group: usize, level: usize) -> usize {
        self.groups.outside(group) >> (self.others.len() - level)
    }

    fn first_draws(&self, level: usize) -> usize {
        if level == 0 { FIRST_RUNS } else { self.first_groups }
    }

    /// Products of the first stage.
    fn first_cost(&self) -> f64 {
        (0..=self.others.len()).map(|level| self.cost(level) * self.first_draws(level) as f64).sum()
    }

    /// Products of a draw: of a run of every group at the lowest level, and of a group at the others.
    fn cost(&self, level: usize) -> f64 {
        let of_group = self.groups.products(0, self.count(0, level)) as f64;
        if level == 0 { of_group * self.lowest.len() as f64 } else { of_group }
    }

    /// So many more draws of a level.
    fn draw(&mut self, rng: &mut ChaCha8Rng, level: usize, draws: usize) -> Result<()> {
        if level == 0 {
            return (0..draws).try_for_each(|_| self.draw_lowest(rng));
        }
        let rows = self.groups.panels().rows;
        let mut left = draws;
        while left > 0 {
            let now = left.min(GROUPS_AT_ONCE);
            // Groups in proportion to their anchors.
            let groups = (0..now).map(|_| self.groups.panels().of(rng.random_range(0..rows)));
            let drawn: Vec<_> = groups
                .collect::<Vec<_>>()
                .into_iter()
                .map(|group| (group, self.runs(rng, group, level)))
                .collect();
            for losses in self.losses(&drawn)? {
                self.others[level - 1].add(mean(&losses));
            }
            left -= now;
        }
        Ok(())
    }

    /// Another run of every group.
    fn draw_lowest(&mut self, rng: &mut ChaCha8Rng) -> Result<()> {
        let groups: Vec<_> = (0..self.lowest.len()).collect();
        for groups in groups.chunks(GROUPS_AT_ONCE) {
            let drawn: Vec<_> = groups.iter().map(|&group| (group, self.runs(rng, group, 0))).collect();
            for (&group, losses) in groups.iter().zip(self.losses(&drawn)?) {
                self.lowest[group].add(mean(&losses));
                losses.into_iter().for_each(|loss| self.losses.add(loss));
            }
        }
        Ok(())
    }

    /// Candidates of a group at a level, from a random start.
    fn runs(&self, rng: &mut ChaCha8Rng, group: usize, level: usize) -> Vec<Run> {
        self.runs_from(rng.random_range(0..self.groups.outside(group)), group, level)
    }

    /// Candidates of a group at a level: in two halves, and what is left over, but at the lowest.
    fn runs_from(&self, start: usize, group: usize, level: usize) -> Vec<Run> {
        let (outside, count) = (self.groups.outside(group), self.count(group, level));
        if level == 0 {
            return vec![Run { start, count }];
        }
        let half = count / 2;
        let part = |before: usize, count: usize| Run { start: (start + before) % outside, count };
        let parts = [part(0, half), part(half, half), part(2 * half, count - 2 * half)];
        parts.into_iter().filter(|run| run.count > 0).collect()
    }

    fn losses(&mut self, drawn: &[(usize, Vec<Run>)]) -> Result<Vec<Vec<f64>>> {
        self.drawn += drawn.len() as u64;
        let count = |(group, runs): &(usize, Vec<Run>)| {
            self.groups.products(*group, runs.iter().map(|run| run.count).sum())
        };
        self.products += drawn.iter().map(count).sum::<u64>();
        self.groups.losses(drawn)
    }

    /// For every level, the variance of one draw, how many there are, and their degrees of freedom.
    fn spreads(&self) -> Vec<Spread> {
        let panels = self.groups.panels();
        let of_group = |(group, runs): (usize, &Moments)| {
            (panels.len(group) as f64 / panels.rows as f64).powi(2) * runs.variance()
        };
        let of_runs: Vec<_> = self.lowest.iter().enumerate().map(of_group).collect();
        let variance: f64 = of_runs.iter().sum();
        let runs = self.lowest.first().map_or(0.0, |runs| runs.count);
        // Of unequal variances, by Welch and Satterthwaite.
        let squares: f64 = of_runs.iter().map(|variance| variance * variance).sum();
        let freedom = (runs - 1.0) * if squares > 0.0 { variance * variance / squares } else { 1.0 };
        let lowest = Spread { variance, draws: runs, freedom };
        let other = |level: &Moments| Spread {
            variance: level.variance(),
            draws: level.count,
            freedom: level.count - 1.0,
        };
        std::iter::once(lowest).chain(self.others.iter().map(other)).collect()
    }

    fn estimated(&self, goal: Goal) -> Estimated {
        let panels = self.groups.panels();
        let of_group = |(group, runs): (usize, &Moments)| panels.len(group) as f64 * runs.mean;
        let lowest = self.lowest.iter().enumerate().map(of_group).sum::<f64>() / panels.rows as f64;
        let row_error = (self.losses.variance() / panels.rows as f64).sqrt();
        let spreads = self.spreads();
        let variance: f64 = spreads.iter().map(Spread::of_mean).sum();
        let value = lowest + self.others.iter().map(|level| level.mean).sum::<f64>();
        Estimated {
            value,
            half_width: reach(&spreads, goal.confidence) * variance.sqrt() + goal.rounding.at(value),
            tolerance: tolerance_or_default(goal.tolerance, Some(row_error)),
            row_error,
            groups: self.drawn,
            products: self.products,
            is_dear: false,
        }
    }

    /// Draws of every level that are still missing, for the least cost of all.
    fn more(&self, found: Estimated, goal: Goal) -> Vec<f64> {
        let spreads = self.spreads();
        let error =
            (found.tolerance - goal.rounding.at(found.value)).max(0.0) / reach(&spreads, goal.confidence);
        let cost = |level: usize| self.cost(level);
        let root = |(level, spread): (usize, &Spread)| (spread.variance * cost(level)).sqrt();
        let roots: f64 = spreads.iter().enumerate().map(root).sum();
        let missing = |(level, spread): (usize, &Spread)| {
            let draws = (spread.variance / cost(level)).sqrt() * roots / (error * error);
            (SAFETY * draws - spread.draws).max(0.0).ceil()
        };
        spreads.iter().enumerate().map(missing).collect()
    }
}

/// How the draws of a level spread.
struct Spread {
    variance: f64,
    draws: f64,
    freedom: f64,
}

impl Spread {
    /// The variance of the mean.
    fn of_mean(&self) -> f64 {
        self.variance / self.draws
    }
}

/// Standard errors of the sum of all levels that an interval reaches to either side.
fn reach(spreads: &[Spread], confidence: f64) -> f64 {
    let variance: f64 = spreads.iter().map(Spread::of_mean).sum();
    let parts: f64 = spreads.iter().map(|spread| spread.of_mean().powi(2) / spread.freedom).sum();
    let freedom = if parts > 0.0 { variance * variance / parts } else { f64::INFINITY };
    WIDER_FOR_SKEWNESS * quantile(confidence, freedom)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use unisphere::{Candidates, Contrastive, Embeddings, Engine};

    use super::*;
    use crate::panels::Panels;

    const ROWS: usize = 53;
    const DIMS: usize = 6;

    /// Rows of unit length, some of them close to each other.
    fn rows(rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        let row = |_| {
            let row: Vec<f64> = (0..DIMS).map(|_| f64::from(rng.random_range(-1.0f32..1.3))).collect();
            let length = row.iter().map(|v| v * v).sum::<f64>().sqrt();
            row.into_iter().map(|v| v / length).collect()
        };
        (0..ROWS).map(row).collect()
    }

    /// The loss of one anchor from its definition.
    fn loss(anchor: &[f64], positive: &[f64], negatives: &[&Vec<f64>], tau: f64) -> f64 {
        let dot = |other: &[f64]| anchor.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
        let sum: f64 = negatives.iter().map(|other| (dot(other) / tau).exp()).sum();
        ((dot(positive) / tau).exp() + sum).ln() - dot(positive) / tau
    }

    fn mean_loss(x: &[Vec<f64>], y: &[Vec<f64>], candidates: Candidates, tau: f64) -> f64 {
        let of_anchor = |x: &[Vec<f64>], y: &[Vec<f64>], i: usize| {
            let others = |set| not(set, i);
            let negatives = match candidates {
                Candidates::Views => [others(x), others(y)].concat(),
                _ => not(y, i),
            };
            loss(&x[i], &y[i], &negatives, tau)
        };
        let of_pair = |i| match candidates {
            Candidates::OneWay => of_anchor(x, y, i),
            _ => 0.5 * (of_anchor(x, y, i) + of_anchor(y, x, i)),
        };
        (0..ROWS).map(of_pair).sum::<f64>() / ROWS as f64
    }

    fn not(set: &[Vec<f64>], row: usize) -> Vec<&Vec<f64>> {
        set.iter().enumerate().filter(|(other, _)| *other != row).map(|(_, point)| point).collect()
    }

    /// Over all groups and all starts, the levels sum to the loss: nothing is biased, whatever is odd.
    #[test]
    fn all_draws_together_are_the_loss() -> Result<()> {
        let (engine, mut rng) = (Engine::cpu(), rand::SeedableRng::seed_from_u64(4));
        let (x, y) = (rows(&mut rng), rows(&mut rng));
        let upload = |rows: &[Vec<f64>]| {
            let values: Vec<_> = rows.concat().into_iter().map(|v| v as f32).collect();
            engine.upload_owned(Embeddings::new(values, ROWS, DIMS)?)
        };
        let points = [upload(&x)?, upload(&y)?];
        for (candidates, tau, group_rows) in [
            (Candidates::OneWay, 0.07, 5),
            (Candidates::BothWays, 0.5, 4),
            (Candidates::Views, 0.1, 7),
            (Candidates::Views, 0.1, 1),
        ] {
            let panels = Panels { rows: ROWS, panel_rows: group_rows };
            let metric = Contrastive { tau, candidates };
            let groups = Groups::new(&engine, metric, [&points[0], &points[1]], panels)?;
            let mut levels = Levels {
                groups: &groups,
                lowest: vec![Moments::default(); panels.count()],
                losses: Moments::default(),
                others: vec![Moments::default(); 3],
                first_groups: LEAST_GROUPS,
                products: 0,
                drawn: 0,
            };
            let mut value = 0.0;
            for level in 0..=3 {
                for group in 0..panels.count() {
                    let starts = 0..groups.outside(group);
                    let drawn: Vec<_> =
                        starts.map(|start| (group, levels.runs_from(start, group, level))).collect();
                    let means: Vec<_> = levels.losses(&drawn)?.iter().map(|losses| mean(losses)).collect();
                    value += mean(&means) * panels.len(group) as f64 / ROWS as f64;
                }
            }
            let want = mean_loss(&x, &y, candidates, tau);
            assert!((value - want).abs() < 2e-6, "{candidates}, tau = {tau}: {value} and {want}");
        }
        Ok(())
    }
}
