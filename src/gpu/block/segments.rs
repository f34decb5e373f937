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
    schedule::Block,
};

/// Columns of a rectangle, of which a workgroup sums one, where nothing else says so.
pub(crate) const MAX_SEGMENT_COLUMNS: usize = 256;

/// Segments of a block's rows or columns: where each begins, and where the last ends.
pub(crate) struct Segments {
    at: Vec<u32>,
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
    less_one: bool,
}

impl GroupBlocks {
    pub(crate) fn new(context: &Context, exponents: &[PairExponent]) -> Result<Self> {
        let scales = exponents.iter().flat_map(|exponent| {
            let [high, low, least] = exponent.scale();
            [high, low, least, 0.0]
        });
        let scales = context.filled("factors of exponents", &scales.collect::<Vec<_>>())?;
        let less_one = exponents.first().is_some_and(|exponent| exponent.arithmetic.less_one);
        Ok(Self { scales, count: exponents.len() as u32, less_one })
    }

    /// Sums every rectangle between cuts of rows and of columns, row by row.
    pub(crate) async fn sum<C: Collector>(
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
            shader: Shader::RectangleSums { less_one: self.less_one },
            buffers: &[&table.buffer, rows.buffer, cols.buffer, weights, &self.scales, &sums],
            count: (down * across) as u32,
            sums: Some(Sums { per_tile: self.count, to }),
            cost: READ_COST * f64::from(1 + self.count) / 2.0 * (area / (down * across) as f64).max(64.0),
            pairs,
        };
        stream
            .tiles(tiles, |first_tile, first_sum| RectangleParams {
                stride: table.quads(),
                diagonal: counted.code(),
                across: across as u32,
                scales: self.count,
                first_tile,
                first_sum,
                zero: 0,
            })
            .await
    }
}

impl Line {
    /// The sum of exponentials that a tile's is; less one each where the line says so.
    pub(crate) fn log_sum(self, tile: TileSum) -> LogSumExp {
        if tile.sum == 0.0 {
            return LogSumExp::EMPTY;
        }
        LogSumExp { max: self.at(tile.pivot), sum: tile.sum.into() }
    }

    /// A whole sum, over pairs of this weight in all: what was taken off each is put back.
    pub(crate) fn with_ones(self, sum: LogSumExp, weight: f64) -> LogSumExp {
        match self.less_one {
            true => LogSumExp { max: self.offset, sum: weight + sum.sum },
            false => sum,
        }
    }
}
