//! Gradients of sums over paired rows: row i of one set with row i of another.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        device::{context::Context, stream::Stream},
        kernel::{params::RowParams, table::Shader},
        points::{matrix::GpuMatrix, panels::GpuPoints},
        reduce::paired::side_by_side,
    },
    points::{Matrix, Points, Scaling},
};

/// The gradient of ½ Σ cᵢ‖xᵢ−yᵢ‖² for x and y, added to `sum` where given.
pub(crate) async fn grad(
    context: &Arc<Context>,
    x: &Points,
    y: &Points,
    coefficients: &[f64],
    sum: Option<(Matrix, Matrix)>,
) -> Result<(Matrix, Matrix)> {
    let kernel = Shader::PairedGrad { unit: x.scaling() == Scaling::Unit, dots: false };
    add_grad(context, kernel, (x, y), coefficients, sum).await
}

/// The gradient of Σ cᵢ⟨xᵢ, yᵢ⟩ for x and y, added to `sum` where given.
pub(crate) async fn dots_grad(
    context: &Arc<Context>,
    x: &Points,
    y: &Points,
    coefficients: &[f64],
    sum: Option<(Matrix, Matrix)>,
) -> Result<(Matrix, Matrix)> {
    if x.scaling() == Scaling::Unit {
        // On the sphere it is half the distance that counts the other way.
        let opposite: Vec<_> = coefficients.iter().map(|c| -c).collect();
        return grad(context, x, y, &opposite, sum).await;
    }
    add_grad(context, Shader::PairedGrad { unit: false, dots: true }, (x, y), coefficients, sum).await
}

async fn add_grad(
    context: &Arc<Context>,
    shader: Shader,
    (x, y): (&Points, &Points),
    coefficients: &[f64],
    sum: Option<(Matrix, Matrix)>,
) -> Result<(Matrix, Matrix)> {
    let panel_rows = GpuPoints::of(x, context)?.panel_rows;
    context
        .scoped("differentiating pairs", async {
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
                stream.dispatch(shader, &params, &buffers, part.len(), (part.len() * dims) as f64).await?;
            }
            stream.finish().await?;
            Ok((gx, gy))
        })
        .await
}
