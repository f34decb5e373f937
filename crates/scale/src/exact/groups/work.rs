//! The work on groups: small ones are collected and measured one by one, and a large one is run as a set of its own.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;
use unisphere::{
    Alignment, DeviceKind, Embeddings, Engine, Error as EngineError, Groups, Progress, Uniformity,
    unordered_pairs,
};
use unisphere_io::Source;

use super::spread::Spread;
use crate::{
    error::{Error, Result},
    exact::{
        blocks::{Layout, SetName},
        devices::{self, Kinds},
        memory::Memory,
        resources::Resources,
        run::{State, Work},
        selected::{Selected, gather},
        sets::Sets,
        units::{GroupUnits, RESULTS},
    },
    panels::Panels,
};

/// Bytes of a row beside its values: its label, its places among the others of its group, and its place in a lot.
const BYTES_OF_LABELLED_ROW: u64 = 48;
/// Bytes of rows that are read at once.
const BYTES_AT_ONCE: u64 = 8 << 20;

/// Some of the units of groups, which are computed after the blocks.
pub(in crate::exact) struct GroupWork<'a> {
    work: &'a Work<'a>,
    units: &'a GroupUnits,
    /// Those that are wanted.
    wanted: Range<usize>,
    /// Memory for points.
    max_memory: Option<u64>,
    on_gpu: Option<u64>,
}

/// Memory for points, without what the labels of rows take, whose panels hold so many bytes.
///
/// # Errors
///
/// [`Error::Memory`].
pub(in crate::exact) fn left_of(
    max_memory: Option<u64>,
    rows: usize,
    panel_bytes: u64,
) -> Result<Option<u64>> {
    let Some(given) = max_memory else { return Ok(None) };
    // A panel twice, on the host and on the device.
    let needed = rows as u64 * BYTES_OF_LABELLED_ROW + BYTES_AT_ONCE + 2 * panel_bytes;
    if given < needed {
        return Err(Error::Memory { given, panel_bytes, needed });
    }
    Ok(Some(given - rows as u64 * BYTES_OF_LABELLED_ROW))
}

impl<'a> GroupWork<'a> {
    /// The units among some numbers; none where the numbers are of blocks alone.
    pub(in crate::exact) fn new(
        work: &'a Work<'a>,
        numbers: &Range<usize>,
        resources: &Resources,
    ) -> Result<Option<Self>> {
        let first = work.layout.count();
        let wanted = numbers.start.max(first) - first..numbers.end.max(first) - first;
        let Some(units) = work.layout.groups().filter(|_| !wanted.is_empty()) else { return Ok(None) };
        let panels = work.layout.panels(SetName::X);
        let panel_bytes = (panels.len(0) * work.sets.x.dims() * size_of::<f32>()) as u64;
        let max_memory = left_of(resources.max_memory, panels.rows, panel_bytes)?;
        let max_memory = max_memory.map(|bytes| bytes.saturating_sub(units.bytes_of_results()));
        let on_gpu = devices::bytes_on_gpu(work.engines, resources.max_device_memory);
        Ok(Some(Self { work, units, wanted, max_memory, on_gpu }))
    }

    /// Pairs of the units that are wanted and missing.
    pub(in crate::exact) fn pairs(&self, state: &State) -> u64 {
        let pairs = self.units.pairs();
        self.wanted.clone().filter(|&unit| !state.groups.is_done(unit)).map(|unit| pairs[unit]).sum()
    }

    /// Computes what is missing, between two looks at the points: they are what they were when they were first read.
    pub(in crate::exact) fn run(&self, state: &mut State) -> Result<()> {
        let missing = self.pairs(state);
        if missing == 0 {
            return Ok(());
        }
        let total = state.pairs_computed + missing;
        self.check_points(state, total, |state, panel| !state.hashes.contains_key(&panel))?;
        for set in [Some(SetName::X), self.work.sets.y.map(|_| SetName::Y)].into_iter().flatten() {
            let is_missing = |&group: &usize| {
                let unit = self.units.units(set as usize, group).start;
                self.wanted.contains(&unit) && !state.groups.is_done(unit)
            };
            let small: Vec<_> = self.units.sized(false).filter(is_missing).collect();
            for lot in self.lots(set, &small) {
                self.small(set, lot, state, total)?;
            }
            for group in self.units.sized(true) {
                self.large(set, group, state, total)?;
            }
        }
        self.check_points(state, total, |_, _| true)
    }

    /// Reads panels, some or all of them, and compares them with what they were.
    fn check_points(
        &self,
        state: &mut State,
        total: u64,
        is_wanted: impl Fn(&State, (SetName, usize)) -> bool,
    ) -> Result<()> {
        for set in [Some(SetName::X), self.work.sets.y.map(|_| SetName::Y)].into_iter().flatten() {
            for panel in (0..self.work.layout.panels(set).count()).map(|panel| (set, panel)) {
                if is_wanted(state, panel) {
                    let (_, hash) = self.work.values(panel)?;
                    self.work.check(panel, hash, state)?;
                    self.observe(state.pairs_computed, total)?;
                }
            }
        }
        Ok(())
    }

    fn observe(&self, done: u64, total: u64) -> Result<()> {
        match self.work.observer {
            Some(observe) if observe(Progress::new(done, total)).is_break() => {
                Err(EngineError::Stopped.into())
            }
            _ => Ok(()),
        }
    }

    /// Small groups in lots that fit into memory, each on the host and once more on the device.
    fn lots<'g>(&self, set: SetName, groups: &'g [usize]) -> Vec<&'g [usize]> {
        let row = (self.work.source(set).dims() * size_of::<f32>()) as u64;
        let room = self.max_memory.map_or(u64::MAX, |bytes| bytes.saturating_sub(BYTES_AT_ONCE) / (2 * row));
        let (mut lots, mut start, mut rows) = (Vec::new(), 0, 0);
        for (place, &group) in groups.iter().enumerate() {
            let more = self.units.rows(group).len() as u64;
            if rows + more > room && place > start {
                lots.push(&groups[start..place]);
                (start, rows) = (place, 0);
            }
            rows += more;
        }
        if start < groups.len() {
            lots.push(&groups[start..]);
        }
        lots
    }

    /// Groups of up to a panel each, read in one pass and measured one by one.
    fn small(&self, set: SetName, lot: &[usize], state: &mut State, total: u64) -> Result<()> {
        let source = self.work.source(set);
        let dims = source.dims();
        let rows = lot.iter().flat_map(|&group| self.units.rows(group)).copied();
        let mut wanted: Vec<_> = rows.zip(0..).collect();
        wanted.sort_unstable();
        let mut values = vec![0.0; wanted.len() * dims];
        gather(source, &wanted, &mut values)?;
        state.rows_read += wanted.len() as u64;
        drop(wanted);
        let mut rest = &values[..];
        let mut pieces = Vec::with_capacity(lot.len());
        for &group in lot {
            let piece;
            (piece, rest) = rest.split_at(self.units.rows(group).len() * dims);
            pieces.push((group, piece));
        }
        let Some(engine) = self.work.engines.first() else { return Ok(()) };
        let state = Mutex::new(state);
        let of_piece = |&(group, piece): &(usize, &[f32])| {
            let measured = self.measured(engine, piece, dims)?;
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.keep_unit(self.units.units(set as usize, group).start, &measured)?;
            state.pairs_computed += unordered_pairs(piece.len() / dims);
            self.observe(state.pairs_computed, total)
        };
        match engine.device().kind {
            DeviceKind::Cpu => pieces.par_iter().try_for_each(of_piece),
            _ => pieces.iter().try_for_each(of_piece),
        }
    }

    /// What a group has whose points are in memory, row-major: its uniformity, and Σ‖xᵢ−xⱼ‖^α over its pairs.
    fn measured(&self, engine: &Engine, values: &[f32], dims: usize) -> Result<[f64; RESULTS]> {
        let rows = values.len() / dims;
        let &Work { scaling, ts, alpha, .. } = self.work;
        let points = engine.upload(&Embeddings::with_scaling(values, rows, dims, scaling)?)?;
        let alone = Groups::new(&vec![0; rows])?;
        let mean = engine.value(Alignment { alpha }.by_label(&points, &alone))?;
        let uniformity = engine.uniformity(&points, Uniformity::new(ts[0]))?;
        Ok([uniformity, mean * unordered_pairs(rows) as f64])
    }

    /// The missing units of a group that is larger than a panel.
    fn large(&self, set: SetName, group: usize, state: &mut State, total: u64) -> Result<()> {
        let Some(panels) = self.units.panels(group) else { return Ok(()) };
        let source = Selected::new(self.work.source(set), self.units.rows(group));
        self.blocks(&source, panels, self.units.units(set as usize, group).start, state, total)?;
        let squares = self.units.squares(set as usize, group);
        let Some(unit) = squares.filter(|unit| self.wanted.contains(unit) && !state.groups.is_done(*unit))
        else {
            return Ok(());
        };
        let mut all = Spread::default();
        for panel in 0..panels.count() {
            let points = source.embeddings_in(panels.range(panel), self.work.scaling)?;
            all = all.merged(Spread::of(&points));
            self.observe(state.pairs_computed, total)?;
        }
        state.rows_read += panels.rows as u64;
        state.pairs_computed += panels.rows as u64;
        state.keep_unit(unit, &[all.squared_distances()])?;
        self.observe(state.pairs_computed, total)
    }

    /// The missing blocks of a large group, whose units begin with `first`.
    fn blocks(
        &self,
        source: &Selected<'_>,
        panels: Panels,
        first: usize,
        state: &mut State,
        total: u64,
    ) -> Result<()> {
        let layout = Layout::within(panels);
        let within = |unit: usize| unit.saturating_sub(first).min(layout.count());
        let numbers = within(self.wanted.start)..within(self.wanted.end);
        let is_missing = |state: &State, number: &usize| !state.groups.is_done(first + number);
        if !numbers.clone().any(|number| is_missing(state, &number)) {
            return Ok(());
        }
        let (sets, kinds) = (Sets::one(source), Kinds::of(self.work.engines));
        let memory = Memory::new(&layout, source.dims(), 1, kinds, self.on_gpu);
        let capacity = memory.capacity(self.max_memory)?;
        let mut of_group = state.of_group(&layout, first);
        // It comes back whatever ends the run.
        of_group.journal = state.journal.take();
        let here = layout.all_blocks().filter(|&block| {
            let number = layout.number(block);
            numbers.contains(&number) && is_missing(state, &number)
        });
        let here: u64 = here.map(|block| layout.pairs(block)).sum();
        of_group.pairs_later = total.saturating_sub(state.pairs_computed + here);
        let ts = &self.work.ts[..1];
        let work = Work { sets, ts, taus: &[], layout: &layout, ..*self.work };
        let done = work.run(&mut of_group, numbers, capacity);
        state.take_group(&layout, of_group, first);
        done
    }
}
