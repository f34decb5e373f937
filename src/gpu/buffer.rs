//! Buffers within the device's limits, and their way back to the host.

use std::sync::mpsc;

use super::context::Context;
use crate::{Error, Result};

/// The most that is copied to the host at once, in bytes.
const CHUNK: u64 = 64 << 20;

impl Context {
    /// A storage buffer. In debug builds it is filled with NaN, so that nothing leans on zeros.
    pub(super) fn storage(&self, label: &'static str, bytes: u64) -> Result<wgpu::Buffer> {
        use wgpu::BufferUsages as Use;
        let buffer = self.buffer(label, bytes, Use::STORAGE | Use::COPY_SRC | Use::COPY_DST)?;
        if cfg!(debug_assertions) {
            self.queue.write_buffer(&buffer, 0, &vec![0xff; bytes as usize]);
        }
        Ok(buffer)
    }

    /// A buffer of any usage.
    pub(super) fn buffer(
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
    pub(super) fn read<'a>(
        &self,
        parts: impl IntoIterator<Item = (&'a wgpu::Buffer, usize)>,
    ) -> Result<Vec<f32>> {
        let chunk = CHUNK.min(self.limits.max_buffer_size);
        self.scoped("reading a result", || {
            let mut values = Vec::new();
            for (buffer, count) in parts {
                let bytes = 4 * count as u64;
                values.reserve_exact(count);
                for start in (0..bytes).step_by(chunk as usize) {
                    self.read_chunk(buffer, start, chunk.min(bytes - start), &mut values)?;
                }
            }
            Ok(values)
        })
    }

    fn read_chunk(&self, buffer: &wgpu::Buffer, start: u64, bytes: u64, values: &mut Vec<f32>) -> Result<()> {
        use wgpu::BufferUsages as Use;
        let staging = self.buffer("a copy for the host", bytes, Use::MAP_READ | Use::COPY_DST)?;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, start, &staging, 0, bytes);
        let submission = self.queue.submit([encoder.finish()]);
        let (sender, answer) = mpsc::channel();
        // A receiver that is gone has already failed, and said so.
        staging.map_async(wgpu::MapMode::Read, .., move |result| drop(sender.send(result)));
        self.wait(submission)?;
        self.mapped(&answer)?;
        let view =
            staging.get_mapped_range(..).map_err(|error| Error::Device { reason: error.to_string() })?;
        values.extend(bytemuck::pod_collect_to_vec::<u8, f32>(&view));
        Ok(())
    }
}
