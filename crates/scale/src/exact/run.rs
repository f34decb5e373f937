//! The work on missing blocks: one thread reads panels ahead, and the device computes what they make possible.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use rayon::prelude::*;
use unisphere::{
    Alignment, Contrastive, DeviceKind, Engine, Error as EngineError, Observer, Points, Progress, Scaling,
    Uniformity,
};
use unisphere_io::Source;

use super::{
    blocks::{Block, Layout, SetName, Sum},
    fingerprint::{Hash, hash_of},
    results::Results,
    schedule::{Arrival, schedule},
    sets::Sets,
    strips::StripResults,
};
use crate::{
    error::{Error, Result},
    journal::{Journal, JournalError, Record},
};

/// Panels in memory beside those that are held: one in use, one waiting for its turn, and one being read.
pub(crate) const PANELS_IN_FLIGHT: usize = 3;

/// What is measured of which sets, on which device.
pub(crate) struct Work<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) sets: Sets<'a>,
    pub(crate) scaling: Scaling,
    pub(crate) ts: &'a [f64],
    pub(crate) taus: &'a [f64],
    pub(crate) alpha: f64,
    pub(crate) layout: &'a Layout,
    pub(crate) observer: Option<&'a Observer>,
}

/// What the work has come to: results, the hashes of all panels that were read, and how much was read.
pub(crate) struct State {
    pub(crate) results: Results,
    pub(crate) strips: StripResults,
    pub(crate) hashes: HashMap<(SetName, usize), Hash>,
    pub(crate) rows_read: u64,
    pub(crate) pairs_computed: u64,
    pub(crate) journal: Option<Journal>,
    /// Values of a journal's record.
    record_values: usize,
}

/// What threads share that compute blocks.
struct Shared<'a> {
    state: Mutex<&'a mut State>,
    /// Whether somebody has asked for an end.
    is_stopped: AtomicBool,
    /// The first failure of the journal.
    failure: Mutex<Option<Error>>,
    /// Pairs of all blocks to be computed.
    total: u64,
}

impl<'a> Shared<'a> {
    fn fail(&self, error: Error) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn lock(&self) -> MutexGuard<'_, &'a mut State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// No results yet: those of a block have `width` numbers, and the records of a journal `record_values`.
    pub(super) fn new(layout: &Layout, width: usize, record_values: usize) -> Self {
        Self {
            results: Results::new(layout.totals(), width),
            strips: StripResults::new(layout, record_values),
            hashes: HashMap::new(),
            rows_read: 0,
            pairs_computed: 0,
            journal: None,
            record_values,
        }
    }

    /// Whether the blocks of a number are done.
    pub(super) fn is_done(&self, layout: &Layout, number: usize) -> bool {
        if number < layout.totals() { self.results.is_done(number) } else { self.strips.is_done(number) }
    }

    /// Takes over what an earlier run has finished. Records of blocks that there are none of are not of this evaluation, which
    /// its fingerprint excludes.
    pub(super) fn take(&mut self, layout: &Layout, records: Vec<Record>) {
        for record in records {
            match record {
                Record::Block { number, values } => match usize::try_from(number) {
                    Ok(number) if number < layout.totals() => self.results.take(number, &values),
                    _ => self.strips.take(layout, number, &values),
                },
                Record::Panel { number, hash } => {
                    if let Some(panel) = panel_of(layout, number) {
                        self.hashes.insert(panel, hash);
                    }
                }
            }
        }
    }

    /// Keeps the result of a block here, and in the journal what it finishes.
    fn keep(&mut self, layout: &Layout, block: Block, values: Vec<f64>) -> Result<(), JournalError> {
        let finished = if block.sum.is_by_row() {
            self.strips.add(layout, block, values)
        } else {
            let number = layout.number(block);
            self.results.put(number, &values);
            Some(number)
        };
        let (Some(number), Some(journal)) = (finished, &mut self.journal) else { return Ok(()) };
        if block.sum.is_by_row() {
            return self.strips.records(number).try_for_each(|record| journal.append(&record));
        }
        journal.append(&self.results.record(number, self.record_values))
    }
}

/// A panel on the device.
pub(super) struct Panel {
    points: Points,
    hash: Hash,
}

impl Work<'_> {
    /// Computes the missing blocks among some numbers, with at most so many panels held.
    pub(crate) fn run(&self, state: &mut State, numbers: Range<usize>, capacity: usize) -> Result<()> {
        let missing = |block| {
            let number = self.layout.number(block);
            numbers.contains(&number) && !state.is_done(self.layout, number)
        };
        let arrivals = schedule(self.layout, capacity, missing);
        let pairs = |block: &Block| self.layout.pairs(*block);
        let total = arrivals.iter().flat_map(|arrival| &arrival.blocks).map(pairs).sum();
        self.check_unread(&arrivals, state)?;
        let failure = Mutex::default();
        let shared = Shared { state: Mutex::new(state), is_stopped: AtomicBool::new(false), failure, total };
        let done = thread::scope(|scope| {
            // The reader ends when nobody receives any more.
            let (sender, receiver) = sync_channel(PANELS_IN_FLIGHT - 2);
            let panels = arrivals.iter().map(|arrival| (arrival.set, arrival.panel));
            scope.spawn(|| self.read_all(panels, sender));
            self.compute_all(&arrivals, receiver, &shared)
        });
        // What is finished is kept, whatever ended the work.
        let kept = shared.lock().journal.as_mut().map_or(Ok(()), Journal::sync);
        // The first failure of the journal says more than what the other threads met after it.
        match shared.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => done.and_then(|()| Ok(kept?)),
        }
    }

    /// That panels are still what an earlier run has read, whose blocks are all done, so that nothing reads them again.
    fn check_unread(&self, arrivals: &[Arrival], state: &mut State) -> Result<()> {
        let read: HashSet<_> = arrivals.iter().map(|arrival| (arrival.set, arrival.panel)).collect();
        let unread = state.hashes.iter().filter(|(panel, _)| !read.contains(panel));
        for (&(set, panel), &hash) in unread {
            let rows = self.layout.panels(set).range(panel);
            state.rows_read += rows.len() as u64;
            if hash_of(self.source(set).embeddings_in(rows.clone(), self.scaling)?.values()) != hash {
                return Err(Error::changed(self.source(set), rows));
            }
        }
        Ok(())
    }

    /// Reads panels until nobody receives them any more.
    pub(super) fn read_all(
        &self,
        panels: impl Iterator<Item = (SetName, usize)>,
        sender: SyncSender<Result<Panel>>,
    ) {
        for (set, panel) in panels {
            if sender.send(self.read(set, panel)).is_err() {
                return;
            }
        }
    }

    fn read(&self, set: SetName, panel: usize) -> Result<Panel> {
        let points = self.source(set).embeddings_in(self.layout.panels(set).range(panel), self.scaling)?;
        let hash = hash_of(points.values());
        Ok(Panel { points: self.engine.upload_owned(points)?, hash })
    }

    fn source(&self, set: SetName) -> &dyn Source {
        match set {
            SetName::X => self.sets.x,
            SetName::Y => self.sets.y.unwrap_or(self.sets.x),
        }
    }

    fn compute_all(
        &self,
        arrivals: &[Arrival],
        receiver: Receiver<Result<Panel>>,
        shared: &Shared<'_>,
    ) -> Result<()> {
        let mut held = HashMap::new();
        for (arrival, panel) in arrivals.iter().zip(receiver) {
            let points = self.checked((arrival.set, arrival.panel), panel?, &mut shared.lock())?;
            if arrival.releases {
                held.clear();
            }
            if arrival.held {
                held.insert(arrival.panel, points.clone());
            }
            let one = |&block: &Block| self.compute(block, held.get(&block.left), &points, shared);
            if self.engine.device().kind == DeviceKind::Cpu {
                arrival.blocks.par_iter().try_for_each(one)?;
            } else {
                arrival.blocks.iter().try_for_each(one)?;
            }
        }
        Ok(())
    }

    /// Computes a block and keeps its result, or that of the strip that it finishes, unless somebody has asked for an end.
    fn compute(
        &self,
        block: Block,
        held: Option<&Points>,
        right: &Points,
        shared: &Shared<'_>,
    ) -> Result<()> {
        if shared.is_stopped.load(Ordering::Relaxed) {
            return Err(EngineError::Stopped.into());
        }
        let values = self.block(block, held, right)?;
        let mut state = shared.lock();
        state.pairs_computed += self.layout.pairs(block);
        if let Err(error) = state.keep(self.layout, block, values) {
            shared.fail(error.into());
            return Err(EngineError::Stopped.into());
        }
        let progress = Progress::new(state.pairs_computed, shared.total);
        if self.observer.is_some_and(|observe| observe(progress).is_break()) {
            shared.is_stopped.store(true, Ordering::Relaxed);
            return Err(EngineError::Stopped.into());
        }
        Ok(())
    }

    /// The points of a panel that is what it was when it was first read, by whichever run.
    pub(super) fn checked(
        &self,
        (set, panel): (SetName, usize),
        read: Panel,
        state: &mut State,
    ) -> Result<Points> {
        let Panel { points, hash } = read;
        let rows = self.layout.panels(set).range(panel);
        state.rows_read += rows.len() as u64;
        match state.hashes.insert((set, panel), hash) {
            Some(first) if first != hash => return Err(Error::changed(self.source(set), rows)),
            Some(_) => {}
            None => {
                let number = panel_number(self.layout, set, panel);
                let record = Record::Panel { number, hash };
                state.journal.as_mut().map_or(Ok(()), |journal| journal.append(&record))?;
            }
        }
        Ok(points)
    }

    /// The numbers of one block, whose right panel has arrived. The left one is held, but for a panel with itself.
    fn block(&self, block: Block, held: Option<&Points>, right: &Points) -> Result<Vec<f64>> {
        let left = held.unwrap_or(right);
        Ok(match block.sum {
            Sum::Alignment => vec![self.engine.alignment(left, right, Alignment { alpha: self.alpha })?],
            Sum::Products => self.engine.value(Contrastive::products(left, right))?,
            Sum::Anchors(..) => self.log_sums(block, left, right)?.concat(),
            Sum::Distances => self.engine.value(Alignment::distances(left, right))?,
            Sum::Potentials(_) => self.potentials(block, left, right)?,
            // One row has no pairs with itself.
            _ if self.layout.pairs(block) == 0 => vec![f64::NEG_INFINITY; self.ts.len()],
            _ if block.is_diagonal() => self.engine.value(Uniformity::at(self.ts).within(right))?,
            Sum::Unpaired => self.engine.value(Uniformity::at(self.ts).unpaired(left, right))?,
            _ => self.engine.value(Uniformity::at(self.ts).across(left, right))?,
        })
    }

    /// The log sum of every row on the left, for every temperature.
    fn log_sums(&self, block: Block, left: &Points, right: &Points) -> Result<Vec<Vec<f64>>> {
        let (taus, [of_left, of_right]) = (self.taus, block.sum.sides());
        Ok(if block.left != block.right {
            self.engine.value(Contrastive::log_sums_across(taus, left, right))?
        } else if of_left == of_right {
            self.engine.value(Contrastive::log_sums_within(taus, left))?
        } else {
            self.engine.value(Contrastive::log_sums_unpaired(taus, left, right))?
        })
    }
}

/// Number of a panel among those of both sets.
pub(crate) fn panel_number(layout: &Layout, set: SetName, panel: usize) -> u64 {
    match set {
        SetName::X => panel as u64,
        SetName::Y => (layout.panels(SetName::X).count() + panel) as u64,
    }
}

/// The panel of a number; none where there are not so many.
pub(crate) fn panel_of(layout: &Layout, number: u64) -> Option<(SetName, usize)> {
    let (number, of_x) = (usize::try_from(number).ok()?, layout.panels(SetName::X).count());
    if number < of_x {
        return Some((SetName::X, number));
    }
    (number - of_x < layout.panels(SetName::Y).count()).then_some((SetName::Y, number - of_x))
}
