//! What pairs row i of one set with row i of another.

use std::sync::Arc;

use super::{
    context::Context,
    matrix::GpuMatrix,
    params::RowParams,
    points::{GpuPoints, Panel},
    shaders::Kernel,
    stream::Stream,
};
use crate::{
    error::Result,
    points::{Matrix, Points, Scaling},
    precision::Storage,
};

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
        let params = RowParams { dims: dims as u32 };
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

/// ⟨xᵢ, yᵢ⟩ of every row.
pub(super) fn dots(context: &Arc<Context>, x: &Points, y: &Points) -> Result<Vec<f64>> {
    context.scoped("multiplying pairs", || {
        let (stored, panels) = side_by_side(context, x, y)?;
        let mut stream = Stream::new(context, stored)?;
        let dims = x.dims();
        let (kernel, params) =
            (Kernel::PairedDots { unit: x.scaling() == Scaling::Unit }, RowParams { dims: dims as u32 });
        let mut dots = Vec::new();
        for (x, y) in panels {
            let rows = x.rows.len();
            let part = context.storage("dot products of pairs", 8 * rows as u64)?;
            let buffers = [&x.values, &y.values, &x.excess, &y.excess, &part];
            stream.dispatch(kernel, &params, &buffers, rows, (rows * dims) as f64)?;
            dots.push((part, 2 * rows));
        }
        stream.finish()?;
        let dots = context.read(dots.iter().map(|(part, count)| (part, *count)))?;
        Ok(dots.chunks_exact(2).map(|parts| f64::from(parts[0]) + f64::from(parts[1])).collect())
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
    let kernel = Kernel::PairedGrad { unit: x.scaling() == Scaling::Unit, dots: false };
    add_grad(context, kernel, (x, y), coefficients, sum)
}

/// The gradient of Σ cᵢ⟨xᵢ, yᵢ⟩ for x and y, added to `sum` where given.
pub(super) fn dots_grad(
    context: &Arc<Context>,
    x: &Points,
    y: &Points,
    coefficients: &[f64],
    sum: Option<(Matrix, Matrix)>,
) -> Result<(Matrix, Matrix)> {
    if x.scaling() == Scaling::Unit {
        // On the sphere it is half the distance that counts the other way.
        let opposite: Vec<_> = coefficients.iter().map(|c| -c).collect();
        return grad(context, x, y, &opposite, sum);
    }
    add_grad(context, Kernel::PairedGrad { unit: false, dots: true }, (x, y), coefficients, sum)
}

fn add_grad(
    context: &Arc<Context>,
    kernel: Kernel,
    (x, y): (&Points, &Points),
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
        let dims = x.dims();
        let params = RowParams { dims: dims as u32 };
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
