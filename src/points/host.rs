//! Points that the host reads row by row, whatever device they lie on.

#[cfg(feature = "gpu")]
use crate::points::Scaling;
use crate::points::embeddings::length;

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
    scaling: Scaling,
}

#[cfg(feature = "gpu")]
impl ReadRows {
    pub(crate) fn new(values: Vec<f32>, dims: usize, scaling: Scaling) -> Self {
        Self { values, dims, scaling }
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
        let scale = match self.scaling {
            Scaling::Unit => length(values).recip(),
            Scaling::Raw => 1.0,
        };
        RowView { values, scale }
    }
}
