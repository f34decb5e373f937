//! An evaluation: which numbers of which sets, and their exact values within an amount of memory.

use std::{ops::Range, slice};

use unisphere::{
    Candidates, ContrastiveValue, Engine, Error as EngineError, Observer, Scaling, SquaredMmd, Uniformity,
};
use unisphere_io::Source;

use super::{
    blocks::{Layout, SetName, Strips, Sum, Wanted},
    cache::rows_fetched,
    counts::Counting,
    devices::{self, Kinds, class_of},
    fingerprint::{hash_of_text, hex},
    found::{Cost, Expected, Found},
    groups::{FoundGroups, GroupWork},
    memory::{Memory, PASSING_ON_GPU, panel_rows, strip_panels},
    resources::Resources,
    rows::Rows,
    run::{State, Work},
    schedule::schedule,
    sets::{Sample, Sets, Shape},
    strips::MIN_RECORD_VALUES,
    units::{GroupUnits, RESULTS},
};
use crate::{
    error::{Error, Result},
    journal::{Identity, Journal},
    panels::Panels,
};

/// Numbers that are computed: alignment of the positive pairs, and uniformity at one t or several; and where they are asked for,
/// cross uniformity, the squared maximum mean discrepancy, the contrastive loss and what every row has by itself.
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
    pub(super) mmd: bool,
    pub(super) taus: Vec<f64>,
    pub(super) candidates: Candidates,
    pub(super) potentials: bool,
    pub(super) counting: Counting,
    pub(super) panel_rows: Option<usize>,
    pub(super) strip_panels: Option<usize>,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self::new()
    }
}

impl Evaluation {
    /// Alignment with α = 2 and uniformity with t = 2, of rows scaled to unit length.
    pub fn new() -> Self {
        Self {
            ts: vec![2.0],
            alpha: 2.0,
            scaling: Scaling::Unit,
            across: false,
            mmd: false,
            taus: Vec::new(),
            candidates: Candidates::default(),
            potentials: false,
            counting: Counting::default(),
            panel_rows: None,
            strip_panels: None,
        }
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

    /// The squared maximum mean discrepancy of x and y too, and the cross uniformity that it is made of, at every t.
    #[must_use]
    pub fn with_mmd(self) -> Self {
        Self { mmd: true, ..self }
    }

    /// The contrastive loss of the positive pairs too, at these temperatures, all from one pass for each kind of anchor; each positive
    /// and finite. The sets must have as many rows.
    ///
    /// It is summed in strips, of one panel of anchors with some seconds' worth of others: 4,096 rows with a quarter of a million at
    /// d = 384. Up to 16 are begun at once, and begun anew after a stop. A log sum of 8 bytes is kept for every anchor,
    /// temperature and strip.
    #[must_use]
    pub fn with_contrastive(self, taus: &[f64], candidates: Candidates) -> Self {
        Self { taus: taus.to_vec(), candidates, ..self }
    }

    /// The potential of every row among the others of its set too, at the first t, and the distance of every positive pair:
    /// [`Found::rows`]. It takes a pass over all ordered pairs of each set, twice those of its uniformity, in strips as the
    /// contrastive loss does.
    #[must_use]
    pub fn with_potentials(self) -> Self {
        Self { potentials: true, ..self }
    }

    /// The histogram of the cosines of all pairs of each set too, in so many equal parts of [−1, 1], from 1 to 65,536
    /// ([`CosineHistogram`](unisphere::CosineHistogram)): [`Found::counts`]. It takes another pass over the pairs of each set. A cosine
    /// within 1e-6 of the end of a part may count as of the next.
    #[must_use]
    pub fn with_cosine_histogram(self, bins: usize) -> Self {
        Self { counting: Counting { bins: Some(bins), ..self.counting }, ..self }
    }

    /// The number of pairs of each set too that are at most `distance` apart, finite and not negative
    /// ([`ClosePairs`](unisphere::ClosePairs)): [`Found::counts`]. It shares the pass of the histogram.
    #[must_use]
    pub fn with_close_pairs(self, distance: f64) -> Self {
        Self { counting: Counting { near: Some(distance), ..self.counting }, ..self }
    }

    /// Panels of so many rows, at least 1, in place of some 8 MiB. Smaller ones take less memory and more time; the last digits of
    /// the values are others.
    #[must_use]
    pub fn with_panel_rows(self, rows: usize) -> Self {
        Self { panel_rows: Some(rows), ..self }
    }

    /// Strips of the contrastive loss and of potentials of so many panels beside that of the rows they are of, at least 1, in place
    /// of some seconds' worth. Shorter ones lose less to a stop and take more memory; the last digits of the results are others.
    #[must_use]
    pub fn with_strip_panels(self, panels: usize) -> Self {
        Self { strip_panels: Some(panels), ..self }
    }

    /// The values of all pairs, and of those within groups where the sets have labels.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] for other dimensions or too few rows, [`Error::Memory`] where it holds less than four panels,
    /// [`Error::Changed`], and those of the sources, the journal and the engine: what a journal has kept is not lost by any of
    /// them.
    pub fn values(&self, engine: &Engine, sets: Sets<'_>, resources: &Resources) -> Result<Found> {
        self.values_on(slice::from_ref(engine), sets, resources)
    }

    /// The values of all pairs, on several devices at once: at least one. Each takes blocks as it is free, holds a copy of the panels
    /// that it needs, and holds nobody else up.
    ///
    /// Devices of one class give the bits of one of them. A mixture, such as a GPU and the CPU, gives other last digits in every
    /// run, within the accuracy that each device has; its class is that of a mixture, in [`Found::device`] and the journal, which
    /// the same devices go on from.
    ///
    /// # Errors
    ///
    /// Those of [`values`](Self::values), with [`Error::OfDevice`] in the place of [`Error::Engine`] for what goes wrong on one of
    /// several devices: the others finish the blocks that they are at.
    pub fn values_on(&self, engines: &[Engine], sets: Sets<'_>, resources: &Resources) -> Result<Found> {
        let layout = self.layout_of(sets)?;
        let all = 0..layout.all();
        let (state, cost) = self.work(engines, sets, &layout, all, Blocks::OfReport, resources)?;
        self.found(&layout, &state, class_of(engines), cost)
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
        let (state, _) =
            self.work(slice::from_ref(engine), sets, &layout, number, Blocks::OfReport, resources)?;
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
        let (state, _) =
            self.work(slice::from_ref(engine), sets, &layout, numbers, Blocks::OfReport, resources)?;
        Ok(state.results.log_means(&layout, Sum::Across, self.ts.len()))
    }

    /// What [`values`](Self::values) will take on the CPU, without a journal.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] and [`Error::Memory`].
    pub fn expected(&self, shape: Shape, max_memory: Option<u64>) -> Result<Expected> {
        self.expected_of(Kinds::ONE_CPU, shape, max_memory, None)
    }

    /// What [`values_on`](Self::values_on) will take, without a journal.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] and [`Error::Memory`].
    pub fn expected_on(&self, engines: &[Engine], shape: Shape, resources: &Resources) -> Result<Expected> {
        devices::check(engines)?;
        let on_gpu = devices::bytes_on_gpu(engines, resources.max_device_memory);
        self.expected_of(Kinds::of(engines), shape, resources.max_memory, on_gpu)
    }

    fn expected_of(
        &self,
        kinds: Kinds,
        shape: Shape,
        max_memory: Option<u64>,
        on_gpu: Option<u64>,
    ) -> Result<Expected> {
        let layout = self.layout(shape)?;
        let memory = Memory::new(&layout, shape.dims, self.ts.len(), kinds, on_gpu);
        let capacity = memory.capacity(max_memory)?;
        let arrivals = schedule(&layout, capacity.held, |_| true);
        let pairs = layout.all_blocks().map(|block| layout.pairs(block));
        let in_memory = (capacity.host + memory.in_flight).min(memory.most_panels);
        let on_gpu = capacity.held.min(memory.most_of_set) + PASSING_ON_GPU;
        Ok(Expected {
            pairs: pairs.sum(),
            blocks: layout.count() as u64,
            rows_read: rows_fetched(&layout, &arrivals, capacity),
            memory: memory.fixed + in_memory as u64 * memory.panel,
            device_memory: if kinds.gpus > 0 { on_gpu as u64 * memory.panel_on_gpu } else { 0 },
            panel_rows: layout.panels(SetName::X).panel_rows,
        })
    }

    /// Blocks of sets, and units of their groups.
    pub(super) fn layout_of(&self, sets: Sets<'_>) -> Result<Layout> {
        self.layout_with(sets.shape()?, sets.labels)
    }

    /// Blocks of sets of a shape.
    pub(super) fn layout(&self, shape: Shape) -> Result<Layout> {
        self.layout_with(shape, None)
    }

    /// Blocks of sets of a shape, and units of the groups that their rows are in.
    pub(super) fn layout_with(&self, shape: Shape, labels: Option<&[i64]>) -> Result<Layout> {
        self.check(shape)?;
        labels.map_or(Ok(()), |labels| shape.check_labels(labels))?;
        let most = shape.x_rows.max(shape.y_rows.unwrap_or(0));
        let panel_rows = self.rows_of_panel(most, shape.dims);
        let panels = |rows| Panels { rows, panel_rows };
        let strips = Strips {
            candidates: self.candidates,
            taus: self.taus.len(),
            potentials: self.potentials,
            distances: labels.is_some(),
            counts: self.counting.len(),
            panels: self.strip_panels.unwrap_or_else(|| strip_panels(panel_rows, shape.dims)),
        };
        let wanted = Wanted { across: self.across, mmd: self.mmd, strips };
        let layout = Layout::new(panels(shape.x_rows), shape.y_rows.map(panels), wanted);
        let Some(labels) = labels else { return Ok(layout) };
        let sets = if shape.y_rows.is_some() { 2 } else { 1 };
        Ok(layout.with_groups(GroupUnits::new(labels, sets, panel_rows, self.alpha == 2.0)?))
    }

    /// Rows of a panel of so many rows, or of those of the larger of two sets.
    pub(super) fn rows_of_panel(&self, rows: usize, dims: usize) -> usize {
        self.panel_rows.unwrap_or_else(|| panel_rows(rows, dims))
    }

    /// The panels of a set.
    pub(super) fn panels_of(&self, set: &dyn Source) -> Panels {
        Panels { rows: set.rows(), panel_rows: self.rows_of_panel(set.rows(), set.dims()) }
    }

    /// No results yet.
    pub(super) fn state(&self, layout: &Layout) -> State {
        State::new(layout, self.ts.len(), self.record_values(layout))
    }

    /// Values of a record of the journal: the results of a block or of a unit of groups, and a piece of a strip's.
    pub(super) fn record_values(&self, layout: &Layout) -> usize {
        let has_strips = layout.count() > layout.totals();
        let least = if has_strips { MIN_RECORD_VALUES } else { 1 };
        self.ts.len().max(least).max(if layout.groups().is_some() { RESULTS } else { 1 })
    }

    pub(super) fn check(&self, shape: Shape) -> Result<()> {
        let fault =
            |name, value| Err(EngineError::Parameter { name, value, expected: "positive and finite" }.into());
        if self.panel_rows == Some(0) {
            return fault("panel_rows", 0.0);
        }
        if self.strip_panels == Some(0) {
            return fault("strip_panels", 0.0);
        }
        let is_good = |value: f64| value > 0.0 && value.is_finite();
        if let Some(&t) = self.ts.iter().find(|&&t| !is_good(t)) {
            return fault("t", t);
        }
        if let Some(&tau) = self.taus.iter().find(|&&tau| !is_good(tau)) {
            return fault("tau", tau);
        }
        if !is_good(self.alpha) {
            return fault("alpha", self.alpha);
        }
        self.counting.check(self.scaling)?;
        if self.ts.is_empty() || self.ts.len() > MAX_TS {
            let problem = format!("{} values of t are asked for; ask for 1 to {MAX_TS}", self.ts.len());
            return Err(Error::Sets { problem });
        }
        if !self.taus.is_empty() && shape.y_rows != Some(shape.x_rows) {
            let other = shape.y_rows.map_or("there is no other".into(), |rows| format!("the other {rows}"));
            let problem = format!(
                "the contrastive loss pairs two sets row by row: one has {} rows, and {other}; name two sets of as many rows, or \
                 leave out the temperatures",
                shape.x_rows
            );
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
            "unisphere {} {:?} {:?} {:?} {:?} {:?} {layout:?} {dims} {sample:?} {numbers:?}",
            env!("CARGO_PKG_VERSION"),
            self.ts.iter().map(bits).collect::<Vec<_>>(),
            self.taus.iter().map(bits).collect::<Vec<_>>(),
            bits(&self.alpha),
            self.counting.near.as_ref().map(bits),
            self.scaling,
        ))
    }

    fn identity(
        &self,
        layout: &Layout,
        sets: Sets<'_>,
        numbers: &Range<usize>,
        engines: &[Engine],
    ) -> Result<Identity> {
        Ok(Identity {
            fingerprint: self.fingerprint(layout, sets.x.dims(), sets.sample()?, numbers),
            device: class_of(engines),
            values: self.record_values(layout),
        })
    }

    /// A name for the journal of [`values`](Self::values), which other sets, options and devices do not share.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`], and those of the sources.
    pub fn journal_name(&self, engine: &Engine, sets: Sets<'_>) -> Result<String> {
        self.journal_name_on(slice::from_ref(engine), sets)
    }

    /// A name for the journal of [`values_on`](Self::values_on).
    ///
    /// # Errors
    ///
    /// [`Error::Sets`], and those of the sources.
    pub fn journal_name_on(&self, engines: &[Engine], sets: Sets<'_>) -> Result<String> {
        let layout = self.layout_of(sets)?;
        let Identity { fingerprint, device, .. } =
            self.identity(&layout, sets, &(0..layout.all()), engines)?;
        let hash = hash_of_text(&format!("{fingerprint:?} {device}"));
        Ok(hex(&hash[..8]) + ".journal")
    }

    /// Computes the blocks of some numbers that a journal has not.
    pub(super) fn work(
        &self,
        engines: &[Engine],
        sets: Sets<'_>,
        layout: &Layout,
        numbers: Range<usize>,
        which: Blocks,
        resources: &Resources,
    ) -> Result<(State, Cost)> {
        devices::check(engines)?;
        let on_gpu = devices::bytes_on_gpu(engines, resources.max_device_memory);
        let memory = Memory::new(layout, sets.x.dims(), self.ts.len(), Kinds::of(engines), on_gpu);
        let of_groups = layout.groups().map_or(0, GroupUnits::bytes);
        let max_memory = resources.max_memory.map(|bytes| bytes.saturating_sub(of_groups));
        let capacity = memory.capacity(max_memory).map_err(|error| error.with_memory(of_groups))?;
        let mut state = self.state(layout);
        let mut cost = Cost { blocks: numbers.len() as u64, ..Cost::default() };
        if let Some(path) = &resources.journal {
            let identity = self.identity(layout, sets, &numbers, engines)?;
            let (journal, recovered) = Journal::open(path, &identity)?;
            state.take(layout, recovered.records);
            state.journal = Some(journal);
            cost.blocks_recovered =
                numbers.clone().filter(|&number| state.is_done(layout, number)).count() as u64;
            cost.bytes_discarded = recovered.discarded_bytes;
            // A part that is finished is merged as it is: nothing is told of its points any more.
            if which == Blocks::OfPart && recovered.finished {
                return Ok((state, cost));
            }
        }
        let observer = resources.observer.as_deref();
        let work = self.work_of(engines, sets, layout, observer);
        let units = GroupWork::new(&work, &numbers, resources)?;
        state.pairs_later = units.as_ref().map_or(0, |units| units.pairs(&state));
        work.run(&mut state, numbers, capacity)?;
        units.map_or(Ok(()), |units| units.run(&mut state))?;
        if let Some(journal) = state.journal.take() {
            journal.finish()?;
        }
        (cost.pairs_computed, cost.rows_read) = (state.pairs_computed, state.rows_read);
        Ok((state, cost))
    }

    /// The work of an evaluation.
    pub(super) fn work_of<'a>(
        &'a self,
        engines: &'a [Engine],
        sets: Sets<'a>,
        layout: &'a Layout,
        observer: Option<&'a Observer>,
    ) -> Work<'a> {
        let &Self { ref ts, ref taus, alpha, scaling, counting, .. } = self;
        Work { engines, sets, scaling, ts, taus, alpha, counting, layout, observer }
    }

    /// The values that all blocks make.
    pub(super) fn found(&self, layout: &Layout, state: &State, device: String, cost: Cost) -> Result<Found> {
        let results = &state.results;
        let has = |sum| layout.sums().contains(&sum);
        let log_means = |sum| has(sum).then(|| results.log_means(layout, sum, self.ts.len()));
        let mut found = Found {
            alignment: has(Sum::Alignment).then(|| results.mean(layout, Sum::Alignment)),
            x: results.log_means(layout, Sum::Within(SetName::X), self.ts.len()),
            y: log_means(Sum::Within(SetName::Y)),
            across: log_means(Sum::Across),
            squared_mmd: None,
            contrastive: self.contrastive(layout, state)?,
            groups: FoundGroups::of(layout, state, self.alpha)?,
            rows: Rows::of(layout, &state.strips, self.ts[0])?,
            counts: self.counting.found(layout, &state.strips),
            device,
            cost,
        };
        if self.mmd {
            let unpaired = has(Sum::Unpaired).then(|| results.unpaired_log_means(layout, self.ts.len()));
            found.squared_mmd = squared_mmds(&found, unpaired);
        }
        Ok(found)
    }

    /// The contrastive loss at every temperature, where it is asked for.
    pub(super) fn contrastive(
        &self,
        layout: &Layout,
        state: &State,
    ) -> Result<Option<Vec<ContrastiveValue>>> {
        if self.taus.is_empty() {
            return Ok(None);
        }
        let products = state.strips.of_pairs(layout, Sum::Products);
        let anchors = layout.anchors();
        let negatives = layout.negatives();
        let value = |(place, &tau): (usize, &f64)| {
            let sums: Vec<_> =
                anchors.iter().map(|sums| state.strips.log_sums(layout, sums, place)).collect();
            let sums: Vec<_> = sums.iter().map(Vec::as_slice).collect();
            let logits: Vec<_> = products.iter().map(|product| product / tau).collect();
            Ok(ContrastiveValue::of_anchors(&logits, &sums, negatives)?)
        };
        self.taus.iter().enumerate().map(value).collect::<Result<_>>().map(Some)
    }
}

/// The discrepancy at every t from the uniformities of both sets, and across their unpaired rows or else across all.
fn squared_mmds(found: &Found, unpaired: Option<Vec<f64>>) -> Option<Vec<Option<f64>>> {
    let (y, cross) = (found.y.as_ref()?, unpaired.as_ref().or(found.across.as_ref())?);
    let value = |((&x, &y), &cross): ((&f64, &f64), &f64)| {
        (!SquaredMmd::needs_points(x, y, cross)).then(|| Uniformity::squared_mmd(x, y, cross))
    };
    Some(found.x.iter().zip(y).zip(cross).map(value).collect())
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
