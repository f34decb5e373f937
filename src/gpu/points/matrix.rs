//! Matrices on the device: shards of rows, one buffer each.

use std::{any::Any, ops::Range, sync::Arc};

use crate::{
    error::{Error, Result},
    gpu::device::context::Context,
    pending::Pending,
    points::{Matrix, MatrixStorage, own},
    schedule::panels,
};

/// A matrix of one device.
pub(crate) struct GpuMatrix {
    context: Arc<Context>,
    cols: usize,
    pub(crate) shards: Vec<Shard>,
}

/// Some rows of a matrix.
pub(crate) struct Shard {
    pub(crate) rows: Range<usize>,
    /// (rows, cols)
    pub(crate) values: wgpu::Buffer,
}

impl GpuMatrix {
    /// A matrix of undefined values. `shard_rows` divides the panels of the points that it goes with.
    pub(crate) fn new(context: &Arc<Context>, rows: usize, cols: usize, shard_rows: usize) -> Result<Self> {
        let shards = panels(rows, shard_rows)
            .map(|rows| {
                let values = context.storage("a matrix", 4 * (rows.len() * cols) as u64)?;
                Ok(Shard { rows, values })
            })
            .collect::<Result<_>>()?;
        Ok(Self { context: context.clone(), cols, shards })
    }

    /// A matrix of zeros.
    pub(crate) fn zeros(context: &Arc<Context>, rows: usize, cols: usize, shard_rows: usize) -> Result<Self> {
        let matrix = Self::new(context, rows, cols, shard_rows)?;
        let mut encoder = context.device.create_command_encoder(&Default::default());
        for shard in &matrix.shards {
            encoder.clear_buffer(&shard.values, 0, None);
        }
        context.queue.submit([encoder.finish()]);
        Ok(matrix)
    }

    /// A matrix of a caller's values, row-major.
    pub(crate) async fn upload(
        context: &Arc<Context>,
        values: &[f32],
        rows: usize,
        cols: usize,
    ) -> Result<Matrix> {
        let shard_rows = context.panel_rows("bytes of 64 rows of a matrix", 4 * cols.max(1) as u64)?;
        context
            .scoped("bringing a matrix to the device", async {
                let matrix = Self::new(context, rows, cols, shard_rows)?;
                for Shard { rows, values: shard } in &matrix.shards {
                    let part = &values[rows.start * cols..rows.end * cols];
                    context.send(part, shard).await?;
                }
                Ok(matrix.into_matrix(rows))
            })
            .await
    }

    /// The matrix, if it lives on this device.
    pub(crate) fn of<'a>(matrix: &'a Matrix, context: &Arc<Context>) -> Result<&'a Self> {
        let own: &Self = own(&*matrix.storage as &dyn Any)?;
        if Arc::ptr_eq(&own.context, context) { Ok(own) } else { Err(Error::OtherDevice) }
    }

    /// As the caller's.
    pub(crate) fn into_matrix(self, rows: usize) -> Matrix {
        Matrix { rows, cols: self.cols, storage: Arc::new(self) }
    }

    /// Copies the values to a buffer of the caller's, row-major.
    pub(crate) async fn copy_to(&self, target: &wgpu::Buffer, offset: u64) -> Result<()> {
        self.context
            .scoped("copying a matrix", async {
                let mut encoder = self.context.device.create_command_encoder(&Default::default());
                for shard in &self.shards {
                    let start = offset + 4 * (shard.rows.start * self.cols) as u64;
                    encoder.copy_buffer_to_buffer(&shard.values, 0, target, start, shard.values.size());
                }
                self.context.queue.submit([encoder.finish()]);
                Ok(())
            })
            .await
    }
}

impl MatrixStorage for GpuMatrix {
    fn read<'a>(&'a self, values: &'a mut [f32]) -> Pending<'a, ()> {
        Box::pin(async {
            let part = |shard: &'a Shard| (&shard.values, shard.rows.len() * self.cols);
            let parts: Vec<_> = self.shards.iter().map(part).collect();
            self.context.read_into(&parts, values).await
        })
    }

    fn into_values(self: Arc<Self>) -> std::result::Result<Vec<f32>, Arc<dyn MatrixStorage>> {
        Err(self)
    }
}
