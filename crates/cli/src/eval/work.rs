//! Sets on a device, and what several sections need of them.

use unisphere::{Points, Potentials};

use super::{inputs::Inputs, plan::Plan, session::Session};
use crate::exit::Failure;

pub(super) struct Work {
    pub(super) plan: Plan,
    pub(super) session: Session,
    /// x, and y where there is one.
    pub(super) sets: Vec<Set>,
    pub(super) queue: Option<Points>,
    /// ‖x−y‖ of every pair.
    pub(super) distances: Option<Vec<f64>>,
    pub(super) labels: Option<Vec<i64>>,
    pub(super) weights: Option<Vec<f64>>,
    /// Where each row is in its file.
    pub(super) places: Vec<usize>,
    /// Rows of zeros that were left out: of the sets, and of the queue.
    pub(super) skipped: (Vec<usize>, Vec<usize>),
}

pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) points: Points,
    /// Groups of equal rows, where they were asked for.
    pub(super) equal: Vec<Vec<usize>>,
    /// Unless rows have weights and nothing asks for it.
    pub(super) potentials: Option<Potentials>,
}

impl Work {
    pub(super) fn load(plan: Plan, inputs: Inputs, mut session: Session) -> Result<Self, Failure> {
        let Inputs { x, y, queue, labels, weights, skipped } = inputs;
        let places = skipped.left(x.rows());
        let mut sets = Vec::new();
        for (name, file) in [("x", Some(x)), ("y", y)] {
            if let Some(file) = file {
                let points = session.read(&file, &skipped.rows)?;
                let equal = match plan.near {
                    Some(_) => session.rows("looking for equal rows", |_| points.duplicates()),
                    None => Vec::new(),
                };
                let points = session.upload(points)?;
                sets.push(Set { name, points, equal, potentials: None });
            }
        }
        let queue = queue.map(|file| {
            let points = session.read(&file, &skipped.queue)?;
            session.upload(points)
        });
        let queue = queue.transpose()?;
        let skipped = (skipped.rows, skipped.queue);
        let mut work = Self { plan, session, sets, queue, distances: None, labels, weights, places, skipped };
        if let [x, y] = work.sets.as_slice() {
            let distances =
                work.session.rows("pairs", |engine| engine.pair_distances(&x.points, &y.points))?;
            work.distances = Some(distances);
        }
        Ok(work)
    }

    /// Computes how crowded each point is.
    pub(super) fn find_potentials(&mut self) -> Result<(), Failure> {
        let metric = self.plan.uniformity;
        for set in &mut self.sets {
            let what = format!("uniformity of {}", set.name);
            let potentials =
                self.session.within(&what, &set.points, |engine| engine.potentials(&set.points, metric))?;
            set.potentials = Some(potentials);
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> usize {
        self.sets.first().map_or(0, |set| set.points.rows())
    }

    pub(super) fn dims(&self) -> usize {
        self.sets.first().map_or(0, |set| set.points.dims())
    }

    /// Weights of the pairs, where they have some.
    pub(super) fn pair_weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// Whether a pair counts at all.
    pub(super) fn counts(&self, row: usize) -> bool {
        self.pair_weights().is_none_or(|weights| weights[row] > 0.0)
    }

    /// How many pairs do.
    pub(super) fn counted_pairs(&self) -> usize {
        (0..self.rows()).filter(|&row| self.counts(row)).count()
    }

    /// How many rows of one set do.
    pub(super) fn counted_rows(&self) -> usize {
        if self.row_weights().is_some() { self.counted_pairs() } else { self.rows() }
    }

    /// Weights of the rows, where they have some.
    pub(super) fn row_weights(&self) -> Option<&[f64]> {
        self.weights.as_deref().filter(|_| self.plan.weighs_rows())
    }
}
