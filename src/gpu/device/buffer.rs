//! Buffers within the device's limits, and their way back to the host.

use crate::{
    error::{Error, Result},
    gpu::device::context::Context,
    oneshot::oneshot,
};

/// The most that is copied to the host at once, in bytes.
const COPY_CHUNK_BYTES: u64 = 64 << 20;

/// Bytes of a receipt: a number that a submission copies last of all. Metal and DX12 report a submission that failed
/// as one that is done; its receipt is missing.
pub(crate) const RECEIPT_BYTES: u64 = 8;

impl Context {
    /// Where a submission finds its receipt.
    pub(crate) fn receipt(&self) -> Result<wgpu::Buffer> {
        self.buffer("a receipt", RECEIPT_BYTES, wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST)
    }

    /// Ends the commands of a submission with a receipt, copied to the beginning of what the host will map.
    pub(crate) fn sign(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        from: &wgpu::Buffer,
        to: &wgpu::Buffer,
    ) -> u64 {
        let receipt = self.next_receipt();
        self.queue.write_buffer(from, 0, &receipt.to_ne_bytes());
        encoder.copy_buffer_to_buffer(from, 0, to, 0, RECEIPT_BYTES);
        receipt
    }

    /// Fails where a submission did not run to its end.
    pub(crate) fn check(&self, signed: &[u8], receipt: u64) -> Result<()> {
        if signed == receipt.to_ne_bytes() {
            return Ok(());
        }
        Err(Error::DeviceLost { reason: "a submission did not run to its end".into() })
    }

    /// Sends values to a buffer, part by part: what is under way is copied, and must fit the host's memory.
    pub(crate) async fn send(&self, values: &[f32], buffer: &wgpu::Buffer) -> Result<()> {
        for (part, start) in
            values.chunks(COPY_CHUNK_BYTES as usize / 4).zip((0..).step_by(COPY_CHUNK_BYTES as usize))
        {
            self.queue.write_buffer(buffer, start, bytemuck::cast_slice(part));
            self.wait(self.queue.submit([])).await?;
        }
        Ok(())
    }

    /// A storage buffer. In debug builds it is filled with NaN, so that nothing leans on zeros.
    pub(crate) fn storage(&self, label: &'static str, bytes: u64) -> Result<wgpu::Buffer> {
        use wgpu::BufferUsages as Use;
        let buffer = self.buffer(label, bytes, Use::STORAGE | Use::COPY_SRC | Use::COPY_DST)?;
        if cfg!(debug_assertions) {
            self.queue.write_buffer(&buffer, 0, &vec![0xff; bytes as usize]);
        }
        Ok(buffer)
    }

    /// A storage buffer of these values, of which there is one at least.
    pub(crate) fn filled<T: bytemuck::NoUninit>(
        &self,
        label: &'static str,
        values: &[T],
    ) -> Result<wgpu::Buffer> {
        let buffer = self.storage(label, size_of_val(values).max(4) as u64)?;
        self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(values));
        Ok(buffer)
    }

    /// A buffer of any usage.
    pub(crate) fn buffer(
        &self,
        label: &'static str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer> {
        let limit = if usage.contains(wgpu::BufferUsages::STORAGE) {
            self.max_binding()
        } else {
            self.limits.max_buffer_size
        };
        if bytes > limit {
            let cure = "use a smaller set, a device with larger buffers, or the CPU";
            return Err(Error::Limit { what: label, needed: bytes, limit, cure });
        }
        let label = Some(label);
        Ok(self.device.create_buffer(&wgpu::BufferDescriptor {
            label,
            size: bytes,
            usage,
            mapped_at_creation: false,
        }))
    }

    /// The first so many f32 values of each buffer, one after the other.
    pub(crate) async fn read<'a>(
        &self,
        parts: impl IntoIterator<Item = (&'a wgpu::Buffer, usize)>,
    ) -> Result<Vec<f32>> {
        let parts: Vec<_> = parts.into_iter().collect();
        let mut values = vec![0.0; parts.iter().map(|(_, count)| count).sum()];
        self.read_into(&parts, &mut values).await?;
        Ok(values)
    }

    /// The same, to a slice of as many values.
    pub(crate) async fn read_into(
        &self,
        parts: &[(&wgpu::Buffer, usize)],
        mut values: &mut [f32],
    ) -> Result<()> {
        let chunk = COPY_CHUNK_BYTES.min(self.limits.max_buffer_size - RECEIPT_BYTES) as usize / 4;
        self.scoped("reading a result", async {
            for &(buffer, count) in parts {
                let (part, rest) = std::mem::take(&mut values).split_at_mut(count);
                for (part, start) in part.chunks_mut(chunk).zip((0..).step_by(4 * chunk)) {
                    self.read_chunk(buffer, start, part).await?;
                }
                values = rest;
            }
            Ok(())
        })
        .await
    }

    async fn read_chunk(&self, buffer: &wgpu::Buffer, start: u64, values: &mut [f32]) -> Result<()> {
        use wgpu::BufferUsages as Use;
        let bytes = size_of_val(values) as u64;
        let staging =
            self.buffer("a copy for the host", RECEIPT_BYTES + bytes, Use::MAP_READ | Use::COPY_DST)?;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, start, &staging, RECEIPT_BYTES, bytes);
        let receipt = self.sign(&mut encoder, &self.receipt()?, &staging);
        let submission = self.queue.submit([encoder.finish()]);
        let (sender, mapping) = oneshot();
        staging.map_async(wgpu::MapMode::Read, .., move |result| sender.send(result));
        self.mapped(submission, mapping).await?;
        let view =
            staging.get_mapped_range(..).map_err(|error| Error::Device { reason: error.to_string() })?;
        let (signed, copied) = view.split_at(RECEIPT_BYTES as usize);
        self.check(signed, receipt)?;
        bytemuck::cast_slice_mut(values).copy_from_slice(copied);
        Ok(())
    }
}
