//! The score that makes a pair a positive.

use std::fmt;

/// The score that a pair must have to count as a positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MinScore {
    /// This score or more.
    AtLeast(f64),
    /// More than this score.
    Above(f64),
}

impl MinScore {
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
    fn the_bound_itself() {
        let (least, above) = (MinScore::AtLeast(4.0), MinScore::Above(4.0));
        assert_eq!([3.9, 4.0, 4.1].map(|score| least.admits(score)), [false, true, true]);
        assert_eq!([3.9, 4.0, 4.1].map(|score| above.admits(score)), [false, false, true]);
        assert_eq!([least, above].map(|score| score.to_string()), ["at least 4", "above 4"]);
    }
}
