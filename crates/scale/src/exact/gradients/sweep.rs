//! Sweeps: some panels are held with the sums of their gradients, and all that adds to them is streamed past.

use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use rayon::prelude::*;
use unisphere::{DeviceKind, Engine, Error as EngineError, Points};

use super::{
    Run,
    capacity::Capacity,
    file::GradientFile,
    terms::{Side, Term, Terms},
};
use crate::{
    error::{Error, Result},
    exact::{
        blocks::{Layout, SetName},
        fingerprint::Hash,
        memory::PANELS_IN_FLIGHT,
        run::{State, Work},
    },
    journal::Record,
};

/// The gradient of one set.
pub(super) struct Sweep<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) engine: &'a Engine,
    pub(super) work: &'a Work<'a>,
    pub(super) terms: &'a Terms,
    pub(super) set: SetName,
    pub(super) capacity: &'a Capacity,
    /// Told how many pairs are done.
    pub(super) tell: &'a (dyn Fn(u64) -> ControlFlow<()> + Sync),
}

/// A panel on the device.
struct Panel {
    points: Points,
    hash: Hash,
}

/// A panel whose gradient is being made.
struct Held {
    panel: usize,
    points: Points,
    /// Sums of its shares, row-major.
    sums: Vec<f64>,
}

/// A panel that is read.
#[derive(Clone, Copy)]
struct Arrival {
    set: SetName,
    panel: usize,
    /// The term that it is on the right of; None of one to be held.
    term: Option<Term>,
}

/// Panels in the order in which they are read for those that are held. Every term adds in the order of its panels, whatever else
/// is held.
fn arrivals<'a>(
    layout: &'a Layout,
    terms: &'static [Term],
    set: SetName,
    held: &'a [usize],
) -> impl Iterator<Item = Arrival> + 'a {
    let hold = held.iter().map(move |&panel| Arrival { set, panel, term: None });
    let of_term = move |&term: &'static Term| {
        let all = if term.is_paired() { 0..0 } else { 0..layout.panels(term.with()).count() };
        let paired = if term.is_paired() { held } else { &[] };
        let panels = all.chain(paired.iter().copied());
        panels.map(move |panel| Arrival { set: term.with(), panel, term: Some(term) })
    };
    hold.chain(terms.iter().flat_map(of_term))
}

/// Rows that are read for some panels of a gradient, so many of which are held at once.
pub(super) fn rows_read(
    layout: &Layout,
    terms: &'static [Term],
    set: SetName,
    panels: &[usize],
    held: usize,
) -> u64 {
    let lots = panels.chunks(held).flat_map(|held| arrivals(layout, terms, set, held));
    lots.map(|arrival| layout.panels(arrival.set).len(arrival.panel) as u64).sum()
}

/// Pairs that some panels of a gradient take.
pub(super) fn pairs(layout: &Layout, terms: &[Term], set: SetName, panels: &[usize]) -> u64 {
    let of_panel = |&left: &usize| {
        let of_term = |term: &Term| -> u64 {
            match term.is_paired() {
                true => term.pairs(layout, set, left, left),
                false => {
                    let rights = 0..layout.panels(term.with()).count();
                    rights.map(|right| term.pairs(layout, set, left, right)).sum()
                }
            }
        };
        terms.iter().map(of_term).sum::<u64>()
    };
    panels.iter().map(of_panel).sum()
}

impl Sweep<'_> {
    /// Makes and writes what is missing of the gradient.
    pub(super) fn run(&self, file: &mut GradientFile, state: &mut State) -> Result<()> {
        let (missing, done) = (file.missing(), AtomicU64::new(state.pairs_computed));
        let lots = || missing.chunks(self.capacity.held);
        let swept = thread::scope(|scope| {
            // The reader ends when nobody receives any more.
            let (sender, receiver) = sync_channel(PANELS_IN_FLIGHT - 2);
            let panels =
                lots().flat_map(|held| self.arrivals(held)).map(|arrival| (arrival.set, arrival.panel));
            let reader = thread::Builder::new().name("reader".into());
            reader.spawn_scoped(scope, || self.read_all(panels, sender)).map_err(Error::Threads)?;
            lots().try_for_each(|panels| {
                let held = self.sums(panels, &receiver, state, &done)?;
                self.keep(held, file, state)
            })
        });
        state.pairs_computed = done.into_inner();
        swept
    }

    /// Reads panels until nobody receives them any more.
    fn read_all(&self, panels: impl Iterator<Item = (SetName, usize)>, sender: SyncSender<Result<Panel>>) {
        for panel in panels {
            if sender.send(self.read(panel)).is_err() {
                return;
            }
        }
    }

    fn read(&self, panel: (SetName, usize)) -> Result<Panel> {
        let (values, hash) = self.work.values(panel)?;
        Ok(Panel { points: self.engine.upload_owned(values)?, hash })
    }

    fn arrivals<'a>(&'a self, held: &'a [usize]) -> impl Iterator<Item = Arrival> + 'a {
        arrivals(self.work.layout, self.run.terms_of(self.set), self.set, held)
    }

    /// Gradients of some panels.
    fn sums(
        &self,
        panels: &[usize],
        receiver: &Receiver<Result<Panel>>,
        state: &mut State,
        done: &AtomicU64,
    ) -> Result<Vec<Held>> {
        let mut held: Vec<Held> = Vec::with_capacity(panels.len());
        for Arrival { set, panel: number, term } in self.arrivals(panels) {
            // No sum is taken for complete where the reader has ended before its time.
            let Panel { points, hash } = receiver.recv().map_err(|_| EngineError::Stopped)??;
            self.work.check((set, number), hash, state)?;
            let Some(term) = term else {
                let sums = vec![0.0; points.rows() * points.dims()];
                held.push(Held { panel: number, points, sums });
                continue;
            };
            let right = Side { set, panel: number, points: &points };
            if term.is_paired() {
                let own = held.iter_mut().filter(|held| held.panel == number);
                own.into_iter().try_for_each(|held| self.add(term, held, right, done))?;
                continue;
            }
            let at_once = if self.is_cpu() { self.capacity.at_once } else { 1 };
            for held in held.chunks_mut(at_once) {
                held.par_iter_mut().try_for_each(|held| self.add(term, held, right, done))?;
            }
        }
        Ok(held)
    }

    fn is_cpu(&self) -> bool {
        self.engine.device().kind == DeviceKind::Cpu
    }

    /// Adds what the pairs with a panel on the right make of a gradient.
    fn add(&self, term: Term, held: &mut Held, right: Side<'_>, done: &AtomicU64) -> Result<()> {
        let left = Side { set: self.set, panel: held.panel, points: &held.points };
        let share = self.terms.share(term, self.engine, left, right)?.read()?;
        held.sums.iter_mut().zip(share).for_each(|(sum, share)| *sum += f64::from(share));
        let pairs = term.pairs(self.work.layout, self.set, held.panel, right.panel);
        let done = done.fetch_add(pairs, Ordering::Relaxed) + pairs;
        if (self.tell)(done).is_break() { Err(EngineError::Stopped.into()) } else { Ok(()) }
    }

    /// Writes gradients that are complete, and records them when they are on the disk.
    fn keep(&self, held: Vec<Held>, file: &mut GradientFile, state: &mut State) -> Result<()> {
        let mut records = Vec::with_capacity(held.len());
        for Held { panel, sums, .. } in held {
            let number = self.run.number_of_panel(self.set, panel);
            records.push(Record::Panel { number, hash: file.write(panel, &sums)? });
        }
        let Some(journal) = &mut state.journal else { return Ok(()) };
        file.sync()?;
        records.iter().try_for_each(|record| journal.append(record)).map_err(Error::from)
    }
}
