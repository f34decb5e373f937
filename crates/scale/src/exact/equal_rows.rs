//! Rows of a set that are equal, without holding them.

use rayon::prelude::*;
use unisphere::{Embeddings, Error as EngineError};

use super::fingerprint::{Hash, hash_of};
use crate::error::Result;

/// Rows that are equal in every value as given, of a set that is read in pieces, in order. Each is known by 128 bits of its BLAKE3 hash:
/// no two different rows are known that share them.
#[derive(Debug)]
pub struct EqualRows {
    /// The hash of each row, and its number.
    hashes: Vec<(Hash, usize)>,
}

impl EqualRows {
    /// Bytes of memory for each row, at most: its hash, and its place in a group.
    pub const BYTES_OF_ROW: u64 = 80;

    /// Of so many rows, none of which has come.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](EngineError::OutOfMemory).
    pub fn new(rows: usize) -> Result<Self> {
        let mut hashes = Vec::new();
        if hashes.try_reserve_exact(rows).is_err() {
            return Err(EngineError::OutOfMemory { context: format!("the hashes of {rows} rows") }.into());
        }
        Ok(Self { hashes })
    }

    /// Adds the next rows (n, d).
    pub fn add(&mut self, points: &Embeddings<'_>) {
        let first = self.hashes.len();
        let rows = points.values().par_chunks_exact(points.dims());
        let hash = |(row, values): (usize, &[f32])| {
            // A sum with 0 makes the two zeros one.
            let values: Vec<_> = values.iter().map(|value| value + 0.0).collect();
            (hash_of(&values), first + row)
        };
        self.hashes.par_extend(rows.enumerate().map(hash));
    }

    /// Groups of two and more equal rows: each in order, and the groups by their first row.
    pub fn groups(self) -> Vec<Vec<usize>> {
        let Self { mut hashes } = self;
        hashes.par_sort_unstable();
        let alike = hashes.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1);
        let mut groups: Vec<Vec<usize>> =
            alike.map(|alike| alike.iter().map(|&(_, row)| row).collect()).collect();
        groups.par_sort_unstable();
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_those_of_points_in_memory() -> Result<()> {
        // Of three values each, so that many rows are equal, and zeros of both signs.
        let value = |i: usize| [-0.0, 0.0, 1.0, 2.0][i * 7919 % 13 % 4] as f32;
        let values: Vec<f32> = (0..5000 * 3).map(value).chain([7.0, 8.0, 9.0]).collect();
        let mut found = EqualRows::new(5001)?;
        for rows in [0..1, 1..4000, 4000..5001] {
            let piece = &values[rows.start * 3..rows.end * 3];
            found.add(&Embeddings::raw(piece, rows.len(), 3)?);
        }
        let found = found.groups();
        assert_eq!(found, Embeddings::raw(values, 5001, 3)?.duplicates()?);
        assert!(found.len() > 1 && found.iter().map(Vec::len).sum::<usize>() <= 5000);
        Ok(())
    }
}
