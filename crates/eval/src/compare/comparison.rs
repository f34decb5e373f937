//! Models held against a baseline, a score and each other.

use super::{Bootstrap, Correlations, Metric, Model, PairedDifference, holm};
use crate::{
    error::Result,
    maybe::{Absent, Maybe},
};

/// What is known of a model from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// The step of a training run.
    pub step: Option<f64>,
    /// How good it is at something else, such as the accuracy of a classifier on top of it.
    pub score: Option<f64>,
}

/// A difference to the baseline, and its p-value among all differences of the comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The model's value less the baseline's.
    pub paired: PairedDifference,
    /// The p-value corrected for the number of differences, of all models and metrics ([`holm`]).
    pub p_holm: f64,
}

/// A number for a metric, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct OfMetric<T> {
    /// The metric.
    pub metric: Metric,
    /// The number.
    pub found: Maybe<T>,
}

/// The correlation of a metric with the scores.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScoreCorrelation {
    /// The metric.
    pub metric: Metric,
    /// Over the models that have a score.
    pub with_score: Correlations,
}

/// The change from one step to the next.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The model, by its place in the list.
    pub model: usize,
    /// The model of the step before; None for the first.
    pub previous: Option<usize>,
    /// The model's values less those of the step before, each with the p-value of this change alone; none for the first.
    pub changes: Vec<OfMetric<PairedDifference>>,
}

/// What a comparison of models finds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// For every model in order, its differences to the baseline; none for the baseline itself, and where there is none.
    pub differences: Vec<Vec<OfMetric<Difference>>>,
    /// Of each metric; none where no model has a score.
    pub correlations: Vec<ScoreCorrelation>,
    /// The models that have a step, in the order of their steps; none where fewer than two have one.
    pub trajectory: Vec<Change>,
}

impl Comparison {
    /// Compares models that are all single sets or all pairs, with a place for each. `baseline` is the place of one of them.
    ///
    /// # Errors
    ///
    /// [`Mismatch`](unisphere::Error::Mismatch) where there are more models than places, or fewer; and where memory is short.
    pub fn of(
        models: &[Model],
        places: &[Place],
        baseline: Option<usize>,
        bootstrap: Bootstrap,
    ) -> Result<Self> {
        if models.len() != places.len() {
            let what = "a comparison takes one place for each model";
            let (left_rows, right_rows) = (models.len(), places.len());
            let mismatch =
                unisphere::Error::Mismatch { what, left_rows, left_dims: 1, right_rows, right_dims: 1 };
            return Err(mismatch.into());
        }
        Ok(Self {
            differences: differences(models, baseline),
            correlations: correlations(models, places, bootstrap)?,
            trajectory: trajectory(models, places),
        })
    }
}

fn differences(models: &[Model], baseline: Option<usize>) -> Vec<Vec<OfMetric<Difference>>> {
    let Some(base) = baseline.and_then(|place| models.get(place)) else {
        return vec![Vec::new(); models.len()];
    };
    let of = |(place, model)| if Some(place) == baseline { Vec::new() } else { against(model, base) };
    let paired: Vec<Vec<_>> = models.iter().enumerate().map(of).collect();
    let found = paired.iter().flatten().filter_map(|of| of.found.ok());
    let mut corrected = holm(&found.map(|paired| paired.p_value).collect::<Vec<_>>()).into_iter();
    let mut with_corrected = |of: OfMetric<PairedDifference>| OfMetric {
        metric: of.metric,
        found: of.found.map(|paired| Difference { paired, p_holm: corrected.next().unwrap_or(1.0) }),
    };
    paired.into_iter().map(|of_model| of_model.into_iter().map(&mut with_corrected).collect()).collect()
}

/// The paired difference of two models in each metric of the first.
fn against(model: &Model, base: &Model) -> Vec<OfMetric<PairedDifference>> {
    let of = |&metric: &Metric| {
        let found = match (model.without(metric), base.without(metric)) {
            (Ok(of_model), Ok(of_base)) => PairedDifference::of(of_model, of_base),
            (Err(reason), _) | (_, Err(reason)) => Err(reason),
        };
        OfMetric { metric, found }
    };
    model.metrics().iter().map(of).collect()
}

fn correlations(models: &[Model], places: &[Place], bootstrap: Bootstrap) -> Result<Vec<ScoreCorrelation>> {
    let scored: Vec<_> =
        models.iter().zip(places).filter_map(|(model, place)| Some((model, place.score?))).collect();
    let Some((first, _)) = scored.first() else { return Ok(Vec::new()) };
    let scores: Vec<_> = scored.iter().map(|(_, score)| *score).collect();
    let of = |&metric: &Metric| {
        let value = |(model, _): &(&Model, f64)| model.measured(metric).map_or(f64::NAN, |of| of.value);
        let values: Vec<_> = scored.iter().map(value).collect();
        Ok(ScoreCorrelation { metric, with_score: Correlations::of(&values, &scores, bootstrap)? })
    };
    first.metrics().iter().map(of).collect()
}

fn trajectory(models: &[Model], places: &[Place]) -> Vec<Change> {
    let mut steps: Vec<_> =
        places.iter().enumerate().filter_map(|(at, place)| Some((place.step?, at))).collect();
    if steps.len() < 2 {
        return Vec::new();
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = Change { model: steps[0].1, previous: None, changes: Vec::new() };
    let change = |two: &[(f64, usize)]| {
        let [previous, model] = [two[0].1, two[1].1];
        Change { model, previous: Some(previous), changes: against(&models[model], &models[previous]) }
    };
    std::iter::once(first).chain(steps.windows(2).map(change)).collect()
}

/// Why the baseline has no difference to itself.
pub const BASELINE: Absent = Absent::because("it is the baseline");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{ComparePlan, ModelRows, PartnerRows};

    /// A pair of sets whose distances and sums are made up.
    fn model(rows: usize, shift: f64) -> Model {
        let value = |i: usize, factor: usize| ((i + 1) * factor % 31) as f64 / 31.0 + shift;
        let list = |factor| (0..rows).map(|i| value(i, factor)).collect::<Vec<_>>();
        let rows = ModelRows {
            dims: 4,
            x: list(7),
            partners: Some(PartnerRows { y: list(12), distances: list(5) }),
        };
        Model::new(&ComparePlan::default(), rows).unwrap()
    }

    fn compare(models: &[Model], places: &[Place], baseline: Option<usize>) -> Comparison {
        Comparison::of(models, places, baseline, Bootstrap::default()).unwrap()
    }

    #[test]
    fn differences_are_to_the_baseline_and_corrected_together() {
        let models = [model(20, 0.0), model(20, 0.3), model(19, 0.0), model(20, 0.1)];
        let found = compare(&models, &[Place::default(); 4], Some(0));
        assert!(
            found.differences[0].is_empty() && found.correlations.is_empty() && found.trajectory.is_empty()
        );
        assert!(found.differences[2].iter().all(|of| of.found.is_err()));
        let all: Vec<_> = found.differences.iter().flatten().filter_map(|of| of.found.ok()).collect();
        let p: Vec<_> = all.iter().map(|difference| difference.paired.p_value).collect();
        assert_eq!(all.iter().map(|difference| difference.p_holm).collect::<Vec<_>>(), holm(&p));
        let alignment = found.differences[1][0];
        assert_eq!(alignment.metric, Metric::Alignment);
        let value = |model: &Model| model.measured(Metric::Alignment).unwrap().value;
        assert_eq!(alignment.found.unwrap().paired.value, value(&models[1]) - value(&models[0]));
        assert!(compare(&models, &[Place::default(); 4], None).differences.iter().all(Vec::is_empty));
        assert!(Comparison::of(&models, &[], None, Bootstrap::default()).is_err());
    }

    #[test]
    fn steps_are_in_order_and_scores_may_be_missing() {
        let models = [model(9, 0.2), model(9, 0.0), model(9, 0.1), model(9, 0.4)];
        let place = |step, score| Place { step, score };
        let places = [
            place(Some(300.0), Some(2.0)),
            place(Some(100.0), Some(1.0)),
            place(None, None),
            place(Some(200.0), Some(3.0)),
        ];
        let found = compare(&models, &places, Some(0));
        let steps: Vec<_> = found.trajectory.iter().map(|of| (of.model, of.previous)).collect();
        assert_eq!(steps, [(1, None), (3, Some(1)), (0, Some(3))]);
        assert!(found.trajectory[2].changes[0].found.unwrap().value < 0.0);
        // The order of alignments is that of the shifts, 0.2, 0 and 0.4, and the scores are 2, 1 and 3.
        let of_alignment = &found.correlations[0];
        assert_eq!((of_alignment.metric, of_alignment.with_score.pairs), (Metric::Alignment, 3));
        assert_eq!(of_alignment.with_score.kendall.unwrap().value, 1.0);
    }
}
