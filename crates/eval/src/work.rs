//! A report being made: the sets, what goes with their rows, and what several sections need of them.

use unisphere::{Points, Potentials, Retrieval};

use crate::{
    data::{Data, Set, SetName},
    error::{Contradiction, Error, Parameter, Result},
    min_score::MinScore,
    plan::Plan,
    protocol::Weighed,
    rows::listed,
    session::Session,
    shadow::Shadow,
};

/// The sets, the plan, and the engine at work.
pub(crate) struct Work<'a> {
    pub(crate) plan: Plan,
    pub(crate) session: Session<'a>,
    /// x, and y where there is one.
    pub(crate) sets: Vec<WorkingSet>,
    pub(crate) queue: Option<Points>,
    /// ‖x−y‖ of every pair.
    pub(crate) distances: Option<Vec<f64>>,
    /// The ranks of all partners, once they are measured.
    pub(crate) ranks: Option<Retrieval>,
    pub(crate) labels: Option<Vec<i64>>,
    pub(crate) label_names: Option<Vec<String>>,
    pub(crate) weights: Option<Vec<f64>>,
    /// The score of each pair, where the plan wants them.
    pub(crate) scores: Option<Vec<f64>>,
    /// The score that makes a pair a positive, as these scores can have it.
    min_score: Option<MinScore>,
    /// Where rows were left out.
    row_numbers: Option<Vec<usize>>,
}

pub(crate) struct WorkingSet {
    pub(crate) name: SetName,
    pub(crate) points: Points,
    pub(crate) equal: Vec<Vec<usize>>,
    /// Its points in two dimensions, where figures are wanted.
    pub(crate) shadow: Option<Shadow>,
    /// How crowded each row is; None where rows have weights and no section needs it.
    pub(crate) potentials: Option<Potentials>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(mut plan: Plan, data: Data, mut session: Session<'a>) -> Result<Self> {
        let Data { x, y, queue, labels, label_names, weights, scores, row_numbers } = data;
        let scores = scores.filter(|_| plan.scores);
        let of_pairs = [
            (Parameter::Protocol, plan.protocol.is_some()),
            (Parameter::Tau, !plan.contrastive.is_empty()),
            (Parameter::Scores, plan.scores),
            (Parameter::Retrieval, plan.retrieval),
        ];
        if y.is_none()
            && let Some((parameter, _)) = of_pairs.iter().find(|(_, wanted)| *wanted)
        {
            return Err(Contradiction::NoPairs(*parameter).into());
        }
        if plan.min_score.is_some() && scores.is_none() {
            return Err(Contradiction::NoScores.into());
        }
        if weights.is_none() {
            plan.weighed = Weighed::Nothing;
        }
        let rows = x.points.rows();
        let columns = [
            ("labels", labels.as_ref().map(Vec::len)),
            ("weights", weights.as_ref().map(Vec::len)),
            ("scores", scores.as_ref().map(Vec::len)),
            ("row numbers", row_numbers.as_ref().map(Vec::len)),
        ];
        for (what, given) in columns {
            if let Some(given) = given.filter(|&given| given != rows) {
                return Err(Error::Length { what, given, rows });
            }
        }
        let distances = y.as_ref().map(|y| session.pair_distances(&x.points, &y.points)).transpose()?;
        let working = |name, Set { points, equal, shadow }| WorkingSet {
            name,
            points,
            equal,
            shadow,
            potentials: None,
        };
        let sets = [Some(working(SetName::X, x)), y.map(|y| working(SetName::Y, y))];
        let sets = sets.into_iter().flatten().collect();
        let scored = plan.min_score.zip(scores.as_deref());
        let min_score = scored.map(|(min_score, scores)| min_score.for_scores(scores));
        Ok(Self {
            plan,
            session,
            sets,
            queue,
            distances,
            ranks: None,
            labels,
            label_names,
            weights,
            scores,
            min_score,
            row_numbers,
        })
    }

    /// Computes how crowded each row is.
    pub(crate) fn find_potentials(&mut self) -> Result<()> {
        for set in &mut self.sets {
            let metric = self.plan.uniformity;
            set.potentials = Some(self.session.potentials(set.name, &set.points, metric)?);
        }
        Ok(())
    }

    pub(crate) fn rows(&self) -> usize {
        self.sets.first().map_or(0, |set| set.points.rows())
    }

    /// The number of a row in its source.
    pub(crate) fn number(&self, row: usize) -> usize {
        self.row_numbers.as_ref().map_or(row, |numbers| numbers[row])
    }

    pub(crate) fn dims(&self) -> usize {
        self.sets.first().map_or(0, |set| set.points.dims())
    }

    /// Weights of the pairs, where they have some.
    pub(crate) fn pair_weights(&self) -> Option<&[f64]> {
        self.weights.as_deref().filter(|_| self.plan.weighed != Weighed::Nothing)
    }

    /// Whether a pair counts at all: by its weight, and as a positive by its score.
    pub(crate) fn counts(&self, row: usize) -> bool {
        let is_positive = match (self.min_score, &self.scores) {
            (Some(min_score), Some(scores)) => min_score.admits(scores[row]),
            _ => true,
        };
        is_positive && self.pair_weights().is_none_or(|weights| weights[row] > 0.0)
    }

    /// ‖x−y‖ of every pair that counts, where there are two sets.
    pub(crate) fn counted_distances(&self) -> Result<Option<Vec<f64>>> {
        let Some(distances) = &self.distances else { return Ok(None) };
        let counted = distances.iter().enumerate().filter(|(row, _)| self.counts(*row));
        listed(distances.len(), counted.map(|(_, &distance)| distance)).map(Some)
    }

    /// How many pairs count.
    pub(crate) fn counted_pairs(&self) -> usize {
        (0..self.rows()).filter(|&row| self.counts(row)).count()
    }

    /// How many rows of one set count.
    pub(crate) fn counted_rows(&self) -> usize {
        if self.row_weights().is_some() { self.counted_pairs() } else { self.rows() }
    }

    /// Weights of the rows, where they have some.
    pub(crate) fn row_weights(&self) -> Option<&[f64]> {
        self.weights.as_deref().filter(|_| self.plan.weighs_rows())
    }
}
