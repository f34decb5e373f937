//! Weighted sums made gradients: through the scaling to unit length, in place.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        device::{context::Context, stream::Stream},
        kernel::{accuracy::Products, params::FinishGradParams, table::Shader},
        points::{
            matrix::GpuMatrix,
            panels::{GpuPoints, Panel},
        },
    },
    points::{Points, Scaling},
};

/// What of the weighted sums G was along their points x, over all rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dropped {
    /// Σ‖G‖²
    squares: f64,
    /// Σ‖(I − xxᵀ)G‖²
    tangent: f64,
    /// Σ‖G‖
    lengths: f64,
    /// Σ x·G
    along: f64,
}

impl Dropped {
    /// The share of the weighted sums below which their rounding, about 1e-7, would show in the fifth digit of what is
    /// left.
    const MIN_TANGENT_SHARE: f64 = 0.05;

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            squares: self.squares + other.squares,
            tangent: self.tangent + other.tangent,
            lengths: self.lengths + other.lengths,
            along: self.along + other.along,
        }
    }

    /// Σ x·(y − x)w over both sides, from products with the points or with differences of them, the weights of all pairs
    /// adding up to `weights`.
    pub(crate) fn along_differences(self, products: Products, weights: f64) -> f64 {
        match products {
            // Each pair weighs on both of its points.
            Products::Points => self.along - 2.0 * weights,
            Products::Differences => self.along,
        }
    }

    /// Σ x·G
    pub(crate) fn along(self) -> f64 {
        self.along
    }

    /// Whether the gradient is better made of differences, `weights` being the sum of all rows' weights. It is not
    /// where little is left and yet points are far apart, as near the optimum: Σ w‖x−y‖ ≥ ½ Σ w‖x−y‖² = Σ w − Σ x·G.
    pub(crate) fn too_much(self, weights: f64) -> bool {
        let close = weights - self.along < Self::MIN_TANGENT_SHARE * self.lengths;
        close && self.tangent < Self::MIN_TANGENT_SHARE.powi(2) * self.squares
    }
}

/// Weighted sums to gradients for the rows as given, in place.
pub(crate) async fn finish(
    context: &Arc<Context>,
    points: &Points,
    gradient: &GpuMatrix,
    scale: f64,
) -> Result<Dropped> {
    let (dims, unit) = (points.dims(), points.scaling() == Scaling::Unit);
    let points = GpuPoints::of(points, context)?;
    let mut stream = Stream::new(context, points.stored)?;
    // Finite, whatever t is.
    let params = FinishGradParams { dims: dims as u32, scale: scale.clamp(-1e30, 1e30) as f32 };
    let mut dropped = Vec::new();
    for shard in &gradient.shards {
        let Panel { values, inverse_lengths, rows, .. } =
            &points.panels[shard.rows.start / points.panel_rows];
        debug_assert_eq!(*rows, shard.rows);
        let part = context.storage("what dropped out", 16 * rows.len() as u64)?;
        let buffers = [values, inverse_lengths, &shard.values, &part];
        let kernel = Shader::FinishGrad { unit };
        stream.dispatch(kernel, &params, &buffers, rows.len(), (rows.len() * dims) as f64).await?;
        dropped.push((part, 4 * rows.len()));
    }
    stream.finish().await?;
    let rows = context.read(dropped.iter().map(|(part, count)| (part, *count))).await?;
    let one = |row: &[f32]| {
        let [square, tangent, along] = [0, 1, 2].map(|i| f64::from(row[i]));
        Dropped { squares: square, tangent, lengths: square.sqrt(), along }
    };
    Ok(rows.chunks_exact(4).map(one).fold(Dropped::default(), Dropped::and))
}
