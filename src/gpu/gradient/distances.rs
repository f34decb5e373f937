//! The gradient of a function of squared distances.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        device::{context::Context, stream::Stream},
        gradient::{finish::finish, products::add_weighted_differences},
        kernel::params::WeightedDifferencesParams,
        points::{
            matrix::{GpuMatrix, Shard},
            panels::{GpuPoints, Panel},
        },
    },
    points::{Matrix, Points},
};

/// The gradients for x and y of Σ uᵢⱼ‖xᵢ−yⱼ‖².
pub(crate) async fn grad(
    context: &Arc<Context>,
    x: &Points,
    y: &Points,
    upstream: &Matrix,
) -> Result<(Matrix, Matrix)> {
    let (left, right) = GpuPoints::both(x, y, context)?;
    let upstream = GpuMatrix::of(upstream, context)?;
    context
        .scoped("differentiating distances", async {
            let gx = GpuMatrix::zeros(context, x.rows(), x.dims(), left.panel_rows)?;
            let gy = GpuMatrix::zeros(context, y.rows(), y.dims(), right.panel_rows)?;
            let mut stream = Stream::new(context, left.stored)?;
            for (shard, panel) in overlaps(&upstream.shards, &left.panels) {
                let rows = shard.rows.start.max(panel.rows.start)..shard.rows.end.min(panel.rows.end);
                let panel_grad = &gx.shards[panel.rows.start / left.panel_rows];
                for (other, other_grad) in right.panels.iter().zip(&gy.shards) {
                    let own = WeightedDifferencesParams {
                        rows: rows.len() as u32,
                        depth: other.rows.len() as u32,
                        dims: x.dims() as u32,
                        first_row: (rows.start - panel.rows.start) as u32,
                        first_point: 0,
                        weight_offset: ((rows.start - shard.rows.start) * y.rows() + other.rows.start) as u32,
                        weight_row: y.rows() as u32,
                        weight_col: 1,
                        first_tile: 0,
                    };
                    let others = WeightedDifferencesParams {
                        rows: own.depth,
                        depth: own.rows,
                        first_row: 0,
                        first_point: own.first_row,
                        weight_row: own.weight_col,
                        weight_col: own.weight_row,
                        ..own
                    };
                    let buffers = [&shard.values, &panel.values, &other.values, &panel_grad.values];
                    add_weighted_differences(&mut stream, own, buffers, 0).await?;
                    let buffers = [&shard.values, &other.values, &panel.values, &other_grad.values];
                    add_weighted_differences(&mut stream, others, buffers, 0).await?;
                }
            }
            stream.finish().await?;
            // The sums pull each point to the others; the distances grow the other way.
            finish(context, x, &gx, -2.0).await?;
            finish(context, y, &gy, -2.0).await?;
            Ok((gx.into_matrix(x.rows()), gy.into_matrix(y.rows())))
        })
        .await
}

/// The shards of a matrix and the panels of points that share rows.
fn overlaps<'a>(shards: &'a [Shard], panels: &'a [Panel]) -> impl Iterator<Item = (&'a Shard, &'a Panel)> {
    shards.iter().flat_map(move |shard| {
        let shares = |panel: &&Panel| panel.rows.start < shard.rows.end && shard.rows.start < panel.rows.end;
        panels.iter().filter(shares).map(move |panel| (shard, panel))
    })
}
