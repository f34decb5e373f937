//! Scores of pairs: how well the order of their cosines follows that of what they are said to be alike, and which pairs are
//! positives.

use unisphere::{Estimate, spearman};

use crate::{
    error::{Error, Result},
    estimate::Measured,
    maybe::{Absent, Maybe},
    min_score::MinScore,
    plan::Plan,
    protocol::Weighed,
    work::Work,
};

/// The greatest score of STS, and how many distinct ones above 1 are no weights of a mask.
const GREATEST_SCORE: f64 = 5.0;
const DISTINCT_SCORES_ABOVE_ONE: usize = 3;

/// Cosines of pairs against their scores.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// Spearman's rank correlation of cosines and scores, with a 95 % interval by Fisher's z.
    pub spearman: Maybe<Measured>,
    /// Pairs that it is of: all.
    pub pairs: usize,
    /// The positives, where scores say which pairs are.
    pub positives: Option<Positives>,
}

/// Pairs that their scores make positives.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Positives {
    /// The score that they must have.
    pub min_score: MinScore,
    /// Their number.
    pub pairs: usize,
}

/// Refuses scores that are not finite, and those of which none makes a pair a positive.
pub(crate) fn check(plan: &Plan, scores: &[f64]) -> Result<()> {
    if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
        return Err(Error::Score { row, value: scores[row] });
    }
    let Some(min_score) = plan.min_score else { return Ok(()) };
    let bound = min_score.for_scores(scores);
    if scores.iter().any(|&score| bound.admits(score)) {
        return Ok(());
    }
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Err(Error::NoPositives { min_score, highest })
}

/// Refuses weights that look like scores, where they are to say which pairs are positives.
pub(crate) fn check_weights(plan: &Plan, weights: &[f64]) -> Result<()> {
    let is_of_positives = plan.protocol.is_some_and(|protocol| protocol.settings().min_score.is_some());
    if !is_of_positives || plan.weighed != Weighed::Pairs {
        return Ok(());
    }
    let highest = weights.iter().copied().fold(0.0, f64::max);
    if highest > GREATEST_SCORE {
        return Ok(());
    }
    let mut above_one = Vec::new();
    for &weight in weights.iter().filter(|&&weight| weight > 1.0) {
        if !above_one.contains(&weight) {
            above_one.push(weight);
        }
        if above_one.len() == DISTINCT_SCORES_ABOVE_ONE {
            return Err(Error::ScoresAsWeights { highest });
        }
    }
    Ok(())
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<Scores>> {
    let (Some(scores), [x, y]) = (&work.scores, &*work.sets) else { return Ok(None) };
    let cosines = work.session.pair_cosines(&x.points, &y.points)?;
    let pairs = scores.len();
    let spearman = match spearman(&cosines, scores)? {
        Some(found) => Ok(measured(found, pairs)),
        None => Err(undefined(&cosines, scores)),
    };
    let positives = |min_score| Positives { min_score, pairs: work.counted_pairs() };
    Ok(Some(Scores { spearman, pairs, positives: work.plan.min_score.map(positives) }))
}

fn measured(found: Estimate, pairs: usize) -> Measured {
    let Estimate { value, standard_error, low, high } = found;
    if standard_error.is_finite() {
        return Measured { value, standard_error: Ok(standard_error), low: Ok(low), high: Ok(high) };
    }
    let reason = if pairs < 4 { "it takes four pairs or more" } else { "a correlation of 1 or -1 has none" };
    Measured::alone(value, Absent::because(reason))
}

/// Why these have no correlation.
fn undefined(cosines: &[f64], scores: &[f64]) -> Absent {
    let are_equal = |values: &[f64]| values.windows(2).all(|two| two[0] == two[1]);
    Absent::because(if cosines.iter().any(|cosine| cosine.is_nan()) {
        "a row of zeros has no cosine"
    } else if are_equal(scores) {
        "all scores are equal"
    } else {
        "all cosines are equal"
    })
}
