//! Mean and covariance: products of rows less about their mean, in short sums, merged in f64.

use std::{ops::Range, sync::Arc};

use crate::{
    error::{Error, Result},
    gpu::{
        device::{
            context::{Context, TILE},
            stream::{Stream, Tiles},
        },
        kernel::{
            params::{CentreParams, MomentsParams},
            table::Shader,
        },
        points::{
            gather,
            panels::{GpuPoints, Panel},
        },
    },
    pending::{offload, on_the_pool},
    points::{Moments, Points, gram},
    progress::Watch,
};

/// The least rows that are summed in f32, and how many such sums there are at least of many rows: their rounding averages
/// out.
const MIN_CHUNK_ROWS: usize = 256;
const MIN_CHUNKS: usize = 64;
/// Bytes of such sums that wait for the host.
const MAX_WAITING_BYTES: u64 = 64 << 20;

/// Mean and covariance, or Gram matrix of few points, which the host computes in f64.
pub(crate) async fn moments(context: &Arc<Context>, x: &Points, watch: &Watch) -> Result<Moments> {
    let points = GpuPoints::of(x, context)?;
    let dims = x.dims();
    if x.rows() < dims {
        let values = gather::read_all(context, x, watch).await?;
        let (rows, watch) = (x.rows(), watch.clone());
        let products = move || {
            let read = |row: usize, columns: Range<usize>, out: &mut [f64]| {
                let values = &values[row * dims..][columns];
                out.iter_mut().zip(values).for_each(|(out, &value)| *out = f64::from(value));
            };
            gram::moments(rows, dims, read, &watch)
        };
        return offload(on_the_pool, products).await;
    }
    context
        .scoped("summing moments", async {
            let centre = centre(context, points, dims).await?;
            let on_device = context.filled("the centre of points", &centre)?;
            // The last row and column are the sums, and the number of rows.
            let side = dims + 1;
            let bytes = 4 * (side * side) as u64;
            let at_once = (MAX_WAITING_BYTES.min(context.max_binding()) / bytes).max(1) as usize;
            let mut sums = vec![0.0f64; side * side];
            let chunk = (x.rows() / MIN_CHUNKS)
                .next_power_of_two()
                .clamp(MIN_CHUNK_ROWS, points.panel_rows.max(MIN_CHUNK_ROWS));
            for panel in &points.panels {
                let chunks = panel.rows.len().div_ceil(chunk);
                for first in (0..chunks).step_by(at_once) {
                    watch.advance(0)?;
                    let count = at_once.min(chunks - first);
                    let products = context.storage("moments of points", bytes * count as u64)?;
                    let buffers = [&panel.values, &on_device, &products];
                    multiply(context, points, panel, (chunk, first, count), dims, &buffers).await?;
                    let products = context.read([(&products, count * side * side)]).await?;
                    for chunk in products.chunks_exact(side * side) {
                        for a in 0..side {
                            let row = a * side + a..(a + 1) * side;
                            let sums = sums[row.clone()].iter_mut().zip(&chunk[row]);
                            sums.for_each(|(sum, &part)| *sum += f64::from(part));
                        }
                    }
                }
            }
            Ok(about_mean(&centre, &sums, x.rows() as f64))
        })
        .await
}

/// The mean in f32.
async fn centre(context: &Context, points: &GpuPoints, dims: usize) -> Result<Vec<f32>> {
    let mut stream = Stream::new(context, points.stored)?;
    let sum = context.storage("a sum of points", 4 * dims as u64)?;
    stream.encoder().clear_buffer(&sum, 0, None);
    let most = context.limits.max_compute_workgroups_per_dimension as usize;
    if dims > most {
        let (needed, limit) = (dims as u64, most as u64);
        let cure = "use the CPU";
        return Err(Error::Limit { what: "dimensions of a covariance", needed, limit, cure });
    }
    for panel in &points.panels {
        let rows = panel.rows.len();
        let params = CentreParams { rows: rows as u32, dims: dims as u32 };
        stream.dispatch(Shader::Centre, &params, &[&panel.values, &sum], dims, (rows * dims) as f64).await?;
    }
    stream.finish().await?;
    let rows: usize = points.panels.iter().map(|panel| panel.rows.len()).sum();
    Ok(context.read([(&sum, dims)]).await?.iter().map(|sum| (f64::from(*sum) / rows as f64) as f32).collect())
}

async fn multiply(
    context: &Context,
    points: &GpuPoints,
    panel: &Panel,
    (chunk, first_chunk, chunks): (usize, usize, usize),
    dims: usize,
    buffers: &[&wgpu::Buffer],
) -> Result<()> {
    // The kernel runs without bounds checks.
    debug_assert!(
        chunk.is_multiple_of(TILE) && (first_chunk + chunks - 1) * chunk < panel.rows.len(),
        "empty chunks"
    );
    let tiles_across = dims / TILE + 1;
    let tiles = Tiles {
        shader: Shader::Moments,
        buffers,
        count: (chunks * tiles_across * tiles_across) as u32,
        sums: None,
        // Half of them have nothing to do.
        cost: (TILE * TILE * chunk / 2) as f64,
        pairs: 0,
    };
    let mut stream = Stream::new(context, points.stored)?;
    stream
        .tiles(tiles, |first_tile, _| MomentsParams {
            rows: panel.rows.len() as u32,
            dims: dims as u32,
            chunk: chunk as u32,
            first_chunk: first_chunk as u32,
            first_tile,
        })
        .await?;
    stream.finish().await.map(drop)
}

/// The moments about the mean, from sums about the centre.
fn about_mean(centre: &[f32], sums: &[f64], rows: f64) -> Moments {
    let (dims, side) = (centre.len(), centre.len() + 1);
    let apart: Vec<_> = (0..dims).map(|a| sums[a * side + dims] / rows).collect();
    let mean = centre.iter().zip(&apart).map(|(&centre, apart)| f64::from(centre) + apart).collect();
    let entry = |a: usize, b: usize| sums[a.min(b) * side + a.max(b)] / rows - apart[a] * apart[b];
    let covariance =
        (0..dims).flat_map(|a| (0..dims).map(move |b| (a, b))).map(|(a, b)| entry(a, b)).collect();
    Moments { mean, scatter: covariance, side: dims, offset: None }
}
