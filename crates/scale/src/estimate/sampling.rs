//! How an estimate is made, and of what: options, and the sets that it is for.

use rand::{SeedableRng, rngs::ChaCha8Rng};
use unisphere::{DeviceKind, Embeddings, Engine, Error as EngineError, Points, Scaling, Uniformity};
use unisphere_io::Source;

use super::{
    blocks::{Blocks, Side},
    copies::Copies,
    interval::{Interval, Method},
    rounding::{Measure, Rounding},
    rounds::Rounds,
    shuffled::{ROWS_FOR_ERROR, Shuffled, in_random_order, keeps_half, row_error, upload_in_random_order},
    stages::{Count, Fallback, Found, Plan},
    streamed::{Streamed, bytes_of_half_rows, bytes_of_rows},
    sums::{Held, within},
};
use crate::{
    error::{Error, Result},
    exact::{Evaluation, Resources, Sets},
    panels::Panels,
};

/// How an estimate is made: to which tolerance, with which confidence, from which seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    pub(super) tolerance: Option<f64>,
    pub(super) confidence: f64,
    pub(super) draw: Draw,
    pub(super) seed: u64,
    pub(super) panel_rows: Option<usize>,
    pub(super) fallback: Fallback,
    pub(super) max_memory: Option<u64>,
}

/// What an estimate of the uniformity of one set draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Draw {
    /// Blocks of two panels, in proportion to a bound of their sums: the interval is proven for any data
    /// ([`Method::NormWeightedBlocks`]).
    #[default]
    Blocks,
    /// Rounds that have every row once: several times fewer pairs for the same tolerance, each at t, 2t and 4t, and an interval that
    /// is simulated, not proven ([`Method::TournamentRounds`]). Sets of less than 54 panels are computed from all pairs.
    Rounds,
}

/// The tolerance that serves where the standard error of the rows is small.
pub(super) const LEAST_TOLERANCE: f64 = 1e-4;
/// Part of the standard error of the rows that an estimate need not be better than.
const TOLERANCE_OF_ROW_ERROR: f64 = 0.1;

/// What was asked for, or what the standard error of the rows calls for.
pub(super) fn tolerance_or_default(asked: Option<f64>, row_error: Option<f64>) -> f64 {
    asked.unwrap_or(LEAST_TOLERANCE.max(TOLERANCE_OF_ROW_ERROR * row_error.unwrap_or_default()))
}

/// Bytes of memory that the points of a source take.
fn bytes_to_hold(engine: &Engine, source: &dyn Source) -> u64 {
    let of_rows = if keeps_half(engine, source) { bytes_of_half_rows } else { bytes_of_rows };
    of_rows(source.rows(), source.dims())
}

impl Default for Sampling {
    fn default() -> Self {
        Self::new()
    }
}

impl Sampling {
    /// An interval of 95 % confidence from seed 0, whose half-width is at most 1e-4 or a tenth of the standard error of the rows,
    /// whichever is larger.
    pub fn new() -> Self {
        Self {
            tolerance: None,
            confidence: 0.95,
            draw: Draw::default(),
            seed: 0,
            panel_rows: None,
            fallback: Fallback::AllPairs,
            max_memory: None,
        }
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

    /// Blocks, or rounds in their place. Rounds are of one set that is held: across two sets, of squared MMD, and of points that
    /// take more than [the memory allowed](Self::with_max_memory), they are refused. The contrastive loss has draws of its own.
    #[must_use]
    pub fn with_draw(self, draw: Draw) -> Self {
        Self { draw, ..self }
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
        Self { fallback: Fallback::LargestSample, ..self }
    }

    /// The interval that was reached in the place of an exact value, for a caller who computes all pairs in a way of their own: with
    /// [`Evaluation::values`], which keeps a journal, and [`Interval::with_all_pairs`]. No large sample is drawn before it. Sets so
    /// small that a first stage takes as many pairs are computed all the same.
    #[must_use]
    pub fn without_all_pairs(self) -> Self {
        Self { fallback: Fallback::Nothing, ..self }
    }

    /// Memory for points, in bytes, within which [`uniformities_of`](Self::uniformities_of) keeps; as much as it takes where
    /// none is given.
    #[must_use]
    pub fn with_max_memory(self, bytes: u64) -> Self {
        Self { max_memory: Some(bytes), ..self }
    }

    /// Uniformity of x (n, d) over its pairs i < j.
    ///
    /// Points that are owned are put into a random order in place and handed to the engine, so that the CPU takes no second
    /// copy of them. Beside them there are some 32 bytes a row, and 24 for each block that is drawn.
    ///
    /// # Errors
    ///
    /// [`Parameter`](unisphere::Error::Parameter), [`TooFewRows`](unisphere::Error::TooFewRows) for less than two rows, those of
    /// [`Engine::upload`] and of [`Engine::value`].
    pub fn uniformity(&self, engine: &Engine, x: Embeddings<'_>, t: f64) -> Result<Interval> {
        self.check(t)?;
        let x = in_random_order(x, &mut self.order_rng())?;
        self.of_shuffled(engine, &Shuffled::new(engine, x)?, t)
    }

    /// Uniformity of a source's points (n, d) at every t, each with an interval of its own.
    ///
    /// Points that fit the memory are read once, in random order and by several threads. Of others, chunks of an eighth of the
    /// memory are held and streamed, with their rows in a random order within each: several passes over the source for
    /// every t.
    ///
    /// # Errors
    ///
    /// Those of [`uniformity`](Self::uniformity), those of the source, [`Error::Memory`], and of rounds [`Error::NotHeld`].
    pub fn uniformities_of(
        &self,
        engine: &Engine,
        x: &dyn Source,
        scaling: Scaling,
        ts: &[f64],
    ) -> Result<Vec<Interval>> {
        ts.iter().try_for_each(|&t| self.check(t))?;
        match self.too_little_to_hold(engine, &[x]) {
            Some(given) if self.draw == Draw::Rounds => {
                let (what, instead) = ("by rounds", "blocks, which are read in chunks");
                let needed = bytes_to_hold(engine, x);
                Err(Error::NotHeld { what, instead, given, needed })
            }
            Some(bytes) => {
                let panel_rows = self.panel_rows(engine);
                let streamed = Streamed::new(engine, x, scaling, self.seed, panel_rows, bytes);
                if self.fallback != Fallback::LargestSample {
                    // What may have to be computed in the end is refused now, where memory is too small for it.
                    Evaluation::new().expected(Sets::one(x).shape()?, Some(bytes))?;
                }
                let some = streamed.sample(ROWS_FOR_ERROR.min(x.rows()))?;
                ts.iter().map(|&t| self.of_streamed(engine, x, &streamed, &some, t)).collect()
            }
            None => {
                let shuffled = Shuffled::read(engine, x, scaling, &mut self.order_rng())?;
                ts.iter().map(|&t| self.of_shuffled(engine, &shuffled, t)).collect()
            }
        }
    }

    /// Uniformity of points in a random order. Each t has the same draws as if it were alone.
    fn of_shuffled(&self, engine: &Engine, x: &Shuffled, t: f64) -> Result<Interval> {
        let (points, row_error) = (&x.points, x.row_error(engine, t)?);
        let plan = self.plan(engine, Count::within(points.rows()), points.scaling(), t, row_error);
        let panels = Panels { rows: points.rows(), panel_rows: plan.panel_rows };
        let (copies, mut rng) = (Copies::new(panels, &x.classes), self.draw_rng());
        let exact = || Ok(engine.uniformity(points, Uniformity::new(t))?);
        let found = match self.draw {
            Draw::Blocks => {
                let sums = Held { engine, t, left: (points, panels), right: None };
                let blocks = || {
                    let side = Side::new(panels, within(engine, t, points, panels)?);
                    Ok(Blocks::within(&sums, side, Some(copies)))
                };
                plan.find(&mut rng, blocks, exact)?
            }
            Draw::Rounds => {
                plan.find_by_rounds(&mut Rounds::new(engine, t, points, panels, copies, &mut rng), exact)?
            }
        };
        Ok(self.interval(found, &plan, row_error))
    }

    /// Uniformity of a source that is larger than memory, of which some points are on the device.
    fn of_streamed(
        &self,
        engine: &Engine,
        source: &dyn Source,
        x: &Streamed<'_>,
        some: &Points,
        t: f64,
    ) -> Result<Interval> {
        let (rows, scaling) = (source.rows(), some.scaling());
        let row_error = row_error(engine, some, rows, t)?;
        let plan = self.plan(engine, Count::within(rows), scaling, t, row_error);
        let sums = x.at(t, None);
        let blocks = || Ok(Blocks::within(&sums, Side::new(x.panels(), x.within(t)?), None));
        let exact = || {
            let (evaluation, resources) = self.all_pairs(t, scaling);
            let found = evaluation.values(engine, Sets::one(source), &resources)?;
            Ok(found.x.first().copied().unwrap_or(f64::NAN))
        };
        let found = plan.find(&mut self.draw_rng(), blocks, exact)?;
        Ok(self.interval(found, &plan, row_error))
    }

    pub(super) fn plan(
        &self,
        engine: &Engine,
        count: Count,
        scaling: Scaling,
        t: f64,
        row_error: Option<f64>,
    ) -> Plan {
        Plan {
            t,
            tolerance: tolerance_or_default(self.tolerance, row_error),
            measure: Measure::Log(Rounding::of(engine, scaling, t)),
            count,
            panel_rows: self.panel_rows(engine),
            confidence: self.confidence,
            fallback: self.fallback,
        }
    }

    /// Whether [the memory allowed](Self::with_max_memory) holds so many rows, of two sets those of both: points that it does not
    /// hold are streamed.
    pub fn holds(&self, rows: usize, dims: usize) -> bool {
        self.too_little_for(rows, dims).is_none()
    }

    /// The memory, where it does not hold so many rows.
    pub(super) fn too_little_for(&self, rows: usize, dims: usize) -> Option<u64> {
        self.max_memory.filter(|&bytes| bytes < bytes_of_rows(rows, dims))
    }

    /// The memory, where it does not hold these sets as uniformity's sums take them.
    fn too_little_to_hold(&self, engine: &Engine, sets: &[&dyn Source]) -> Option<u64> {
        let needed: u64 = sets.iter().map(|&set| bytes_to_hold(engine, set)).sum();
        self.max_memory.filter(|&bytes| bytes < needed)
    }

    /// Numbers for the order of the rows.
    pub(super) fn order_rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed)
    }

    /// Numbers for the draw of the blocks: others than for the order.
    pub(super) fn draw_rng(&self) -> ChaCha8Rng {
        let mut rng = self.order_rng();
        rng.set_stream(1);
        rng
    }

    /// Cross uniformity over all pairs of x (n, d) with y (m, d).
    ///
    /// # Errors
    ///
    /// Those of [`uniformity`](Self::uniformity), one row of either set being enough, and [`Error::Sets`] for rounds.
    pub fn cross_uniformity(
        &self,
        engine: &Engine,
        x: Embeddings<'_>,
        y: Embeddings<'_>,
        t: f64,
    ) -> Result<Interval> {
        self.check_two_sets(t)?;
        let mut rng = self.order_rng();
        let (x, y) = (in_random_order(x, &mut rng)?, in_random_order(y, &mut rng)?);
        self.across_shuffled(engine, &engine.upload_owned(x)?, &engine.upload_owned(y)?, t)
    }

    /// Cross uniformity of two sources' points (n, d) and (m, d) at every t, as [`uniformities_of`](Self::uniformities_of) has
    /// that of one.
    ///
    /// # Errors
    ///
    /// Those of [`uniformities_of`](Self::uniformities_of), and [`Error::Sets`] for other dimensions and for rounds.
    pub fn cross_uniformities_of(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        scaling: Scaling,
        ts: &[f64],
    ) -> Result<Vec<Interval>> {
        ts.iter().try_for_each(|&t| self.check_two_sets(t))?;
        sets.shape()?;
        let (x, y) = (sets.x, sets.y.unwrap_or(sets.x));
        match self.too_little_to_hold(engine, &[x, y]) {
            Some(bytes) => {
                let panel_rows = self.panel_rows(engine);
                let streamed = |set, seed| Streamed::new(engine, set, scaling, seed, panel_rows, bytes);
                let streamed = [streamed(x, self.seed), streamed(y, self.seed.wrapping_add(1))];
                if self.fallback != Fallback::LargestSample {
                    Evaluation::new().across().expected(sets.shape()?, Some(bytes))?;
                }
                ts.iter().map(|&t| self.across_streamed(engine, sets, &streamed, scaling, t)).collect()
            }
            None => {
                let mut rng = self.order_rng();
                let mut read = |set| upload_in_random_order(engine, set, scaling, &mut rng);
                let (x, y) = (read(x)?, read(y)?);
                ts.iter().map(|&t| self.across_shuffled(engine, &x, &y, t)).collect()
            }
        }
    }

    fn across_shuffled(&self, engine: &Engine, x: &Points, y: &Points, t: f64) -> Result<Interval> {
        let plan = self.plan(engine, Count::across(x.rows(), y.rows()), x.scaling(), t, None);
        let panels = |points: &Points| Panels { rows: points.rows(), panel_rows: plan.panel_rows };
        let sums = Held { engine, t, left: (x, panels(x)), right: Some((y, panels(y))) };
        let side = |points: &Points| {
            Ok::<_, Error>(Side::new(panels(points), within(engine, t, points, panels(points))?))
        };
        let blocks = || Ok(Blocks::across(&sums, side(x)?, side(y)?));
        let exact = || Ok(engine.value(Uniformity::new(t).across(x, y))?);
        let found = plan.find(&mut self.draw_rng(), blocks, exact)?;
        Ok(self.interval(found, &plan, None))
    }

    fn across_streamed(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        [x, y]: &[Streamed<'_>; 2],
        scaling: Scaling,
        t: f64,
    ) -> Result<Interval> {
        let count = Count::across(x.panels().rows, y.panels().rows);
        let plan = self.plan(engine, count, scaling, t, None);
        let sums = x.at(t, Some(y));
        let side = |set: &Streamed<'_>| Ok::<_, Error>(Side::new(set.panels(), set.within(t)?));
        let blocks = || Ok(Blocks::across(&sums, side(x)?, side(y)?));
        let exact = || {
            let (evaluation, resources) = self.all_pairs(t, scaling);
            let found = evaluation.cross_uniformities(engine, sets, &resources)?;
            Ok(found.first().copied().unwrap_or(f64::NAN))
        };
        let found = plan.find(&mut self.draw_rng(), blocks, exact)?;
        Ok(self.interval(found, &plan, None))
    }

    /// What computes all pairs of sets that are larger than memory, and what it may use.
    pub(super) fn all_pairs(&self, t: f64, scaling: Scaling) -> (Evaluation, Resources) {
        let evaluation = Evaluation::new().with_ts(&[t]).with_scaling(scaling);
        (evaluation, Resources { max_memory: self.max_memory, ..Resources::default() })
    }

    pub(super) fn check(&self, t: f64) -> Result<()> {
        self.check_with("t", t)
    }

    /// The same of what two sets make, of which rounds are not drawn.
    pub(super) fn check_two_sets(&self, t: f64) -> Result<()> {
        if self.draw == Draw::Rounds {
            let problem = "rounds are of the pairs of one set; draw blocks for what is across two".into();
            return Err(Error::Sets { problem });
        }
        self.check(t)
    }

    /// That the options make sense, and a parameter of what is measured.
    pub(super) fn check_with(&self, name: &'static str, parameter: f64) -> Result<()> {
        let fault = |name, value, expected| Err(EngineError::Parameter { name, value, expected }.into());
        match *self {
            _ if !(parameter > 0.0 && parameter.is_finite()) => fault(name, parameter, "positive and finite"),
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

    pub(super) fn panel_rows(&self, engine: &Engine) -> usize {
        // Whole tiles of the CPU, and for rounds the least blocks that are summed as fast; on a GPU a block is to be worth its
        // command, and to be summed as large sets are.
        let usual = match (engine.device().kind, self.draw) {
            (DeviceKind::Cpu, Draw::Blocks) => 96,
            (DeviceKind::Cpu, Draw::Rounds) => 64,
            _ => 1024,
        };
        self.panel_rows.unwrap_or(usual)
    }

    pub(super) fn interval(&self, found: Found, plan: &Plan, row_error: Option<f64>) -> Interval {
        let Found { value, low, high, method, blocks, pairs } = found;
        let is_exact = method == Method::Exact;
        Interval {
            // The second stage's mean may lie outside of what the first has left. An exact value may be none, of sets that collapsed.
            value: if is_exact { value } else { value.max(low).min(high) },
            low,
            high,
            confidence: if is_exact { 1.0 } else { self.confidence },
            method,
            tolerance: plan.tolerance,
            seed: self.seed,
            panel_rows: plan.panel_rows,
            blocks,
            pairs,
            share: pairs as f64 / plan.count.total() as f64,
            row_error,
            arithmetic: plan.measure.arithmetic(),
            all_pairs: plan.count.total(),
            half_width_before: None,
        }
    }
}
