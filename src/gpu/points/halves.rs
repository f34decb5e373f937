//! Unit rows as halves for cooperative matrices.

use crate::{
    error::Result,
    gpu::{
        device::{context::Context, stream::Stream},
        kernel::{
            cooperative::Cooperative,
            params::{CentreParams, HalveParams},
            table::Shader,
        },
        points::panels::GpuPoints,
    },
};

/// Rows that a workgroup of `shaders/halve.wgsl` works on.
pub(crate) const HALVE_ROWS: usize = 256;

/// The panels of a set.
pub(crate) struct Halves(Vec<Half>);

/// A panel, its rows filled up to whole tiles.
pub(crate) struct Half {
    /// See `shaders/halve.wgsl`.
    pub(crate) values: wgpu::Buffer,
    /// (rows): (‖x'‖² − 1) / 2 of the rows less their centre.
    pub(crate) excess: wgpu::Buffer,
}

impl Halves {
    /// The halves of some sets, around the centre of all their points.
    pub(crate) async fn of<const N: usize>(
        sets: [&GpuPoints; N],
        dims: usize,
        cooperative: Cooperative,
        context: &Context,
    ) -> Result<[Self; N]> {
        let panels = || sets.iter().flat_map(|set| &set.panels);
        let count: usize = panels().map(|panel| panel.rows.len()).sum();
        let mut stream = Stream::new(context, sets[0].stored)?;
        let sum = context.storage("a sum of points", 4 * dims as u64)?;
        stream.encoder().clear_buffer(&sum, 0, None);
        for panel in panels() {
            let rows = panel.rows.len();
            let params = CentreParams { rows: rows as u32, dims: dims as u32 };
            stream
                .dispatch(Shader::Centre, &params, &[&panel.values, &sum], dims, (rows * dims) as f64)
                .await?;
        }
        // Rows of all sets have numbers of their own: equal ones are not to be rounded alike.
        let mut first_row = 0u32;
        let mut halves = [(); N].map(|()| Self(Vec::new()));
        for (set, halves) in sets.iter().zip(&mut halves) {
            for panel in &set.panels {
                let (rows, whole) = (panel.rows.len(), cooperative.whole(panel.rows.len()));
                let half = Half {
                    values: context.storage("halves of points", cooperative.bytes(rows, dims))?,
                    excess: context.storage("excess lengths", 4 * whole as u64)?,
                };
                let params = HalveParams {
                    rows: rows as u32,
                    dims: dims as u32,
                    first_row,
                    inverse_count: (1.0 / count as f64) as f32,
                    matrix: cooperative.matrices.side() as u32,
                    parts: cooperative.parts() as u32,
                    zero: 0,
                };
                let buffers = [&panel.values, &panel.excess, &sum, &half.values, &half.excess];
                let groups = whole.div_ceil(HALVE_ROWS);
                stream.dispatch(Shader::Halve, &params, &buffers, groups, (rows * dims) as f64).await?;
                first_row = first_row.wrapping_add(rows as u32);
                halves.0.push(half);
            }
        }
        stream.finish().await?;
        Ok(halves)
    }

    /// One panel.
    pub(crate) fn panel(&self, number: usize) -> &Half {
        &self.0[number]
    }
}
