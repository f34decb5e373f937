//! Rows that are zeros in one checkpoint or more, and are left out of all of as many rows: row i of each is of the same thing.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::SystemTime,
};

use unisphere_io::natural_order;

use super::super::measure::LEAST_ROWS;

/// The rows of zeros of all checkpoints that are there or on the page, by their names.
#[derive(Default)]
pub(super) struct ZeroRows {
    of: HashMap<String, Zeros>,
    /// What follows for all checkpoints of a number of rows.
    shares: HashMap<usize, Share>,
}

/// Those of one checkpoint.
struct Zeros {
    rows: usize,
    zero: BTreeSet<usize>,
    /// When its files were written.
    written: Option<SystemTime>,
}

#[derive(Default)]
struct Share {
    left_out: BTreeSet<usize>,
    /// The checkpoints that would leave too few rows of all.
    refused: HashSet<String>,
}

impl Zeros {
    /// Whether it has too few rows beside its own zeros, so that nothing of it can be measured.
    fn are_too_many(&self) -> bool {
        !self.zero.is_empty() && self.zero.len() + LEAST_ROWS > self.rows
    }
}

impl ZeroRows {
    pub(super) fn insert(
        &mut self,
        name: &str,
        (rows, zero): (usize, Vec<usize>),
        written: Option<SystemTime>,
    ) {
        let zeros = Zeros { rows, zero: zero.into_iter().collect(), written };
        self.of.insert(name.to_owned(), zeros);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.of.remove(name);
    }

    pub(super) fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.of.retain(|name, _| is_kept(name));
    }

    /// Finds anew what is left out. A checkpoint that would leave too few rows of those that were written before it is refused: one that is
    /// bad spoils no others, and after a restart it is the same one.
    pub(super) fn share_out(&mut self) {
        let mut of: Vec<_> = self.of.iter().filter(|(_, of)| !of.are_too_many()).collect();
        of.sort_by(|(a, x), (b, y)| x.written.cmp(&y.written).then_with(|| natural_order(a, b)));
        self.shares.clear();
        for (name, Zeros { rows, zero, .. }) in of {
            let share = self.shares.entry(*rows).or_default();
            let more = zero.difference(&share.left_out).count();
            if more > 0 && share.left_out.len() + more + LEAST_ROWS > *rows {
                share.refused.insert(name.clone());
            } else {
                share.left_out.extend(zero);
            }
        }
    }

    /// The rows that are left out of all checkpoints of so many rows.
    pub(super) fn left_out(&self, rows: usize) -> Vec<usize> {
        self.shares.get(&rows).map(|share| share.left_out.iter().copied().collect()).unwrap_or_default()
    }

    /// The rows that are left out of a checkpoint: none where nothing is known of it, or of what it is refused for alone.
    pub(super) fn left_out_of(&self, name: &str) -> Vec<usize> {
        let of = self.of.get(name).filter(|of| !of.are_too_many());
        of.map(|of| self.left_out(of.rows)).unwrap_or_default()
    }

    /// Why a checkpoint cannot be measured, and what has to change, where its rows of zeros are the reason.
    pub(super) fn refusal(&self, name: &str) -> Option<String> {
        let of = self.of.get(name)?;
        let (rows, zero) = (of.rows, of.zero.len());
        if of.are_too_many() {
            let these = if zero == rows {
                format!("all of its {rows} rows")
            } else {
                format!("{zero} of its {rows} rows")
            };
            return Some(format!(
                "{these} are zeros, and {LEAST_ROWS} others are needed; it is looked at again when it changes"
            ));
        }
        let share = self.shares.get(&rows).filter(|share| share.refused.contains(name))?;
        Some(format!(
            "{zero} of its {rows} rows are zeros, and {} of others: fewer than {LEAST_ROWS} rows would be left of each; it is looked at \
             again when it or they change",
            share.left_out.len()
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ROWS: usize = 6;

    /// A checkpoint, its rows of zeros, and when it was written, in seconds.
    type Written<'a> = (&'a str, &'a [usize], u64);

    fn zero_rows(of: &[Written<'_>]) -> ZeroRows {
        let mut all = ZeroRows::default();
        for (name, zero, seconds) in of {
            let written = SystemTime::UNIX_EPOCH + Duration::from_secs(*seconds);
            all.insert(name, (ROWS, zero.to_vec()), Some(written));
        }
        all.share_out();
        all
    }

    #[test]
    fn a_checkpoint_of_zeros_takes_nothing_from_others() {
        // Of a pair, a row may be zero in both sets.
        let mut all =
            zero_rows(&[("a", &[1, 1], 1), ("b", &[0, 1, 2, 3, 4, 5], 2), ("c", &[0, 1, 2, 3, 4], 3)]);
        assert_eq!((all.left_out(ROWS), all.left_out(7)), (vec![1], vec![]));
        assert_eq!(["a", "b", "c", "d"].map(|name| all.left_out_of(name)), [vec![1], vec![], vec![], vec![]]);
        assert_eq!(all.refusal("a"), None);
        assert!(all.refusal("b").unwrap().starts_with("all of its 6 rows are zeros"));
        assert!(all.refusal("c").unwrap().starts_with("5 of its 6 rows are zeros"));
        all.insert("b", (ROWS, vec![2]), None);
        all.share_out();
        assert_eq!((all.left_out(ROWS), all.refusal("b")), (vec![1, 2], None));
    }

    /// The same ones whatever the order in which they are found.
    #[test]
    fn those_that_were_written_before_stay() {
        let (a, b, c): (Written<'_>, Written<'_>, Written<'_>) =
            (("a", &[3, 4, 5], 2), ("b", &[0, 1], 1), ("c", &[2], 3));
        for of in [[a, b, c], [c, b, a], [b, c, a]] {
            let mut all = zero_rows(&of);
            assert_eq!(all.left_out(ROWS), [0, 1, 2]);
            assert_eq!((all.refusal("b"), all.refusal("c")), (None, None));
            assert!(
                all.refusal("a")
                    .unwrap()
                    .contains("3 of its 6 rows are zeros, and 3 of others: fewer than 2")
            );
            // Without b, a is the first.
            all.retain(|name| name != "b");
            all.share_out();
            assert_eq!((all.left_out(ROWS), all.refusal("a")), (vec![2, 3, 4, 5], None));
        }
        // As many rows as are needed.
        let all = zero_rows(&[("a", &[0, 1], 1), ("b", &[2, 3], 1)]);
        assert_eq!((all.left_out(ROWS), all.refusal("b")), (vec![0, 1, 2, 3], None));
    }
}
