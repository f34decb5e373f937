//! Terms of a gradient: what the pairs of two panels add to that of the first.

use unisphere::{
    Alignment, AnchorWeights, Anchors, Candidates, Contrastive, Engine, Loss, Matrix, Points, Uniformity,
    unordered_pairs,
};

use super::{
    super::{
        blocks::{Layout, SetName, Sum},
        run::State,
    },
    Objective,
};
use crate::panels::Panels;

/// The other set of some pairs, and what they are pairs of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// All pairs, of one set or of two, that a total is of.
    Total(SetName),
    /// The pairs of anchors with negatives: those of rows with other numbers.
    Negatives(SetName),
    /// The positive pairs of the contrastive loss.
    Positives(SetName),
    /// The positive pairs of alignment.
    Alignment(SetName),
}

impl Term {
    /// Terms of the gradient of a set, in the order in which they are added.
    pub(super) fn of(objective: Objective, set: SetName) -> &'static [Self] {
        use SetName::{X, Y};
        use Term::{Alignment, Negatives, Positives, Total};
        match (objective, set) {
            (Objective::Uniformity(_), X) | (Objective::CrossUniformity(_), Y) => &[Total(X)],
            (Objective::Uniformity(_), Y) | (Objective::CrossUniformity(_), X) => &[Total(Y)],
            (Objective::Alignment(_), X) => &[Alignment(Y)],
            (Objective::Alignment(_), Y) => &[Alignment(X)],
            (Objective::Loss(_), X) => &[Total(X), Alignment(Y)],
            (Objective::Loss(_), Y) => &[Total(Y), Alignment(X)],
            (Objective::Contrastive(Contrastive { candidates, .. }), X) => match candidates {
                Candidates::Views => &[Negatives(Y), Negatives(X), Positives(Y)],
                _ => &[Negatives(Y), Positives(Y)],
            },
            (Objective::Contrastive(Contrastive { candidates, .. }), Y) => match candidates {
                Candidates::Views => &[Negatives(X), Negatives(Y), Positives(X)],
                _ => &[Negatives(X), Positives(X)],
            },
        }
    }

    /// The set of the panels on the right.
    pub(super) fn with(self) -> SetName {
        let (Self::Total(set) | Self::Negatives(set) | Self::Positives(set) | Self::Alignment(set)) = self;
        set
    }

    /// Whether a panel meets that of its own number alone.
    pub(super) fn is_paired(self) -> bool {
        matches!(self, Self::Positives(_) | Self::Alignment(_))
    }

    /// Pairs of a panel of a set with one of the term's.
    pub(super) fn pairs(self, layout: &Layout, set: SetName, left: usize, right: usize) -> u64 {
        let (rows, cols) =
            (layout.panels(set).len(left) as u64, layout.panels(self.with()).len(right) as u64);
        match self {
            Self::Positives(_) | Self::Alignment(_) => rows,
            Self::Total(with) if with != set => rows * cols,
            _ if left == right => rows * cols.saturating_sub(1),
            _ => rows * cols,
        }
    }
}

/// A panel of a set.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) set: SetName,
    pub(super) panel: usize,
    pub(super) points: &'a Points,
}

/// What all pairs have in common: the totals and softmaxes that they are parts of.
pub(super) struct Terms {
    weighs: Weighs,
    x: Panels,
    y: Panels,
}

enum Weighs {
    Totals {
        metric: Uniformity,
        /// Log of the sum over the pairs of each set, or across both.
        log_sums: [f64; 2],
        scale: f64,
        alignment: Alignment,
        weight: f64,
    },
    Softmaxes {
        tau: f64,
        /// How the rows of either set weigh their pairs as anchors, in logs; −∞ for those that are none.
        logs: [Vec<f64>; 2],
        /// The weight of every positive pair, for all of its anchors.
        positives: Vec<f64>,
    },
}

impl Terms {
    /// Bytes for each positive pair: two logs and a weight, and the log sums, products and weights that they are made from.
    pub(super) const BYTES_OF_PAIR: u64 = 8 * 8;

    pub(super) fn new(objective: Objective, layout: &Layout, state: &State) -> Self {
        let [x, y] = SETS.map(|set| layout.panels(set));
        let within = |set| {
            let pairs = unordered_pairs(layout.panels(set).rows) as f64;
            log_mean(layout, state, Sum::Within(set)) + pairs.ln()
        };
        let nothing = Alignment::default();
        let totals = |metric, log_sums, scale, (alignment, weight)| Weighs::Totals {
            metric,
            log_sums,
            scale,
            alignment,
            weight,
        };
        let weighs = match objective {
            Objective::Uniformity(metric) => totals(metric, [within(SetName::X); 2], 1.0, (nothing, 0.0)),
            Objective::CrossUniformity(metric) => {
                let pairs = x.rows as f64 * y.rows as f64;
                let log_sum = log_mean(layout, state, Sum::Across) + pairs.ln();
                totals(metric, [log_sum; 2], 1.0, (nothing, 0.0))
            }
            Objective::Alignment(alignment) => totals(Uniformity::default(), [0.0; 2], 0.0, (alignment, 1.0)),
            Objective::Loss(Loss { weight, alignment, uniformity }) => {
                totals(uniformity, SETS.map(within), 0.5, (alignment, weight))
            }
            Objective::Contrastive(Contrastive { tau, .. }) => softmaxes(tau, layout, state),
        };
        Self { weighs, x, y }
    }

    /// What the pairs of two panels add to the gradient of the left one.
    pub(super) fn share(
        &self,
        term: Term,
        engine: &Engine,
        left: Side<'_>,
        right: Side<'_>,
    ) -> unisphere::Result<Matrix> {
        let is_itself = (left.set, left.panel) == (right.set, right.panel);
        let (x, y) = (left.points, right.points);
        match &self.weighs {
            &Weighs::Totals { alignment, weight, .. } if term.is_paired() => {
                let part = x.rows() as f64 / self.panels(left.set).rows as f64;
                let paired = alignment.paired(x, y).scaled(weight * part);
                Ok(engine.value_and_grad(paired)?.1.0)
            }
            &Weighs::Totals { metric, log_sums, scale, .. } => {
                let log_sum = log_sums[left.set as usize];
                if is_itself {
                    return engine.value(metric.share_within(x, log_sum).scaled(scale));
                }
                engine.value(metric.share_across(x, y, log_sum).scaled(scale))
            }
            Weighs::Softmaxes { tau, positives, .. } if term.is_paired() => {
                let weights = &positives[self.panels(left.set).range(left.panel)];
                engine.value(Contrastive::share_of_positives(*tau, x, y, weights))
            }
            &Weighs::Softmaxes { tau, ref logs, .. } => {
                let of = |side: Side<'_>| &logs[side.set as usize][self.panels(side.set).range(side.panel)];
                let anchors = Anchors { x: of(left), y: of(right) };
                if is_itself {
                    return engine.value(Contrastive::share_within(tau, x, anchors.x));
                }
                if left.panel == right.panel {
                    return engine.value(Contrastive::share_unpaired(tau, x, y, anchors));
                }
                engine.value(Contrastive::share_across(tau, x, y, anchors))
            }
        }
    }

    fn panels(&self, set: SetName) -> Panels {
        match set {
            SetName::X => self.x,
            SetName::Y => self.y,
        }
    }
}

/// Both sets, in the order of their numbers.
const SETS: [SetName; 2] = [SetName::X, SetName::Y];

/// Weights of the pairs of all anchors, from their log sums and the products of positive pairs.
fn softmaxes(tau: f64, layout: &Layout, state: &State) -> Weighs {
    let products = state.strips.of_pairs(layout, Sum::Products);
    let logits: Vec<_> = products.into_iter().map(|product| product / tau).collect();
    let anchors = (layout.anchors().len() * logits.len()) as u64;
    let mut logs = SETS.map(|_| vec![f64::NEG_INFINITY; logits.len()]);
    let mut positives = vec![0.0; logits.len()];
    for (logs, sums) in logs.iter_mut().zip(layout.anchors()) {
        let weights = AnchorWeights::new(&logits, &state.strips.log_sums(layout, sums, 0), anchors);
        *logs = weights.logs;
        positives.iter_mut().zip(weights.positives).for_each(|(sum, weight)| *sum += weight);
    }
    Weighs::Softmaxes { tau, logs, positives }
}

/// Log mean of the kernel over all pairs of a sum.
pub(super) fn log_mean(layout: &Layout, state: &State, sum: Sum) -> f64 {
    state.results.log_means(layout, sum, 1).first().copied().unwrap_or(f64::NAN)
}
