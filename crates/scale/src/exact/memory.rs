//! Memory that an evaluation takes, and the size of panels.

use super::{
    blocks::{Layout, SetName},
    devices::Kinds,
    results::Results,
    schedule::STRIPS_AT_ONCE,
    strips::StripResults,
};
use crate::error::{Error, Result};

/// Bytes of a panel that rows are cut into, where sets are not huge.
const PANEL_BYTES: usize = 8 << 20;
/// Rows of a panel, at least and at most, where sets are not huge.
const PANEL_ROWS: std::ops::RangeInclusive<usize> = 256..=4096;
/// Panels of a set, at most: the number of blocks grows with their square.
const MAX_PANELS: usize = 2048;
/// Bytes of a row on the CPU beside its values: its length, and what the formulas see of it.
const BYTES_BESIDE_ROW: usize = 32;
/// Bytes of a block in the schedule, and of an arrival that makes it possible: most make several.
const BYTES_OF_SCHEDULED_BLOCK: u64 = 64;
/// Multiply-adds of a strip, about: a few seconds of two cores.
const PRODUCTS_OF_STRIP: f64 = 6e11;
/// Multiply-adds that take about as long as a pair's exponential.
const PRODUCTS_OF_EXPONENTIAL: usize = 64;
/// Rows whose values lie together on a GPU, so that panels are filled up to as many.
const ROWS_TOGETHER_ON_GPU: usize = 64;
/// Panels on a GPU beside the left ones: the right one, and what copying the next one takes.
pub(super) const PASSING_ON_GPU: usize = 3;
/// Bytes of scratch for each thread.
const SCRATCH_BYTES: u64 = 2 << 20;

/// Rows of a panel, which follow from the shapes of the sets alone: a power of two.
pub(super) fn panel_rows(rows: usize, dims: usize) -> usize {
    rows_of_panels(PANEL_BYTES, rows, dims)
}

/// Rows of panels of about so many bytes.
pub(super) fn rows_of_panels(panel_bytes: usize, rows: usize, dims: usize) -> usize {
    let fitting = (panel_bytes / (4 * dims)).max(1);
    let usual = (fitting + 1).next_power_of_two() / 2;
    let usual = usual.clamp(*PANEL_ROWS.start(), *PANEL_ROWS.end());
    usual.max(rows.div_ceil(MAX_PANELS).next_power_of_two())
}

/// Right panels of a strip, which follow from the shapes alone: a power of two.
pub(super) fn strip_panels(panel_rows: usize, dims: usize) -> usize {
    let of_block = (panel_rows as f64).powi(2) * (dims + PRODUCTS_OF_EXPONENTIAL) as f64;
    let fitting = (PRODUCTS_OF_STRIP / of_block).clamp(1.0, MAX_PANELS as f64) as usize;
    (fitting + 1).next_power_of_two() / 2
}

/// Panels in memory beside those that are held: one in use, one waiting for its turn, and one being read.
pub(super) const PANELS_IN_FLIGHT: usize = 3;

/// These, and the two that each further device may still be at when the others have moved on.
pub(super) fn panels_in_flight(kinds: Kinds) -> usize {
    PANELS_IN_FLIGHT + 2 * kinds.count().saturating_sub(1)
}

/// Panels that fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capacity {
    /// Left panels that every device holds at once.
    pub(super) held: usize,
    /// Panels in the memory of this machine, those among them, beside those in flight.
    pub(super) host: usize,
}

/// Memory that an evaluation takes.
pub(super) struct Memory {
    /// Bytes of results and scratch.
    pub(super) fixed: u64,
    /// Bytes of a panel: its points for CPUs, and its values for GPUs to copy.
    pub(super) panel: u64,
    /// Bytes of a panel on a GPU.
    pub(super) panel_on_gpu: u64,
    /// Bytes that each GPU may use; None where nothing bounds them, and without GPUs.
    bytes_on_gpu: Option<u64>,
    /// Panels beside those that stay.
    pub(super) in_flight: usize,
    /// Panels of the larger set.
    pub(super) most_of_set: usize,
    /// Panels that there are in all, with those in flight.
    pub(super) most_panels: usize,
}

impl Memory {
    /// Memory of the host and of GPUs, each of which may use so many bytes; None for as many as it takes.
    pub(super) fn new(
        layout: &Layout,
        dims: usize,
        width: usize,
        kinds: Kinds,
        bytes_on_gpu: Option<u64>,
    ) -> Self {
        let x = layout.panels(SetName::X);
        let has_y = layout.sums().iter().any(|sum| sum.sides().contains(&SetName::Y));
        let of_y = if has_y { layout.panels(SetName::Y).count() } else { 0 };
        let most_of_set = x.count().max(of_y);
        // A small set may stand beside a large one; without y, its panels are those of x.
        let panel_rows = x.panel_rows.min(x.rows.max(layout.panels(SetName::Y).rows));
        let panel_on_gpu = (panel_rows.next_multiple_of(ROWS_TOGETHER_ON_GPU) * (4 * dims + 12)) as u64;
        let points = if kinds.cpus > 0 { 4 * dims + BYTES_BESIDE_ROW } else { 0 };
        // Their coordinates and lengths.
        let values = if kinds.gpus > 0 { 4 * dims + 8 } else { 0 };
        let in_flight = panels_in_flight(kinds);
        Self {
            fixed: Results::bytes(layout.totals(), width)
                + StripResults::bytes(layout, STRIPS_AT_ONCE.min(most_of_set), kinds.count())
                + BYTES_OF_SCHEDULED_BLOCK * layout.all_blocks().count() as u64
                + SCRATCH_BYTES * rayon::current_num_threads() as u64,
            panel: (panel_rows * (points + values)) as u64,
            panel_on_gpu,
            bytes_on_gpu: bytes_on_gpu.filter(|_| kinds.gpus > 0),
            in_flight,
            most_of_set,
            most_panels: x.count() + of_y + in_flight,
        }
    }

    /// Panels that can stay beside those in flight.
    pub(super) fn capacity(&self, max_memory: Option<u64>) -> Result<Capacity> {
        let host = self.host(max_memory)?;
        let on_gpu = self.on_gpu()?;
        Ok(Capacity { held: on_gpu.map_or(host, |most| most.min(host)), host })
    }

    /// Left panels that the GPU of the least memory can hold; None where nothing bounds them.
    pub(super) fn on_gpu(&self) -> Result<Option<usize>> {
        let Some(given) = self.bytes_on_gpu else { return Ok(None) };
        let panels = usize::try_from(given / self.panel_on_gpu).unwrap_or(usize::MAX);
        match panels.saturating_sub(PASSING_ON_GPU) {
            0 => {
                let needed = (PASSING_ON_GPU as u64 + 1) * self.panel_on_gpu;
                Err(Error::Memory { given, panel_bytes: self.panel_on_gpu, needed })
            }
            held => Ok(Some(held)),
        }
    }

    fn host(&self, max_memory: Option<u64>) -> Result<usize> {
        let Some(given) = max_memory else { return Ok(self.most_panels) };
        let panels = given.saturating_sub(self.fixed) / self.panel;
        match usize::try_from(panels).unwrap_or(usize::MAX).saturating_sub(self.in_flight) {
            0 => {
                let needed = self.fixed + (self.in_flight as u64 + 1) * self.panel;
                Err(Error::Memory { given, panel_bytes: self.panel, needed })
            }
            capacity => Ok(capacity),
        }
    }
}
