//! Mean and covariance of a set larger than memory, in one pass.

use unisphere::{Engine, Error as EngineError, MomentSums, Progress, Spectrum};
use unisphere_io::Source;

use super::{evaluation::Evaluation, resources::Resources};
use crate::{
    error::{Error, Result},
    panels::Panels,
};

/// Bytes of points in f64 at a time, beside the matrices.
const BYTES_OF_PIECE: u64 = 16 << 20;
/// Matrices of dims × dims in f64: the products, their mean about the points' and about 0, and what the solver takes.
const MATRICES: u64 = 5;

impl Evaluation {
    /// Mean and covariance of a set in the terms of a [`Spectrum`]: one pass over the set, panel after panel, in f64 on the CPU. The
    /// bits do not depend on the memory. No journal is kept, as a pass takes little beside all pairs; the observer of `resources`
    /// is told of rows in the place of pairs.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] where it holds less than one panel and five matrices of dims × dims, and those of the source and the
    /// engine.
    pub fn spectrum(&self, engine: &Engine, set: &dyn Source, resources: &Resources) -> Result<Spectrum> {
        let (rows, dims) = (set.rows(), set.dims());
        let panel_rows = self.rows_of_panel(rows, dims).max(1);
        let panels = Panels { rows, panel_rows };
        let panel_bytes = panel_rows.min(rows) as u64 * dims as u64 * size_of::<f32>() as u64;
        let needed = panel_bytes + BYTES_OF_PIECE + MATRICES * (dims as u64).pow(2) * size_of::<f64>() as u64;
        if let Some(given) = resources.max_memory.filter(|&given| given < needed) {
            return Err(Error::Memory { given, panel_bytes, needed });
        }
        let mut sums = MomentSums::new(dims)?;
        for panel in 0..panels.count() {
            sums.add(&set.embeddings_in(panels.range(panel), self.scaling)?)?;
            let progress = Progress::new(sums.rows() as u64, rows as u64);
            if resources.observer.as_ref().is_some_and(|observe| observe(progress).is_break()) {
                return Err(EngineError::Stopped.into());
            }
        }
        Ok(engine.value(sums.spectrum())?)
    }
}
