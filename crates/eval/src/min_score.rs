//! The score that makes a pair a positive.

use std::fmt;

use half::f16;

/// The score that a pair must have to count as a positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MinScore {
    /// This score or more.
    AtLeast(f64),
    /// More than this score.
    Above(f64),
}

impl MinScore {
    /// The bound as these scores can have it: where all of them are numbers of f16, or of f32, the nearest of these. A pair that is
    /// scored 4.2 in a file of f32 has 4.1999998, and is a positive of at least 4.2.
    pub(crate) fn for_scores(self, scores: &[f64]) -> Self {
        let in_f16 = |score: f64| f16::from_f64(score).to_f64();
        let in_f32 = |score: f64| f64::from(score as f32);
        let kinds = [in_f16 as fn(f64) -> f64, in_f32];
        let kind = kinds.into_iter().find(|rounded| scores.iter().all(|&score| rounded(score) == score));
        let rounded = kind.unwrap_or(|score| score);
        match self {
            Self::AtLeast(least) => Self::AtLeast(rounded(least)),
            Self::Above(bound) => Self::Above(rounded(bound)),
        }
    }

    /// Whether a pair of this score is a positive.
    pub fn admits(self, score: f64) -> bool {
        match self {
            Self::AtLeast(least) => score >= least,
            Self::Above(bound) => score > bound,
        }
    }
}

impl fmt::Display for MinScore {
    /// "at least 4", "above 4".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::Above(bound) => write!(f, "above {bound}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_few_digits_have_a_bound_of_few_digits() {
        let least = MinScore::AtLeast(4.2);
        let admitted = |scores: &[f64]| {
            let bound = least.for_scores(scores);
            scores.iter().filter(|&&score| bound.admits(score)).count()
        };
        let scores = [0.2, 4.0, 4.2, 4.4];
        assert_eq!(admitted(&scores), 2);
        assert_eq!(admitted(&scores.map(|score| f64::from(score as f32))), 2);
        assert_eq!(admitted(&scores.map(|score| f16::from_f64(score).to_f64())), 2);
        // The same bound for numbers that any of them has.
        assert_eq!(MinScore::Above(4.0).for_scores(&[4.0, 4.5]), MinScore::Above(4.0));
    }

    #[test]
    fn the_bound_itself() {
        let (least, above) = (MinScore::AtLeast(4.0), MinScore::Above(4.0));
        assert_eq!([3.9, 4.0, 4.1].map(|score| least.admits(score)), [false, true, true]);
        assert_eq!([3.9, 4.0, 4.1].map(|score| above.admits(score)), [false, false, true]);
        assert_eq!([least, above].map(|score| score.to_string()), ["at least 4", "above 4"]);
    }
}
