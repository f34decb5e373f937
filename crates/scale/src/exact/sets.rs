//! Sets that are evaluated: their sources, their shape, and a sample that tells them from others.

use std::fmt;

use unisphere_io::{Source, printable};

use super::fingerprint::{Hash, hex, sample_of};
use crate::error::{Error, Result};

/// Sets that are read by range.
#[derive(Clone, Copy)]
pub struct Sets<'a> {
    /// x (n, d).
    pub x: &'a dyn Source,
    /// y (m, d); where m = n, row i of both is one positive pair.
    pub y: Option<&'a dyn Source>,
    /// The label of every row, where groups are measured: those of y are the same.
    pub labels: Option<&'a [i64]>,
}

/// Shape of the sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of x.
    pub x_rows: usize,
    /// Rows of y, where there is one.
    pub y_rows: Option<usize>,
    /// Dimensions of both.
    pub dims: usize,
}

impl<'a> Sets<'a> {
    /// One set.
    pub fn one(x: &'a dyn Source) -> Self {
        Self { x, y: None, labels: None }
    }

    /// Two sets.
    pub fn two(x: &'a dyn Source, y: &'a dyn Source) -> Self {
        Self { x, y: Some(y), labels: None }
    }

    /// The same sets with the label of every row, of which [`Found::groups`](super::Found::groups) are made: one a row of x, and of y
    /// where there is one.
    #[must_use]
    pub fn with_labels(self, labels: &'a [i64]) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// A sample of their values, which tells them from others of the same shape.
    ///
    /// # Errors
    ///
    /// Those of the sources.
    pub fn sample(&self) -> Result<Sample> {
        Ok(Sample { x: sample_of(self.x)?, y: self.y.map(sample_of).transpose()? })
    }

    /// Their shape.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] where they differ in dimensions, or there is not one label a row.
    pub fn shape(&self) -> Result<Shape> {
        let (x, y) = (self.x, self.y);
        if let Some(y) = y.filter(|y| y.dims() != x.dims()) {
            let problem = format!(
                "{} has {} dimensions, and {} has {}; name two sets from one encoder",
                printable(x.place(0).0),
                x.dims(),
                printable(y.place(0).0),
                y.dims()
            );
            return Err(Error::Sets { problem });
        }
        let shape = Shape { x_rows: x.rows(), y_rows: y.map(Source::rows), dims: x.dims() };
        self.labels.map_or(Ok(()), |labels| shape.check_labels(labels))?;
        Ok(shape)
    }
}

impl Shape {
    /// That there is one label a row.
    pub(super) fn check_labels(&self, labels: &[i64]) -> Result<()> {
        let rows = [Some(self.x_rows), self.y_rows].into_iter().flatten();
        match rows.into_iter().find(|&rows| rows != labels.len()) {
            None => Ok(()),
            Some(rows) => Err(Error::Sets {
                problem: format!("{} labels are given for {rows} rows; give one a row", labels.len()),
            }),
        }
    }
}

/// Hashes of some rows of x, and of y where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    x: Hash,
    y: Option<Hash>,
}

impl Sample {
    /// As text, for a plan.
    pub fn to_text(self) -> String {
        let hashes = [Some(self.x), self.y].into_iter().flatten();
        hashes.map(|hash| hex(&hash)).collect::<Vec<_>>().join("-")
    }

    /// From such a text; None for any other.
    pub fn from_text(text: &str) -> Option<Self> {
        let hash = |text: &str| Some(u128::from_str_radix(text, 16).ok()?.to_be_bytes());
        match text.split_once('-') {
            None => Some(Self { x: hash(text)?, y: None }),
            Some((x, y)) => Some(Self { x: hash(x)?, y: Some(hash(y)?) }),
        }
    }
}

impl fmt::Debug for Sets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sets").field("shape", &self.shape()).finish_non_exhaustive()
    }
}
