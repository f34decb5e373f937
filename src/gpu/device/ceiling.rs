//! How many multiply-adds the device does in a second when it does nothing else.

use std::time::Duration;

use crate::{
    error::{Error, Result},
    gpu::{
        device::{clock::Instant, context::Context},
        kernel::{params::FmaParams, table::Shader},
    },
    precision::Storage,
};

/// Invocations of a workgroup, and the operations of each: what `shaders/fma.wgsl` says.
pub(crate) const LANES: usize = 256;
pub(crate) const ROUNDS: usize = 256;
/// Steps of a round, by sums of an invocation, by a multiplication and an addition.
const OPERATIONS: usize = 16 * 32 * 2;

/// What a trial should take: far longer than a submission waits, and far shorter than a system bears.
const MIN_TRIAL_TIME: Duration = Duration::from_millis(60);
/// Trials, of which the best counts.
const TRIAL_COUNT: usize = 5;

/// Every sum is 2 in the end, and an invocation adds 32 of them up.
const PARAMS: FmaParams = FmaParams { factor: 0.5, term: 1.0, never: -1.0 };
const EXPECTED_SUM: f32 = 64.0;

/// Operations per second.
pub(crate) async fn ceiling(context: &Context) -> Result<f64> {
    context
        .scoped("measuring what the device can do", async {
            let bench = Bench::new(context).await?;
            let most = context.limits.max_compute_workgroups_per_dimension;
            let mut groups = 1;
            // The first run pays for what is done once; and a device of unknown speed is asked for little.
            bench.run(groups).await?;
            loop {
                let time = bench.run(groups).await?;
                if time * 2 >= MIN_TRIAL_TIME || groups == most {
                    break;
                }
                let more = (MIN_TRIAL_TIME.as_secs_f64() / time.as_secs_f64()).min(16.0);
                groups = ((f64::from(groups) * more).ceil() as u32).min(most);
            }
            let mut best = Duration::MAX;
            for _ in 0..TRIAL_COUNT {
                best = best.min(bench.run(groups).await?);
            }
            Ok(f64::from(groups) * (LANES * ROUNDS * OPERATIONS) as f64 / best.as_secs_f64())
        })
        .await
}

struct Bench<'a> {
    context: &'a Context,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    sums: wgpu::Buffer,
}

impl<'a> Bench<'a> {
    async fn new(context: &'a Context) -> Result<Self> {
        let bytes = bytemuck::bytes_of(&PARAMS);
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let params = context.buffer("parameters", bytes.len() as u64, usage)?;
        context.queue.write_buffer(&params, 0, bytes);
        let sums = context.storage("sums", 4 * LANES as u64)?;
        let pipeline = context.pipeline(Shader::Fma, Storage::F32).await?;
        let bindings = context.bind(&pipeline, params.as_entire_buffer_binding(), &[&sums]);
        Ok(Self { context, pipeline, bindings, sums })
    }

    /// What so many workgroups take, from their submission to the news of their end.
    async fn run(&self, groups: u32) -> Result<Duration> {
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.sums, 0, None);
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(groups, 1, 1);
        drop(pass);
        let commands = encoder.finish();
        let start = Instant::now();
        let submission = self.context.queue.submit([commands]);
        self.context.wait(submission).await?;
        let time = start.elapsed();
        let sums = self.context.read([(&self.sums, LANES)]).await?;
        match sums.iter().find(|&&sum| sum != EXPECTED_SUM) {
            None => Ok(time),
            Some(sum) => Err(Error::Device {
                reason: format!("multiply-adds that come to {EXPECTED_SUM} came to {sum}"),
            }),
        }
    }
}
