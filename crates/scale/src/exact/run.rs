//! The work on missing blocks: one thread reads panels ahead, and the devices compute what they make possible.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    thread,
};

use rayon::prelude::*;
use unisphere::{
    Alignment, Contrastive, Embeddings, Engine, Error as EngineError, Observer, Points, Progress, Scaling,
    Uniformity,
};
use unisphere_io::Source;

use super::{
    blocks::{Block, Layout, SetName, Sum},
    cache::{Fetch, fetches},
    counts::Counting,
    devices::{Copies, Kinds, is_cpu, named},
    fingerprint::{Hash, hash_of},
    memory::{Capacity, panels_in_flight},
    queue::{Job, Panel, Place, Queue, Room},
    results::Results,
    schedule::{Arrival, schedule},
    sets::Sets,
    strips::StripResults,
    units::RESULTS,
};
use crate::{
    error::{Error, Result},
    journal::{Journal, JournalError, Record},
};

/// What is measured of which sets, on which devices.
pub(crate) struct Work<'a> {
    /// At least one. Each takes the next blocks when it has done those before.
    pub(crate) engines: &'a [Engine],
    pub(crate) sets: Sets<'a>,
    pub(crate) scaling: Scaling,
    pub(crate) ts: &'a [f64],
    pub(crate) taus: &'a [f64],
    pub(crate) alpha: f64,
    pub(crate) counting: Counting,
    pub(crate) layout: &'a Layout,
    pub(crate) observer: Option<&'a Observer>,
}

/// What the work has come to: results, the hashes of all panels that were read, and how much was read.
pub(crate) struct State {
    pub(crate) results: Results,
    pub(crate) strips: StripResults,
    /// Results of the units of groups.
    pub(crate) groups: Results,
    pub(crate) hashes: HashMap<(SetName, usize), Hash>,
    pub(crate) rows_read: u64,
    pub(crate) pairs_computed: u64,
    /// Pairs that are still to be computed when the blocks are done.
    pub(crate) pairs_later: u64,
    pub(crate) journal: Option<Journal>,
    /// Where a journal has the results: of a group that is a set of its own, among those of all groups. It has no panels then, which
    /// are others than those of the sets.
    pub(crate) place: Option<u64>,
    /// Values of a journal's record.
    record_values: usize,
}

/// What threads share that compute blocks.
struct Shared<'a> {
    state: Mutex<&'a mut State>,
    /// Whether somebody has asked for an end.
    is_stopped: AtomicBool,
    /// The first failure, or the end that was asked for: it says more than what the others meet after it.
    failure: Mutex<Option<Error>>,
    /// Pairs of all blocks to be computed.
    total: u64,
}

impl<'a> Shared<'a> {
    fn stop(&self, error: Error) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.failure().get_or_insert(error);
    }

    fn failure(&self) -> MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
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
            groups: Results::new(layout.all() - layout.count(), RESULTS),
            hashes: HashMap::new(),
            rows_read: 0,
            pairs_computed: 0,
            pairs_later: 0,
            journal: None,
            place: None,
            record_values,
        }
    }

    /// Whether the blocks of a number, or the unit of a group, are done.
    pub(super) fn is_done(&self, layout: &Layout, number: usize) -> bool {
        match number.checked_sub(layout.count()) {
            Some(unit) => self.groups.is_done(unit),
            None if number < layout.totals() => self.results.is_done(number),
            None => self.strips.is_done(number),
        }
    }

    /// Takes over what an earlier run has finished. Records of blocks that there are none of are not of this evaluation, which
    /// its fingerprint excludes.
    pub(super) fn take(&mut self, layout: &Layout, records: Vec<Record>) {
        for record in records {
            match record {
                Record::Block { number, values } => match usize::try_from(number) {
                    Ok(number) if number < layout.totals() => self.results.take(number, &values),
                    Ok(number) if number >= self.strips.end_of_records() => {
                        let unit = number - self.strips.end_of_records();
                        if unit < layout.all() - layout.count() {
                            self.groups.take(unit, &values);
                        }
                    }
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
        let finished = if block.sum.is_in_strips() {
            self.strips.add(layout, block, values)
        } else {
            let number = layout.number(block);
            self.results.put(number, &values);
            Some(number)
        };
        let (Some(number), Some(journal)) = (finished, &mut self.journal) else { return Ok(()) };
        if block.sum.is_in_strips() {
            return self.strips.records(number).try_for_each(|record| journal.append(&record));
        }
        journal.append(&self.results.record(number, self.place.unwrap_or(0), self.record_values))
    }

    /// The state of a large group, a set of its own, with the results that are there of its blocks. Their units begin with `first`.
    /// It has no journal yet.
    pub(super) fn of_group(&self, layout: &Layout, first: usize) -> Self {
        let mut of_group = Self::new(layout, 1, self.record_values);
        for number in (0..layout.count()).filter(|number| self.groups.is_done(first + number)) {
            of_group.results.take(number, self.groups.of(first + number));
        }
        of_group.place = Some(self.place_of_groups() + first as u64);
        of_group.pairs_computed = self.pairs_computed;
        of_group
    }

    /// Takes over what a large group has come to, and the journal.
    pub(super) fn take_group(&mut self, layout: &Layout, of_group: Self, first: usize) {
        for number in (0..layout.count()).filter(|&number| of_group.results.is_done(number)) {
            self.groups.put(first + number, of_group.results.of(number));
        }
        self.pairs_computed = of_group.pairs_computed;
        self.rows_read += of_group.rows_read;
        self.journal = of_group.journal;
    }

    /// Where a journal has the results of groups.
    pub(super) fn place_of_groups(&self) -> u64 {
        self.strips.end_of_records() as u64
    }

    /// Keeps the result of a unit of groups here and in the journal.
    pub(super) fn keep_unit(&mut self, unit: usize, values: &[f64]) -> Result<(), JournalError> {
        self.groups.put(unit, values);
        let place = self.place_of_groups();
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.append(&self.groups.record(unit, place, self.record_values))
    }
}

impl Work<'_> {
    /// Computes the missing blocks among some numbers, with at most so many panels on the devices and in memory.
    pub(crate) fn run(&self, state: &mut State, numbers: Range<usize>, capacity: Capacity) -> Result<()> {
        let missing = |block| {
            let number = self.layout.number(block);
            numbers.contains(&number) && !state.is_done(self.layout, number)
        };
        let arrivals = schedule(self.layout, capacity.held, missing);
        let fetches = fetches(&arrivals, capacity.host);
        let pairs = |block: &Block| self.layout.pairs(*block);
        let here: u64 = arrivals.iter().flat_map(|arrival| &arrival.blocks).map(pairs).sum();
        let total = state.pairs_computed + here + state.pairs_later;
        self.check_unread(&arrivals, state)?;
        let failure = Mutex::default();
        let shared = Shared { state: Mutex::new(state), is_stopped: AtomicBool::new(false), failure, total };
        let room = Room::new(capacity.host + panels_in_flight(Kinds::of(self.engines)));
        let (sender, queue) = Queue::new();
        let (room, queue, shared) = (&room, &queue, &shared);
        let outcome = |done: Result<()>| done.unwrap_or_else(|error| shared.stop(error));
        let thread = |name: &str| thread::Builder::new().name(name.into());
        thread::scope(|scope| {
            let read = || outcome(self.read_all((&arrivals, &fetches), room, sender, shared));
            let reader = thread("reader").spawn_scoped(scope, read).map_err(Error::Threads);
            outcome(reader.map(drop));
            for engine in self.engines {
                // Whoever leaves, by a panic too, has taken all blocks or stops the others.
                let closing = room.closing();
                let serve = move || {
                    let _closing = closing;
                    outcome(self.serve(engine, queue, shared));
                };
                outcome(thread("device").spawn_scoped(scope, serve).map(drop).map_err(Error::Threads));
            }
        });
        // What is finished is kept, whatever ended the work.
        let kept = shared.lock().journal.as_mut().map_or(Ok(()), Journal::sync);
        match shared.failure().take() {
            Some(error) => Err(error),
            None => Ok(kept?),
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

    /// Reads the panels of the arrivals, and passes the blocks on that they make possible.
    fn read_all<'r>(
        &self,
        (arrivals, fetches): (&[Arrival], &[Fetch]),
        room: &'r Room,
        blocks: Sender<Vec<Job<'r>>>,
        shared: &Shared<'_>,
    ) -> Result<()> {
        let (mut held, mut kept, mut lot) = (HashMap::new(), HashMap::new(), 0);
        for (arrival, fetch) in arrivals.iter().zip(fetches) {
            if arrival.releases {
                held.clear();
                lot += 1;
            }
            let key = (arrival.set, arrival.panel);
            let panel = match kept.remove(&key) {
                Some(panel) => panel,
                None => {
                    let Some(place) = room.place() else { return Ok(()) };
                    Arc::new(self.read(arrival, place, shared)?)
                }
            };
            for evicted in &fetch.evicted {
                kept.remove(evicted);
            }
            if fetch.is_kept {
                kept.insert(key, Arc::clone(&panel));
            }
            if arrival.held {
                held.insert(arrival.panel, Arc::clone(&panel));
            }
            let job = |&block: &Block| {
                // The left panel is held, but for a panel with itself.
                let (left, right) = (held.get(&block.left).unwrap_or(&panel), &panel);
                Job { block, left: left.clone(), right: right.clone(), right_stays: arrival.held, lot }
            };
            // Nobody receives any more where all devices have left.
            if blocks.send(arrival.blocks.iter().map(job).collect()).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn read<'r>(&self, arrival: &Arrival, place: Place<'r>, shared: &Shared<'_>) -> Result<Panel<'r>> {
        let &Arrival { set, panel: number, .. } = arrival;
        let (values, hash) = self.values((set, number))?;
        self.check((set, number), hash, &mut shared.lock())?;
        let mut panel = Panel { set, number, values: None, points: None, _place: place };
        match (self.engines.iter().find(|engine| is_cpu(engine)), Kinds::of(self.engines).gpus) {
            (Some(cpu), 0) => panel.points = Some(cpu.upload_owned(values)?),
            (cpu, _) => {
                panel.points = cpu.map(|cpu| cpu.upload(&values)).transpose()?;
                panel.values = Some(values);
            }
        }
        Ok(panel)
    }

    /// The values of a panel, and their hash.
    pub(super) fn values(&self, (set, panel): (SetName, usize)) -> Result<(Embeddings<'static>, Hash)> {
        let values = self.source(set).embeddings_in(self.layout.panels(set).range(panel), self.scaling)?;
        let hash = hash_of(values.values());
        Ok((values, hash))
    }

    pub(super) fn source(&self, set: SetName) -> &dyn Source {
        match set {
            SetName::X => self.sets.x,
            SetName::Y => self.sets.y.unwrap_or(self.sets.x),
        }
    }

    /// Computes blocks on one device until there are no more, or somebody has asked for an end.
    fn serve(&self, engine: &Engine, queue: &Queue<'_>, shared: &Shared<'_>) -> Result<()> {
        let mut copies = Copies::new(engine);
        // Small blocks keep a CPU of many cores busy if they are computed side by side; beside others, it takes one at a time.
        let most = if is_cpu(engine) && self.engines.len() == 1 { usize::MAX } else { 1 };
        loop {
            let jobs = queue.take(most);
            if jobs.is_empty() || shared.is_stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            if is_cpu(engine) {
                let points = |panel: &Panel<'_>| panel.points.clone().ok_or(EngineError::OtherDevice);
                jobs.into_par_iter().try_for_each(|job| {
                    self.compute(engine, job.block, [points(&job.left)?, points(&job.right)?], shared)
                })?;
            } else {
                for job in jobs {
                    let points = copies.of(&job).map_err(|error| named(error, engine, self.engines))?;
                    self.compute(engine, job.block, points, shared)?;
                }
            }
        }
    }

    /// Computes a block and keeps its result, or that of the strip that it finishes, unless somebody has asked for an end.
    fn compute(
        &self,
        engine: &Engine,
        block: Block,
        [left, right]: [Points; 2],
        shared: &Shared<'_>,
    ) -> Result<()> {
        if shared.is_stopped.load(Ordering::Relaxed) {
            return Err(EngineError::Stopped.into());
        }
        let values =
            self.block(engine, block, &left, &right).map_err(|error| named(error, engine, self.engines))?;
        let mut state = shared.lock();
        state.pairs_computed += self.layout.pairs(block);
        if let Err(error) = state.keep(self.layout, block, values) {
            shared.stop(error.into());
            return Err(EngineError::Stopped.into());
        }
        let progress = Progress::new(state.pairs_computed, shared.total);
        if self.observer.is_some_and(|observe| observe(progress).is_break()) {
            shared.stop(EngineError::Stopped.into());
            return Err(EngineError::Stopped.into());
        }
        Ok(())
    }

    /// That a panel is what it was when it was first read, by whichever run.
    pub(super) fn check(&self, (set, panel): (SetName, usize), hash: Hash, state: &mut State) -> Result<()> {
        let rows = self.layout.panels(set).range(panel);
        state.rows_read += rows.len() as u64;
        match state.hashes.insert((set, panel), hash) {
            Some(first) if first != hash => Err(Error::changed(self.source(set), rows)),
            Some(_) => Ok(()),
            None => {
                let number = panel_number(self.layout, set, panel);
                let record = Record::Panel { number, hash };
                let journal = state.journal.as_mut().filter(|_| state.place.is_none());
                Ok(journal.map_or(Ok(()), |journal| journal.append(&record))?)
            }
        }
    }

    /// The numbers of one block.
    fn block(
        &self,
        engine: &Engine,
        block: Block,
        left: &Points,
        right: &Points,
    ) -> Result<Vec<f64>, EngineError> {
        Ok(match block.sum {
            Sum::Alignment => vec![engine.alignment(left, right, Alignment { alpha: self.alpha })?],
            Sum::Products => engine.value(Contrastive::products(left, right))?,
            Sum::Anchors(..) => self.log_sums(engine, block, left, right)?.concat(),
            Sum::Distances => engine.value(Alignment::distances(left, right))?,
            Sum::Potentials(_) => self.potentials(engine, block, left, right)?,
            Sum::Counts(_) => self.counting.of_block(engine, block, left, right)?,
            // One row has no pairs with itself.
            _ if self.layout.pairs(block) == 0 => vec![f64::NEG_INFINITY; self.ts.len()],
            _ if block.is_diagonal() => engine.value(Uniformity::at(self.ts).within(right))?,
            Sum::Unpaired => engine.value(Uniformity::at(self.ts).unpaired(left, right))?,
            _ => engine.value(Uniformity::at(self.ts).across(left, right))?,
        })
    }

    /// The log sum of every row on the left, for every temperature.
    fn log_sums(
        &self,
        engine: &Engine,
        block: Block,
        left: &Points,
        right: &Points,
    ) -> Result<Vec<Vec<f64>>, EngineError> {
        let (taus, [of_left, of_right]) = (self.taus, block.sum.sides());
        Ok(if block.left != block.right {
            engine.value(Contrastive::log_sums_across(taus, left, right))?
        } else if of_left == of_right {
            engine.value(Contrastive::log_sums_within(taus, left))?
        } else {
            engine.value(Contrastive::log_sums_unpaired(taus, left, right))?
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
