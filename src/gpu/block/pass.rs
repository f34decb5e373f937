//! Σ exp(−t‖x−y‖²) over a set of pairs, block by block of two panels.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        device::context::Context,
        kernel::{
            accuracy::{self, Arithmetic, Reduction},
            cooperative::Cooperative,
            exponent::PairExponent,
            params::{CountedPairs, PairParams},
            precisions_used::PrecisionsUsed,
            table::Similarity,
            tiling::Tiling,
        },
        points::panels::{GpuPoints, Panel},
    },
    kernel::Kernel,
    pairs::Pairs,
    points::Points,
    schedule::{Block, across, within},
};

/// A pass over the pairs of points on one device.
pub(crate) struct Pass<'a> {
    pub(crate) context: &'a Arc<Context>,
    pub(crate) pairs: Pairs<'a>,
    pub(crate) left: &'a Points,
    pub(crate) right: &'a Points,
    pub(crate) x: &'a GpuPoints,
    pub(crate) y: &'a GpuPoints,
    pub(crate) dims: usize,
    /// How many pairs count.
    pub(crate) count: u64,
    pub(crate) exponent: PairExponent,
    /// Of the kernels over cosines; exact ones have their own.
    pub(crate) tiling: Tiling,
    /// What takes their place.
    pub(crate) cooperative: Option<Cooperative>,
    /// Where it is noted which of these made the sum.
    pub(crate) precisions_used: Option<&'a PrecisionsUsed>,
}

impl<'a> Pass<'a> {
    /// A pass by cooperative matrices where asked for and sets of this size allow it.
    pub(crate) async fn new(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        kernel: Kernel,
        asked: Option<Cooperative>,
    ) -> Result<Self> {
        let mut pass = Self::with_tiling(context, pairs, kernel, Tiling::SMALL)?;
        if pass.exponent.similarity() == Similarity::Cosine {
            let (n, m) = (pass.left.rows(), pass.right.rows());
            let panel = pass.x.panel_rows.min(n.max(m));
            let serves = |asked: &Cooperative| {
                asked.keeps_its_word(n.min(m), pass.dims)
                    && asked.bytes(panel, pass.dims) <= context.max_binding()
                    // A workgroup each finds their centre.
                    && pass.dims <= context.limits.max_compute_workgroups_per_dimension as usize
            };
            pass.cooperative = asked.filter(serves);
            // By matrices, tiles multiply weights at the most.
            let work = if pass.cooperative.is_some() { 0.0 } else { pass.count as f64 * pass.dims as f64 };
            pass.tiling = context.tiling(work).await?;
        }
        Ok(pass)
    }

    /// A pass in single precision, in tiles of the caller's choice.
    pub(crate) fn with_tiling(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        kernel: Kernel,
        tiling: Tiling,
    ) -> Result<Self> {
        let first = accuracy::first(pairs, kernel, Reduction::Total);
        let exponent = PairExponent::new(first, kernel, pairs.sides().0.scaling());
        Self::of(context, pairs, exponent, tiling)
    }

    /// A pass over similarities of the caller's choice.
    pub(crate) fn of(
        context: &'a Arc<Context>,
        pairs: Pairs<'a>,
        exponent: PairExponent,
        tiling: Tiling,
    ) -> Result<Self> {
        let (left, right) = pairs.sides();
        let (x, y) = GpuPoints::both(left, right, context)?;
        Ok(Self {
            context,
            pairs,
            left,
            right,
            x,
            y,
            dims: left.dims(),
            count: pairs.count(),
            exponent,
            tiling,
            cooperative: None,
            precisions_used: None,
        })
    }

    /// The same pass, of which a note is made.
    pub(crate) fn noted_in(self, precisions_used: &'a PrecisionsUsed) -> Self {
        Self { precisions_used: Some(precisions_used), ..self }
    }

    /// The same pass by another arithmetic.
    pub(crate) fn by(&self, arithmetic: Arithmetic) -> Self {
        Self { exponent: self.exponent.by(arithmetic), ..*self }
    }

    /// Notes the precision that a result was made in.
    pub(crate) fn note(&self, by: Arithmetic) {
        let coarse = by.similarity == Similarity::Cosine;
        if let Some(precisions) = self.precisions_used {
            precisions.note(self.cooperative.filter(|_| coarse));
        }
    }

    /// The blocks of the pairs: a panel of the left points by one of the right.
    pub(crate) fn blocks(&self) -> Box<dyn Iterator<Item = Block> + Send> {
        let (n, m, panel) = (self.left.rows(), self.right.rows(), self.x.panel_rows);
        if self.one_set() { Box::new(within(n, panel)) } else { Box::new(across(n, m, panel)) }
    }

    /// The two panels of a block.
    pub(crate) fn panels(&self, block: &Block) -> (&Panel, &Panel) {
        let (row, col) = self.panel_numbers(block);
        (&self.x.panels[row], &self.y.panels[col])
    }

    /// Which panels of either set these are.
    pub(crate) fn panel_numbers(&self, block: &Block) -> (usize, usize) {
        (block.rows.start / self.x.panel_rows, block.cols.start / self.y.panel_rows)
    }

    /// Whether `left` and `right` are one set, whose pairs i < j count.
    pub(crate) fn one_set(&self) -> bool {
        matches!(self.pairs, Pairs::Within(_))
    }

    /// The pairs of a block that count. Unpaired sets have the same panels.
    pub(crate) fn counted(&self, block: &Block) -> CountedPairs {
        match self.pairs {
            Pairs::Within(_) if block.diagonal => CountedPairs::AboveDiagonal,
            Pairs::Unpaired(..) if block.rows.start == block.cols.start => CountedPairs::OffDiagonal,
            _ => CountedPairs::All,
        }
    }

    /// The number of pairs of a block that count.
    pub(crate) fn pairs_of(&self, block: &Block) -> u64 {
        match self.counted(block) {
            CountedPairs::OffDiagonal => block.pairs() - block.rows.len() as u64,
            CountedPairs::All | CountedPairs::AboveDiagonal => block.pairs(),
        }
    }

    pub(crate) fn block_params(&self, block: &Block, common: PairParams) -> PairParams {
        PairParams {
            rows: block.rows.len() as u32,
            cols: block.cols.len() as u32,
            dims: self.dims as u32,
            diagonal: self.counted(block).code(),
            ..common
        }
    }
}
