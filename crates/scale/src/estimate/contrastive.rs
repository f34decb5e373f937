//! The contrastive loss, estimated from some of the candidates: options and sets, and what becomes of them.

use unisphere::{Candidates, Contrastive, DeviceKind, Embeddings, Engine, Metric as _, Points, Scaling};

use super::{
    candidates::{Groups, anchors_with_negatives},
    multilevel::{Estimated, Goal, Levels},
    sampling::{Interval, Method, Sampling, tolerance_or_default},
    shuffled::read_in_random_order,
    stages::Rounding,
    streamed::bytes_of_rows,
};
use crate::{
    error::{Error, Result},
    exact::Sets,
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
    /// products, or all are so few that a sample takes longer, the value is computed from all of them, unless only an estimate is asked for. All points are held.
    ///
    /// # Errors
    ///
    /// [`Parameter`](unisphere::Error::Parameter), [`Error::Sets`] unless there are two sets of as many rows, [`Error::NotHeld`] where
    /// the points take more than the memory allowed, and those of the sources and the engine.
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
        let needed = bytes_of_rows(2 * shape.x_rows, shape.dims);
        if let Some(given) = self.max_memory.filter(|&bytes| bytes < needed) {
            return Err(Error::NotHeld { given, needed });
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

    /// Each temperature has the same draws as if it were alone.
    fn contrastive(&self, engine: &Engine, points: &[Points; 2], metric: Contrastive) -> Result<Interval> {
        let [x, y] = points;
        let panels = Panels { rows: x.rows(), panel_rows: self.anchors(engine, x.rows()) };
        let rounding = Rounding::of(engine, x.scaling(), metric.matching().t);
        let mut found = None;
        let is_fast = metric.paired(x, y).pairs() <= PRODUCTS_WITHOUT_SAMPLE;
        if panels.count() > 1 && (self.estimate_only || !is_fast) {
            let groups = Groups::new(engine, metric, [x, y], panels)?;
            if let Some(levels) = Levels::new(&groups) {
                let goal = Goal {
                    tolerance: self.tolerance,
                    confidence: self.confidence,
                    rounding,
                    estimate_only: self.estimate_only,
                };
                found = Some((levels.find(&mut self.draw_rng(), goal)?, groups.all()));
            }
        }
        match found {
            Some((estimated, all)) if !estimated.is_dear => Ok(self.estimated(estimated, all, panels)),
            found => {
                let row_error = found.map(|(estimated, _)| estimated.row_error);
                let request = metric.paired(x, y);
                let value = engine.value(request)?.loss;
                let pairs = anchors_with_negatives(metric.candidates, x.rows());
                let error = rounding.at(value);
                Ok(Interval {
                    value,
                    low: (value - error).max(0.0),
                    high: value + error,
                    confidence: 1.0,
                    method: Method::Exact,
                    tolerance: tolerance_or_default(self.tolerance, row_error),
                    seed: self.seed,
                    panel_rows: panels.panel_rows,
                    blocks: 0,
                    pairs,
                    share: 1.0,
                    row_error,
                })
            }
        }
    }

    fn estimated(&self, found: Estimated, all: u64, panels: Panels) -> Interval {
        Interval {
            // No loss is below 0.
            value: found.value.max(0.0),
            low: (found.value - found.half_width).max(0.0),
            high: (found.value + found.half_width).max(0.0),
            confidence: self.confidence,
            method: Method::MultilevelCandidates,
            tolerance: found.tolerance,
            seed: self.seed,
            panel_rows: panels.panel_rows,
            blocks: found.groups,
            pairs: found.products,
            share: found.products as f64 / all as f64,
            row_error: Some(found.row_error),
        }
    }

    /// Anchors of a group.
    fn anchors(&self, engine: &Engine, rows: usize) -> usize {
        let most = if engine.device().kind == DeviceKind::Cpu { 64 } else { 256 };
        self.panel_rows.unwrap_or((rows / GROUPS).clamp(LEAST_ANCHORS, most)).min(rows.max(1))
    }
}
