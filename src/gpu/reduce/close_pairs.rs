//! Pairs that are close, by direct differences: counted on the device, where f32 leaves no doubt, and else in f64 on the
//! host. A first sweep counts; blocks are gone through again where there are pairs to be named or in doubt.

use std::{ops::Range, sync::Arc};

use crate::{
    backend::FoundPairs,
    error::{Error, Result},
    gpu::{
        block::similarities::{READ_COST, SimilarityTable},
        device::{
            context::Context,
            stream::{Collector, Stream, Sums, TileSum, Tiles},
        },
        kernel::{
            accuracy::Arithmetic,
            exponent::PairExponent,
            params::{CloseCountsParams, CloseListParams},
            table::Shader,
        },
        points::gather,
    },
    kernel::Kernel,
    pairs::Pairs,
    progress::Watch,
    schedule::Block,
};

/// Pairs that are listed at once at most, and more than a row of a block has.
const MAX_LISTED_PAIRS: usize = 1 << 16;
/// Bytes of rows that the host looks at, at a time.
const GATHERED_BYTES: usize = 16 << 20;

/// What f32 says of squared distances.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Up to here a pair is close, whatever the rounding; −1 if none is.
    sure: f32,
    /// Beyond here it is not.
    perhaps: f32,
}

impl Bounds {
    fn new(square: f64, dims: usize) -> Self {
        // Sums of 256 squares, each rounded three times, and their sum; products below 1e-38 may vanish.
        let relative = (262.0 + dims as f64 / 256.0) * f64::from(f32::EPSILON) / 2.0;
        let vanished = dims as f64 * 1.2e-38;
        if square == 0.0 {
            return Self { sure: 0.0, perhaps: 0.0 };
        }
        let sure = square * (1.0 - relative) - vanished;
        let perhaps = (square * (1.0 + relative) + vanished).min(f32::MAX.into());
        Self {
            sure: if sure > 0.0 { (sure as f32).next_down() } else { -1.0 },
            perhaps: (perhaps as f32).next_up().min(f32::MAX),
        }
    }
}

/// How many pairs of some rows are close, surely and perhaps.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    sure: u64,
    perhaps: u64,
}

/// Counts of blocks, or of the rows of one.
struct Counts(Vec<Count>);

/// Rows that a count is of.
#[derive(Clone, Copy)]
enum CountOf {
    Block(usize),
    EachRow,
}

impl Collector for Counts {
    type Destination = CountOf;

    fn add(&mut self, to: CountOf, number: usize, tile: TileSum) {
        let total = match to {
            CountOf::Block(block) => &mut self.0[block],
            CountOf::EachRow => &mut self.0[number],
        };
        total.sure += tile.pivot as u64;
        total.perhaps += tile.sum as u64;
    }
}

/// The pairs whose squared distance is at most `square`, `limit` of them by name.
pub(crate) async fn close_pairs(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    square: f64,
    limit: usize,
    watch: &Watch,
) -> Result<FoundPairs> {
    let (x, _) = pairs.sides();
    context
        .scoped("looking for close pairs", async {
            let exponent = PairExponent::new(Arithmetic::DIFFERENCES, Kernel::gaussian(1.0), x.scaling());
            let table = SimilarityTable::new(context, pairs, exponent, 0.0).await?;
            let bounds = Bounds::new(square, x.dims());
            let search = Search { context, pairs, table: &table, square, bounds };
            let blocks: Vec<_> = table.pass.blocks().collect();
            let counts = search.count_blocks(&blocks, watch).await?;
            let mut close =
                FoundPairs { count: counts.iter().map(|count| count.sure).sum(), pairs: Vec::new() };
            // Pairs of earlier rows come first, and blocks of the same rows are next to each other.
            let mut rows = 0..0;
            let mut named = 0;
            for (block, count) in blocks.iter().zip(counts) {
                if block.rows != rows {
                    (rows, named) = (block.rows.clone(), close.pairs.len());
                }
                let wanted = if named < limit { limit } else { 0 };
                if count.perhaps > 0 || count.sure > 0 && wanted > 0 {
                    search.list_block(block, wanted, &mut close, &watch.silent()).await?;
                    first(&mut close.pairs, limit);
                }
            }
            Ok(close)
        })
        .await
}

struct Search<'a> {
    context: &'a Arc<Context>,
    pairs: Pairs<'a>,
    table: &'a SimilarityTable<'a>,
    square: f64,
    bounds: Bounds,
}

impl Search<'_> {
    /// The counts of every block.
    async fn count_blocks(&self, blocks: &[Block], watch: &Watch) -> Result<Vec<Count>> {
        let mut stream = self.stream(blocks.len(), watch)?;
        for (number, block) in blocks.iter().enumerate() {
            self.count(&mut stream, block, CountOf::Block(number)).await?;
        }
        Ok(stream.finish().await?.0)
    }

    /// The counts of every row of a block, whose similarities stay in the table.
    async fn count_rows(&self, block: &Block, watch: &Watch) -> Result<Vec<Count>> {
        let mut stream = self.stream(block.rows.len(), watch)?;
        self.count(&mut stream, block, CountOf::EachRow).await?;
        Ok(stream.finish().await?.0)
    }

    fn stream<'s>(&'s self, counts: usize, watch: &'s Watch) -> Result<Stream<'s, Counts>> {
        let counts = Counts(vec![Count::default(); counts]);
        Stream::collecting(counts, self.context, self.table.pass.x.stored, Some(watch))
    }

    async fn count(&self, stream: &mut Stream<'_, Counts>, block: &Block, to: CountOf) -> Result<()> {
        let counted = self.table.pass.counted(block);
        self.table.fill(stream, block, counted).await?;
        let sums = stream.sums();
        let tiles = Tiles {
            shader: Shader::CloseCounts,
            buffers: &[&self.table.buffer, &sums],
            count: block.rows.len() as u32,
            sums: Some(Sums { per_tile: 1, to }),
            cost: READ_COST * block.cols.len() as f64,
            pairs: self.table.pass.pairs_of(block),
        };
        stream
            .tiles(tiles, |first_tile, first_sum| CloseCountsParams {
                cols: block.cols.len() as u32,
                stride: self.table.quads(),
                diagonal: counted.code(),
                sure: self.bounds.sure,
                perhaps: self.bounds.perhaps,
                first_tile,
                first_sum,
            })
            .await
    }

    /// Counts what is in doubt, and names as many as may be wanted of a block.
    async fn list_block(
        &self,
        block: &Block,
        wanted: usize,
        close: &mut FoundPairs,
        watch: &Watch,
    ) -> Result<()> {
        let Bounds { sure, perhaps } = self.bounds;
        let counts = self.count_rows(block, watch).await?;
        let mut named = Vec::new();
        for rows in pieces(&counts, |count| count.perhaps) {
            let found = self.list(block, rows, (sure, perhaps)).await?;
            let found: Vec<_> = found.into_iter().filter(|&(_, _, square)| square <= self.square).collect();
            close.count += found.len() as u64;
            named.extend(found);
            first(&mut named, wanted);
        }
        let mut listed = 0;
        let needed = counts.iter().take_while(|count| {
            let more = listed < wanted as u64;
            listed += count.sure;
            more
        });
        for rows in pieces(&counts[..needed.count()], |count| count.sure) {
            named.extend(self.list(block, rows, (-1.0, sure)).await?);
            first(&mut named, wanted);
        }
        close.pairs.extend(named);
        Ok(())
    }

    /// The pairs of some rows of a block that are farther apart than the one, and not than the other, and their squared
    /// distances in f64.
    async fn list(
        &self,
        block: &Block,
        rows: Range<usize>,
        (above, perhaps): (f32, f32),
    ) -> Result<Vec<(usize, usize, f64)>> {
        let context = self.context;
        let list = context.storage("close pairs", 8 * MAX_LISTED_PAIRS as u64)?;
        let listed = context.filled("the number of close pairs", &[0u32])?;
        let mut stream = Stream::new(context, self.table.pass.x.stored)?;
        let params = CloseListParams {
            first_row: rows.start as u32,
            cols: block.cols.len() as u32,
            stride: self.table.quads(),
            diagonal: self.table.pass.counted(block).code(),
            above,
            perhaps,
            room: MAX_LISTED_PAIRS as u32,
        };
        let cost = READ_COST * (rows.len() * block.cols.len()) as f64;
        stream
            .dispatch(Shader::CloseList, &params, &[&self.table.buffer, &listed, &list], rows.len(), cost)
            .await?;
        stream.finish().await?;
        let count = context.read([(&listed, 1)]).await?[0].to_bits() as usize;
        if count > MAX_LISTED_PAIRS {
            return Err(Error::Device {
                reason: format!("{count} close pairs where {MAX_LISTED_PAIRS} were counted"),
            });
        }
        let list = context.read([(&list, 2 * count)]).await?;
        let place = |start: usize, within: f32| start + within.to_bits() as usize;
        let mut pairs: Vec<_> = list
            .chunks_exact(2)
            .map(|pair| (place(block.rows.start, pair[0]), place(block.cols.start, pair[1])))
            .collect();
        pairs.sort_unstable();
        self.measured(&pairs).await
    }

    /// Pairs with their squared distances, of the points as they are stored.
    async fn measured(&self, pairs: &[(usize, usize)]) -> Result<Vec<(usize, usize, f64)>> {
        let (x, y) = self.pairs.sides();
        let dims = x.dims();
        let mut measured = Vec::with_capacity(pairs.len());
        let bytes = GATHERED_BYTES.min(self.context.max_binding() as usize);
        for part in pairs.chunks((bytes / (4 * dims)).clamp(1, MAX_LISTED_PAIRS)) {
            let (rows, cols): (Vec<_>, Vec<_>) = part.iter().copied().unzip();
            let (a, b) =
                (gather::read(self.context, x, &rows).await?, gather::read(self.context, y, &cols).await?);
            let rows = a.chunks_exact(dims).zip(b.chunks_exact(dims));
            measured.extend(part.iter().zip(rows).map(|(&(i, j), (a, b))| {
                let squares = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
                (i, j, squares.sum())
            }));
        }
        Ok(measured)
    }
}

/// Keeps the first so many of some pairs.
fn first(pairs: &mut Vec<(usize, usize, f64)>, wanted: usize) {
    pairs.sort_unstable_by_key(|&(i, j, _)| (i, j));
    pairs.truncate(wanted);
}

/// Runs of rows that have pairs, no more than there is room for.
fn pieces(counts: &[Count], number: impl Fn(&Count) -> u64) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut held = 0;
    for (row, number) in counts.iter().map(number).enumerate().filter(|&(_, number)| number > 0) {
        match pieces.last_mut() {
            Some(piece) if held + number <= MAX_LISTED_PAIRS as u64 => {
                piece.end = row + 1;
                held += number;
            }
            _ => {
                pieces.push(row..row + 1);
                held = number;
            }
        }
    }
    pieces
}
