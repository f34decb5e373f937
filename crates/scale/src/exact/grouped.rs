//! Groups alone, without the pairs of whole sets.

use std::slice;

use unisphere::Engine;

use super::{
    blocks::Sum,
    evaluation::{Blocks, Evaluation},
    groups::{FoundGroups, left_of},
    resources::Resources,
    sets::Sets,
};
use crate::error::{Error, Result};

impl Evaluation {
    /// Uniformity of each group of rows with one label, and alignment by label; with y, which has as many rows, of both sets, and the
    /// alignment of each group. [`values`](Self::values) has it too, beside the rest, where the sets have labels.
    ///
    /// Groups of up to a panel are collected, as many as fit into memory in each pass over the set. A larger one is summed in blocks
    /// of panels as a set is, so that the bits do not depend on the memory. No journal is kept.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] unless there is one label a row, [`Error::Memory`], and those of the
    /// sources and the engine.
    pub fn groups(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        labels: &[i64],
        resources: &Resources,
    ) -> Result<FoundGroups> {
        let sets = sets.with_labels(labels);
        // Nothing but what groups need.
        let only = Self { ts: vec![self.ts[0]], panel_rows: self.panel_rows, ..Self::new() };
        let only = only.with_alpha(self.alpha).with_scaling(self.scaling);
        let layout = only.layout_of(sets)?;
        let mut resources = resources.clone();
        resources.journal = None;
        let engines = slice::from_ref(engine);
        let work = |numbers| only.work(engines, sets, &layout, numbers, Blocks::OfReport, &resources);
        let (mut state, _) = work(layout.count()..layout.all())?;
        state.strips = work(layout.numbers(Sum::Distances))?.0.strips;
        let found = FoundGroups::of(&layout, &state, self.alpha)?;
        found.ok_or_else(|| Error::Sets { problem: "the sets have no labels; give one a row".into() })
    }

    /// That groups of rows have enough memory.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`].
    pub fn check_groups(&self, sets: Sets<'_>, resources: &Resources) -> Result<()> {
        let panels = self.panels_of(sets.x);
        let panel_bytes = (panels.len(0) * sets.x.dims() * size_of::<f32>()) as u64;
        left_of(resources.max_memory, panels.rows, panel_bytes).map(drop)
    }
}
