//! Errors: options that contradict each other, data that do not fit, and whatever the engine refuses.

use std::fmt;

use crate::{min_score::MinScore, protocol::Protocol};

/// The result of what can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Options that contradict each other.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// A column of another length than the sets.
    #[error("there are {given} {what}, and x has {rows} rows; give one a row")]
    Length {
        /// The column's name.
        what: &'static str,
        /// Values given.
        given: usize,
        /// Rows of x.
        rows: usize,
    },
    /// More groups than the matrix across groups is made for.
    #[error(
        "{groups} groups make a matrix of {groups} × {groups} values, {} MB for each set, and {limit} groups are the most \
         for it; leave out the matrix across groups, or merge labels",
        .bytes / 1_000_000
    )]
    TooManyGroups {
        /// Groups that the labels make.
        groups: usize,
        /// Groups that are taken at most.
        limit: usize,
        /// Bytes of the matrix.
        bytes: u64,
    },
    /// A score that is not finite.
    #[error("pair {row} has the score {value}, which is not finite; leave the pair out")]
    Score {
        /// The row of the pair.
        row: usize,
        /// Its score.
        value: f64,
    },
    /// Scores of which none makes a pair a positive.
    #[error(
        "no score is {min_score}: the highest is {highest}, and alignment needs a positive pair; ask for less"
    )]
    NoPositives {
        /// The score that a positive must have.
        min_score: MinScore,
        /// The highest that there is.
        highest: f64,
    },
    /// Weights that look like scores, of a protocol whose weights say which pairs are positives.
    #[error(
        "weights of up to {highest}, of three values or more above 1, look like scores, and here a weight is 1 for a positive \
         and 0 for another pair; give them as scores, or as weights divide them by {highest}"
    )]
    ScoresAsWeights {
        /// The highest of them.
        highest: f64,
    },
    /// Fewer views than make a pair.
    #[error("views given: {given}; alignment is over pairs of views, and takes two or more")]
    FewViews {
        /// Views given.
        given: usize,
    },
    /// An error of the engine.
    #[error(transparent)]
    Engine(#[from] unisphere::Error),
}

/// Options that contradict each other, or the sets that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words(&Parameter::to_string))]
#[non_exhaustive]
pub enum Contradiction {
    /// Something that takes positive pairs, asked of one set.
    NoPairs(Parameter),
    /// A protocol that compares x with a queue, without one.
    NoQueue(Protocol),
    /// A parameter of the contrastive loss, which is not measured.
    NoLoss(Parameter),
    /// A loss, with weights.
    WeightedLoss(Parameter),
    /// A protocol without weights, with weights.
    WeightedProtocol(Protocol),
    /// A parameter that the protocol sets.
    SetByProtocol(Parameter),
    /// The supervised contrastive loss, with weights.
    WeightedSupcon,
    /// Something that takes labels, without them.
    NoLabels(Parameter),
    /// Scores with weights.
    WeightedScores,
    /// A least score, without scores.
    NoScores,
    /// A least score with weights, which are no scores.
    WeightsForScores,
    /// Something that takes every pair as a positive, where scores, by this parameter, say that only some are.
    SomePositives(Parameter, Parameter),
    /// A protocol that takes every pair as a positive, with a least score.
    ScoredProtocol(Protocol),
}

impl Contradiction {
    /// The contradiction and its cure, in one or two lines, with parameters named as the caller names them.
    pub fn words(self, name: &dyn Fn(&Parameter) -> String) -> String {
        use Parameter::{Full, Labels, MinScore, Queue, Scores, Supcon, Tau, Weights, Y};
        let named =
            |protocol: Protocol| format!("{} {}", name(&Parameter::Protocol), protocol.settings().name);
        match self {
            Self::NoPairs(p) => format!(
                "{p} needs positive pairs: rows of two sets\ngive {y} too, or leave out {p}",
                p = name(&p),
                y = name(&Y)
            ),
            Self::NoQueue(protocol) => {
                format!("{} compares x with a queue of keys; give {} too", named(protocol), name(&Queue))
            }
            Self::NoLoss(p) => format!(
                "{} is a parameter of the contrastive loss, which is not measured; add {} or {}",
                name(&p),
                name(&Tau),
                name(&Full)
            ),
            Self::WeightedLoss(p) => format!(
                "{p} asks for a loss that has no weights; leave out {p} or {}",
                name(&Weights),
                p = name(&p)
            ),
            Self::WeightedProtocol(protocol) => format!(
                "{} has no weights; leave out {} or {}",
                named(protocol),
                name(&Weights),
                name(&Parameter::Protocol)
            ),
            Self::SetByProtocol(p) => {
                format!("{0} sets {1} itself; leave out {1} or {0}", name(&Parameter::Protocol), name(&p))
            }
            Self::WeightedSupcon => format!(
                "{supcon} has no one form with weights, which may be of anchors, of positives or of candidates\n\
                 leave out {supcon} or {}",
                name(&Weights),
                supcon = name(&Supcon)
            ),
            Self::NoLabels(p) => {
                format!("{} needs groups of rows; give {} too", name(&p), name(&Labels))
            }
            Self::WeightedScores => format!(
                "cosines are held against scores without weights; leave out {} or {}",
                name(&Scores),
                name(&Weights)
            ),
            Self::NoScores => format!(
                "{} chooses the positives by the scores of pairs; give {} too",
                name(&MinScore),
                name(&Scores)
            ),
            Self::WeightsForScores => format!(
                "{} chooses the positives by the scores of pairs; give {} in the place of {}",
                name(&MinScore),
                name(&Scores),
                name(&Weights)
            ),
            Self::SomePositives(p, by) => format!(
                "{p} takes every pair as a positive, and by {by} only some are; leave out {p} or {by}",
                p = name(&p),
                by = name(&by)
            ),
            Self::ScoredProtocol(protocol) => format!(
                "{} takes every pair as a positive; leave out {} or {}",
                named(protocol),
                name(&MinScore),
                name(&Parameter::Protocol)
            ),
        }
    }
}

/// A parameter of a report, as a contradiction names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parameter {
    /// The second set.
    Y,
    /// Uniformity's t.
    T,
    /// Alignment's power.
    Alpha,
    /// Temperatures of the contrastive loss.
    Tau,
    /// The candidates of the contrastive loss.
    Candidates,
    /// The sigmoid loss.
    Sigmoid,
    /// The supervised contrastive loss.
    Supcon,
    /// Retrieval and the modality gap.
    Retrieval,
    /// The pairs of one set over which uniformity's mean runs.
    Estimator,
    /// Rows as they are.
    Raw,
    /// Another work's way to measure.
    Protocol,
    /// More negatives.
    Queue,
    /// Groups of rows.
    Labels,
    /// Weights of rows and pairs.
    Weights,
    /// Scores of pairs.
    Scores,
    /// The least score of a positive.
    MinScore,
    /// Everything that needs no further data.
    Full,
    /// The matrix across groups.
    AcrossGroups,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Y => "y",
            Self::T => "t",
            Self::Alpha => "alpha",
            Self::Tau => "tau",
            Self::Candidates => "candidates",
            Self::Sigmoid => "sigmoid",
            Self::Supcon => "supcon",
            Self::Retrieval => "retrieval",
            Self::Estimator => "estimator",
            Self::Raw => "raw",
            Self::Protocol => "protocol",
            Self::Queue => "queue",
            Self::Labels => "labels",
            Self::Weights => "weights",
            Self::Scores => "scores",
            Self::MinScore => "min_score",
            Self::Full => "full",
            Self::AcrossGroups => "across_groups",
        })
    }
}
