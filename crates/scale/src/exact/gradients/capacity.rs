//! Memory that a gradient takes, and how many panels of it are held at once.

use super::super::memory::{self, Memory, PANELS_IN_FLIGHT, rows_of_panels};
use crate::{
    error::{Error, Result},
    panels::Panels,
};

/// Bytes of a panel: less than where values alone are computed, as a panel that is held has its sums beside it.
const PANEL_BYTES: usize = 2 << 20;
/// Panels that one takes which is held: its points, and its sums in f64.
const PANELS_OF_HELD: u64 = 3;
/// Panels of scratch for a share of a gradient: weighted sums in f64, the share, and a copy of it.
const PANELS_OF_SHARE: u64 = 4;

/// Multiply-adds of a lot, the panels that are held at once, about: a minute or two of two cores, which a stop may cost.
const PRODUCTS_OF_LOT: f64 = 1e13;
/// Panels of a lot where they fit, whatever they take: to read the others past fewer would take longer than their products on a GPU.
const PANELS_OF_LOT: usize = 16;

/// Rows of a panel, which follow from the shapes of the sets alone.
pub(super) fn gradient_panel_rows(rows: usize, dims: usize) -> usize {
    rows_of_panels(PANEL_BYTES, rows, dims)
}

/// Panels that fit.
pub(super) struct Capacity {
    /// Panels that are held while values are computed.
    pub(super) of_values: memory::Capacity,
    /// Panels whose gradients are made at once.
    pub(super) held: usize,
    /// Shares of a gradient that are made at once, at most.
    pub(super) at_once: usize,
    /// Bytes that all of it takes.
    pub(super) bytes: u64,
}

impl Capacity {
    /// With so many bytes of weights beside what values take, and the panels of the larger set.
    pub(super) fn new(
        memory: &Memory,
        weights: u64,
        (panels, dims): (Panels, usize),
        max_memory: Option<u64>,
    ) -> Result<Self> {
        let (fixed, panel) = (memory.fixed + weights, memory.panel);
        let at_once = rayon::current_num_threads().max(1);
        let taken = |held: usize| {
            let shares = held.min(at_once) as u64;
            let panels = PANELS_IN_FLIGHT as u64 + PANELS_OF_HELD * held as u64 + PANELS_OF_SHARE * shares;
            fixed + panels * panel
        };
        let on_gpu = memory.on_gpu()?.unwrap_or(usize::MAX);
        let fits = |held: &usize| *held <= on_gpu && max_memory.is_none_or(|given| taken(*held) <= given);
        let products = 2.0 * dims as f64 * panels.rows as f64 * panels.panel_rows as f64;
        let of_lot = ((PRODUCTS_OF_LOT / products) as usize).max(PANELS_OF_LOT);
        let Some(held) = (1..=of_lot.min(panels.count())).take_while(fits).last() else {
            let given = max_memory.unwrap_or(u64::MAX);
            return Err(Error::Memory { given, panel_bytes: panel, needed: taken(1) });
        };
        let of_values = memory.capacity(max_memory)?;
        let of_host = (of_values.host + memory.in_flight).min(memory.most_panels);
        let values = memory.fixed + of_host as u64 * panel;
        Ok(Self { of_values, held, at_once, bytes: values.max(taken(held)) })
    }
}
