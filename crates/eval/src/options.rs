//! The options of a report, as plain data.

use unisphere::{Candidates, Scaling, Sigmoid};

use crate::{estimator::Estimator, min_score::MinScore, protocol::Protocol};

/// The options of a report. Begin with [`Options::default`], which asks for uniformity alone, and change fields.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Whether there is a second set, whose row i is the positive partner of row i of the first.
    pub paired: bool,
    /// Whether there is a queue of more negatives.
    pub queue: bool,
    /// Whether there are labels.
    pub labels: bool,
    /// Whether there are weights.
    pub weights: bool,
    /// Whether pairs have scores.
    pub scores: bool,
    /// The least score of a pair that counts as a positive; None stands for any, and for that of a protocol which takes scores.
    pub min_score: Option<f64>,
    /// Uniformity's t: the first is the summary's; several distinct ones ask for a table. None stand for 2.
    pub t: Vec<f64>,
    /// Alignment's power of the distance; None stands for 2.
    pub alpha: Option<f64>,
    /// Temperatures of the contrastive loss.
    pub tau: Vec<f64>,
    /// The candidates of the contrastive loss, which compete with a positive; None stands for both ways.
    pub candidates: Option<Candidates>,
    /// The scales and biases of the sigmoid loss.
    pub sigmoid: Vec<Sigmoid>,
    /// Temperatures of the supervised contrastive loss.
    pub supcon: Vec<f64>,
    /// Whether the ranks of partners, both ways, and the modality gap are wanted.
    pub retrieval: bool,
    /// The pairs of one set over which the mean runs.
    pub estimator: Estimator,
    /// Whether rows are scaled to unit length.
    pub scaling: Scaling,
    /// Another work's way to measure, which sets t, alpha, the estimator and the scaling.
    pub protocol: Option<Protocol>,
    /// Everything that needs no further data.
    pub full: bool,
    /// The number of the most crowded rows, and of the pairs that lie farthest apart, to be listed.
    pub top: Option<usize>,
    /// The distance up to which pairs of rows of one set are counted as close.
    pub near: Option<f64>,
    /// Whether uniformity across each two groups is wanted beside that within each.
    pub across_groups: bool,
    /// Whether a table of all rows is wanted.
    pub rows: bool,
    /// Whether the data of figures are wanted. It implies `full`, and with labels the matrix across up to
    /// [`MAX_GROUPS_IN_FIGURES`](crate::sections::MAX_GROUPS_IN_FIGURES) groups.
    pub figures: bool,
}

impl Options {
    /// The score that positives must have: the one that is asked for, or else the protocol's where pairs have scores.
    pub(crate) fn positives(&self) -> Option<MinScore> {
        let of_protocol =
            self.protocol.filter(|_| self.scores).and_then(|protocol| protocol.settings().min_score);
        self.min_score.map(MinScore::AtLeast).or(of_protocol)
    }
}
