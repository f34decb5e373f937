//! The contrastive loss, estimated from some of the candidates: options and sets, and what becomes of them.

use unisphere::{Candidates, Contrastive, DeviceKind, Embeddings, Engine, Metric as _, Points, Scaling};

use super::{
    candidates::{Groups, anchors_with_negatives},
    interval::{Interval, Method},
    multilevel::{Estimated, Goal, Levels},
    rounding::{Arithmetic, Rounding},
    sampling::{Sampling, tolerance_or_default},
    shuffled::read_in_random_order,
    stages::Fallback,
    streamed::bytes_of_rows,
};
use crate::{
    error::{Error, Result},
    exact::{Evaluation, Resources, Sets, Shape},
    panels::Panels,
};

/// Part of the rows that a group of anchors has: groups of thousands of anchors would make the first draws of the highest
/// levels dear.
const GROUPS: usize = 1024;
/// Anchors of a group, at least.
const LEAST_ANCHORS: usize = 4;

/// Products up to which all of them take less time than a sample, whose blocks are small.
const PRODUCTS_WITHOUT_SAMPLE: u64 = 2_000_000_000;

impl Sampling {
    /// The contrastive loss of x (n, d) and y (n, d), whose rows i are positive pairs, at every temperature, each with an
    /// interval of its own: that of [`Contrastive::paired`] over all candidates.
    ///
    /// Positives are exact; candidates are sampled, few for every anchor and more for few, such that nothing is biased. The interval
    /// is by Student's t: simulated, not proven ([`Method::MultilevelCandidates`]). Where that would take three tenths of all
    /// products, or all are so few that a sample takes longer, the value is computed from all of them, unless only an estimate is
    /// asked for. So is that of points that take more than the memory allowed; of which [`without_all_pairs`](Self::without_all_pairs)
    /// leaves an interval that knows nothing.
    ///
    /// # Errors
    ///
    /// [`Parameter`](unisphere::Error::Parameter), [`Error::Sets`] unless there are two sets of as many rows, [`Error::NotHeld`] where
    /// the points take more than the memory allowed and only an estimate is asked for, and those of the sources and the engine.
    pub fn contrastives_of(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        scaling: Scaling,
        taus: &[f64],
        candidates: Candidates,
    ) -> Result<Vec<Interval>> {
        taus.iter().try_for_each(|&tau| self.check_with("tau", tau))?;
        let shape = sets.shape()?;
        let Some(y) = sets.y.filter(|y| y.rows() == shape.x_rows) else {
            let problem = "the contrastive loss takes positive pairs: two sets of as many rows".into();
            return Err(Error::Sets { problem });
        };
        if self.too_little_for(2 * shape.x_rows, shape.dims).is_some() {
            return self.contrastives_beyond_memory(engine, sets, shape, scaling, taus, candidates);
        }
        // The same seed gives the rows of both the same order.
        let read = |set| {
            let points: Embeddings<'_> = read_in_random_order(set, scaling, &mut self.order_rng())?;
            Ok::<_, Error>(engine.upload_owned(points)?)
        };
        let points = [read(sets.x)?, read(y)?];
        let of_tau = |&tau: &f64| self.contrastive(engine, &points, Contrastive { tau, candidates });
        taus.iter().map(of_tau).collect()
    }

    /// The loss of points that are not held, of which there is no estimate.
    fn contrastives_beyond_memory(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        shape: Shape,
        scaling: Scaling,
        taus: &[f64],
        candidates: Candidates,
    ) -> Result<Vec<Interval>> {
        let (given, needed) =
            (self.max_memory.unwrap_or(u64::MAX), bytes_of_rows(2 * shape.x_rows, shape.dims));
        if self.fallback == Fallback::LargestSample {
            let (what, instead) =
                ("of the contrastive loss", "the value of all pairs, which reads them in panels");
            return Err(Error::NotHeld { what, instead, given, needed });
        }
        let nothing = |&tau: &f64| {
            self.nothing_of(engine, shape.x_rows, scaling, Contrastive { tau, candidates }, None)
        };
        let nothing = taus.iter().map(nothing);
        if self.fallback == Fallback::Nothing {
            return Ok(nothing.collect());
        }
        let evaluation = Evaluation::new().with_scaling(scaling).with_contrastive(taus, candidates);
        let resources = Resources { max_memory: self.max_memory, ..Resources::default() };
        let losses = evaluation.values(engine, sets, &resources)?.contrastive.unwrap_or_default();
        Ok(nothing.zip(losses).map(|(interval, of)| interval.with_all_pairs(of.loss)).collect())
    }

    /// Each temperature has the same draws as if it were alone.
    fn contrastive(&self, engine: &Engine, points: &[Points; 2], metric: Contrastive) -> Result<Interval> {
        let [x, y] = points;
        let found = self.of_candidates(engine, points, metric)?;
        let row_error = found.map(|found| found.row_error);
        let nothing = self.nothing_of(engine, x.rows(), x.scaling(), metric, row_error);
        match found {
            Some(found) if !found.is_dear || self.fallback == Fallback::Nothing => Ok(Interval {
                // No loss is below 0.
                value: found.value.max(0.0),
                low: (found.value - found.half_width).max(0.0),
                high: (found.value + found.half_width).max(0.0),
                tolerance: found.tolerance,
                blocks: found.groups,
                pairs: found.products,
                share: found.products as f64 / nothing.all_pairs as f64,
                ..nothing
            }),
            _ => Ok(nothing.with_all_pairs(engine.value(metric.paired(x, y))?.loss)),
        }
    }

    /// The loss from some candidates; None where all of them take no longer.
    fn of_candidates(
        &self,
        engine: &Engine,
        [x, y]: &[Points; 2],
        metric: Contrastive,
    ) -> Result<Option<Estimated>> {
        let panels = Panels { rows: x.rows(), panel_rows: self.anchors(engine, x.rows()) };
        let is_fast = metric.paired(x, y).pairs() <= PRODUCTS_WITHOUT_SAMPLE;
        if panels.count() < 2 || (is_fast && self.fallback != Fallback::LargestSample) {
            return Ok(None);
        }
        let goal = Goal {
            tolerance: self.tolerance,
            confidence: self.confidence,
            rounding: rounding(engine, x.scaling(), metric),
            fallback: self.fallback,
        };
        let groups = Groups::new(engine, metric, [x, y], panels)?;
        Levels::new(&groups).map(|levels| levels.find(&mut self.draw_rng(), goal)).transpose()
    }

    /// What is known of a loss before anything is drawn.
    fn nothing_of(
        &self,
        engine: &Engine,
        rows: usize,
        scaling: Scaling,
        metric: Contrastive,
        row_error: Option<f64>,
    ) -> Interval {
        let rounding = rounding(engine, scaling, metric);
        let arithmetic = Arithmetic { rounding, least: 0.0, most: f64::INFINITY };
        Interval {
            value: f64::NAN,
            low: arithmetic.least,
            high: arithmetic.most,
            confidence: self.confidence,
            method: Method::MultilevelCandidates,
            tolerance: tolerance_or_default(self.tolerance, row_error),
            seed: self.seed,
            panel_rows: self.anchors(engine, rows),
            blocks: 0,
            pairs: 0,
            share: 0.0,
            row_error,
            arithmetic,
            all_pairs: anchors_with_negatives(metric.candidates, rows),
            half_width_before: None,
        }
    }

    /// Anchors of a group.
    fn anchors(&self, engine: &Engine, rows: usize) -> usize {
        let most = if engine.device().kind == DeviceKind::Cpu { 64 } else { 256 };
        self.panel_rows.unwrap_or((rows / GROUPS).clamp(LEAST_ANCHORS, most)).min(rows.max(1))
    }
}

fn rounding(engine: &Engine, scaling: Scaling, metric: Contrastive) -> Rounding {
    Rounding::of(engine, scaling, metric.matching().t)
}
