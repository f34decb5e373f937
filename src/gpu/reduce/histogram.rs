//! How many pairs have which cosine.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        block::similarities::{READ_COST, SimilarityTable},
        device::{
            context::Context,
            stream::{Stream, Tiles},
        },
        kernel::{
            accuracy::{self, Reduction},
            exponent::PairExponent,
            params::HistogramParams,
            table::Shader,
        },
    },
    kernel::Kernel,
    pairs::Pairs,
    progress::Watch,
};

/// Rows that a workgroup of `shaders/histogram.wgsl` counts, and how many bins at a time.
pub(crate) const ROWS: usize = 16;
pub(crate) const WINDOW: usize = 2048;
/// Of a t so gentle, cosines in f32 do; they are within 1e-6.
const T_FOR_F32_COSINES: f64 = 1.0;

/// The pairs in each of `bins` equal parts of [−1, 1].
pub(crate) async fn cosines(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    bins: usize,
    watch: &Watch,
) -> Result<Vec<u64>> {
    let kernel = Kernel::gaussian(T_FOR_F32_COSINES);
    let first = accuracy::first(pairs, kernel, Reduction::Total);
    let exponent = PairExponent::new(first, kernel, pairs.sides().0.scaling());
    context
        .scoped("counting cosines", async {
            let table = SimilarityTable::new(context, pairs, exponent, 0.0).await?;
            let pass = &table.pass;
            let counts = context.storage("counts of cosines", 4 * bins as u64)?;
            let mut total = vec![0u64; bins];
            // A sum of so many blocks is one of u32.
            let together = (u32::MAX as usize / pass.x.panel_rows.pow(2)).max(1);
            let mut blocks = pass.blocks().peekable();
            while blocks.peek().is_some() {
                let mut stream = Stream::collecting((), context, pass.x.stored, Some(watch))?;
                stream.encoder().clear_buffer(&counts, 0, None);
                for block in blocks.by_ref().take(together) {
                    let counted = pass.counted(&block);
                    table.fill(&mut stream, &block, counted).await?;
                    for first in (0..bins).step_by(WINDOW) {
                        let params = HistogramParams {
                            rows: block.rows.len() as u32,
                            cols: block.cols.len() as u32,
                            stride: table.quads(),
                            diagonal: counted.code(),
                            first_bin: first as u32,
                            bins: WINDOW.min(bins - first) as u32,
                            last_bin: bins as u32 - 1,
                            half: bins as f32 / 2.0,
                            first_tile: 0,
                        };
                        let tiles = Tiles {
                            shader: Shader::Histogram,
                            buffers: &[&table.buffer, &counts],
                            count: block.rows.len().div_ceil(ROWS) as u32,
                            sums: None,
                            cost: READ_COST * (ROWS * block.cols.len()) as f64,
                            pairs: if first == 0 { pass.pairs_of(&block) } else { 0 },
                        };
                        stream.tiles(tiles, |first_tile, _| HistogramParams { first_tile, ..params }).await?;
                    }
                }
                stream.finish().await?;
                let counted = context.read([(&counts, bins)]).await?;
                total.iter_mut().zip(counted).for_each(|(total, part)| *total += u64::from(part.to_bits()));
            }
            Ok(total)
        })
        .await
}
