//! Estimates of uniformity from blocks of pairs: two stages, an interval, and the exact value where that is no dearer.

use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use unisphere::{DeviceKind, Embeddings, Engine, Error, Result, Scaling, Uniformity, unordered_pairs};

use crate::{
    betting::{Belief, interval},
    blocks::{Blocks, Side},
    copies::Copies,
};

/// How an estimate is made: to which tolerance, with which confidence, from which seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    tolerance: Option<f64>,
    confidence: f64,
    seed: u64,
    panel_rows: Option<usize>,
    estimate_only: bool,
}

/// A value with an interval that holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Interval {
    /// The value. Its bias, which is that of a log, is below a hundredth of the half-width where that is at most 0.01.
    pub value: f64,
    /// The lower end. Both ends allow for the error of single precision too, as docs/accuracy.md states it for t up to 50; they
    /// do not for that of [coarser products](Engine::with_precision) or [coarser storage](Engine::with_storage).
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The probability, over the draw of the blocks, with which the interval holds the value over all pairs; 1 of an exact value.
    pub confidence: f64,
    /// How it was found.
    pub method: Method,
    /// The half-width that was asked for.
    pub tolerance: f64,
    /// What the order of the rows and the draw of the blocks follow from.
    pub seed: u64,
    /// Rows of a panel.
    pub panel_rows: usize,
    /// Blocks of two panels that were drawn; 0 of an exact value.
    pub blocks: u64,
    /// Pairs that the value is of: all pairs of an exact one, whatever was summed before it.
    pub pairs: u64,
    /// Their share of all pairs.
    pub share: f64,
    /// The standard error of the value as one of a sample of rows: how far it may be from that of the distribution that the rows
    /// were drawn from. None across two sets.
    pub row_error: Option<f64>,
}

/// How a value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// From all pairs.
    Exact,
    /// From blocks of pairs, drawn in proportion to a bound of their sums, by a betting interval: proven for any data.
    NormWeightedBlocks,
}

/// The tolerance that serves where the standard error of the rows is small.
const LEAST_TOLERANCE: f64 = 1e-4;
/// Part of the standard error of the rows that an estimate need not be better than.
const TOLERANCE_OF_ROW_ERROR: f64 = 0.1;
/// Rows that the standard error of all is estimated from.
const ROWS_FOR_ERROR: usize = 2048;
/// Blocks of the first stage.
const FIRST_STAGE: usize = 4096;
/// Part of the risk that the first stage takes.
const RISK_OF_FIRST_STAGE: f64 = 0.2;
/// Blocks beyond what the first stage says, since it is uncertain itself.
const SAFETY: f64 = 1.1;
/// How much the number of blocks grows from one trial to the next.
const STEP_OF_SEARCH: f64 = 1.2;
/// Share of all pairs from which on the exact value is worth its time.
const MAX_SHARE: f64 = 0.3;
/// Most blocks of one stage, whose sums are kept.
const MAX_BLOCKS: f64 = 4e6;

impl Default for Sampling {
    fn default() -> Self {
        Self::new()
    }
}

impl Sampling {
    /// An interval of 95 % confidence from seed 0, whose half-width is at most 1e-4 or a tenth of the standard error of the rows,
    /// whichever is larger.
    pub fn new() -> Self {
        Self { tolerance: None, confidence: 0.95, seed: 0, panel_rows: None, estimate_only: false }
    }

    /// The half-width of the interval that is asked for; positive.
    #[must_use]
    pub fn with_tolerance(self, tolerance: f64) -> Self {
        Self { tolerance: Some(tolerance), ..self }
    }

    /// The probability with which the interval is to hold the value; above 0 and below 1.
    #[must_use]
    pub fn with_confidence(self, confidence: f64) -> Self {
        Self { confidence, ..self }
    }

    /// Another seed: the same one gives the same bits on one device.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// So many rows in a panel, at least 1. Larger panels reach a narrow interval in sets with close pairs, at more pairs for
    /// each block.
    #[must_use]
    pub fn with_panel_rows(self, rows: usize) -> Self {
        Self { panel_rows: Some(rows), ..self }
    }

    /// No exact value in the place of an estimate: where the tolerance takes too many pairs, the interval is what up to three
    /// tenths of them tell, or four million blocks. Sets of less than two panels are computed all the same.
    #[must_use]
    pub fn estimate_only(self) -> Self {
        Self { estimate_only: true, ..self }
    }

    /// Uniformity of x (n, d) over its pairs i < j.
    ///
    /// Points that are owned are put into a random order in place and handed to the engine, so that the CPU takes no second
    /// copy of them. Beside them there are some 32 bytes a row, and 250 for each block that is drawn.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`], [`Error::TooFewRows`] for less than two rows, those of [`Engine::upload`] and of
    /// [`Engine::value`].
    pub fn uniformity(&self, engine: &Engine, x: Embeddings<'_>, t: f64) -> Result<Interval> {
        self.check(t)?;
        let (n, mut rng) = (x.rows(), ChaCha8Rng::seed_from_u64(self.seed));
        let classes = x.duplicates();
        let (x, order) = in_random_order(x, &mut rng)?;
        let row_error = row_error(engine, &x, t)?;
        let plan = Plan {
            tolerance: self.tolerance.unwrap_or(LEAST_TOLERANCE.max(TOLERANCE_OF_ROW_ERROR * row_error)),
            scaling: x.scaling(),
            t,
            all: unordered_pairs(n),
            ordered: 2.0,
            fewest_rows: n,
            panel_rows: self.panel_rows(engine),
        };
        let x = engine.upload_owned(x)?;
        let blocks = || {
            let mut place = vec![0; n];
            order.iter().enumerate().for_each(|(new, &old)| place[old] = new);
            let side = Side::new(engine, &x, plan.panel_rows, t)?;
            let copies = Copies::new(side.panels(), &classes, |row| place[row]);
            Ok(Blocks::within(engine, t, side, copies))
        };
        let found = self.find(&plan, &mut rng, blocks, || engine.uniformity(&x, Uniformity::new(t)))?;
        Ok(self.interval(found, &plan, Some(row_error)))
    }

    /// Cross uniformity over all pairs of x (n, d) with y (m, d).
    ///
    /// # Errors
    ///
    /// Those of [`uniformity`](Self::uniformity), one row of either set being enough.
    pub fn cross_uniformity(
        &self,
        engine: &Engine,
        x: Embeddings<'_>,
        y: Embeddings<'_>,
        t: f64,
    ) -> Result<Interval> {
        self.check(t)?;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let ((x, _), (y, _)) = (in_random_order(x, &mut rng)?, in_random_order(y, &mut rng)?);
        let plan = Plan {
            tolerance: self.tolerance.unwrap_or(LEAST_TOLERANCE),
            scaling: x.scaling(),
            t,
            all: x.rows() as u64 * y.rows() as u64,
            ordered: 1.0,
            fewest_rows: x.rows().min(y.rows()),
            panel_rows: self.panel_rows(engine),
        };
        let (x, y) = (engine.upload_owned(x)?, engine.upload_owned(y)?);
        let blocks = || {
            let side = |points| Side::new(engine, points, plan.panel_rows, t);
            Ok(Blocks::across(engine, t, side(&x)?, side(&y)?))
        };
        let exact = || engine.value(Uniformity::new(t).across(&x, &y));
        let found = self.find(&plan, &mut rng, blocks, exact)?;
        Ok(self.interval(found, &plan, None))
    }

    fn check(&self, t: f64) -> Result<()> {
        let fault = |name, value, expected| Err(Error::Parameter { name, value, expected });
        match *self {
            _ if !(t > 0.0 && t.is_finite()) => fault("t", t, "positive and finite"),
            Self { tolerance: Some(tolerance), .. } if !(tolerance > 0.0 && tolerance.is_finite()) => {
                fault("tolerance", tolerance, "positive and finite")
            }
            Self { confidence, .. } if !(confidence > 0.0 && confidence < 1.0) => {
                fault("confidence", confidence, "above 0 and below 1")
            }
            Self { panel_rows: Some(0), .. } => fault("panel_rows", 0.0, "at least 1"),
            _ => Ok(()),
        }
    }

    fn panel_rows(&self, engine: &Engine) -> usize {
        // Whole tiles of the CPU; on a GPU a block is to be worth its command.
        let usual = if engine.device().kind == DeviceKind::Cpu { 96 } else { 512 };
        self.panel_rows.unwrap_or(usual)
    }

    /// The value by stages; by all pairs at once where there are less than two whole panels, or the first stage alone would be
    /// about as dear.
    fn find<'a>(
        &self,
        plan: &Plan,
        rng: &mut ChaCha8Rng,
        blocks: impl FnOnce() -> Result<Blocks<'a>>,
        exact: impl FnOnce() -> Result<f64>,
    ) -> Result<Found> {
        let is_dear = FIRST_STAGE as f64 * plan.block_pairs() > MAX_SHARE * plan.all as f64;
        if plan.fewest_rows / 2 < plan.panel_rows || (is_dear && !self.estimate_only) {
            return Ok(Found::exact(exact()?, plan));
        }
        self.stages(plan, &mut blocks()?, rng, exact)
    }

    /// The first stage, and the second where the first is not enough and a second may be.
    fn stages(
        &self,
        plan: &Plan,
        blocks: &mut Blocks<'_>,
        rng: &mut ChaCha8Rng,
        exact: impl FnOnce() -> Result<f64>,
    ) -> Result<Found> {
        let (exact_part, bound) = (blocks.exact_part(), blocks.bound());
        let log_mean = |part: f64| ((exact_part + bound * part) / (plan.ordered * plan.all as f64)).ln();
        let found = |value: f64, ends: [f64; 2], drawn: usize, blocks: &Blocks<'_>| {
            let [low, high] = plan.widened(ends.map(log_mean));
            let (value, blocks, pairs) = (log_mean(value), drawn as u64, blocks.pairs());
            Found { value, low, high, exact: false, blocks, pairs }
        };
        let risk = 1.0 - self.confidence;
        let first = blocks.draw(rng, FIRST_STAGE)?;
        let (mean, variance) = moments(&first);
        let ends = interval(&first, RISK_OF_FIRST_STAGE * risk, Belief::NONE);
        let of_first = found(mean, ends, first.len(), blocks);
        if of_first.half_width() <= plan.tolerance {
            return Ok(of_first);
        }
        let risk = (1.0 - RISK_OF_FIRST_STAGE) * risk;
        // The half-width that is needed of the mean part of the bound.
        let reach = (plan.tolerance - plan.rounding(of_first.value)) * (exact_part / bound + mean);
        let most = (MAX_SHARE * plan.all as f64 / plan.block_pairs()).min(MAX_BLOCKS);
        let belief = Belief { mean, variance };
        let mut count = (SAFETY * blocks_for(reach, &first, belief, risk, most)).max(FIRST_STAGE as f64);
        if count > most {
            if !self.estimate_only {
                return Ok(Found::exact(exact()?, plan));
            }
            count = most.max(FIRST_STAGE as f64);
        }
        let second = blocks.draw(rng, count as usize)?;
        let both = intersection(ends, interval(&second, risk, belief));
        let of_both = found(moments(&second).0, both, first.len() + second.len(), blocks);
        if of_both.half_width() > plan.tolerance && !self.estimate_only {
            return Ok(Found::exact(exact()?, plan));
        }
        Ok(of_both)
    }

    fn interval(&self, found: Found, plan: &Plan, row_error: Option<f64>) -> Interval {
        let Found { value, low, high, exact, blocks, pairs } = found;
        Interval {
            // The second stage's mean may lie outside of what the first has left.
            value: value.clamp(low, high.max(low)),
            low,
            high,
            confidence: if exact { 1.0 } else { self.confidence },
            method: if exact { Method::Exact } else { Method::NormWeightedBlocks },
            tolerance: plan.tolerance,
            seed: self.seed,
            panel_rows: plan.panel_rows,
            blocks,
            pairs,
            share: pairs as f64 / plan.all as f64,
            row_error,
        }
    }
}

impl Interval {
    /// Half of the width; infinite where nothing bounds the value from below.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// Whether it is as narrow as was asked for. An exact value always is as narrow as can be.
    pub fn meets_tolerance(&self) -> bool {
        self.method == Method::Exact || self.half_width() <= self.tolerance
    }
}

/// What is asked for, and of how many pairs.
struct Plan {
    tolerance: f64,
    scaling: Scaling,
    t: f64,
    /// Pairs in all.
    all: u64,
    /// How often blocks hold each of them: twice where they are ordered.
    ordered: f64,
    /// Rows of the smaller set.
    fewest_rows: usize,
    panel_rows: usize,
}

impl Plan {
    /// Pairs of a block of two whole panels.
    fn block_pairs(&self) -> f64 {
        (self.panel_rows as f64).powi(2)
    }

    /// Largest error of a value in the arithmetic of a device, as `docs/accuracy.md` states it.
    fn rounding(&self, value: f64) -> f64 {
        match self.scaling {
            Scaling::Raw => 1e-5 * value.abs().max(1.0),
            Scaling::Unit if self.t <= 5.0 => 1e-6,
            Scaling::Unit => 3e-6,
        }
    }

    /// Ends of an interval, wider by the error of the arithmetic. No kernel is above 1.
    fn widened(&self, [low, high]: [f64; 2]) -> [f64; 2] {
        [low - self.rounding(low), (high + self.rounding(high)).min(0.0)]
    }
}

/// What a value and its interval came from.
struct Found {
    value: f64,
    low: f64,
    high: f64,
    exact: bool,
    blocks: u64,
    pairs: u64,
}

impl Found {
    fn exact(value: f64, plan: &Plan) -> Self {
        let [low, high] = plan.widened([value; 2]);
        Self { value, low, high, exact: true, blocks: 0, pairs: plan.all }
    }

    fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }
}

fn in_random_order<'a>(x: Embeddings<'a>, rng: &mut ChaCha8Rng) -> Result<(Embeddings<'a>, Vec<usize>)> {
    let mut order: Vec<_> = (0..x.rows()).collect();
    order.shuffle(rng);
    Ok((x.reordered(&order)?, order))
}

/// The standard error of the uniformity of rows, from those that come first in a random order.
fn row_error(engine: &Engine, x: &Embeddings<'_>, t: f64) -> Result<f64> {
    let (rows, dims) = (x.rows().min(ROWS_FOR_ERROR), x.dims());
    let some = Embeddings::with_scaling(&x.values()[..rows * dims], rows, dims, x.scaling())?;
    let potentials = engine.value(Uniformity::new(t).potentials(&engine.upload(&some)?))?;
    Ok(potentials.estimate().standard_error * (rows as f64 / x.rows() as f64).sqrt())
}

/// Blocks until a betting interval reaches no further, if those to come are as the first ones: more than `most` where that
/// many would not do.
fn blocks_for(reach: f64, first: &[f64], belief: Belief, risk: f64, most: f64) -> f64 {
    // Also of a sum that is 0, whose log no interval bounds.
    if reach.is_nan() || reach <= 0.0 {
        return f64::INFINITY;
    }
    // The width that the deviation alone leads to, as the interval has it in the limit.
    let mut count = 2.0 * (2.0 / risk).ln() * belief.variance / (reach * reach);
    count = count.max(1.0 / reach);
    while count <= most {
        let like_first: Vec<_> = first.iter().copied().cycle().take(count as usize).collect();
        let [low, high] = interval(&like_first, risk, belief);
        if 0.5 * (high - low) <= reach {
            break;
        }
        count *= STEP_OF_SEARCH;
    }
    count
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
