//! Squared MMD: of positive pairs by signed blocks, and of sets of different sizes by the three means that it is made of.
//!
//! Signed blocks of sets of different sizes would need panels of different sizes: with r times as many rows of x as of y, a block
//! has (r + 1)²/4r times the cost of one of pairs, and as many times the variance. Three intervals, each proven on its own with a
//! third of the risk and half of the tolerance, cost the same for any r, and sum a small set in full where that is cheap. Signed
//! blocks would take fewer pairs where r is near 1.

use unisphere::{Engine, Points, Scaling, SquaredMmd, Uniformity, unordered_pairs};
use unisphere_io::Source;

use super::{
    discrepancy::{Diagonals, KERNELS, PairSums, kernel, paired},
    interval::{Interval, Method},
    rounding::{Measure, Rounding},
    sampling::{LEAST_TOLERANCE, Sampling},
    shuffled::{ROWS_FOR_ERROR, first_rows, read_in_random_order},
    stages::{Count, Fallback, Plan},
    streamed::Streamed,
    sums::{Held, within},
};
use crate::{
    error::{Error, Result},
    exact::{Evaluation, Sets},
    panels::Panels,
};

impl Sampling {
    /// Squared MMD of x (n, d) and y (m, d), without bias, at every t. Where m = n, row i of both is a positive pair, and it is over
    /// the unpaired rows i ≠ j, as [`SquaredMmd::unpaired`] has it; of other sizes it is over all pairs, as [`SquaredMmd::across`]
    /// has it. NaN where both sets are larger than memory and have collapsed so far that their sums do not tell it.
    ///
    /// The tolerance is a part of the mean of the kernel within x and that within y together: what uniformities that are good to it
    /// make of the discrepancy. Of pairs, 2,048 rows of each set tell that mean.
    ///
    /// # Errors
    ///
    /// Those of [`cross_uniformities_of`](Self::cross_uniformities_of); [`Error::Sets`] for one set and for rounds, and
    /// [`TooFewRows`](unisphere::Error::TooFewRows) for less than two rows of either.
    pub fn squared_mmds_of(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        scaling: Scaling,
        ts: &[f64],
    ) -> Result<Vec<Interval>> {
        ts.iter().try_for_each(|&t| self.check_two_sets(t))?;
        let shape = sets.shape()?;
        let Some(y) = sets.y else {
            return Err(Error::Sets { problem: "squared MMD takes two sets; name both".into() });
        };
        if shape.y_rows == Some(shape.x_rows) {
            self.of_pairs(engine, sets, y, scaling, ts)
        } else {
            self.of_other_sizes(engine, sets, y, scaling, ts)
        }
    }

    fn of_pairs(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        y: &dyn Source,
        scaling: Scaling,
        ts: &[f64],
    ) -> Result<Vec<Interval>> {
        let x = sets.x;
        match self.too_little_for(2 * x.rows(), x.dims()) {
            Some(bytes) => {
                let panel_rows = self.panel_rows(engine);
                // The same seed gives the rows of both the same order.
                let streamed = |set| Streamed::new(engine, set, scaling, self.seed, panel_rows, bytes);
                let streamed = [streamed(x), streamed(y)];
                if self.fallback != Fallback::LargestSample {
                    // What may have to be computed in the end is refused now, where memory is too small for it.
                    Evaluation::new().with_mmd().expected(sets.shape()?, Some(bytes))?;
                }
                let rows = ROWS_FOR_ERROR.min(x.rows());
                let some = [streamed[0].sample(rows)?, streamed[1].sample(rows)?];
                let at = |&t: &f64| self.mmd_streamed(engine, sets, &streamed, &some, t);
                ts.iter().map(at).collect()
            }
            None => {
                let read = |set| {
                    let points = read_in_random_order(set, scaling, &mut self.order_rng())?;
                    let first = first_rows(engine, &points)?;
                    Ok::<_, Error>((engine.upload_owned(points)?, first))
                };
                let ((x, some_x), (y, some_y)) = (read(x)?, read(y)?);
                let some = [some_x, some_y];
                ts.iter().map(|&t| self.mmd_shuffled(engine, [&x, &y], &some, t)).collect()
            }
        }
    }

    fn mmd_shuffled(
        &self,
        engine: &Engine,
        [x, y]: [&Points; 2],
        some: &[Points; 2],
        t: f64,
    ) -> Result<Interval> {
        let panels = Panels { rows: x.rows(), panel_rows: self.panel_rows(engine) };
        let held = |left, right: Option<_>| Held {
            engine,
            t,
            left: (left, panels),
            right: right.map(|right| (right, panels)),
        };
        let (of_x, of_y, across) = (held(x, None), held(y, None), held(x, Some(y)));
        let sums = PairSums { x: &of_x, y: &of_y, across: &across };
        let within = [within(engine, t, x, panels)?, within(engine, t, y, panels)?];
        let diagonals = Diagonals::new(panels, within, &across, paired(engine, x, y, t)?)?;
        let exact = || Ok(engine.value(SquaredMmd::new(t).unpaired(x, y))?);
        self.mmd(engine, some, t, &diagonals, &sums, exact)
    }

    fn mmd_streamed(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        [x, y]: &[Streamed<'_>; 2],
        some: &[Points; 2],
        t: f64,
    ) -> Result<Interval> {
        let (of_x, of_y, across) = (x.at(t, None), y.at(t, None), x.at(t, Some(y)));
        let sums = PairSums { x: &of_x, y: &of_y, across: &across };
        let within = [x.within(t)?, y.within(t)?];
        let diagonals = Diagonals::new(x.panels(), within, &across, x.paired(y, t)?)?;
        let exact = || {
            let (evaluation, resources) = self.all_pairs(t, some[0].scaling());
            let found = evaluation.with_mmd().values(engine, sets, &resources)?;
            Ok(found.squared_mmd.and_then(|values| values.first().copied().flatten()).unwrap_or(f64::NAN))
        };
        self.mmd(engine, some, t, &diagonals, &sums, exact)
    }

    fn mmd(
        &self,
        engine: &Engine,
        some: &[Points; 2],
        t: f64,
        diagonals: &Diagonals,
        sums: &PairSums<'_>,
        exact: impl FnOnce() -> Result<f64>,
    ) -> Result<Interval> {
        let (rows, scaling) = (diagonals.panels().rows, some[0].scaling());
        let rounding = Rounding::of(engine, scaling, t);
        let kernel = kernel(engine, &some[0], t)? + kernel(engine, &some[1], t)?;
        let plan = Plan {
            tolerance: self.tolerance.unwrap_or(LEAST_TOLERANCE) * kernel,
            measure: diagonals.measure(rounding),
            ..self.plan(engine, Count::within(rows).of_kernels(KERNELS), scaling, t, None)
        };
        let found = plan.find(&mut self.draw_rng(), || Ok(diagonals.blocks(sums, rounding)), exact)?;
        Ok(self.interval(found, &plan, None))
    }

    /// From an interval of the mean of the kernel within x, one within y and one across: all three hold with the confidence that is
    /// asked for, as each is wrong with a third of the risk.
    fn of_other_sizes(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        y: &dyn Source,
        scaling: Scaling,
        ts: &[f64],
    ) -> Result<Vec<Interval>> {
        let part = self.part();
        let of_x = part.uniformities_of(engine, sets.x, scaling, ts)?;
        let of_y = part.uniformities_of(engine, y, scaling, ts)?;
        let across = part.cross_uniformities_of(engine, sets, scaling, ts)?;
        let parts = of_x.into_iter().zip(of_y).zip(across).map(|((x, y), across)| Parts { x, y, across });
        let mut found: Vec<_> = parts.zip(ts).map(|(parts, &t)| (t, parts.discrepancy(self, sets))).collect();
        for (t, interval) in found.iter_mut().filter(|(_, interval)| interval.value.is_nan()) {
            if self.too_little_for(sets.x.rows() + y.rows(), y.dims()).is_none() {
                let points =
                    |set: &dyn Source| Ok::<_, Error>(engine.upload_owned(set.embeddings(scaling)?)?);
                interval.value = engine.value(SquaredMmd::new(*t).across(&points(sets.x)?, &points(y)?))?;
                interval.low = interval.low.min(interval.value);
                interval.high = interval.high.max(interval.value);
            }
        }
        Ok(found.into_iter().map(|(_, interval)| interval).collect())
    }

    /// How each of the three means is estimated. Twice that across is at most the sum of those within, on average: half of the
    /// tolerance for each makes the whole of it, and a little less allows for the log.
    fn part(&self) -> Self {
        let tolerance = self.tolerance.unwrap_or(LEAST_TOLERANCE);
        Self {
            tolerance: Some(0.5 * tolerance / (1.0 + tolerance)),
            confidence: 1.0 - (1.0 - self.confidence) / 3.0,
            ..*self
        }
    }
}

/// The logs of the means that the discrepancy is made of, each with an interval.
struct Parts {
    x: Interval,
    y: Interval,
    across: Interval,
}

impl Parts {
    /// The largest error of the arithmetic of its kernels.
    fn error(&self) -> f64 {
        let of = |part: &Interval| part.arithmetic.rounding.at(part.value) * part.value.exp();
        of(&self.x) + of(&self.y) + 2.0 * of(&self.across)
    }

    /// The discrepancy, whose value is NaN where both sets have collapsed so far that the means do not tell it.
    fn discrepancy(&self, sampling: &Sampling, sets: Sets<'_>) -> Interval {
        let &Self { x, y, across } = self;
        let all = [x, y, across];
        let is_exact = all.iter().all(|part| part.method == Method::Exact);
        let has_collapsed = SquaredMmd::needs_points(x.value, y.value, across.value);
        let value = Uniformity::squared_mmd(x.value, y.value, across.value);
        let pairs = all.iter().map(|part| part.pairs).sum::<u64>();
        let [n, m] = [sets.x.rows(), sets.y.unwrap_or(sets.x).rows()];
        let all_pairs = unordered_pairs(n) + unordered_pairs(m) + n as u64 * m as u64;
        Interval {
            value: if has_collapsed { f64::NAN } else { value },
            low: Uniformity::squared_mmd(x.low, y.low, across.high),
            high: Uniformity::squared_mmd(x.high, y.high, across.low),
            confidence: if is_exact { 1.0 } else { sampling.confidence },
            method: if is_exact { Method::Exact } else { Method::NormWeightedBlocks },
            tolerance: sampling.tolerance.unwrap_or(LEAST_TOLERANCE) * (x.value.exp() + y.value.exp()),
            blocks: all.iter().map(|part| part.blocks).sum(),
            pairs,
            share: pairs as f64 / all_pairs as f64,
            row_error: None,
            arithmetic: Measure::Difference { error: self.error() }.arithmetic(),
            all_pairs,
            ..across
        }
    }
}
