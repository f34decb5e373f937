//! Estimates of uniformity from blocks of pairs: two stages, an interval, and the exact value where that is no dearer.

use rand::{SeedableRng, rngs::ChaCha8Rng};
use unisphere::{
    DeviceKind, Embeddings, Engine, Error, Precision, Result, Scaling, Storage, Uniformity, unordered_pairs,
};

use super::{
    betting::{Belief, interval},
    blocks::{Blocks, Side},
    copies::Copies,
    shuffled::{Shuffled, in_random_order, read_in_random_order},
};
use unisphere_io::Source;

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
    /// The lower end. Both ends allow for the error of the arithmetic too, as docs/accuracy.md states it.
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
    /// were drawn from. None across two sets, and of less than three rows.
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
/// Blocks of the first stage.
const FIRST_STAGE: usize = 4096;
/// Parts of the risk that the stages take: a first one, a second that should do, and a third where that fell just short.
const RISKS: [f64; 3] = [0.1, 0.7, 0.2];
/// Blocks beyond what the stages before say, since they are uncertain themselves.
const SAFETY: f64 = 1.1;
/// Factor to which the number of blocks that is needed is found.
const STEP_OF_SEARCH: f64 = 1.1;
/// Blocks up to which a trial is made in full. Larger trials scale its interval by the root of their number.
const MAX_BLOCKS_OF_TRIAL: f64 = 2.5e5;
/// Share of all pairs from which on the exact value is worth its time.
const MAX_SHARE: f64 = 0.3;
/// Most blocks of one stage.
const MAX_BLOCKS: f64 = 2e7;

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
    /// tenths of them tell, or twenty million blocks a stage. Sets so small that a first stage takes as many pairs are computed
    /// all the same.
    #[must_use]
    pub fn estimate_only(self) -> Self {
        Self { estimate_only: true, ..self }
    }

    /// Uniformity of x (n, d) over its pairs i < j.
    ///
    /// Points that are owned are put into a random order in place and handed to the engine, so that the CPU takes no second
    /// copy of them. Beside them there are some 32 bytes a row, and 24 for each block that is drawn.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`], [`Error::TooFewRows`] for less than two rows, those of [`Engine::upload`] and of
    /// [`Engine::value`].
    pub fn uniformity(&self, engine: &Engine, x: Embeddings<'_>, t: f64) -> Result<Interval> {
        self.check(t)?;
        let mut rng = self.order_rng();
        let x = in_random_order(x, &mut rng)?;
        self.of_shuffled(engine, &Shuffled::new(engine, x)?, t)
    }

    /// Uniformity of a source's points (n, d) at every t, each with an interval of its own. All points are held in memory, and read
    /// in random order by several threads.
    ///
    /// # Errors
    ///
    /// Those of [`uniformity`](Self::uniformity) and of the source.
    pub fn uniformities_of(
        &self,
        engine: &Engine,
        x: &dyn Source,
        scaling: Scaling,
        ts: &[f64],
    ) -> Result<Vec<Interval>, crate::Error> {
        ts.iter().try_for_each(|&t| self.check(t))?;
        let mut rng = self.order_rng();
        let x = read_in_random_order(x, scaling, &mut rng)?;
        let shuffled = Shuffled::new(engine, x)?;
        ts.iter().map(|&t| Ok(self.of_shuffled(engine, &shuffled, t)?)).collect()
    }

    /// Uniformity of points in a random order. Each t has the same draws as if it were alone.
    fn of_shuffled(&self, engine: &Engine, x: &Shuffled, t: f64) -> Result<Interval> {
        let row_error = x.row_error(engine, t)?;
        let tenth = TOLERANCE_OF_ROW_ERROR * row_error.unwrap_or_default();
        let plan = Plan {
            tolerance: self.tolerance.unwrap_or(LEAST_TOLERANCE.max(tenth)),
            rounding: Rounding::of(engine, x.points.scaling(), t),
            all: unordered_pairs(x.points.rows()),
            ordered: 2.0,
            fewest_rows: x.points.rows(),
            panel_rows: self.panel_rows(engine),
        };
        let blocks = || {
            let side = Side::new(engine, &x.points, plan.panel_rows, t)?;
            let copies = Copies::new(side.panels(), &x.classes);
            Ok(Blocks::within(engine, t, side, copies))
        };
        let exact = || engine.uniformity(&x.points, Uniformity::new(t));
        let found = self.find(&plan, blocks, exact)?;
        Ok(self.interval(found, &plan, row_error))
    }

    /// Numbers for the order of the rows.
    fn order_rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    /// Numbers for the draw of the blocks: others than for the order.
    fn draw_rng(&self) -> ChaCha8Rng {
        let mut rng = self.order_rng();
        rng.set_stream(1);
        rng
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
        let mut rng = self.order_rng();
        let (x, y) = (in_random_order(x, &mut rng)?, in_random_order(y, &mut rng)?);
        let plan = Plan {
            tolerance: self.tolerance.unwrap_or(LEAST_TOLERANCE),
            rounding: Rounding::of(engine, x.scaling(), t),
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
        let found = self.find(&plan, blocks, exact)?;
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
        // Whole tiles of the CPU; on a GPU a block is to be worth its command, and to be summed as large sets are.
        let usual = if engine.device().kind == DeviceKind::Cpu { 96 } else { 1024 };
        self.panel_rows.unwrap_or(usual)
    }

    /// The value by stages; by all pairs at once where there are less than two whole panels, or the first stage alone would be
    /// about as dear.
    fn find<'a>(
        &self,
        plan: &Plan,
        blocks: impl FnOnce() -> Result<Blocks<'a>>,
        exact: impl FnOnce() -> Result<f64>,
    ) -> Result<Found> {
        let is_dear = FIRST_STAGE as f64 * plan.block_pairs() > MAX_SHARE * plan.all as f64;
        if is_dear || plan.fewest_rows / 2 < plan.panel_rows {
            return Ok(Found::exact(exact()?, plan));
        }
        let found = self.stages(plan, &mut blocks()?)?;
        if self.estimate_only || found.half_width() <= plan.tolerance {
            return Ok(found);
        }
        Ok(Found::exact(exact()?, plan))
    }

    /// Stages until the interval is narrow enough. It stays wider where a stage would be too dear, unless only an estimate is asked
    /// for: then that stage is as large as may be, and the last.
    fn stages(&self, plan: &Plan, blocks: &mut Blocks<'_>) -> Result<Found> {
        let (sum, mut rng) = (Sum::of(blocks, plan), self.draw_rng());
        let risk = 1.0 - self.confidence;
        let most = (MAX_SHARE * plan.all as f64 / plan.block_pairs()).min(MAX_BLOCKS).max(FIRST_STAGE as f64);
        let mut count = FIRST_STAGE as f64;
        let (mut ends, mut belief, mut drawn) = ([0.0, 1.0], Belief::NONE, 0);
        let mut parts = RISKS.into_iter().map(|part| part * risk).peekable();
        loop {
            let draws = blocks.draw(&mut rng, count as usize)?;
            drawn += draws.len() as u64;
            ends = intersection(ends, interval(&draws, parts.next().unwrap_or_default(), belief));
            let (mean, variance) = moments(&draws);
            belief = Belief { mean, variance };
            let found = sum.found(mean, ends, plan, drawn, blocks.pairs());
            let was_largest = count >= most;
            let Some(&next) = parts.peek() else { return Ok(found) };
            if was_largest || found.half_width() <= plan.tolerance {
                return Ok(found);
            }
            count = SAFETY * blocks_for(&sum, plan, &draws, belief, next, most);
            if count > most && !self.estimate_only {
                return Ok(found);
            }
            count = count.min(most);
        }
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
    rounding: Rounding,
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

    /// Ends of an interval, wider by the error of the arithmetic. No kernel is above 1.
    fn widened(&self, [low, high]: [f64; 2]) -> [f64; 2] {
        [low - self.rounding.at(low), (high + self.rounding.at(high)).min(0.0)]
    }
}

/// Largest error of a value in the arithmetic of a device, as `docs/accuracy.md` states it.
#[derive(Clone, Copy)]
struct Rounding {
    absolute: f64,
    /// Part of the value, where that is above 1.
    of_value: f64,
}

impl Rounding {
    fn of(engine: &Engine, scaling: Scaling, t: f64) -> Self {
        if scaling == Scaling::Raw {
            return Self { absolute: 1e-5, of_value: 1e-5 };
        }
        let is_coarse = engine.precision() == Precision::F16 || engine.storage() == Storage::F16;
        let absolute = match t {
            _ if is_coarse => 1e-5 * (t / 2.0).max(1.0),
            _ if t <= 5.0 => 1e-6,
            _ => 3e-6 * (t / 50.0).max(1.0),
        };
        Self { absolute, of_value: 0.0 }
    }

    fn at(self, value: f64) -> f64 {
        // The log of nothing is exact.
        if value.is_finite() { self.absolute.max(self.of_value * value.abs()) } else { 0.0 }
    }
}

/// The sum over all ordered pairs: a part that is known, and a bound of the rest, of which blocks tell the share.
struct Sum {
    exact_part: f64,
    bound: f64,
    /// Ordered pairs in all.
    count: f64,
}

impl Sum {
    fn of(blocks: &Blocks<'_>, plan: &Plan) -> Self {
        let count = plan.ordered * plan.all as f64;
        Self { exact_part: blocks.exact_part(), bound: blocks.bound(), count }
    }

    /// The value, if blocks have this share of their bounds.
    fn log_mean(&self, share: f64) -> f64 {
        ((self.exact_part + self.bound * share) / self.count).ln()
    }

    fn found(&self, mean: f64, ends: [f64; 2], plan: &Plan, blocks: u64, pairs: u64) -> Found {
        let [low, high] = plan.widened(ends.map(|end| self.log_mean(end)));
        Found { value: self.log_mean(mean), low, high, exact: false, blocks, pairs }
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

/// Blocks until a betting interval is narrow enough, if those to come are as those drawn: more than `most` where that many would
/// not do.
fn blocks_for(sum: &Sum, plan: &Plan, drawn: &[f64], belief: Belief, risk: f64, most: f64) -> f64 {
    let spare = plan.tolerance - plan.rounding.at(sum.log_mean(belief.mean));
    // The interval of so many blocks; of more than a trial has, narrower by the root.
    let is_enough = |count: f64| {
        let tried = count.min(MAX_BLOCKS_OF_TRIAL);
        let like_drawn: Vec<_> = drawn.iter().copied().cycle().take(tried as usize).collect();
        let scale = (tried / count).sqrt();
        let scaled = |end: f64| belief.mean + scale * (end - belief.mean);
        let [low, high] = interval(&like_drawn, risk, belief).map(scaled);
        0.5 * (sum.log_mean(high) - sum.log_mean(low.max(0.0))) <= spare
    };
    // A sum of 0, whose log no interval bounds, and a tolerance below rounding never have enough.
    let (mut few, mut enough) = (FIRST_STAGE as f64, FIRST_STAGE as f64);
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
