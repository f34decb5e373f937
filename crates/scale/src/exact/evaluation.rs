//! An evaluation: which numbers of which sets, and their exact values within an amount of memory.

use std::{fmt, ops::Range, path::PathBuf, sync::Arc};

use unisphere::{Engine, Error as EngineError, Observer, Scaling};
use unisphere_io::Source;

use super::{
    blocks::{Layout, SetName, Sum},
    fingerprint::{device_class, hash_of_text, hex},
    memory::{Memory, panel_rows},
    results::Results,
    run::{PANELS_IN_FLIGHT, State, Work},
    schedule::schedule,
    sets::{Sample, Sets, Shape},
};
use crate::{
    error::{Error, Result},
    journal::{Identity, Journal},
    panels::Panels,
};

/// Numbers that are computed: alignment of the positive pairs, and uniformity at one t or several.
///
/// Blocks of two panels are computed one by one and merged in one order. Their size depends on the shapes of the sets alone, so
/// that the same bits come out whatever the memory, the parts and the interruptions. They agree with those of an
/// [`Engine`] that holds all points to some 1e-9, not to the last bit.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    pub(super) ts: Vec<f64>,
    pub(super) alpha: f64,
    pub(super) scaling: Scaling,
    pub(super) across: bool,
    pub(super) panel_rows: Option<usize>,
}

/// What the work may use, and who is told of it.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Resources {
    /// Memory for points and results, in bytes; None for as much as it takes. The program itself and the device's driver come
    /// on top.
    pub max_memory: Option<u64>,
    /// A file that keeps finished blocks: a run that was stopped goes on from it.
    pub journal: Option<PathBuf>,
    /// Told of the pairs that are done; ends the work by [`Break`](std::ops::ControlFlow::Break), with what is done kept in
    /// the journal.
    pub observer: Option<Arc<Observer>>,
}

/// Values over all pairs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// Alignment; None without pairs.
    pub alignment: Option<f64>,
    /// Uniformity of x at every t.
    pub x: Vec<f64>,
    /// Uniformity of y at every t.
    pub y: Option<Vec<f64>>,
    /// Cross uniformity at every t, where it was asked for.
    pub across: Option<Vec<f64>>,
    /// The class of the device: others may give other last digits.
    pub device: String,
    /// What it took.
    pub cost: Cost,
}

/// What a run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// Blocks in all.
    pub blocks: u64,
    /// Blocks that a journal had already.
    pub blocks_recovered: u64,
    /// Pairs that were computed.
    pub pairs_computed: u64,
    /// Rows that were read, each as often as it was.
    pub rows_read: u64,
    /// Bytes that were cut off the journal: what was written when the run before was stopped.
    pub bytes_discarded: u64,
}

/// What a run will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// Pairs in all, whatever a journal has of them.
    pub pairs: u64,
    /// Blocks in all: at most so many parts are of use.
    pub blocks: u64,
    /// Rows that will be read, each as often as it will be.
    pub rows_read: u64,
    /// Bytes of memory for points and results at once.
    pub memory: u64,
    /// Rows of a panel.
    pub panel_rows: usize,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self::new()
    }
}

impl Evaluation {
    /// Alignment with α = 2 and uniformity with t = 2, of rows scaled to unit length.
    pub fn new() -> Self {
        Self { ts: vec![2.0], alpha: 2.0, scaling: Scaling::Unit, across: false, panel_rows: None }
    }

    /// Uniformity at these t, all from one pass; each positive and finite.
    #[must_use]
    pub fn with_ts(self, ts: &[f64]) -> Self {
        Self { ts: ts.to_vec(), ..self }
    }

    /// Alignment's power of the distance; positive and finite.
    #[must_use]
    pub fn with_alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// Rows scaled to unit length, or as they are.
    #[must_use]
    pub fn with_scaling(self, scaling: Scaling) -> Self {
        Self { scaling, ..self }
    }

    /// Cross uniformity too, over all pairs of x with y.
    #[must_use]
    pub fn across(self) -> Self {
        Self { across: true, ..self }
    }

    /// Panels of so many rows, at least 1, in place of some 8 MiB. Smaller ones take less memory and more time; the last digits of
    /// the values are others.
    #[must_use]
    pub fn with_panel_rows(self, rows: usize) -> Self {
        Self { panel_rows: Some(rows), ..self }
    }

    /// The values of all pairs.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] for other dimensions or too few rows, [`Error::Memory`] where it holds less than four panels,
    /// [`Error::Changed`], and those of the sources, the journal and the engine: what a journal has kept is not lost by any of
    /// them.
    pub fn values(&self, engine: &Engine, sets: Sets<'_>, resources: &Resources) -> Result<Found> {
        let layout = self.layout(sets.shape()?)?;
        let all = 0..layout.count();
        let (state, cost) = self.work(engine, sets, &layout, all, Blocks::OfReport, resources)?;
        Ok(self.found(&layout, &state.results, device_class(engine), cost))
    }

    /// Alignment alone, of all positive pairs, in one pass over both sets.
    ///
    /// # Errors
    ///
    /// Those of [`values`](Self::values); [`Error::Sets`] where the sets have not as many rows.
    pub fn alignment(
        &self,
        engine: &Engine,
        x: &dyn Source,
        y: &dyn Source,
        resources: &Resources,
    ) -> Result<f64> {
        let sets = Sets::two(x, y);
        let layout = self.layout(sets.shape()?)?;
        let number = layout.numbers(Sum::Alignment);
        if number.is_empty() {
            let problem =
                format!("one set has {} rows, and the other {}; pair them row by row", x.rows(), y.rows());
            return Err(Error::Sets { problem });
        }
        let (state, _) = self.work(engine, sets, &layout, number, Blocks::OfReport, resources)?;
        Ok(state.results.mean(&layout, Sum::Alignment))
    }

    /// Cross uniformity alone, over all pairs of x with y, at every t.
    ///
    /// # Errors
    ///
    /// Those of [`values`](Self::values); [`Error::Sets`] where there is no y.
    pub fn cross_uniformities(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        resources: &Resources,
    ) -> Result<Vec<f64>> {
        let layout = self.clone().across().layout(sets.shape()?)?;
        let numbers = layout.numbers(Sum::Across);
        if numbers.is_empty() {
            return Err(Error::Sets { problem: "cross uniformity takes two sets; name both".into() });
        }
        let (state, _) = self.work(engine, sets, &layout, numbers, Blocks::OfReport, resources)?;
        Ok(state.results.log_means(&layout, Sum::Across, self.ts.len()))
    }

    /// What [`values`](Self::values) will take, without a journal.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] and [`Error::Memory`].
    pub fn expected(&self, shape: Shape, max_memory: Option<u64>) -> Result<Expected> {
        let layout = self.layout(shape)?;
        let memory = Memory::new(&layout, shape.dims, self.ts.len());
        let capacity = memory.capacity(max_memory)?;
        let arrivals = schedule(&layout, capacity, |_| true);
        let rows = |set: SetName, panel| layout.panels(set).len(panel) as u64;
        let pairs = layout.sums().iter().flat_map(|&sum| layout.blocks(sum)).map(|block| layout.pairs(block));
        let held = (capacity + PANELS_IN_FLIGHT).min(memory.most_panels);
        Ok(Expected {
            pairs: pairs.sum(),
            blocks: layout.count() as u64,
            rows_read: arrivals.iter().map(|arrival| rows(arrival.set, arrival.panel)).sum(),
            memory: memory.fixed + held as u64 * memory.panel,
            panel_rows: layout.panels(SetName::X).panel_rows,
        })
    }

    /// Blocks of sets of a shape.
    pub(super) fn layout(&self, shape: Shape) -> Result<Layout> {
        self.check(shape)?;
        let most = shape.x_rows.max(shape.y_rows.unwrap_or(0));
        let panel_rows = self.panel_rows.unwrap_or_else(|| panel_rows(most, shape.dims));
        let panels = |rows| Panels { rows, panel_rows };
        Ok(Layout::new(panels(shape.x_rows), shape.y_rows.map(panels), self.across))
    }

    fn check(&self, shape: Shape) -> Result<()> {
        let fault =
            |name, value| Err(EngineError::Parameter { name, value, expected: "positive and finite" }.into());
        if self.panel_rows == Some(0) {
            return fault("panel_rows", 0.0);
        }
        let is_good = |value: f64| value > 0.0 && value.is_finite();
        if let Some(&t) = self.ts.iter().find(|&&t| !is_good(t)) {
            return fault("t", t);
        }
        if !is_good(self.alpha) {
            return fault("alpha", self.alpha);
        }
        if self.ts.is_empty() || self.ts.len() > MAX_TS {
            let problem = format!("{} values of t are asked for; ask for 1 to {MAX_TS}", self.ts.len());
            return Err(Error::Sets { problem });
        }
        for rows in [Some(shape.x_rows), shape.y_rows].into_iter().flatten() {
            if u32::try_from(rows).is_err() {
                let problem =
                    format!("{rows} rows are more than 2³², of which pairs can be counted; take fewer");
                return Err(Error::Sets { problem });
            }
            if rows < 2 {
                return Err(EngineError::TooFewRows { metric: "uniformity", rows, needed: 2 }.into());
            }
        }
        Ok(())
    }

    /// What the results depend on: options, shapes, a sample of the values, and which of the blocks they are of.
    pub(super) fn fingerprint(
        &self,
        layout: &Layout,
        dims: usize,
        sample: Sample,
        numbers: &Range<usize>,
    ) -> [u8; 32] {
        let bits = |value: &f64| value.to_bits();
        hash_of_text(&format!(
            "unisphere {} {:?} {:?} {:?} {layout:?} {dims} {sample:?} {numbers:?}",
            env!("CARGO_PKG_VERSION"),
            self.ts.iter().map(bits).collect::<Vec<_>>(),
            bits(&self.alpha),
            self.scaling,
        ))
    }

    fn identity(
        &self,
        layout: &Layout,
        sets: Sets<'_>,
        numbers: &Range<usize>,
        engine: &Engine,
    ) -> Result<Identity> {
        Ok(Identity {
            fingerprint: self.fingerprint(layout, sets.x.dims(), sets.sample()?, numbers),
            device: device_class(engine),
            values: self.ts.len(),
        })
    }

    /// A name for the journal of [`values`](Self::values), which other sets, options and devices do not share.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`], and those of the sources.
    pub fn journal_name(&self, engine: &Engine, sets: Sets<'_>) -> Result<String> {
        let layout = self.layout(sets.shape()?)?;
        let Identity { fingerprint, device, .. } =
            self.identity(&layout, sets, &(0..layout.count()), engine)?;
        let hash = hash_of_text(&format!("{fingerprint:?} {device}"));
        Ok(hex(&hash[..8]) + ".journal")
    }

    /// Computes the blocks of some numbers that a journal has not.
    pub(super) fn work(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        layout: &Layout,
        numbers: Range<usize>,
        which: Blocks,
        resources: &Resources,
    ) -> Result<(State, Cost)> {
        let capacity = Memory::new(layout, sets.x.dims(), self.ts.len()).capacity(resources.max_memory)?;
        let mut state = State::new(layout, self.ts.len());
        let mut cost = Cost { blocks: numbers.len() as u64, ..Cost::default() };
        if let Some(path) = &resources.journal {
            let identity = self.identity(layout, sets, &numbers, engine)?;
            let (journal, recovered) = Journal::open(path, &identity)?;
            state.take(layout, recovered.records);
            state.journal = Some(journal);
            cost.blocks_recovered =
                numbers.clone().filter(|&number| state.results.is_done(number)).count() as u64;
            cost.bytes_discarded = recovered.discarded_bytes;
            // A part that is finished is merged as it is: nothing is told of its points any more.
            if which == Blocks::OfPart && recovered.finished {
                return Ok((state, cost));
            }
        }
        let work = Work {
            engine,
            sets,
            scaling: self.scaling,
            ts: &self.ts,
            alpha: self.alpha,
            layout,
            observer: resources.observer.as_deref(),
        };
        work.run(&mut state, numbers, capacity)?;
        if let Some(journal) = state.journal.take() {
            journal.finish()?;
        }
        (cost.pairs_computed, cost.rows_read) = (state.pairs_computed, state.rows_read);
        Ok((state, cost))
    }

    /// The values that all blocks make.
    pub(super) fn found(&self, layout: &Layout, results: &Results, device: String, cost: Cost) -> Found {
        let has = |sum| layout.sums().contains(&sum);
        let log_means = |sum| has(sum).then(|| results.log_means(layout, sum, self.ts.len()));
        Found {
            alignment: has(Sum::Alignment).then(|| results.mean(layout, Sum::Alignment)),
            x: results.log_means(layout, Sum::Within(SetName::X), self.ts.len()),
            y: log_means(Sum::Within(SetName::Y)),
            across: log_means(Sum::Across),
            device,
            cost,
        }
    }
}

/// What blocks are computed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocks {
    /// A report on the points as they are now.
    OfReport,
    /// A file to be merged.
    OfPart,
}

/// Most values of t, whose results a record of a journal holds.
const MAX_TS: usize = 64;

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_memory, journal, .. } = self;
        f.debug_struct("Resources")
            .field("max_memory", max_memory)
            .field("journal", journal)
            .finish_non_exhaustive()
    }
}
