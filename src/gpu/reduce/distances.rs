//! The matrix of squared distances.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        device::{
            context::{Context, TILE},
            stream::{Stream, Tiles},
        },
        kernel::{params::DistancesParams, table::Shader},
        points::{matrix::GpuMatrix, panels::GpuPoints},
    },
    points::{Matrix, Points},
};

/// ‖xᵢ−yⱼ‖² of every pair.
pub(crate) async fn squared_distances(context: &Arc<Context>, x: &Points, y: &Points) -> Result<Matrix> {
    let (left, right) = GpuPoints::both(x, y, context)?;
    context
        .scoped("measuring distances", async {
            let shard_rows =
                context.panel_rows("bytes of 64 rows of a matrix", 4 * y.rows().max(1) as u64)?;
            let shard_rows = shard_rows.min(left.panel_rows);
            let matrix = GpuMatrix::new(context, x.rows(), y.rows(), shard_rows)?;
            let mut stream = Stream::new(context, left.stored)?;
            for shard in &matrix.shards {
                let panel = &left.panels[shard.rows.start / left.panel_rows];
                for other in &right.panels {
                    let params = DistancesParams {
                        rows: shard.rows.len() as u32,
                        cols: other.rows.len() as u32,
                        dims: x.dims() as u32,
                        first_row: (shard.rows.start - panel.rows.start) as u32,
                        offset: other.rows.start as u32,
                        stride: y.rows() as u32,
                        first_tile: 0,
                    };
                    let tiles = Tiles {
                        shader: Shader::SquaredDistances,
                        buffers: &[&panel.values, &other.values, &shard.values],
                        count: params.rows.div_ceil(TILE as u32) * params.cols.div_ceil(TILE as u32),
                        sums: None,
                        cost: (TILE * TILE * x.dims()) as f64,
                        pairs: 0,
                    };
                    stream.tiles(tiles, |first_tile, _| DistancesParams { first_tile, ..params }).await?;
                }
            }
            stream.finish().await?;
            Ok(matrix.into_matrix(x.rows()))
        })
        .await
}
