//! What a pass over the pairs multiplies, and the kernels that do it: points as they are stored, or halves of them.

use super::{
    cooperative::Cooperative,
    halves::Halves,
    log_sum::Sweep,
    shaders::{Kernel, Pairwise, Similarity},
    tiling::Tiling,
};
use crate::{error::Result, schedule::Block};

pub(super) enum Operands {
    Points(Pairwise),
    Halves {
        cooperative: Cooperative,
        x: Halves,
        /// Where the pairs run across two sets.
        y: Option<Halves>,
    },
}

impl Operands {
    /// Those of a pass; each tile has its own pivot, or all have one.
    pub(super) fn of(sweep: &Sweep<'_>, own_pivot: bool) -> Result<Self> {
        let similarity = sweep.potential.similarity();
        let (context, dims) = (sweep.context, sweep.dims);
        Ok(match sweep.cooperative {
            Some(cooperative) if similarity == Similarity::Cosine && !own_pivot => {
                let (x, y) = if sweep.within {
                    let [x] = Halves::of([sweep.x], dims, cooperative, context)?;
                    (x, None)
                } else {
                    let [x, y] = Halves::of([sweep.x, sweep.y], dims, cooperative, context)?;
                    (x, Some(y))
                };
                Self::Halves { cooperative, x, y }
            }
            _ => {
                let tiling = if similarity == Similarity::Cosine { sweep.tiling } else { Tiling::SMALL };
                Self::Points(Pairwise::new(similarity, tiling, dims, own_pivot, context.has_subgroups()))
            }
        })
    }

    /// The kernel that sums.
    pub(super) fn log_sum(&self) -> Kernel {
        match *self {
            Self::Points(pairwise) => Kernel::LogSum(pairwise),
            Self::Halves { cooperative, .. } => Kernel::Cooperative { cooperative, weights: false },
        }
    }

    /// The kernel that sums and leaves the weights.
    pub(super) fn weights(&self) -> Kernel {
        match *self {
            Self::Points(pairwise) => Kernel::Weights(pairwise),
            Self::Halves { cooperative, .. } => Kernel::Cooperative { cooperative, weights: true },
        }
    }

    /// The two sides of a block, as both kernels take them: their coordinates, and then their excess lengths.
    pub(super) fn sides<'a>(&'a self, sweep: &'a Sweep<'_>, block: &Block) -> [&'a wgpu::Buffer; 4] {
        match self {
            Self::Points(_) => {
                let (x, y) = sweep.panels(block);
                [&x.values, &y.values, &x.excess, &y.excess]
            }
            Self::Halves { x, y, .. } => {
                let (row, col) = sweep.panel_numbers(block);
                let (x, y) = (x.panel(row), y.as_ref().unwrap_or(x).panel(col));
                [&x.values, &y.values, &x.excess, &y.excess]
            }
        }
    }

    /// Rows and columns of a tile.
    pub(super) fn tile(&self) -> (usize, usize) {
        match self {
            Self::Points(pairwise) => (pairwise.tiling.rows(), pairwise.tiling.cols()),
            Self::Halves { cooperative, .. } => (cooperative.tile(), cooperative.tile()),
        }
    }

    /// Tiles of all pairs of a block.
    pub(super) fn grid(&self, block: &Block) -> u32 {
        let (rows, cols) = self.tile();
        (block.rows.len().div_ceil(rows) * block.cols.len().div_ceil(cols)) as u32
    }

    /// Tiles of the pairs that count in a block.
    pub(super) fn counted(&self, block: &Block) -> u32 {
        match self {
            _ if !block.diagonal => self.grid(block),
            Self::Points(pairwise) => pairwise.tiling.triangle(block.rows.len()),
            Self::Halves { cooperative, .. } => {
                let tiles = block.rows.len().div_ceil(cooperative.tile());
                (tiles * (tiles + 1) / 2) as u32
            }
        }
    }

    /// Multiply-adds of a tile.
    pub(super) fn cost(&self, sweep: &Sweep<'_>) -> f64 {
        match self {
            Self::Points(pairwise) => sweep.potential.cost(pairwise.tiling, sweep.dims),
            Self::Halves { cooperative, .. } => cooperative.cost(sweep.dims),
        }
    }
}
