//! Stages: blocks until an interval is narrow enough, and the exact value where that is no dearer.

use rand::rngs::ChaCha8Rng;
use unisphere::unordered_pairs;

use super::{
    betting::{Belief, interval},
    blocks::Blocks,
    interval::Method,
    rounding::Measure,
};
use crate::error::Result;

/// Blocks of the first stage.
const FIRST_STAGE: usize = 4096;
/// Blocks of a later stage at least.
const MIN_BLOCKS_OF_LATER_STAGE: f64 = 256.0;
/// Parts of the risk that the stages take: a first one, a second that should do, and a third where that fell just short.
const RISKS: [f64; 3] = [0.1, 0.7, 0.2];
/// Blocks beyond what the stages before say, since they are uncertain themselves.
const SAFETY: f64 = 1.1;
/// Factor to which the number of blocks that is needed is found.
const STEP_OF_SEARCH: f64 = 1.1;
/// Blocks up to which a trial is made in full. Larger trials scale its interval by the root of their number.
const MAX_BLOCKS_OF_TRIAL: f64 = 2.5e5;
/// Share of all pairs from which on the exact value is worth its time.
pub(crate) const MAX_SHARE: f64 = 0.3;
/// Pairs up to which all of them are computed without a word: some seconds.
const PAIRS_WITHOUT_WARNING: u64 = 2_000_000_000;
/// Most blocks of one stage.
const MAX_BLOCKS: f64 = 2e7;

/// What is asked for, and of how many pairs.
pub(crate) struct Plan {
    pub(crate) t: f64,
    pub(crate) tolerance: f64,
    pub(crate) measure: Measure,
    pub(crate) count: Count,
    pub(crate) panel_rows: usize,
    pub(crate) confidence: f64,
    pub(crate) fallback: Fallback,
}

/// What takes the place of an estimate that would take too many pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// The value of all pairs.
    AllPairs,
    /// What as many pairs tell as may be drawn.
    LargestSample,
    /// Nothing: what was reached without them.
    Nothing,
}

impl Plan {
    /// The value by stages; by all pairs at once where there are less than two whole panels, or the first stage alone would be
    /// about as dear.
    pub(crate) fn find<'a>(
        &self,
        rng: &mut ChaCha8Rng,
        blocks: impl FnOnce() -> Result<Blocks<'a>>,
        exact: impl FnOnce() -> Result<f64>,
    ) -> Result<Found> {
        let is_dear = FIRST_STAGE as f64 * self.block_pairs() > MAX_SHARE * self.count.pairs as f64;
        if is_dear || self.count.fewest_rows / 2 < self.panel_rows {
            return Ok(Found::exact(exact()?, self));
        }
        let found = self.stages(rng, &mut blocks()?)?;
        if self.fallback != Fallback::AllPairs || found.half_width() <= self.tolerance {
            return Ok(found);
        }
        self.warn_of_all_pairs();
        Ok(Found::exact(exact()?, self))
    }

    /// Says that all pairs are computed, where they are many.
    pub(crate) fn warn_of_all_pairs(&self) {
        if self.count.pairs > PAIRS_WITHOUT_WARNING {
            log::warn!(
                "no estimate promises {:.1e} at t = {}: all {:.1e} pairs are computed",
                self.tolerance,
                self.t,
                self.count.pairs as f64
            );
        }
    }

    /// Stages until the interval is narrow enough. It stays wider where a stage would be too dear, unless only an estimate is asked
    /// for: then that stage is as large as may be, and the last.
    fn stages(&self, rng: &mut ChaCha8Rng, blocks: &mut Blocks<'_>) -> Result<Found> {
        let sum = Sum::of(blocks, self);
        let risk = 1.0 - self.confidence;
        let most = (MAX_SHARE * self.count.pairs as f64 / self.block_pairs())
            .min(MAX_BLOCKS)
            .max(FIRST_STAGE as f64);
        let mut count = FIRST_STAGE as f64;
        let (mut ends, mut belief, mut drawn) = ([0.0, 1.0], Belief::NONE, 0);
        let mut parts = RISKS.into_iter().map(|part| part * risk).peekable();
        loop {
            let draws = blocks.draw(rng, count as usize)?;
            drawn += draws.len() as u64;
            ends = intersection(ends, interval(&draws, parts.next().unwrap_or_default(), belief));
            let (mean, variance) = moments(&draws);
            belief = Belief { mean, variance };
            let found = sum.found(mean, ends, self, drawn, blocks.pairs());
            let was_largest = count >= most;
            let Some(&next) = parts.peek() else { return Ok(found) };
            if was_largest || found.half_width() <= self.tolerance {
                return Ok(found);
            }
            count = SAFETY * blocks_for(&sum, self, &draws, belief, next, most);
            if count > most && self.fallback != Fallback::LargestSample {
                return Ok(found);
            }
            count = count.min(most);
        }
    }

    /// Pairs of a block of two whole panels.
    fn block_pairs(&self) -> f64 {
        (self.panel_rows as f64).powi(2)
    }

    /// Ends of an interval, wider by the error of the arithmetic.
    pub(crate) fn widened(&self, ends: [f64; 2]) -> [f64; 2] {
        self.measure.arithmetic().widened(ends)
    }
}

/// Pairs that an estimate is for.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    /// Pairs in all.
    pub(crate) pairs: u64,
    /// How often blocks hold each of them: twice where they are ordered.
    ordered: f64,
    /// Kernels that are summed for each pair.
    kernels: u64,
    /// Rows of the smaller set.
    fewest_rows: usize,
}

impl Count {
    pub(crate) fn within(rows: usize) -> Self {
        Self { pairs: unordered_pairs(rows), ordered: 2.0, kernels: 1, fewest_rows: rows }
    }

    pub(crate) fn across(x: usize, y: usize) -> Self {
        Self { pairs: x as u64 * y as u64, ordered: 1.0, kernels: 1, fewest_rows: x.min(y) }
    }

    /// The same pairs, for each of which so many kernels are summed.
    pub(crate) fn of_kernels(self, kernels: u64) -> Self {
        Self { kernels, ..self }
    }

    /// Kernels of all pairs.
    pub(crate) fn total(self) -> u64 {
        self.kernels * self.pairs
    }
}

/// The sum over all ordered pairs: between two bounds, and blocks tell the share of what lies between these.
struct Sum {
    least: f64,
    range: f64,
    /// Ordered pairs in all.
    count: f64,
    measure: Measure,
}

impl Sum {
    fn of(blocks: &Blocks<'_>, plan: &Plan) -> Self {
        let count = plan.count.ordered * plan.count.pairs as f64;
        Self { least: blocks.least(), range: blocks.range(), count, measure: plan.measure }
    }

    /// The value, if blocks have this share of their range.
    fn value(&self, share: f64) -> f64 {
        self.measure.of((self.least + self.range * share) / self.count)
    }

    fn found(&self, mean: f64, ends: [f64; 2], plan: &Plan, blocks: u64, pairs: u64) -> Found {
        let [low, high] = plan.widened(ends.map(|end| self.value(end)));
        Found { value: self.value(mean), low, high, method: Method::NormWeightedBlocks, blocks, pairs }
    }
}

/// What a value and its interval came from.
pub(crate) struct Found {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) method: Method,
    pub(crate) blocks: u64,
    pub(crate) pairs: u64,
}

impl Found {
    pub(crate) fn exact(value: f64, plan: &Plan) -> Self {
        let [low, high] = plan.widened([value; 2]);
        Self { value, low, high, method: Method::Exact, blocks: 0, pairs: plan.count.total() }
    }

    pub(crate) fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }
}

/// Blocks until a betting interval is narrow enough, if those to come are as those drawn: more than `most` where that many would
/// not do.
fn blocks_for(sum: &Sum, plan: &Plan, drawn: &[f64], belief: Belief, risk: f64, most: f64) -> f64 {
    let spare = plan.tolerance - plan.measure.arithmetic().rounding.at(sum.value(belief.mean));
    // The interval of so many blocks; of more than a trial has, narrower by the root.
    let is_enough = |count: f64| {
        let tried = count.min(MAX_BLOCKS_OF_TRIAL);
        let like_drawn: Vec<_> = drawn.iter().copied().cycle().take(tried as usize).collect();
        let scale = (tried / count).sqrt();
        let scaled = |end: f64| belief.mean + scale * (end - belief.mean);
        let [low, high] = interval(&like_drawn, risk, belief).map(scaled);
        0.5 * (sum.value(high) - sum.value(low.max(0.0))) <= spare
    };
    // A sum of 0, whose log no interval bounds, and a tolerance below rounding never have enough.
    let (mut few, mut enough) = (MIN_BLOCKS_OF_LATER_STAGE, MIN_BLOCKS_OF_LATER_STAGE);
    while !is_enough(enough) {
        if enough > most {
            return f64::INFINITY;
        }
        (few, enough) = (enough, 4.0 * enough);
    }
    while enough > STEP_OF_SEARCH * few {
        let between = (few * enough).sqrt();
        *if is_enough(between) { &mut enough } else { &mut few } = between;
    }
    enough
}

/// What two intervals have in common. Where that is nothing, one of them does not hold, and all that either has is returned.
fn intersection(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    let [low, high] = [a[0].max(b[0]), a[1].min(b[1])];
    if low <= high { [low, high] } else { [a[0].min(b[0]), a[1].max(b[1])] }
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_that_contradict_each_other_leave_both() {
        assert_eq!(intersection([0.1, 0.5], [0.3, 0.7]), [0.3, 0.5]);
        assert_eq!(intersection([0.1, 0.2], [0.3, 0.7]), [0.1, 0.7]);
    }
}
