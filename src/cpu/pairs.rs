//! Pairs of the CPU's own points, and how they are cut into blocks.

use std::{ops::Range, sync::Arc};

use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{points::Rows, simd::isa::Job},
    error::Result,
    pairs::Pairs,
    points::{Points, RowView, Scaling},
    schedule::{self, Block},
};

/// [`Pairs`] whose points are this backend's own.
#[derive(Clone, Copy)]
pub(crate) enum PairSet<'a> {
    /// Pairs i < j of one set.
    Within(&'a Rows),
    /// All pairs of two sets.
    Across(&'a Rows, &'a Rows),
    /// Pairs i ≠ j of two sets.
    Unpaired(&'a Rows, &'a Rows),
}

/// [`PairSet`] with handles of its points, which a job on another thread keeps.
pub(crate) enum SharedPairs {
    Within(Arc<Rows>),
    Across(Arc<Rows>, Arc<Rows>),
    Unpaired(Arc<Rows>, Arc<Rows>),
}

impl SharedPairs {
    /// Pairs of points as f32.
    pub(crate) fn of(pairs: Pairs<'_>) -> Result<Self> {
        Self::by(pairs, Rows::of)
    }

    /// The same for sums over blocks, which take points in half precision as they are.
    pub(crate) fn as_stored(pairs: Pairs<'_>) -> Result<Self> {
        Self::by(pairs, Rows::as_stored)
    }

    fn by(pairs: Pairs<'_>, rows: impl Fn(&Points) -> Result<Arc<Rows>>) -> Result<Self> {
        Ok(match pairs {
            Pairs::Within(x) => Self::Within(rows(x)?),
            Pairs::Across(x, y) => Self::Across(rows(x)?, rows(y)?),
            Pairs::Unpaired(x, y) => Self::Unpaired(rows(x)?, rows(y)?),
        })
    }

    pub(crate) fn set(&self) -> PairSet<'_> {
        match self {
            Self::Within(x) => PairSet::Within(x),
            Self::Across(x, y) => PairSet::Across(x, y),
            Self::Unpaired(x, y) => PairSet::Unpaired(x, y),
        }
    }
}

impl<'a> PairSet<'a> {
    /// Points on the left.
    pub(crate) fn left(self) -> &'a Rows {
        let (Self::Within(x) | Self::Across(x, _) | Self::Unpaired(x, _)) = self;
        x
    }

    /// Points on the right, which are those on the left within one set.
    pub(crate) fn right(self) -> &'a Rows {
        let (Self::Within(y) | Self::Across(_, y) | Self::Unpaired(_, y)) = self;
        y
    }

    /// Second set of points, where there are two.
    pub(crate) fn second(self) -> Option<&'a Rows> {
        match self {
            Self::Within(_) => None,
            Self::Across(_, y) | Self::Unpaired(_, y) => Some(y),
        }
    }

    pub(crate) fn is_unpaired(self) -> bool {
        matches!(self, Self::Unpaired(..))
    }

    /// Whether both sides are unit rows so few that they are summed in f64.
    pub(crate) fn few(self) -> bool {
        self.left().few() && self.right().few()
    }

    /// Whether one thread does all of the work on them before another wakes up.
    pub(crate) fn are_quick(self) -> bool {
        let sides = [self.left(), self.right()];
        sides.into_iter().all(|rows| rows.len() <= self.panel() && rows.are_quick())
    }

    pub(crate) fn scaling(self) -> Scaling {
        self.left().scaling()
    }

    pub(crate) fn dims(self) -> usize {
        self.left().dims()
    }

    pub(crate) fn blocks(self) -> Box<dyn Iterator<Item = Block> + Send> {
        let (n, m, panel) = (self.left().len(), self.right().len(), self.panel());
        match self {
            Self::Within(_) => Box::new(schedule::within(n, panel)),
            Self::Across(..) | Self::Unpaired(..) => Box::new(schedule::across(n, m, panel)),
        }
    }

    /// Number of pairs.
    pub(crate) fn count(self) -> u64 {
        let (n, m) = (self.left().len() as u64, self.right().len() as u64);
        match self {
            Self::Within(x) => schedule::unordered(x.len()),
            Self::Across(..) => n * m,
            Self::Unpaired(..) => n * m.saturating_sub(1),
        }
    }

    /// Number of pairs of a block that count.
    pub(crate) fn count_in(self, block: &Block) -> u64 {
        let (rows, cols) = (&block.rows, &block.cols);
        let equal = rows.end.min(cols.end).saturating_sub(rows.start.max(cols.start));
        block.pairs() - if self.is_unpaired() { equal as u64 } else { 0 }
    }

    /// Cache budget in bytes: of the order of both sets and their gradients.
    pub(crate) fn cache_budget(self) -> usize {
        let points = (self.left().len() + self.right().len()) * self.dims() * size_of::<f32>();
        (64 << 20) + 4 * points
    }

    /// Rows of a panel: enough to be worth their packing, few enough for a core's share of the last cache to hold them
    /// packed and for 64 cores to share the blocks.
    pub(crate) fn panel(self) -> usize {
        const CACHED_VALUES: usize = (5 << 20) / size_of::<f32>();
        let rows = self.left().len().max(self.right().len());
        // A multiple of both sides of every tile.
        96 * (rows / (16 * 96)).min(CACHED_VALUES / (96 * self.dims())).clamp(1, 4)
    }

    /// Mean of all points as metrics see them.
    pub(crate) fn centre(self) -> Vec<f64> {
        let dims = self.dims();
        let mut sum = vec![0.0; dims];
        let sets = || [Some(self.left()), self.second()].into_iter().flatten();
        for set in sets() {
            let starts: Vec<_> = (0..set.len()).step_by(ROWS_PER_MEAN_TASK).collect();
            let partial = |&start: &usize| {
                set.isa().run(SumRows { set, range: start..set.len().min(start + ROWS_PER_MEAN_TASK) })
            };
            for part in starts.par_iter().map(partial).collect::<Vec<_>>() {
                sum.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
            }
        }
        let count: usize = sets().map(Rows::len).sum();
        sum.into_iter().map(|v| v / count as f64).collect()
    }
}

/// Rows that a thread takes at a time for a mean.
const ROWS_PER_MEAN_TASK: usize = 1024;

/// Sum of some rows as metrics see them.
struct SumRows<'a> {
    set: &'a Rows,
    range: Range<usize>,
}

impl Job for SumRows<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, _: S) -> Vec<f64> {
        let mut sum = vec![0.0; self.set.dims()];
        for row in self.range {
            let RowView { values, scale } = self.set.view(row);
            sum.iter_mut().zip(values).for_each(|(sum, &v)| *sum += f64::from(v) * scale);
        }
        sum
    }
}
