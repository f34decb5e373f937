//! Some rows of a set, as a set of their own.

use std::{ops::Range, path::Path};

use unisphere_io::{Result, Source};

/// Rows that lie so close together are read at once, with those between them.
const MAX_GAP: usize = 32;
/// Values that are read at once, at most, unless a row has more.
const MAX_VALUES: usize = 1 << 20;

/// Some rows of a set, in ascending order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selected<'a> {
    set: &'a dyn Source,
    rows: &'a [usize],
}

impl<'a> Selected<'a> {
    pub(super) fn new(set: &'a dyn Source, rows: &'a [usize]) -> Self {
        Self { set, rows }
    }

    /// The row of the set that a selected one is; behind the last one, the row behind it.
    fn row(&self, selected: usize) -> usize {
        match self.rows.get(selected) {
            Some(&row) => row,
            None => self.rows.last().map_or(0, |&row| row + 1),
        }
    }
}

impl Source for Selected<'_> {
    fn path(&self) -> &Path {
        self.set.path()
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn dims(&self) -> usize {
        self.set.dims()
    }

    fn place(&self, row: usize) -> (&Path, usize) {
        self.set.place(self.row(row))
    }

    fn is_half(&self) -> bool {
        self.set.is_half()
    }

    fn rows_at_once(&self) -> usize {
        self.set.rows_at_once()
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
        let wanted: Vec<_> = self.rows[rows].iter().copied().zip(0..).collect();
        gather(self.set, &wanted, into)
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64> {
        self.set.stored(self.row(row), dim)
    }
}

/// Reads rows, given in ascending order, each to a place of its own in `into`, which is row-major.
pub(super) fn gather(set: &dyn Source, wanted: &[(usize, usize)], into: &mut [f32]) -> Result<()> {
    let dims = set.dims();
    let most_rows = (MAX_VALUES / dims).max(1);
    let mut values = Vec::new();
    let mut left = wanted;
    while let Some(&(first, _)) = left.first() {
        let is_near = |two: &[(usize, usize)]| {
            let [row, next] = [two[0].0, two[1].0];
            next - row <= MAX_GAP && next - first < most_rows
        };
        let together = 1 + left.windows(2).take_while(|two| is_near(two)).count();
        let (run, rest) = left.split_at(together);
        let end = run.last().map_or(first, |&(row, _)| row) + 1;
        values.resize((end - first) * dims, 0.0);
        set.read(first..end, &mut values)?;
        for &(row, place) in run {
            let row = &values[(row - first) * dims..][..dims];
            into[place * dims..][..dims].copy_from_slice(row);
        }
        left = rest;
    }
    Ok(())
}
