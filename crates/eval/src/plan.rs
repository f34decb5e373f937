//! The plan of a report: the options, with what they imply, and without contradictions.

use unisphere::{Alignment, Contrastive, Scaling, Sigmoid, SupCon, Uniformity};

use crate::{
    contradictions::check as check_options,
    error::Contradiction,
    estimator::Estimator,
    min_score::MinScore,
    options::Options,
    protocol::{Protocol, Weighed},
    sections,
};

/// The t of the table that `full` adds.
const FULL_T: [f64; 4] = [0.5, 1.0, 2.0, 5.0];
/// The temperatures that `full` adds where there are pairs.
const FULL_TAU: [f64; 2] = [0.07, 0.5];
/// The rows that `full` lists.
const FULL_TOP: usize = 10;
/// The distance of close pairs that `full` counts.
const FULL_NEAR: f64 = 0.1;

/// The plan of a report, free of contradictions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// Whether rows are scaled to unit length.
    pub scaling: Scaling,
    /// The uniformity of the summary, and of whatever else takes one t.
    pub uniformity: Uniformity,
    /// The alignment.
    pub alignment: Alignment,
    /// The pairs of one set over which the mean runs.
    pub estimator: Estimator,
    /// The use of weights.
    pub weighed: Weighed,
    /// Whether cosines are held against the scores of pairs.
    pub scores: bool,
    /// The score that a pair must have to count as a positive; None where all are positives.
    pub min_score: Option<MinScore>,
    /// Another work, whose numbers are wanted.
    pub protocol: Option<Protocol>,
    /// The t of a table, each once; empty where no table is wanted.
    pub sweep: Vec<f64>,
    /// The contrastive losses, each temperature once.
    pub contrastive: Vec<Contrastive>,
    /// The sigmoid losses, each once.
    pub sigmoid: Vec<Sigmoid>,
    /// The supervised contrastive losses, each temperature once.
    pub supcon: Vec<SupCon>,
    /// Whether the modality gap is wanted.
    pub modality_gap: bool,
    /// Whether retrieval is wanted.
    pub retrieval: bool,
    /// The number of rows and pairs to be listed.
    pub top: Option<usize>,
    /// The distance of close pairs.
    pub near: Option<f64>,
    /// Whether the matrix across groups is wanted.
    pub across_groups: bool,
    /// Whether a table of all rows is wanted.
    pub rows: bool,
    /// Whether everything is wanted that needs no further data.
    pub full: bool,
    /// Whether the data of figures are wanted.
    pub figures: bool,
}

impl Plan {
    /// The plan of these options.
    ///
    /// # Errors
    ///
    /// The first [`Contradiction`] among them.
    pub fn new(options: &Options) -> Result<Self, Contradiction> {
        check_options(options)?;
        let settings = options.protocol.map(|protocol| protocol.settings());
        let given = options.t.first().map(|&t| Uniformity { t });
        let weighed = match settings {
            _ if !options.weights => Weighed::Nothing,
            None => Weighed::RowsAndPairs,
            Some(settings) => settings.weighed,
        };
        let full = options.full || options.figures;
        let sweep = match distinct(&options.t) {
            several if several.len() > 1 => several,
            none if none.is_empty() && full => FULL_T.to_vec(),
            one if full => one,
            _ => Vec::new(),
        };
        let tau = match distinct(&options.tau) {
            none if none.is_empty() && full && options.paired => FULL_TAU.to_vec(),
            given => given,
        };
        let candidates = options.candidates.unwrap_or_default();
        let given_alignment = options.alpha.map(|alpha| Alignment { alpha });
        Ok(Self {
            scaling: options.scaling,
            uniformity: settings.map(|s| s.uniformity).or(given).unwrap_or_default(),
            alignment: settings.map(|s| s.alignment).or(given_alignment).unwrap_or_default(),
            estimator: options.estimator,
            weighed,
            scores: options.scores,
            min_score: options.positives(),
            protocol: options.protocol,
            sweep,
            contrastive: tau.iter().map(|&tau| Contrastive { tau, candidates }).collect(),
            sigmoid: distinct(&options.sigmoid),
            supcon: distinct(&options.supcon).into_iter().map(SupCon::new).collect(),
            modality_gap: options.retrieval || full && options.paired,
            // Ranks take every pair as a positive.
            retrieval: options.retrieval || full && options.paired && options.positives().is_none(),
            top: options.top.or(full.then_some(FULL_TOP)),
            near: options.near.or(full.then_some(FULL_NEAR)),
            across_groups: options.across_groups,
            rows: options.rows,
            full,
            figures: options.figures,
        })
    }

    /// Refuses labels that cannot be measured as this plan wants it, before any points are read; `paired` where there are two sets.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyGroups`](crate::Error::TooManyGroups), and [`Labels`](unisphere::Error::Labels) where no two rows have one
    /// label and the supervised contrastive loss of one set is wanted.
    pub fn check_labels(&self, labels: &[i64], paired: bool) -> Result<(), crate::Error> {
        sections::check_groups(self, labels, paired)
    }

    /// Refuses scores that cannot be measured as this plan wants it, before any points are read.
    ///
    /// # Errors
    ///
    /// [`Error::Score`](crate::Error::Score), and [`NoPositives`](crate::Error::NoPositives).
    pub fn check_scores(&self, scores: &[f64]) -> Result<(), crate::Error> {
        sections::check_scores(self, scores)
    }

    /// Refuses weights that look like scores where the protocol's weights say which pairs are positives: none above 5, as scores of
    /// STS go, and three distinct values or more above 1, of which a mask has none.
    ///
    /// # Errors
    ///
    /// [`Error::ScoresAsWeights`](crate::Error::ScoresAsWeights).
    pub fn check_weights(&self, weights: &[f64]) -> Result<(), crate::Error> {
        sections::check_weights(self, weights)
    }

    /// Whether something is wanted that weights do not change.
    pub fn ignores_weights(&self) -> bool {
        self.weighed != Weighed::Nothing
            && (self.full || self.rows || self.modality_gap || self.top.is_some() || self.near.is_some())
    }

    /// Whether nothing is wanted but distances, which another origin of the points leaves as they are: no products of points, and
    /// neither their lengths nor their mean.
    pub fn is_of_distances(&self) -> bool {
        let has_losses = !(self.contrastive.is_empty() && self.sigmoid.is_empty() && self.supcon.is_empty());
        !(has_losses || self.retrieval || self.scores || self.full || self.figures)
    }

    /// Whether rows count as their weights say.
    pub fn weighs_rows(&self) -> bool {
        self.weighed == Weighed::RowsAndPairs
    }
}

/// Values in their order, each once.
fn distinct<T: Copy + PartialEq>(values: &[T]) -> Vec<T> {
    let mut distinct = Vec::new();
    for &value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Parameter;

    fn plan(change: impl FnOnce(&mut Options)) -> Result<Plan, Contradiction> {
        let mut options = Options::default();
        change(&mut options);
        Plan::new(&options)
    }

    #[test]
    fn equal_values_are_one() {
        let sweep = |t: &[f64], full| plan(|o| (o.t, o.full) = (t.to_vec(), full)).map(|plan| plan.sweep);
        assert_eq!(sweep(&[2.0, 2.0], false), Ok(vec![]));
        assert_eq!(sweep(&[2.0, 0.5, 2.0], false), Ok(vec![2.0, 0.5]));
        assert_eq!(sweep(&[3.0, 3.0], true), Ok(vec![3.0]));
        assert_eq!(sweep(&[], true), Ok(FULL_T.to_vec()));
        let losses =
            plan(|o| (o.paired, o.tau) = (true, vec![0.1, 0.5, 0.1])).map(|plan| plan.contrastive.len());
        assert_eq!(losses, Ok(2));
    }

    #[test]
    fn contradictions_are_named() {
        use Contradiction::*;
        let found = |change: fn(&mut Options)| plan(change).err();
        assert_eq!(found(|o| o.alpha = Some(1.0)), Some(NoPairs(Parameter::Alpha)));
        assert_eq!(
            found(|o| (o.paired, o.protocol) = (true, Some(Protocol::Moco))),
            Some(NoQueue(Protocol::Moco))
        );
        assert_eq!(found(|o| (o.paired, o.queue) = (true, true)), Some(NoLoss(Parameter::Queue)));
        assert_eq!(
            found(|o| (o.paired, o.weights, o.tau) = (true, true, vec![1.0])),
            Some(WeightedLoss(Parameter::Tau))
        );
        assert_eq!(
            found(|o| (o.paired, o.weights, o.protocol) = (true, true, Some(Protocol::Paper))),
            Some(WeightedProtocol(Protocol::Paper))
        );
        assert_eq!(
            found(|o| (o.paired, o.t, o.protocol) = (true, vec![3.0], Some(Protocol::Paper))),
            Some(SetByProtocol(Parameter::T))
        );
        assert_eq!(found(|o| (o.labels, o.weights) = (true, true)), None);
        assert_eq!(
            found(|o| (o.labels, o.weights, o.supcon) = (true, true, vec![0.1])),
            Some(WeightedSupcon)
        );
        assert_eq!(found(|o| (o.paired, o.scores, o.weights) = (true, true, true)), Some(WeightedScores));
        assert_eq!(found(|o| o.scores = true), Some(NoPairs(Parameter::Scores)));
        assert_eq!(found(|o| (o.paired, o.min_score) = (true, Some(4.0))), Some(NoScores));
        assert_eq!(
            found(|o| (o.paired, o.scores, o.min_score, o.tau) = (true, true, Some(4.0), vec![0.1])),
            Some(SomePositives(Parameter::Tau, Parameter::MinScore))
        );
        assert_eq!(
            found(|o| {
                (o.paired, o.scores, o.protocol, o.tau) = (true, true, Some(Protocol::Simcse), vec![0.1]);
            }),
            Some(SomePositives(Parameter::Tau, Parameter::Scores))
        );
        assert_eq!(
            found(|o| {
                (o.paired, o.scores, o.protocol, o.min_score) =
                    (true, true, Some(Protocol::Lightly), Some(4.0));
            }),
            Some(ScoredProtocol(Protocol::Lightly))
        );
        assert_eq!(found(|o| o.across_groups = true), Some(NoLabels(Parameter::AcrossGroups)));
        assert_eq!(found(|o| o.supcon = vec![0.1]), Some(NoLabels(Parameter::Supcon)));
        assert_eq!(found(|o| o.sigmoid = vec![Sigmoid::default()]), Some(NoPairs(Parameter::Sigmoid)));
        assert_eq!(found(|o| o.retrieval = true), Some(NoPairs(Parameter::Retrieval)));
        assert_eq!(found(|o| (o.alpha, o.labels) = (Some(1.0), true)), None);
        assert_eq!(
            NoPairs(Parameter::Alpha).to_string(),
            "alpha needs positive pairs: rows of two sets\ngive y too, or leave out alpha"
        );
    }

    #[test]
    fn a_protocol_knows_its_positives() {
        let of = |protocol, scores, min_score| {
            let change = |o: &mut Options| {
                (o.paired, o.protocol, o.scores, o.min_score) = (true, Some(protocol), scores, min_score);
            };
            plan(change).map(|plan| plan.min_score)
        };
        assert_eq!(of(Protocol::Simcse, true, None), Ok(Some(MinScore::Above(4.0))));
        assert_eq!(of(Protocol::Simcse, true, Some(0.8)), Ok(Some(MinScore::AtLeast(0.8))));
        assert_eq!(of(Protocol::Simcse, false, None), Ok(None));
        assert_eq!(of(Protocol::Paper, true, None), Ok(None));
    }

    #[test]
    fn weights_that_look_like_scores() {
        let refuses = |protocol, weights: &[f64]| {
            let change = |o: &mut Options| {
                (o.paired, o.weights, o.protocol) = (true, true, Some(protocol));
            };
            plan(change).unwrap().check_weights(weights).is_err()
        };
        for scores in [&[0.0, 1.2, 5.0, 3.4, 0.0][..], &[1.0, 2.0, 3.0, 4.0], &[0.5, 1.5, 2.5, 3.5]] {
            assert!(refuses(Protocol::Simcse, scores), "{scores:?}");
            assert!(!refuses(Protocol::Directau, scores), "{scores:?}");
        }
        for weights in [
            &[0.0, 1.0, 1.0, 0.0][..],
            &[0.1, 0.2, 0.5, 0.9, 1.0],
            &[1.0, 2.0, 3.0, 2.0, 3.0],
            &[0.0, 5.0, 5.0, 5.0],
            &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            &[],
        ] {
            assert!(!refuses(Protocol::Simcse, weights), "{weights:?}");
        }
    }
}
