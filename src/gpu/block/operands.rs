//! What a pass over the pairs multiplies, and the kernels that do it: points as they are stored, or halves of them.

use crate::{
    error::Result,
    gpu::{
        block::pass::Pass,
        kernel::{
            cooperative::Cooperative,
            table::{Pairwise, Shader, Similarity},
            tiling::Tiling,
        },
        points::halves::Halves,
    },
    schedule::Block,
};

pub(crate) enum Operands {
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
    pub(crate) async fn of(pass: &Pass<'_>, own_pivot: bool) -> Result<Self> {
        let similarity = pass.exponent.similarity();
        let (context, dims) = (pass.context, pass.dims);
        Ok(match pass.cooperative {
            Some(cooperative) if similarity == Similarity::Cosine && !own_pivot => {
                let (x, y) = if pass.one_set() {
                    let [x] = Halves::of([pass.x], dims, cooperative, context).await?;
                    (x, None)
                } else {
                    let [x, y] = Halves::of([pass.x, pass.y], dims, cooperative, context).await?;
                    (x, Some(y))
                };
                Self::Halves { cooperative, x, y }
            }
            _ => {
                let tiling = if similarity == Similarity::Cosine { pass.tiling } else { Tiling::SMALL };
                Self::Points(Pairwise::new(similarity, tiling, dims, own_pivot, context.has_subgroups()))
            }
        })
    }

    /// The kernel that sums.
    pub(crate) fn log_sum(&self) -> Shader {
        match *self {
            Self::Points(pairwise) => Shader::LogSum(pairwise),
            Self::Halves { cooperative, .. } => Shader::Cooperative { cooperative, weights: false },
        }
    }

    /// The kernel that sums and leaves the weights.
    pub(crate) fn weights(&self) -> Shader {
        match *self {
            Self::Points(pairwise) => Shader::Weights(pairwise),
            Self::Halves { cooperative, .. } => Shader::Cooperative { cooperative, weights: true },
        }
    }

    /// The two sides of a block, as both kernels take them: their coordinates, and then their excess lengths.
    pub(crate) fn sides<'a>(&'a self, pass: &'a Pass<'_>, block: &Block) -> [&'a wgpu::Buffer; 4] {
        match self {
            Self::Points(_) => {
                let (x, y) = pass.panels(block);
                [&x.values, &y.values, &x.excess, &y.excess]
            }
            Self::Halves { x, y, .. } => {
                let (row, col) = pass.panel_numbers(block);
                let (x, y) = (x.panel(row), y.as_ref().unwrap_or(x).panel(col));
                [&x.values, &y.values, &x.excess, &y.excess]
            }
        }
    }

    /// Rows and columns of a tile.
    pub(crate) fn tile(&self) -> (usize, usize) {
        match self {
            Self::Points(pairwise) => (pairwise.tiling.rows(), pairwise.tiling.cols()),
            Self::Halves { cooperative, .. } => (cooperative.tile(), cooperative.tile()),
        }
    }

    /// Tiles of all pairs of a block.
    pub(crate) fn grid(&self, block: &Block) -> u32 {
        let (rows, cols) = self.tile();
        (block.rows.len().div_ceil(rows) * block.cols.len().div_ceil(cols)) as u32
    }

    /// Tiles of the pairs that count in a block.
    pub(crate) fn counted(&self, block: &Block) -> u32 {
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
    pub(crate) fn cost(&self, pass: &Pass<'_>) -> f64 {
        match self {
            Self::Points(pairwise) => pass.exponent.cost(pairwise.tiling, pass.dims),
            Self::Halves { cooperative, .. } => cooperative.cost(pass.dims),
        }
    }
}
