//! Equal rows, and pairs of rows that lie close together.

use crate::{
    data::SetName,
    error::Result,
    maybe::{Absent, Maybe},
    work::Work,
};

/// Close pairs that are listed at most.
const MAX_LISTED_PAIRS: usize = 1000;

/// Equal rows, and close pairs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Duplicates {
    /// The greatest distance of a close pair.
    pub distance: f64,
    /// Each set's.
    pub sets: Vec<SetDuplicates>,
}

/// Equal rows and close pairs of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetDuplicates {
    /// The set.
    pub set: SetName,
    /// Rows equal in every value as f32, unscaled: each group in order, and the groups by their first row.
    pub equal: Maybe<Vec<Vec<usize>>>,
    /// The number of close pairs.
    pub close_pairs: u64,
    /// The first of them in the order of their rows, a thousand at most.
    pub close: Maybe<Vec<ClosePair>>,
}

/// Two rows i < j, and how far they are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClosePair {
    /// The first row.
    pub i: usize,
    /// The second.
    pub j: usize,
    /// Their distance.
    pub distance: f64,
}

impl Duplicates {
    /// Pairs of each set that are so close, counted and neither listed nor compared for equality, as of points that are read in pieces.
    pub fn counted(distance: f64, sets: impl IntoIterator<Item = (SetName, u64)>) -> Self {
        let of_set = |(set, close_pairs)| SetDuplicates {
            set,
            equal: Err(Absent::because("rows that are read in parts are not compared")),
            close_pairs,
            close: Err(Absent::because(
                "close pairs of rows that are read in pieces are counted, and not listed",
            )),
        };
        Self { distance, sets: sets.into_iter().map(of_set).collect() }
    }

    /// The same with the equal rows of each set in order, or why they are not known.
    #[must_use]
    pub fn with_equal_rows(mut self, equal: Vec<Maybe<Vec<Vec<usize>>>>) -> Self {
        self.sets.iter_mut().zip(equal).for_each(|(of, equal)| of.equal = equal);
        self
    }
}

impl SetDuplicates {
    /// Rows beyond the first of each group of equal ones.
    ///
    /// # Errors
    ///
    /// Why equal rows are not known.
    pub fn spare_rows(&self) -> Maybe<usize> {
        Ok(self.groups()?.iter().map(|group| group.len() - 1).sum())
    }

    /// The close pairs that are listed: none where they are not.
    pub fn listed(&self) -> &[ClosePair] {
        self.close.as_deref().unwrap_or_default()
    }

    /// The groups of equal rows.
    ///
    /// # Errors
    ///
    /// Why they are not known.
    pub fn groups(&self) -> Maybe<&[Vec<usize>]> {
        self.equal.as_deref().map_err(|reason| *reason)
    }
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<Duplicates>> {
    let Some(distance) = work.plan.near else { return Ok(None) };
    let mut sets = Vec::new();
    for set in &work.sets {
        let found = work.session.close_pairs(set.name, &set.points, distance, MAX_LISTED_PAIRS)?;
        let pair = |&(i, j, distance): &(usize, usize, f64)| ClosePair {
            i: work.number(i),
            j: work.number(j),
            distance,
        };
        let group = |group: &Vec<usize>| group.iter().map(|&row| work.number(row)).collect();
        sets.push(SetDuplicates {
            set: set.name,
            equal: Ok(set.equal.iter().map(group).collect()),
            close_pairs: found.count,
            close: Ok(found.pairs.iter().map(pair).collect()),
        });
    }
    Ok(Some(Duplicates { distance, sets }))
}
