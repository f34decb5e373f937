//! Points on the device: panels of rows, one buffer each, scaled to unit length by a kernel.

use std::{any::Any, ops::Range, sync::Arc};

use crate::{
    error::{Error, Result},
    gpu::{
        device::{
            context::{Context, TILE},
            stream::Stream,
        },
        kernel::{
            params::{ExcessParams, NormalizeParams},
            table::Shader,
        },
    },
    points::{Embeddings, LENGTHS, Points, Scaling, check, own, raw_limit},
    precision::Storage,
    schedule::panels,
};

/// Rows that a workgroup of `shaders/excess.wgsl` works on.
pub(crate) const EXCESS_ROWS: usize = 64;

/// Points of one device.
pub(crate) struct GpuPoints {
    context: Arc<Context>,
    pub(crate) stored: Storage,
    pub(crate) panel_rows: usize,
    pub(crate) panels: Vec<Panel>,
}

/// Some rows of the points.
pub(crate) struct Panel {
    pub(crate) rows: Range<usize>,
    /// (rows, dims), in groups of [`TILE`] rows: see `shaders/shared/points.wgsl`
    pub(crate) values: wgpu::Buffer,
    /// (rows, 2): see `shaders/excess.wgsl`; zeros of raw points, whose dot products are taken as they are.
    pub(crate) excess: wgpu::Buffer,
    /// (rows): 1 / the length of each row as given; unused of raw points.
    pub(crate) inverse_lengths: wgpu::Buffer,
}

impl Panel {
    /// A panel of undefined values.
    fn new(context: &Context, rows: Range<usize>, dims: usize, stored: Storage) -> Result<Self> {
        let values = (rows.len().next_multiple_of(TILE) * dims) as u64 * stored.bytes();
        Ok(Self {
            values: context.storage("points", values)?,
            excess: context.storage("excess lengths", 8 * rows.len() as u64)?,
            inverse_lengths: context.storage("inverse lengths", 4 * rows.len() as u64)?,
            rows,
        })
    }
}

/// Where the values come from.
pub(crate) enum Source<'a> {
    Host(&'a Embeddings<'a>),
    /// A caller's buffer, and its first byte that counts; not yet checked.
    Device(&'a wgpu::Buffer, u64),
}

impl GpuPoints {
    pub(crate) fn new(
        context: &Arc<Context>,
        stored: Storage,
        panel_rows: usize,
        panels: Vec<Panel>,
    ) -> Self {
        Self { context: context.clone(), stored, panel_rows, panels }
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The points, if they live on this device.
    pub(crate) fn of<'a>(points: &'a Points, context: &Arc<Context>) -> Result<&'a Self> {
        let own: &Self = own(&*points.storage as &dyn Any)?;
        if Arc::ptr_eq(&own.context, context) { Ok(own) } else { Err(Error::OtherDevice) }
    }

    /// The panels of points of this shape on this device, of which nobody else has a handle.
    fn reusable(
        points: Points,
        context: &Arc<Context>,
        shape: (usize, usize),
        stored: Storage,
    ) -> Option<std::vec::IntoIter<Panel>> {
        let same_shape = points.shape() == shape;
        let own = Arc::try_unwrap(points.storage.downcast::<Self>().ok()?).ok()?;
        let serve = same_shape && own.stored == stored && Arc::ptr_eq(&own.context, context);
        serve.then(|| own.panels.into_iter())
    }

    /// Two sets that one kernel can read.
    pub(crate) fn both<'a>(
        x: &'a Points,
        y: &'a Points,
        context: &Arc<Context>,
    ) -> Result<(&'a Self, &'a Self)> {
        let (x, y) = (Self::of(x, context)?, Self::of(y, context)?);
        if x.stored == y.stored { Ok((x, y)) } else { Err(Error::MixedStorage) }
    }
}

/// Brings points to the device.
pub(crate) async fn place(
    context: &Arc<Context>,
    source: Source<'_>,
    (rows, dims): (usize, usize),
    scaling: Scaling,
    storage: Storage,
    reused: Option<Points>,
) -> Result<Points> {
    // Half precision ends at 65,504, and raw points need not.
    let stored = if scaling == Scaling::Raw { Storage::F32 } else { storage };
    let row_bytes = 4 * dims as u64;
    let panel_rows = context.panel_rows("bytes of 64 rows", row_bytes)?;
    if u32::try_from(rows).is_err() {
        let cure = "split the set";
        return Err(Error::Limit {
            what: "rows of a set",
            needed: rows as u64,
            limit: u32::MAX.into(),
            cure,
        });
    }
    let mut reused = reused.and_then(|points| GpuPoints::reusable(points, context, (rows, dims), stored));
    let placed = context
        .scoped("bringing points to the device", async {
            let given = context.storage("points as given", row_bytes * panel_rows.min(rows.max(1)) as u64)?;
            let first_bad_row = context.storage("the first bad row", 4)?;
            context.queue.write_buffer(&first_bad_row, 0, &[0xff; 4]);
            let mut stream = Stream::new(context, stored)?;
            let mut placed = Vec::new();
            for rows in panels(rows, panel_rows) {
                let bytes = row_bytes * rows.len() as u64;
                match source {
                    Source::Host(points) => {
                        let values = &points.values()[rows.start * dims..rows.end * dims];
                        context.send(values, &given).await?;
                    }
                    Source::Device(buffer, offset) => {
                        let start = offset + row_bytes * rows.start as u64;
                        stream.encoder().copy_buffer_to_buffer(buffer, start, &given, 0, bytes);
                    }
                }
                let panel = match reused.as_mut().and_then(Iterator::next) {
                    Some(panel) => panel,
                    None => Panel::new(context, rows, dims, stored)?,
                };
                scale(&mut stream, &given, &panel, &first_bad_row, dims, scaling).await?;
                // The next panel overwrites the values as given.
                stream.flush().await?;
                placed.push(panel);
            }
            stream.finish().await?;
            if let Source::Device(buffer, offset) = source {
                refuse_bad_row(context, &first_bad_row, buffer, offset, dims, scaling).await?;
            }
            Ok(placed)
        })
        .await?;
    let storage = GpuPoints::new(context, stored, panel_rows, placed);
    Ok(Points { rows, dims, scaling, storage: Arc::new(storage) })
}

/// Rows that were points already, and their inverse lengths, as a panel of them.
pub(crate) async fn pack(
    context: &Context,
    stream: &mut Stream<'_>,
    (values, inverse_lengths): (&wgpu::Buffer, wgpu::Buffer),
    rows: Range<usize>,
    dims: usize,
    scaling: Scaling,
) -> Result<Panel> {
    let panel = Panel::new(context, rows, dims, stream.storage())?;
    let first_bad_row = context.storage("the first bad row", 4)?;
    scale(stream, values, &panel, &first_bad_row, dims, Scaling::Raw).await?;
    if scaling == Scaling::Unit {
        measure(stream, &panel, dims).await?;
    }
    Ok(Panel { inverse_lengths, ..panel })
}

async fn scale(
    stream: &mut Stream<'_>,
    given: &wgpu::Buffer,
    panel: &Panel,
    first_bad_row: &wgpu::Buffer,
    dims: usize,
    scaling: Scaling,
) -> Result<()> {
    let unit = scaling == Scaling::Unit;
    // Of a row whose length can be scaled to one, the largest coordinate lies between these.
    let (largest, least) = if unit {
        (*LENGTHS.end() as f32, (LENGTHS.start() / (dims as f64).sqrt()) as f32)
    } else {
        (raw_limit(dims), 0.0)
    };
    let rows = panel.rows.len();
    let params = NormalizeParams {
        rows: rows as u32,
        dims: dims as u32,
        first_row: panel.rows.start as u32,
        largest: largest.to_bits(),
        least: least.to_bits(),
    };
    let buffers = [given, &panel.values, &panel.inverse_lengths, first_bad_row];
    let cost = (rows * dims) as f64;
    // Four rows each, and those that fill up the last group.
    let groups = rows.next_multiple_of(TILE) / 4;
    stream.dispatch(Shader::Normalize { unit }, &params, &buffers, groups, cost).await?;
    if unit {
        measure(stream, panel, dims).await?;
    } else {
        stream.encoder().clear_buffer(&panel.excess, 0, None);
    }
    Ok(())
}

/// How far the lengths of unit rows are from one.
async fn measure(stream: &mut Stream<'_>, panel: &Panel, dims: usize) -> Result<()> {
    let rows = panel.rows.len();
    let params = ExcessParams { rows: rows as u32, dims: dims as u32, zero: 0 };
    let buffers = [&panel.values, &panel.excess];
    stream.dispatch(Shader::Excess, &params, &buffers, rows.div_ceil(EXCESS_ROWS), (rows * dims) as f64).await
}

/// The kernel has seen that a row is bad; the host says what is wrong with it.
async fn refuse_bad_row(
    context: &Context,
    first_bad_row: &wgpu::Buffer,
    buffer: &wgpu::Buffer,
    offset: u64,
    dims: usize,
    scaling: Scaling,
) -> Result<()> {
    let row = match context.read([(first_bad_row, 1)]).await?.first() {
        Some(bits) if bits.to_bits() != u32::MAX => bits.to_bits() as usize,
        _ => return Ok(()),
    };
    let copy = context.storage("a bad row", 4 * dims as u64)?;
    let mut encoder = context.device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, offset + 4 * (row * dims) as u64, &copy, 0, copy.size());
    context.queue.submit([encoder.finish()]);
    check(row, &context.read([(&copy, dims)]).await?, scaling)?;
    Err(Error::Device { reason: format!("row {row} was refused without a reason") })
}
