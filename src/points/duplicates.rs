//! Rows that are equal.

use std::hash::Hasher as _;

use rayon::prelude::*;
use rustc_hash::FxHasher;

use crate::points::Embeddings;

impl Embeddings<'_> {
    /// Rows equal in every value as given, in groups of two and more: each in order, and the groups by their first row.
    ///
    /// Rows that differ in length alone are no duplicates here, and 0 apart on the sphere:
    /// [`ClosePairs`](crate::ClosePairs) finds them.
    pub fn duplicates(&self) -> Vec<Vec<usize>> {
        equal_rows(self.rows(), |row| &self.values()[row * self.dims()..][..self.dims()])
    }
}

/// Groups of two and more equal rows, each in order, and the groups by their first row.
pub(crate) fn equal_rows<'a>(rows: usize, row: impl Fn(usize) -> &'a [f32] + Sync) -> Vec<Vec<usize>> {
    let mut hashed: Vec<_> = (0..rows).into_par_iter().map(|i| (hash(row(i)), i)).collect();
    hashed.par_sort_unstable();
    let mut groups = Vec::new();
    for alike in hashed.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
        // Different rows of one hash are rare, and told apart here.
        let mut equal: Vec<Vec<usize>> = Vec::new();
        for &(_, i) in alike {
            match equal.iter_mut().find(|group| row(group[0]) == row(i)) {
                Some(group) => group.push(i),
                None => equal.push(vec![i]),
            }
        }
        groups.extend(equal.into_iter().filter(|group| group.len() > 1));
    }
    groups.par_sort_unstable();
    groups
}

/// The same of equal rows. Rows that differ are told apart by their values wherever that matters, so that it need not be more than
/// fast.
pub(crate) fn hash(row: &[f32]) -> u64 {
    // A sum with 0 makes the two zeros one.
    let bits = |v: f32| u64::from((v + 0.0).to_bits());
    let (groups, rest) = row.as_chunks::<{ 2 * HASHERS }>();
    let mut hashers: [FxHasher; HASHERS] = Default::default();
    for group in groups {
        let pairs = group.as_chunks::<2>().0;
        hashers.iter_mut().zip(pairs).for_each(|(hasher, &[a, b])| hasher.write_u64(bits(a) << 32 | bits(b)));
    }
    let mut all = FxHasher::default();
    hashers.iter().for_each(|hasher| all.write_u64(hasher.finish()));
    rest.iter().for_each(|&v| all.write_u64(bits(v)));
    all.finish()
}

/// Hashers that go along a row side by side, as one alone would wait for itself.
const HASHERS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_first_row() -> crate::error::Result<()> {
        let values = [1.0, 2.0, 0.0, 1.0, 1.0, 2.0, -0.0, 1.0, 2.0, 4.0, 1.0, 2.0];
        assert_eq!(Embeddings::new(values.as_slice(), 6, 2)?.duplicates(), [vec![0, 2, 5], vec![1, 3]]);
        assert!(Embeddings::new([].as_slice(), 0, 2)?.duplicates().is_empty());
        Ok(())
    }
}
