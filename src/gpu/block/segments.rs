//! Sums of exponentials over rectangles of a block: between segments of its rows and segments of its columns.

use crate::{
    error::Result,
    gpu::{
        block::similarities::{READ_COST, SimilarityTable},
        device::{
            context::Context,
            stream::{Collector, Stream, Sums, TileSum, Tiles},
        },
        kernel::{
            exponent::{Line, PairExponent},
            params::{CountedPairs, RectangleParams},
            table::Shader,
        },
    },
    log_sum::LogSumExp,
    schedule::{Block, panels},
};

/// Columns of a rectangle, of which a workgroup sums one, where nothing else says so.
pub(crate) const MAX_SEGMENT_COLUMNS: usize = 256;

/// Segments of a block's rows or columns: where each begins, and where the last ends.
pub(crate) struct Segments {
    pub(crate) at: Vec<u32>,
    buffer: wgpu::Buffer,
}

impl Segments {
    pub(crate) fn new(context: &Context, at: Vec<u32>) -> Result<Self> {
        Ok(Self { buffer: context.filled("cuts of a block", &at)?, at })
    }

    /// One segment a row.
    pub(crate) fn every(context: &Context, rows: usize) -> Result<Self> {
        Self::new(context, (0..=rows as u32).collect())
    }

    /// Segments of every panel, at most `step` long, that end at every one of `ends`.
    pub(crate) fn panels(
        context: &Context,
        rows: usize,
        panel_rows: usize,
        step: usize,
        ends: &[usize],
    ) -> Result<Vec<Self>> {
        let cuts = panels(rows, panel_rows).map(|panel| {
            let inside = |end: &&usize| panel.contains(end);
            let mut at: Vec<_> =
                panel.clone().step_by(step).chain(ends.iter().filter(inside).copied()).collect();
            at.push(panel.end);
            at.sort_unstable();
            at.dedup();
            Self::new(context, at.into_iter().map(|at| (at - panel.start) as u32).collect())
        });
        cuts.collect()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Run<'_> {
        self.first(self.at.len() - 1)
    }

    /// The first so many.
    pub(crate) fn first(&self, count: usize) -> Run<'_> {
        Run { buffer: &self.buffer, count }
    }
}

/// Segments side by side.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    buffer: &'a wgpu::Buffer,
    count: usize,
}

/// Rectangles of a block: every segment of its rows with every one of its columns.
pub(crate) struct Rectangles<'a> {
    pub(crate) block: &'a Block,
    pub(crate) counted: CountedPairs,
    pub(crate) rows: Run<'a>,
    pub(crate) cols: Run<'a>,
    /// Factors of the points on the right.
    pub(crate) weights: &'a wgpu::Buffer,
    /// Pairs that are done with them.
    pub(crate) pairs: u64,
}

/// The kernel that sums rectangles, for one factor of exponents or several.
pub(crate) struct GroupBlocks {
    scales: wgpu::Buffer,
    count: u32,
}

impl GroupBlocks {
    pub(crate) fn new(context: &Context, pair_exponents: &[PairExponent]) -> Result<Self> {
        let scales = pair_exponents.iter().flat_map(|pair_exponent| {
            let [high, low, least] = pair_exponent.scale();
            [high, low, least, 0.0]
        });
        let scales = context.filled("factors of exponents", &scales.collect::<Vec<_>>())?;
        Ok(Self { scales, count: pair_exponents.len() as u32 })
    }

    /// Sums every rectangle between cuts of rows and of columns, row by row.
    pub(crate) fn sum<C: Collector>(
        &self,
        stream: &mut Stream<'_, C>,
        table: &SimilarityTable<'_>,
        of: Rectangles<'_>,
        to: C::Destination,
    ) -> Result<()> {
        let Rectangles { block, counted, rows, cols, weights, pairs } = of;
        let (down, across) = (rows.count, cols.count);
        let sums = stream.sums();
        let area = (block.rows.len() * block.cols.len()) as f64;
        let tiles = Tiles {
            shader: Shader::RectangleSums,
            buffers: &[&table.buffer, rows.buffer, cols.buffer, weights, &self.scales, &sums],
            count: (down * across) as u32,
            sums: Some(Sums { per_tile: self.count, to }),
            cost: READ_COST * f64::from(1 + self.count) / 2.0 * (area / (down * across) as f64).max(64.0),
            pairs,
        };
        stream.tiles(tiles, |first_tile, first_sum| RectangleParams {
            stride: table.quads(),
            diagonal: counted.code(),
            across: across as u32,
            scales: self.count,
            first_tile,
            first_sum,
            zero: 0,
        })
    }
}

impl Line {
    /// The sum of exponentials that a tile's is.
    pub(crate) fn log_sum(self, tile: TileSum) -> LogSumExp {
        if tile.sum == 0.0 {
            return LogSumExp::EMPTY;
        }
        LogSumExp { max: self.at(tile.pivot), sum: tile.sum.into() }
    }
}
