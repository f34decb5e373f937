//! Mean and covariance of a set larger than memory, in one pass.

use unisphere::{Embeddings, Engine, Error as EngineError, MomentSums, Progress, Spectrum};
use unisphere_io::Source;

use super::{evaluation::Evaluation, resources::Resources};
use crate::error::{Error, Result};

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
        Ok(engine.value(self.moments(set, resources)?.spectrum())?)
    }

    /// What the spectrum is made of: the moments of all rows.
    ///
    /// # Errors
    ///
    /// Those of [`spectrum`](Self::spectrum), but for the engine's.
    pub fn moments(&self, set: &dyn Source, resources: &Resources) -> Result<MomentSums> {
        let dims = set.dims();
        let panel_bytes = self.bytes_of_visit(set);
        let needed = panel_bytes + BYTES_OF_PIECE + MATRICES * (dims as u64).pow(2) * size_of::<f64>() as u64;
        if let Some(given) = resources.max_memory.filter(|&given| given < needed) {
            return Err(Error::Memory { given, panel_bytes, needed });
        }
        let mut sums = MomentSums::new(dims)?;
        self.visit(set, resources, &mut |points| Ok(sums.add(points)?))?;
        Ok(sums)
    }

    /// Bytes of memory that [`visit`](Self::visit) takes for points: those of a panel.
    pub fn bytes_of_visit(&self, set: &dyn Source) -> u64 {
        (self.panels_of(set).len(0) * set.dims() * size_of::<f32>()) as u64
    }

    /// Shows a caller all rows of a set, panel after panel in their order, with one panel in memory. The observer of `resources` is told
    /// of rows.
    ///
    /// # Errors
    ///
    /// Those of the source and of the caller, and that the observer asks for the end.
    pub fn visit(
        &self,
        set: &dyn Source,
        resources: &Resources,
        see: &mut dyn FnMut(&Embeddings<'_>) -> Result<()>,
    ) -> Result<()> {
        let panels = self.panels_of(set);
        for panel in 0..panels.count() {
            let range = panels.range(panel);
            let seen = range.end as u64;
            see(&set.embeddings_in(range, self.scaling)?)?;
            let progress = Progress::new(seen, panels.rows as u64);
            if resources.observer.as_ref().is_some_and(|observe| observe(progress).is_break()) {
                return Err(EngineError::Stopped.into());
            }
        }
        Ok(())
    }
}
