//! What pairs row i of one set with row i of another.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        device::{context::Context, stream::Stream},
        kernel::{params::RowParams, table::Shader},
        points::panels::{GpuPoints, Panel},
    },
    points::{Points, Scaling},
    precision::Storage,
};

/// The panels of two sets, side by side, and how both are stored.
pub(crate) fn side_by_side<'a>(
    context: &Arc<Context>,
    x: &'a Points,
    y: &'a Points,
) -> Result<(Storage, impl Iterator<Item = (&'a Panel, &'a Panel)> + use<'a>)> {
    let (x, y) = GpuPoints::both(x, y, context)?;
    Ok((x.stored, x.panels.iter().zip(&y.panels)))
}

/// ‖xᵢ−yᵢ‖² of every row.
pub(crate) async fn squared_distances(context: &Arc<Context>, x: &Points, y: &Points) -> Result<Vec<f64>> {
    context
        .scoped("measuring pairs", async {
            let (stored, panels) = side_by_side(context, x, y)?;
            let mut stream = Stream::new(context, stored)?;
            let dims = x.dims();
            let params = RowParams { dims: dims as u32 };
            let mut squares = Vec::new();
            for (x, y) in panels {
                let rows = x.rows.len();
                let part = context.storage("squared distances of pairs", 4 * rows as u64)?;
                let buffers = [&x.values, &y.values, &part];
                stream
                    .dispatch(Shader::PairedDistances, &params, &buffers, rows, (rows * dims) as f64)
                    .await?;
                squares.push((part, rows));
            }
            stream.finish().await?;
            let squares = context.read(squares.iter().map(|(part, rows)| (part, *rows))).await?;
            Ok(squares.into_iter().map(f64::from).collect())
        })
        .await
}

/// ⟨xᵢ, yᵢ⟩ of every row.
pub(crate) async fn dots(context: &Arc<Context>, x: &Points, y: &Points) -> Result<Vec<f64>> {
    context
        .scoped("multiplying pairs", async {
            let (stored, panels) = side_by_side(context, x, y)?;
            let mut stream = Stream::new(context, stored)?;
            let dims = x.dims();
            let (kernel, params) =
                (Shader::PairedDots { unit: x.scaling() == Scaling::Unit }, RowParams { dims: dims as u32 });
            let mut dots = Vec::new();
            for (x, y) in panels {
                let rows = x.rows.len();
                let part = context.storage("dot products of pairs", 8 * rows as u64)?;
                let buffers = [&x.values, &y.values, &x.excess, &y.excess, &part];
                stream.dispatch(kernel, &params, &buffers, rows, (rows * dims) as f64).await?;
                dots.push((part, 2 * rows));
            }
            stream.finish().await?;
            let dots = context.read(dots.iter().map(|(part, count)| (part, *count))).await?;
            Ok(dots.chunks_exact(2).map(|parts| f64::from(parts[0]) + f64::from(parts[1])).collect())
        })
        .await
}
