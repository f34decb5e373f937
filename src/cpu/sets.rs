//! The one or two sets that pairs are made of.

use super::points::Rows;
use crate::{
    error::Result,
    pairs::Pairs,
    points::Scaling,
    schedule::{self, Block},
};

/// The pairs i < j of `x`, or the pairs of `x` and `y`.
#[derive(Clone, Copy)]
pub(super) struct Sets<'a> {
    pub(super) x: &'a Rows,
    pub(super) y: Option<&'a Rows>,
    /// Of two sets, only the pairs i ≠ j.
    pub(super) distinct: bool,
}

impl<'a> Sets<'a> {
    pub(super) fn of(pairs: Pairs<'a>) -> Result<Self> {
        Ok(match pairs {
            Pairs::Within(x) => Self::within(Rows::of(x)?),
            Pairs::Across(x, y) => Self::two(Rows::of(x)?, Rows::of(y)?),
            Pairs::Unpaired(x, y) => Self { distinct: true, ..Self::two(Rows::of(x)?, Rows::of(y)?) },
        })
    }

    /// The pairs of one set.
    pub(super) fn within(x: &'a Rows) -> Self {
        Self { x, y: None, distinct: false }
    }

    /// All pairs of two sets.
    pub(super) fn two(x: &'a Rows, y: &'a Rows) -> Self {
        Self { x, y: Some(y), distinct: false }
    }

    /// The points on the right.
    pub(super) fn right(self) -> &'a Rows {
        self.y.unwrap_or(self.x)
    }

    /// Whether both sets are of unit rows so few that they are taken in f64.
    pub(super) fn few(self) -> bool {
        self.x.few() && self.right().few()
    }

    pub(super) fn scaling(self) -> Scaling {
        self.x.scaling()
    }

    pub(super) fn dims(self) -> usize {
        self.x.dims()
    }

    pub(super) fn blocks(self) -> Box<dyn Iterator<Item = Block> + Send> {
        let (n, m, panel) = (self.x.len(), self.right().len(), self.panel());
        match self.y {
            None => Box::new(schedule::within(n, panel)),
            Some(_) => Box::new(schedule::across(n, m, panel)),
        }
    }

    /// How many pairs of a block count.
    pub(super) fn count(self, block: &Block) -> u64 {
        let (rows, cols) = (&block.rows, &block.cols);
        let equal = rows.end.min(cols.end).saturating_sub(rows.start.max(cols.start));
        block.pairs() - if self.distinct { equal as u64 } else { 0 }
    }

    /// Bytes for what is worth keeping from one product to another: of the order of both sets and their gradients.
    pub(super) fn room(self) -> usize {
        let points = (self.x.len() + self.right().len()) * self.dims() * size_of::<f32>();
        (64 << 20) + 4 * points
    }

    /// How many rows a panel has: enough to be worth their packing, few enough for a core's share of the last cache to hold
    /// them packed and for 64 cores to share the blocks.
    pub(super) fn panel(self) -> usize {
        const CACHED: usize = (5 << 20) / size_of::<f32>();
        let rows = self.x.len().max(self.right().len());
        // A multiple of both sides of every tile.
        96 * (rows / (16 * 96)).min(CACHED / (96 * self.dims())).clamp(1, 4)
    }
}
