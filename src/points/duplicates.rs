//! Rows that are equal.

use std::hash::Hasher as _;

use rayon::prelude::*;
use rustc_hash::FxHasher;

use crate::{
    error::Result,
    memory::{listed, push, reserved},
    points::Embeddings,
};

impl Embeddings<'_> {
    /// Rows equal in every value as given, in groups of two and more: each in order, and the groups by their first row.
    ///
    /// Rows that differ in length alone are no duplicates here, and 0 apart on the sphere:
    /// [`ClosePairs`](crate::ClosePairs) finds them.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](crate::Error::OutOfMemory): it takes 16 bytes a row, and more for those that are equal.
    pub fn duplicates(&self) -> Result<Vec<Vec<usize>>> {
        equal_rows(self.rows(), |row| &self.values()[row * self.dims()..][..self.dims()])
    }
}

/// Groups of two and more equal rows, each in order, and the groups by their first row.
pub(crate) fn equal_rows<'a>(
    rows: usize,
    row: impl Fn(usize) -> &'a [f32] + Sync,
) -> Result<Vec<Vec<usize>>> {
    groups_of_equal(rows, |i| hash(row(i)), |i, j| row(i) == row(j))
}

/// The same of rows that are known by a hash, which equal rows share, and by a comparison of two.
pub(crate) fn groups_of_equal(
    rows: usize,
    hash: impl Fn(usize) -> u64 + Sync,
    equal: impl Fn(usize, usize) -> bool,
) -> Result<Vec<Vec<usize>>> {
    let mut hashed = reserved(rows, 1, || format!("the hashes of {rows} rows"))?;
    hashed.par_extend((0..rows).into_par_iter().map(|i| (hash(i), i)));
    hashed.par_sort_unstable();
    let what = || format!("groups of equal rows among {rows}");
    let mut all = Vec::new();
    for alike in hashed.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
        // Different rows of one hash are rare, and told apart here.
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for &(_, i) in alike {
            match groups.iter_mut().find(|group| equal(group[0], i)) {
                Some(group) => push(group, i, what)?,
                None => push(&mut groups, listed([i].into_iter(), what)?, what)?,
            }
        }
        for group in groups.into_iter().filter(|group| group.len() > 1) {
            push(&mut all, group, what)?;
        }
    }
    all.par_sort_unstable();
    Ok(all)
}

/// The same of equal rows. Rows that differ are told apart by their values wherever that matters, so that it need not be more than
/// fast.
pub(crate) fn hash(row: &[f32]) -> u64 {
    // A sum with 0 makes the two zeros one.
    let bits = |v: f32| u64::from((v + 0.0).to_bits());
    let (pairs, rest) = row.as_chunks::<2>();
    hash_of_words(pairs, rest, |&[a, b]| bits(a) << 32 | bits(b), |&v| bits(v))
}

/// A hash of words, and of what is left of a row beside them.
pub(crate) fn hash_of_words<W, V>(
    words: &[W],
    rest: &[V],
    of_word: impl Fn(&W) -> u64,
    of_rest: impl Fn(&V) -> u64,
) -> u64 {
    let (groups, last) = words.as_chunks::<HASHERS>();
    let mut hashers: [FxHasher; HASHERS] = Default::default();
    for group in groups {
        hashers.iter_mut().zip(group).for_each(|(hasher, word)| hasher.write_u64(of_word(word)));
    }
    let mut all = FxHasher::default();
    hashers.iter().for_each(|hasher| all.write_u64(hasher.finish()));
    last.iter().for_each(|word| all.write_u64(of_word(word)));
    rest.iter().for_each(|value| all.write_u64(of_rest(value)));
    all.finish()
}

/// Hashers that go along a row side by side, as one alone would wait for itself.
const HASHERS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_first_row() -> Result<()> {
        let values = [1.0, 2.0, 0.0, 1.0, 1.0, 2.0, -0.0, 1.0, 2.0, 4.0, 1.0, 2.0];
        assert_eq!(Embeddings::new(values.as_slice(), 6, 2)?.duplicates()?, [vec![0, 2, 5], vec![1, 3]]);
        assert!(Embeddings::new([].as_slice(), 0, 2)?.duplicates()?.is_empty());
        Ok(())
    }
}
