//! Rows in a new order, as points or on the host.

use std::sync::Arc;

use crate::{
    error::Result,
    gpu::{
        device::{context::Context, stream::Stream},
        kernel::{params::RowParams, table::Shader},
        points::panels::{GpuPoints, pack},
    },
    memory::reserved,
    points::Points,
    progress::Watch,
    schedule::panels,
};

/// The points of these rows, in this order.
pub(crate) async fn gather(context: &Arc<Context>, points: &Points, rows: &[usize]) -> Result<Points> {
    let source = GpuPoints::of(points, context)?;
    let (dims, panel_rows) = (points.dims(), source.panel_rows);
    let placed = context
        .scoped("gathering points", async {
            let mut placed = Vec::new();
            for panel in panels(rows.len(), panel_rows) {
                let mut stream = Stream::new(context, source.stored)?;
                let (values, lengths) = copy(&mut stream, source, dims, &rows[panel.clone()]).await?;
                placed.push(
                    pack(context, &mut stream, (&values, lengths), panel, dims, points.scaling()).await?,
                );
                stream.finish().await?;
            }
            Ok(placed)
        })
        .await?;
    let storage = GpuPoints::new(context, source.stored, panel_rows, placed);
    Ok(Points { rows: rows.len(), dims, scaling: points.scaling(), storage: Arc::new(storage) })
}

/// Bytes of rows that are read at a time.
const READ_BYTES: usize = 16 << 20;

/// The values of all rows, row-major, as they are stored.
pub(crate) async fn read_all(context: &Arc<Context>, points: &Points, watch: &Watch) -> Result<Vec<f32>> {
    let (rows, dims) = points.shape();
    let mut values = reserved(rows, dims, || format!("a copy of {rows} × {dims} points on the host"))?;
    let bytes = READ_BYTES.min(context.max_binding() as usize);
    for piece in panels(rows, (bytes / (4 * dims)).max(1)) {
        watch.advance(0)?;
        values.extend(read(context, points, &piece.collect::<Vec<_>>()).await?);
    }
    Ok(values)
}

/// The values of these rows, row-major; panels hold more rows than these.
pub(crate) async fn read(context: &Arc<Context>, points: &Points, rows: &[usize]) -> Result<Vec<f32>> {
    let source = GpuPoints::of(points, context)?;
    let mut stream = Stream::new(context, source.stored)?;
    let (values, _) = copy(&mut stream, source, points.dims(), rows).await?;
    stream.finish().await?;
    context.read([(&values, rows.len() * points.dims())]).await
}

/// Copies rows, and their inverse lengths, from whatever panels they lie in.
async fn copy(
    stream: &mut Stream<'_>,
    source: &GpuPoints,
    dims: usize,
    rows: &[usize],
) -> Result<(wgpu::Buffer, wgpu::Buffer)> {
    let context = source.context();
    let values = context.storage("gathered points", 4 * (rows.len() * dims) as u64)?;
    let lengths = context.storage("inverse lengths", 4 * rows.len() as u64)?;
    for panel in &source.panels {
        let inside = rows.iter().enumerate().filter(|(_, row)| panel.rows.contains(row));
        let list: Vec<_> = inside.map(|(to, row)| [to as u32, (row - panel.rows.start) as u32]).collect();
        for list in list.chunks(source.panel_rows) {
            let buffer = context.filled("a list of rows", list)?;
            let buffers = [&panel.values, &panel.inverse_lengths, &buffer, &values, &lengths];
            let params = RowParams { dims: dims as u32 };
            stream
                .dispatch(Shader::Gather, &params, &buffers, list.len(), (list.len() * dims) as f64)
                .await?;
        }
    }
    Ok((values, lengths))
}
