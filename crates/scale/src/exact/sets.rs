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
        Self { x, y: None }
    }

    /// Two sets.
    pub fn two(x: &'a dyn Source, y: &'a dyn Source) -> Self {
        Self { x, y: Some(y) }
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
    /// [`Error::Sets`] where they differ in dimensions.
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
        Ok(Shape { x_rows: x.rows(), y_rows: y.map(Source::rows), dims: x.dims() })
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
