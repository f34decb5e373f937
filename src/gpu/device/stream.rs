//! Work for the device in short submissions, and the sums that come back, in the order of the work.
//!
//! Some systems kill a device that is busy for two seconds, and an observer wants to hear between; so work is
//! cut into submissions of about [`BUDGET`], two of them in flight. How it is cut depends on the device's speed
//! and does not show in the result: tiles are merged one by one, in their order.

use std::{collections::VecDeque, time::Duration};

use crate::{
    error::{Error, Result},
    gpu::{
        device::{buffer::RECEIPT_BYTES, clock::Instant, context::Context, waiting::Mapping},
        kernel::{params::Params, table::Shader},
    },
    oneshot::oneshot,
    precision::Storage,
    progress::Watch,
};

/// What a submission should take.
const SUBMISSION_TIME: Duration = Duration::from_millis(50);
/// Multiply-adds of the first submission to a device: the budget of a slow one.
const FIRST_SUBMISSION_COST: f64 = 1e8;
/// Submissions in flight: the device has one to work on while the host merges another.
const MAX_IN_FLIGHT: usize = 2;
/// Dispatches of a submission at most.
const MAX_DISPATCHES: u64 = 512;
/// Bytes from the parameters of a dispatch to those of the next: no device aligns uniforms more coarsely.
const PARAMS_STRIDE_BYTES: u64 = 256;
/// Tile sums of a submission at most: 1 MiB.
const MAX_TILE_SUMS: u64 = 1 << 17;

/// A tile's sum as the shaders write it: Σ exp(κ(s − pivot)).
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct TileSum {
    pub(crate) pivot: f32,
    pub(crate) sum: f32,
}

/// Results of a stream: each batch of tiles names a destination, and its sums come there in the order of the work.
pub(crate) trait Collector: Send {
    /// Where the sums of a batch go.
    type Destination: Copy + Send;

    /// Takes the sum of this number in its batch.
    fn add(&mut self, to: Self::Destination, number: usize, sum: TileSum);
}

/// Work without sums.
impl Collector for () {
    type Destination = ();

    fn add(&mut self, (): (), _: usize, _: TileSum) {}
}

/// Work on the tiles of a block.
pub(crate) struct Tiles<'a, D> {
    pub(crate) shader: Shader,
    pub(crate) buffers: &'a [&'a wgpu::Buffer],
    pub(crate) count: u32,
    /// None of shaders that write no tile sums.
    pub(crate) sums: Option<Sums<D>>,
    /// Multiply-adds of one tile.
    pub(crate) cost: f64,
    /// Pairs that are done when all tiles are.
    pub(crate) pairs: u64,
}

/// Tile sums of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums<D> {
    pub(crate) per_tile: u32,
    pub(crate) to: D,
}

/// A sequence of submissions.
pub(crate) struct Stream<'a, C: Collector = ()> {
    context: &'a Context,
    /// How the points are stored that the kernels read or write.
    storage: Storage,
    watch: Option<&'a Watch>,
    results: C,
    params: wgpu::Buffer,
    receipt: wgpu::Buffer,
    sums: wgpu::Buffer,
    /// How many sums there is room for.
    capacity: u64,
    spare: Vec<wgpu::Buffer>,
    encoder: wgpu::CommandEncoder,
    /// What the next submission holds so far.
    load: Load<C::Destination>,
    in_flight: VecDeque<Flight<C::Destination>>,
    last_return: Option<Instant>,
}

/// Part of a batch's tile sums in one submission.
struct Part<D> {
    to: D,
    /// The number of its first sum in the batch.
    first: usize,
    count: usize,
}

struct Load<D> {
    params: Vec<u8>,
    /// Destinations of the sums, in their order.
    parts: Vec<Part<D>>,
    sums: u64,
    cost: f64,
    pairs: u64,
}

impl<D> Load<D> {
    fn sum_bytes(&self) -> u64 {
        self.sums * size_of::<TileSum>() as u64
    }
}

impl<D> Default for Load<D> {
    fn default() -> Self {
        Self { params: Vec::new(), parts: Vec::new(), sums: 0, cost: 0.0, pairs: 0 }
    }
}

struct Flight<D> {
    submission: wgpu::SubmissionIndex,
    submitted: Instant,
    staging: wgpu::Buffer,
    mapping: Mapping,
    receipt: u64,
    load: Load<D>,
}

/// Streams go from thread to thread, with all that is under way.
const _: fn() = || {
    fn sent<T: Send>() {}
    fn streams<C: Collector>() {
        sent::<Stream<'static, C>>();
    }
    streams::<()>();
};

impl<'a> Stream<'a> {
    /// Work whose progress nobody watches, and which makes no sums.
    pub(crate) fn new(context: &'a Context, storage: Storage) -> Result<Self> {
        Self::collecting((), context, storage, None)
    }
}

impl<'a, C: Collector> Stream<'a, C> {
    /// Work whose tile sums go to `results`.
    pub(crate) fn collecting(
        results: C,
        context: &'a Context,
        storage: Storage,
        watch: Option<&'a Watch>,
    ) -> Result<Self> {
        use wgpu::BufferUsages as Use;
        let capacity = MAX_TILE_SUMS.min(context.max_binding() / size_of::<TileSum>() as u64);
        Ok(Self {
            context,
            storage,
            watch,
            results,
            receipt: context.receipt()?,
            params: context.buffer(
                "parameters",
                MAX_DISPATCHES * PARAMS_STRIDE_BYTES,
                Use::UNIFORM | Use::COPY_DST,
            )?,
            sums: context.storage("tile sums", capacity * size_of::<TileSum>() as u64)?,
            capacity,
            spare: Vec::new(),
            encoder: context.device.create_command_encoder(&Default::default()),
            load: Load::default(),
            in_flight: VecDeque::new(),
            last_return: None,
        })
    }

    /// How the points are stored that the kernels read or write.
    pub(crate) fn storage(&self) -> Storage {
        self.storage
    }

    /// Where the kernels put their tile sums.
    pub(crate) fn sums(&self) -> wgpu::Buffer {
        self.sums.clone()
    }

    /// Commands that are not kernels, in order with them.
    pub(crate) fn encoder(&mut self) -> &mut wgpu::CommandEncoder {
        &mut self.encoder
    }

    /// Works on tiles, as many at once as the budget allows. `params` gets the first tile and the place of its
    /// sum.
    pub(crate) async fn tiles<P: Params>(
        &mut self,
        tiles: Tiles<'_, C::Destination>,
        params: impl Fn(u32, u32) -> P,
    ) -> Result<()> {
        let per_tile = tiles.sums.map_or(0, |sums| sums.per_tile);
        let done =
            |count: u32| (u128::from(tiles.pairs) * u128::from(count) / u128::from(tiles.count)) as u64;
        let mut first = 0;
        while first < tiles.count {
            self.reserve(tiles.cost, per_tile).await?;
            let room = ((self.budget() - self.load.cost) / tiles.cost).max(1.0) as u32;
            let count = room
                .min(tiles.count - first)
                .min(self.free().checked_div(per_tile).unwrap_or(u32::MAX))
                .min(self.context.limits.max_compute_workgroups_per_dimension);
            let params = params(first, self.load.sums as u32);
            self.record(tiles.shader, &params, tiles.buffers, count).await?;
            self.load.cost += tiles.cost * f64::from(count);
            self.load.pairs += done(first + count) - done(first);
            if let Some(Sums { per_tile, to }) = tiles.sums {
                let [first, count] = [first, count].map(|tiles| tiles as usize * per_tile as usize);
                self.load.parts.push(Part { to, first, count });
                self.load.sums += count as u64;
            }
            first += count;
        }
        Ok(())
    }

    /// One dispatch of so many workgroups, of so many multiply-adds in all.
    pub(crate) async fn dispatch<P: Params>(
        &mut self,
        shader: Shader,
        params: &P,
        buffers: &[&wgpu::Buffer],
        groups: usize,
        cost: f64,
    ) -> Result<()> {
        self.reserve(cost, 0).await?;
        self.load.cost += cost;
        self.record(shader, params, buffers, groups as u32).await
    }

    /// Makes room for one more dispatch. Where its sums go is known only then.
    async fn reserve(&mut self, cost: f64, sums: u32) -> Result<()> {
        let full =
            self.free() < sums || self.load.params.len() as u64 == MAX_DISPATCHES * PARAMS_STRIDE_BYTES;
        let over_budget = self.load.cost > 0.0 && self.load.cost + cost > self.budget();
        if full || over_budget { self.flush().await } else { Ok(()) }
    }

    /// For how many more sums a submission has room.
    fn free(&self) -> u32 {
        (self.capacity - self.load.sums) as u32
    }

    async fn record<P: Params>(
        &mut self,
        shader: Shader,
        params: &P,
        buffers: &[&wgpu::Buffer],
        groups: u32,
    ) -> Result<()> {
        debug_assert!(P::belongs_to(shader) && buffers.len() == shader.buffers());
        let offset = self.load.params.len();
        self.load.params.extend_from_slice(bytemuck::bytes_of(params));
        self.load.params.resize(offset + PARAMS_STRIDE_BYTES as usize, 0);
        let size = std::num::NonZero::new(size_of::<P>() as u64);
        let params = wgpu::BufferBinding { buffer: &self.params, offset: offset as u64, size };
        let pipeline = self.context.pipeline(shader, self.storage).await?;
        let bindings = self.context.bind(&pipeline, params, buffers);
        let mut pass = self.encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bindings, &[]);
        pass.dispatch_workgroups(groups, 1, 1);
        Ok(())
    }

    /// Sends what there is, and waits for the oldest submission if too many are under way.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        let load = std::mem::take(&mut self.load);
        let next = self.context.device.create_command_encoder(&Default::default());
        let mut encoder = std::mem::replace(&mut self.encoder, next);
        let staging = match self.spare.pop() {
            Some(buffer) => buffer,
            None => {
                use wgpu::BufferUsages as Use;
                self.context.buffer(
                    "tile sums for the host",
                    RECEIPT_BYTES + self.sums.size(),
                    Use::MAP_READ | Use::COPY_DST,
                )?
            }
        };
        if load.sums > 0 {
            encoder.copy_buffer_to_buffer(&self.sums, 0, &staging, RECEIPT_BYTES, load.sum_bytes());
        }
        let receipt = self.context.sign(&mut encoder, &self.receipt, &staging);
        self.context.queue.write_buffer(&self.params, 0, &load.params);
        let submitted = Instant::now();
        let submission = self.context.queue.submit([encoder.finish()]);
        let (sender, mapping) = oneshot();
        let bytes = RECEIPT_BYTES + load.sum_bytes();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |result| sender.send(result));
        self.in_flight.push_back(Flight { submission, submitted, staging, mapping, receipt, load });
        while self.in_flight.len() >= MAX_IN_FLIGHT {
            self.land().await?;
        }
        Ok(())
    }

    /// Waits for all of the work.
    pub(crate) async fn finish(mut self) -> Result<C> {
        self.flush().await?;
        while !self.in_flight.is_empty() {
            self.land().await?;
        }
        Ok(self.results)
    }

    fn budget(&self) -> f64 {
        self.context.rate().map_or(FIRST_SUBMISSION_COST, |rate| rate * SUBMISSION_TIME.as_secs_f64())
    }

    /// Waits for the oldest submission and takes its sums.
    async fn land(&mut self) -> Result<()> {
        let Some(Flight { submission, submitted, staging, mapping, receipt, load }) =
            self.in_flight.pop_front()
        else {
            return Ok(());
        };
        let done = self.context.mapped(submission, mapping).await?;
        self.learn(submitted, done, load.cost);
        let mapped = staging.get_mapped_range(..RECEIPT_BYTES + load.sum_bytes());
        let view = mapped.map_err(|error| Error::Device { reason: error.to_string() })?;
        let (signed, sums) = view.split_at(RECEIPT_BYTES as usize);
        self.context.check(signed, receipt)?;
        let mut sums = bytemuck::pod_collect_to_vec::<u8, TileSum>(sums).into_iter();
        for Part { to, first, count } in &load.parts {
            for (number, sum) in (*first..).zip(sums.by_ref().take(*count)) {
                self.results.add(*to, number, sum);
            }
        }
        drop(view);
        staging.unmap();
        self.spare.push(staging);
        self.watch.map_or(Ok(()), |watch| watch.advance(load.pairs))
    }

    /// Learns the device's speed from a submission. One that took less than it may says that more can be asked,
    /// and not how much: small ones mostly wait.
    fn learn(&mut self, submitted: Instant, done: Instant, cost: f64) {
        let began = self.last_return.map_or(submitted, |last| last.max(submitted));
        self.last_return = Some(done);
        let seconds = (done - began).as_secs_f64().max(1e-6);
        let known = self.context.rate().unwrap_or(FIRST_SUBMISSION_COST / SUBMISSION_TIME.as_secs_f64());
        let least = if seconds > SUBMISSION_TIME.as_secs_f64() { known / 4.0 } else { known };
        self.context.set_rate((cost / seconds).clamp(least, known * 4.0));
    }
}
