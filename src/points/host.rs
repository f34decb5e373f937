//! Points that the host reads row by row, whatever device they lie on.

use crate::points::embeddings::length;
#[cfg(feature = "gpu")]
use crate::{error::Result, memory::reserved, points::Scaling};

/// Row of stored values and the factor from them to what metrics see.
#[derive(Clone, Copy)]
pub(crate) struct RowView<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) scale: f64,
}

impl<'a> RowView<'a> {
    /// Values as metrics see them.
    #[inline(always)]
    pub(crate) fn seen(self) -> impl Iterator<Item = f64> + Clone + use<'a> {
        self.values.iter().map(move |&value| f64::from(value) * self.scale)
    }

    /// Length as metrics see it.
    pub(crate) fn length(self) -> f64 {
        length(self.values) * self.scale
    }
}

/// Points in the host's memory.
pub(crate) trait HostRows: Send + Sync {
    fn rows(&self) -> usize;
    fn dims(&self) -> usize;
    fn view(&self, row: usize) -> RowView<'_>;
}

/// Points read from another device, as it stores them: unit rows are of unit length but for rounding.
#[cfg(feature = "gpu")]
pub(crate) struct ReadRows {
    values: Vec<f32>,
    dims: usize,
    /// The factor of each row; none of raw rows.
    scales: Vec<f64>,
}

#[cfg(feature = "gpu")]
impl ReadRows {
    pub(crate) fn new(values: Vec<f32>, dims: usize, scaling: Scaling) -> Result<Self> {
        let mut scales = Vec::new();
        if scaling == Scaling::Unit {
            let rows = values.len() / dims;
            scales = reserved(rows, 1, || format!("the lengths of {rows} rows"))?;
            scales.extend(values.chunks_exact(dims).map(|row| length(row).recip()));
        }
        Ok(Self { values, dims, scales })
    }
}

#[cfg(feature = "gpu")]
impl HostRows for ReadRows {
    fn rows(&self) -> usize {
        self.values.len() / self.dims
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn view(&self, row: usize) -> RowView<'_> {
        let values = &self.values[row * self.dims..][..self.dims];
        RowView { values, scale: self.scales.get(row).copied().unwrap_or(1.0) }
    }
}
