//! What pairs row i of one set with row i of another.

use std::sync::Arc;

use super::{
    context::Context,
    matrix::GpuMatrix,
    params::PairedParams,
    points::{GpuPoints, Panel},
    shaders::Kernel,
    stream::Stream,
};
use crate::{Matrix, Points, Result, Scaling, Storage};

/// The panels of two sets, side by side, and how both are stored.
fn side_by_side<'a>(
    context: &Arc<Context>,
    x: &'a Points,
    y: &'a Points,
) -> Result<(Storage, impl Iterator<Item = (&'a Panel, &'a Panel)> + use<'a>)> {
    let (x, y) = GpuPoints::both(x, y, context)?;
    Ok((x.stored, x.panels.iter().zip(&y.panels)))
}

/// ‖xᵢ−yᵢ‖² of every row.
pub(super) fn squared_distances(context: &Arc<Context>, x: &Points, y: &Points) -> Result<Vec<f64>> {
    context.scoped("measuring pairs", || {
        let (stored, panels) = side_by_side(context, x, y)?;
        let mut stream = Stream::new(context, stored)?;
        let dims = x.dims();
        let params = PairedParams { dims: dims as u32 };
        let mut squares = Vec::new();
        for (x, y) in panels {
            let rows = x.rows.len();
            let part = context.storage("squared distances of pairs", 4 * rows as u64)?;
            let buffers = [&x.values, &y.values, &part];
            stream.dispatch(Kernel::PairedDistances, &params, &buffers, rows, (rows * dims) as f64)?;
            squares.push((part, rows));
        }
        stream.finish()?;
        let squares = context.read(squares.iter().map(|(part, rows)| (part, *rows)))?;
        Ok(squares.into_iter().map(f64::from).collect())
    })
}

/// The gradient of ½ Σ cᵢ‖xᵢ−yᵢ‖² for x and y, added to `sum` where given.
pub(super) fn grad(
    context: &Arc<Context>,
    x: &Points,
    y: &Points,
    coefficients: &[f64],
    sum: Option<(Matrix, Matrix)>,
) -> Result<(Matrix, Matrix)> {
    let panel_rows = GpuPoints::of(x, context)?.panel_rows;
    context.scoped("differentiating pairs", || {
        let zeros = |points: &Points| {
            let zeros = GpuMatrix::zeros(context, points.rows(), points.dims(), panel_rows)?;
            Ok(zeros.into_matrix(points.rows()))
        };
        let (gx, gy) = match sum {
            Some(sum) => sum,
            None => (zeros(x)?, zeros(y)?),
        };
        let shards = GpuMatrix::of(&gx, context)?.shards.iter().zip(&GpuMatrix::of(&gy, context)?.shards);
        let kernel = Kernel::PairedGrad { unit: x.scaling() == Scaling::Unit };
        let dims = x.dims();
        let params = PairedParams { dims: dims as u32 };
        let (stored, panels) = side_by_side(context, x, y)?;
        let mut stream = Stream::new(context, stored)?;
        for ((x, y), (gx, gy)) in panels.zip(shards) {
            let part: Vec<f32> = coefficients[x.rows.clone()].iter().map(|&c| c as f32).collect();
            let part_buffer = context.storage("coefficients of pairs", 4 * part.len() as u64)?;
            context.queue.write_buffer(&part_buffer, 0, bytemuck::cast_slice(&part));
            let lengths = [&x.inverse_lengths, &y.inverse_lengths];
            let buffers =
                [&x.values, &y.values, lengths[0], lengths[1], &part_buffer, &gx.values, &gy.values];
            stream.dispatch(kernel, &params, &buffers, part.len(), (part.len() * dims) as f64)?;
        }
        stream.finish()?;
        Ok((gx, gy))
    })
}
