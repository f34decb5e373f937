//! Weighted sums made gradients: through the scaling to unit length, in place.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        block::pass::Pass,
        device::{context::Context, stream::Stream},
        kernel::{accuracy::Products, params::FinishGradParams, table::Shader},
        points::{
            matrix::GpuMatrix,
            panels::{GpuPoints, Panel},
        },
    },
    points::{Points, Scaling},
    weights::Gradients,
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

    async fn read(context: &Context, parts: &[Part]) -> Result<Self> {
        let rows = context.read(parts.iter().map(|(part, count)| (part, *count))).await?;
        let one = |row: &[f32]| {
            let [square, tangent, along] = [0, 1, 2].map(|i| f64::from(row[i]));
            Self { squares: square, tangent, lengths: square.sqrt(), along }
        };
        Ok(rows.chunks_exact(4).map(one).fold(Self::default(), Self::and))
    }

    fn and(self, other: Self) -> Self {
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

/// Weighted sums of both sides of a pass, on their way to gradients.
pub(crate) struct Sides {
    x: GpuMatrix,
    /// None of one set.
    y: Option<GpuMatrix>,
}

impl Sides {
    /// Zeros, to which products are added.
    pub(crate) fn zeros(pass: &Pass<'_>) -> Result<Self> {
        let zeros = |rows| GpuMatrix::zeros(pass.context, rows, pass.dims, pass.x.panel_rows);
        let y = (!pass.one_set()).then(|| zeros(pass.right.rows())).transpose()?;
        Ok(Self { x: zeros(pass.left.rows())?, y })
    }

    /// The sums on the left and on the right, which are the same of one set.
    pub(crate) fn both(&self) -> (&GpuMatrix, &GpuMatrix) {
        (&self.x, self.y.as_ref().unwrap_or(&self.x))
    }

    /// Makes them gradients, in place; tells what dropped out.
    pub(crate) async fn finish(&self, pass: &Pass<'_>, scale: f64) -> Result<Dropped> {
        let mut dropped = finish(pass.context, pass.left, &self.x, scale).await?;
        if let Some(y) = &self.y {
            dropped.extend(finish(pass.context, pass.right, y, scale).await?);
        }
        Dropped::read(pass.context, &dropped).await
    }

    pub(crate) fn into_gradients(self, pass: &Pass<'_>, by_log_scale: f64) -> Gradients {
        let y = self.y.map(|y| y.into_matrix(pass.right.rows()));
        Gradients { x: self.x.into_matrix(pass.left.rows()), y, by_log_scale }
    }
}

/// What dropped out of some rows, on the device, and how many values that is.
type Part = (wgpu::Buffer, usize);

/// Weighted sums to gradients for the rows as given, in place.
pub(crate) async fn finish(
    context: &Arc<Context>,
    points: &Points,
    gradient: &GpuMatrix,
    scale: f64,
) -> Result<Vec<Part>> {
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
    Ok(dropped)
}
