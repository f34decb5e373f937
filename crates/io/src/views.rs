//! Views of the same things in one array (n, views, d).

use unisphere::{Embeddings, Scaling};

use crate::{Fault, File, Result, Source as _, source::LOOK};

impl File {
    /// The number of views of an array (n, views, d), which [`Reading::with_views`](crate::Reading::with_views) takes as its n · views
    /// points; None of any other file.
    pub fn views(&self) -> Option<usize> {
        self.table.views()
    }

    /// Reads the points of each view, (n, d). Row i of all views is of the same thing. A file of no views is one view.
    ///
    /// # Errors
    ///
    /// Those of [`embeddings`](Self::embeddings); rows are numbered as the n · views points of the file.
    pub fn embeddings_of_views(&self, scaling: Scaling) -> Result<Vec<Embeddings<'static>>> {
        let (views, dims) = (self.views().unwrap_or(1), self.dims());
        let mut sets = Vec::new();
        for _ in 0..views {
            let mut values = Vec::<f32>::new();
            let is_room = values.try_reserve_exact(self.rows() / views * dims).is_ok();
            if !is_room || sets.try_reserve(1).is_err() {
                let bytes = (self.rows() as u128 * dims as u128).saturating_mul(size_of::<f32>() as u128);
                return Err(self.error(Fault::Memory { bytes }));
            }
            sets.push(values);
        }
        // Whole rows of views.
        let step = (LOOK / dims / views).max(1) * views;
        for start in (0..self.rows()).step_by(step) {
            let points = self.embeddings_in(start..self.rows().min(start + step), scaling)?;
            for (row, point) in points.values().chunks_exact(dims).enumerate() {
                sets[row % views].extend_from_slice(point);
            }
        }
        let points = sets
            .into_iter()
            .map(|values| Embeddings::with_scaling(values, self.rows() / views, dims, scaling))
            .collect::<Result<_, _>>();
        points.map_err(|content| self.error(Fault::Content(content)))
    }
}
