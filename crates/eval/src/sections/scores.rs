//! Scores of pairs: how well the order of their cosines follows that of what they are said to be alike.

use unisphere::{Estimate, spearman};

use crate::{
    error::{Error, Result},
    estimate::Measured,
    maybe::{Absent, Maybe},
    work::Work,
};

/// Cosines of pairs against their scores.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// Spearman's rank correlation of cosines and scores, with a 95 % interval by Fisher's z.
    pub spearman: Maybe<Measured>,
    /// Pairs that it is of: all.
    pub pairs: usize,
}

/// Refuses scores that are not finite.
pub(crate) fn check(scores: &[f64]) -> Result<()> {
    match scores.iter().position(|score| !score.is_finite()) {
        Some(row) => Err(Error::Score { row, value: scores[row] }),
        None => Ok(()),
    }
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<Scores>> {
    let (Some(scores), [x, y]) = (&work.scores, &*work.sets) else { return Ok(None) };
    let cosines = work.session.pair_cosines(&x.points, &y.points)?;
    let pairs = scores.len();
    let spearman = match spearman(&cosines, scores)? {
        Some(found) => Ok(measured(found, pairs)),
        None => Err(undefined(&cosines, scores)),
    };
    Ok(Some(Scores { spearman, pairs }))
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
