//! Gradients of sets of any size: values first, then the gradient of some panels at a time, to which all others add as they are
//! streamed past.

mod capacity;
mod file;
mod sweep;
mod terms;

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    slice,
};

use unisphere::{
    Alignment, Contrastive, Engine, Error as EngineError, Loss, Observer, Progress, Scaling, Uniformity,
};
use unisphere_io::printable;

use self::{
    capacity::{Capacity, gradient_panel_rows},
    file::GradientFile,
    sweep::Sweep,
    terms::{Term, Terms},
};
use super::{
    blocks::{Layout, SetName, Sum},
    cache::rows_fetched,
    devices::{Kinds, bytes_on_gpu},
    evaluation::Evaluation,
    fingerprint::{Hash, device_class, hash_of_text},
    found::{Cost, Expected},
    memory::Memory,
    resources::Resources,
    run::{State, panel_number},
    schedule::schedule,
    sets::{Sets, Shape},
};
use crate::{
    error::{Error, Result},
    journal::{Identity, Journal, Record},
};

/// What is differentiated.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Objective {
    /// The uniformity of one set, over its pairs i < j.
    Uniformity(Uniformity),
    /// The uniformity across two sets, of any numbers of rows, over all pairs.
    CrossUniformity(Uniformity),
    /// The alignment of positive pairs.
    Alignment(Alignment),
    /// The paper's loss: weight · alignment + (uniformity of x + uniformity of y) / 2.
    Loss(Loss),
    /// The contrastive loss of positive pairs.
    Contrastive(Contrastive),
}

/// The gradient of a metric of all pairs, for sets that may be larger than memory: written to files of f32 (`.npy`), with respect
/// to the rows as the sources give them, so through the scaling to unit length.
///
/// Some panels of rows are held with their sums in f64, and all panels are streamed past them, as often as it takes. The bits are the
/// same whatever the memory and the interruptions.
///
/// Errors are those of an [`Engine`] that holds all points. Where what two panels add to a row cancels in the sum over many, the
/// error is up to 1.2e-7 of the terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    objective: Objective,
    scaling: Scaling,
    panel_rows: Option<usize>,
}

/// Files that gradients go to. They have the shapes of the sets, and a file holds nothing that can be taken for a matrix before it
/// is complete: its header is written last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// The gradient for x.
    pub x: PathBuf,
    /// The gradient for y; None where it is not asked for, which takes half the time or less.
    pub y: Option<PathBuf>,
}

/// What the paper's loss is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossParts {
    /// Alignment of the positive pairs.
    pub alignment: f64,
    /// Uniformity of x.
    pub uniformity_x: f64,
    /// Uniformity of y.
    pub uniformity_y: f64,
}

/// A gradient that was written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GradientFound {
    /// The value of what is differentiated, of all pairs.
    pub value: f64,
    /// What the paper's loss is made of, where it is what is differentiated.
    pub parts: Option<LossParts>,
    /// The Euclidean norm of the gradient for x, over all of its numbers.
    pub x_norm: f64,
    /// That of the gradient for y, where it was asked for.
    pub y_norm: Option<f64>,
    /// The class of the device: others may give other last digits.
    pub device: String,
    /// What it took. Blocks are those of the value, and one for each panel of a gradient.
    pub cost: Cost,
}

impl Gradient {
    /// The gradient of rows that are scaled to unit length.
    pub fn of(objective: Objective) -> Self {
        Self { objective, scaling: Scaling::Unit, panel_rows: None }
    }

    /// Rows scaled to unit length, or as they are.
    #[must_use]
    pub fn with_scaling(self, scaling: Scaling) -> Self {
        Self { scaling, ..self }
    }

    /// Panels of so many rows, at least 1, in place of some 2 MiB. The last digits of the gradient are others.
    #[must_use]
    pub fn with_panel_rows(self, rows: usize) -> Self {
        Self { panel_rows: Some(rows), ..self }
    }

    /// Computes the gradient and writes it to files, which may not exist before, unless they are empty or the journal that
    /// `resources` name has begun them.
    ///
    /// With a journal, a run that was stopped at any moment goes on where it was: panels of a file are on the disk before they are
    /// recorded. What is recorded is checked against the files.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] for sets that the objective is not of, [`Error::Memory`] where it holds too few panels, [`Error::Output`] for
    /// a file that holds something else, [`Error::Unwritten`] for one that cannot be written, and those of [`Evaluation::values`].
    pub fn write(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        outputs: &Outputs,
        resources: &Resources,
    ) -> Result<GradientFound> {
        let run = Run::new(self, sets.shape()?, outputs)?;
        let engines = slice::from_ref(engine);
        let on_gpu = bytes_on_gpu(engines, resources.max_device_memory);
        let capacity = run.capacity(Kinds::of(engines), resources.max_memory, on_gpu)?;
        let Begun { mut state, mut files, mut cost } = run.begin(engine, sets, resources)?;
        let of_sweeps = run.pairs_of_sweeps(&files);
        let observer = resources.observer.clone().map(|observer| {
            let more = of_sweeps + state.pairs_computed;
            move |Progress { done, total, .. }: Progress| observer(Progress::new(done, total + more))
        });
        let observe = observer.as_ref().map(|observe| observe as &Observer);
        let work = run.evaluation.work_of(slice::from_ref(engine), sets, &run.layout, observe);
        work.run(&mut state, run.numbers.clone(), capacity.of_values)?;

        let total = state.pairs_computed + of_sweeps;
        let tell = |done| match &resources.observer {
            Some(observer) => observer(Progress::new(done, total)),
            None => ControlFlow::Continue(()),
        };
        let (terms, value, parts) = (run.terms(&state), run.value(&state)?, run.parts(&state));
        for (set, file) in &mut files {
            let (set, run, work, terms) = (*set, &run, &work, &terms);
            let sweep = Sweep { run, engine, work, terms, set, capacity: &capacity, tell: &tell };
            let swept = sweep.run(file, &mut state);
            // What is finished is kept, whatever ended the work.
            let kept = state.journal.as_mut().map_or(Ok(()), Journal::sync);
            swept.and_then(|()| Ok(kept?))?;
        }
        let mut norms = Vec::new();
        for (_, file) in files {
            norms.push(file.finish()?);
        }
        if let Some(journal) = state.journal.take() {
            journal.finish()?;
        }
        (cost.pairs_computed, cost.rows_read) = (state.pairs_computed, state.rows_read);
        let (x_norm, y_norm) = (norms.first().copied().unwrap_or_default(), norms.get(1).copied());
        Ok(GradientFound { value, parts, x_norm, y_norm, device: device_class(engine), cost })
    }

    /// What [`write`](Self::write) will take, without a journal, where the gradient for y is asked for too or not.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] and [`Error::Memory`].
    pub fn expected(&self, shape: Shape, with_y: bool, max_memory: Option<u64>) -> Result<Expected> {
        let outputs = Outputs { x: "x".into(), y: with_y.then(|| "y".into()) };
        let run = Run::new(self, shape, &outputs)?;
        let capacity = run.capacity(Kinds::ONE_CPU, max_memory, None)?;
        let of_values = schedule(&run.layout, capacity.of_values.held, |block| {
            run.numbers.contains(&run.layout.number(block))
        });
        let rows_of_values = rows_fetched(&run.layout, &of_values, capacity.of_values);
        let pairs_of_values: u64 =
            of_values.iter().flat_map(|arrival| &arrival.blocks).map(|&block| run.layout.pairs(block)).sum();
        let (mut pairs, mut rows_read, mut panels) = (pairs_of_values, rows_of_values, 0);
        for set in run.differentiated() {
            let all: Vec<_> = (0..run.layout.panels(set).count()).collect();
            pairs += run.pairs_of_panels(set, &all);
            rows_read += sweep::rows_read(&run.layout, run.terms_of(set), set, &all, capacity.held);
            panels += all.len();
        }
        Ok(Expected {
            pairs,
            blocks: (run.numbers.len() + panels) as u64,
            rows_read,
            memory: capacity.bytes,
            device_memory: 0,
            panel_rows: run.layout.panels(SetName::X).panel_rows,
        })
    }
}

/// A gradient of sets of a shape: what its value and its terms are made of.
struct Run<'a> {
    objective: Objective,
    outputs: &'a Outputs,
    shape: Shape,
    evaluation: Evaluation,
    layout: Layout,
    /// Numbers of the blocks that the value and the weights of pairs are made of.
    numbers: std::ops::Range<usize>,
}

/// What earlier runs have finished, and the files that this one goes on with.
struct Begun {
    state: State,
    files: Vec<(SetName, GradientFile)>,
    cost: Cost,
}

impl<'a> Run<'a> {
    fn new(gradient: &Gradient, shape: Shape, outputs: &'a Outputs) -> Result<Self> {
        let Gradient { objective, scaling, panel_rows } = *gradient;
        check(objective, shape, outputs)?;
        let most = shape.x_rows.max(shape.y_rows.unwrap_or(0));
        let panel_rows = panel_rows.unwrap_or_else(|| gradient_panel_rows(most, shape.dims));
        let evaluation = Evaluation::new().with_scaling(scaling).with_panel_rows(panel_rows);
        let evaluation = match objective {
            Objective::Uniformity(Uniformity { t }) => evaluation.with_ts(&[t]),
            Objective::CrossUniformity(Uniformity { t }) => evaluation.with_ts(&[t]).across(),
            Objective::Alignment(Alignment { alpha }) => evaluation.with_alpha(alpha),
            Objective::Loss(Loss { alignment, uniformity, .. }) => {
                evaluation.with_ts(&[uniformity.t]).with_alpha(alignment.alpha)
            }
            Objective::Contrastive(Contrastive { tau, candidates }) => {
                evaluation.with_contrastive(&[tau], candidates)
            }
        };
        let layout = evaluation.layout(shape)?;
        let numbers = match objective {
            Objective::Uniformity(_) | Objective::Loss(_) => 0..layout.count(),
            Objective::CrossUniformity(_) => layout.numbers(Sum::Across),
            Objective::Alignment(_) => layout.numbers(Sum::Alignment),
            Objective::Contrastive(_) => layout.totals()..layout.count(),
        };
        Ok(Self { objective, outputs, shape, evaluation, layout, numbers })
    }

    /// Sets whose gradients are asked for.
    fn differentiated(&self) -> impl Iterator<Item = SetName> + use<> {
        std::iter::once(SetName::X).chain(self.outputs.y.as_ref().map(|_| SetName::Y))
    }

    /// What is added to the gradient of a set, in this order.
    fn terms_of(&self, set: SetName) -> &'static [Term] {
        Term::of(self.objective, set)
    }

    fn capacity(&self, kinds: Kinds, max_memory: Option<u64>, on_gpu: Option<u64>) -> Result<Capacity> {
        let memory = Memory::new(&self.layout, self.shape.dims, 1, kinds, on_gpu);
        let by_row = matches!(self.objective, Objective::Contrastive(_));
        let weights = if by_row { Terms::BYTES_OF_PAIR * self.shape.x_rows as u64 } else { 0 };
        let [x, y] = [SetName::X, SetName::Y].map(|set| self.layout.panels(set));
        let larger = if x.rows < y.rows { y } else { x };
        Capacity::new(&memory, weights, (larger, self.shape.dims), max_memory)
    }

    /// Opens the journal and the files, and finds what is finished.
    fn begin(&self, engine: &Engine, sets: Sets<'_>, resources: &Resources) -> Result<Begun> {
        let mut state = self.evaluation.state(&self.layout);
        let panels = self.differentiated().map(|set| self.layout.panels(set).count()).sum::<usize>();
        let mut cost = Cost { blocks: (self.numbers.len() + panels) as u64, ..Cost::default() };
        let mut hashes = Vec::new();
        let paths = || std::iter::once(&self.outputs.x).chain(&self.outputs.y);
        // What is refused leaves no journal behind.
        if resources.journal.as_ref().is_none_or(|journal| !journal.exists()) {
            paths().try_for_each(|path| GradientFile::check(path))?;
        }
        if let Some(path) = &resources.journal {
            let (journal, recovered) = Journal::open(path, &self.identity(engine, sets)?)?;
            hashes = self.hashes_among(&recovered.records);
            state.take(&self.layout, recovered.records);
            state.journal = Some(journal);
            cost.bytes_discarded = recovered.discarded_bytes;
            let is_done = |&number: &usize| state.is_done(&self.layout, number);
            cost.blocks_recovered = self.numbers.clone().filter(is_done).count() as u64;
        }
        let mut files = Vec::new();
        for (set, path) in self.differentiated().zip(paths()) {
            let panels = self.layout.panels(set);
            let shape = (panels, self.shape.dims);
            let begun = self.number_of_file(set);
            let mut file = if hashes.iter().any(|&(number, _)| number == begun) {
                GradientFile::resumed(path, shape)?
            } else {
                let file = GradientFile::created(path, shape)?;
                if let Some(journal) = &mut state.journal {
                    journal.append(&Record::Panel { number: begun, hash: Hash::default() })?;
                }
                file
            };
            for panel in 0..panels.count() {
                let number = self.number_of_panel(set, panel);
                if let Some((_, hash)) = hashes.iter().find(|(found, _)| *found == number) {
                    file.recover(panel, *hash)?;
                    cost.blocks_recovered += 1;
                }
            }
            files.push((set, file));
        }
        // Two names may be of one file, which is seen once it is there.
        let mut places = paths().filter_map(|path| fs::canonicalize(path).ok());
        if let (Some(x), Some(y)) = (places.next(), places.next())
            && x == y
        {
            return Err(both_in_one(&self.outputs.x));
        }
        Ok(Begun { state, files, cost })
    }

    fn identity(&self, engine: &Engine, sets: Sets<'_>) -> Result<Identity> {
        let of_values =
            self.evaluation.fingerprint(&self.layout, self.shape.dims, sets.sample()?, &self.numbers);
        let (objective, with_y) = (self.objective, self.outputs.y.is_some());
        Ok(Identity {
            fingerprint: hash_of_text(&format!("gradient {objective:?} {with_y} {of_values:?}")),
            device: device_class(engine),
            values: self.evaluation.record_values(&self.layout),
        })
    }

    /// Number in the journal of a panel of a gradient: after those of the sets.
    fn number_of_panel(&self, set: SetName, panel: usize) -> u64 {
        self.panels_of_sets() + panel_number(&self.layout, set, panel)
    }

    /// Number of the record that says that this run has begun a file.
    fn number_of_file(&self, set: SetName) -> u64 {
        2 * self.panels_of_sets() + u64::from(set == SetName::Y)
    }

    fn panels_of_sets(&self) -> u64 {
        [SetName::X, SetName::Y].iter().map(|&set| self.layout.panels(set).count() as u64).sum()
    }

    /// Hashes of panels of gradients, and the records of files.
    fn hashes_among(&self, records: &[Record]) -> Vec<(u64, Hash)> {
        let of_gradients = |record: &Record| match *record {
            Record::Panel { number, hash } if number >= self.panels_of_sets() => Some((number, hash)),
            _ => None,
        };
        records.iter().filter_map(of_gradients).collect()
    }

    fn pairs_of_sweeps(&self, files: &[(SetName, GradientFile)]) -> u64 {
        files.iter().map(|(set, file)| self.pairs_of_panels(*set, &file.missing())).sum()
    }

    /// Pairs that some panels of a gradient take.
    fn pairs_of_panels(&self, set: SetName, panels: &[usize]) -> u64 {
        sweep::pairs(&self.layout, self.terms_of(set), set, panels)
    }

    fn terms(&self, state: &State) -> Terms {
        Terms::new(self.objective, &self.layout, state)
    }

    /// What the paper's loss is made of.
    fn parts(&self, state: &State) -> Option<LossParts> {
        let within = |set| terms::log_mean(&self.layout, state, Sum::Within(set));
        matches!(self.objective, Objective::Loss(_)).then(|| LossParts {
            alignment: state.results.mean(&self.layout, Sum::Alignment),
            uniformity_x: within(SetName::X),
            uniformity_y: within(SetName::Y),
        })
    }

    /// The value of what is differentiated.
    fn value(&self, state: &State) -> Result<f64> {
        let log_mean = |sum| terms::log_mean(&self.layout, state, sum);
        let alignment = || state.results.mean(&self.layout, Sum::Alignment);
        let within = |set| log_mean(Sum::Within(set));
        let value = match self.objective {
            Objective::Uniformity(_) => within(SetName::X),
            Objective::CrossUniformity(_) => log_mean(Sum::Across),
            Objective::Alignment(_) => alignment(),
            Objective::Loss(Loss { weight, .. }) => {
                weight * alignment() + (within(SetName::X) + within(SetName::Y)) / 2.0
            }
            Objective::Contrastive(_) => {
                let values = self.evaluation.contrastive(&self.layout, state)?;
                values.and_then(|values| values.first().map(|value| value.loss)).unwrap_or(f64::NAN)
            }
        };
        if value.is_finite() { Ok(value) } else { Err(EngineError::Overflow { metric: "a loss" }.into()) }
    }
}

fn both_in_one(path: &Path) -> Error {
    Error::Sets { problem: format!("both gradients are to go to {}; name two files", printable(path)) }
}

/// Fails for sets that the objective is not of.
fn check(objective: Objective, shape: Shape, outputs: &Outputs) -> Result<()> {
    let refused = |problem: String| Err(Error::Sets { problem });
    if outputs.y.as_ref() == Some(&outputs.x) {
        return Err(both_in_one(&outputs.x));
    }
    if let Objective::Loss(Loss { weight, .. }) = objective
        && !weight.is_finite()
    {
        return Err(EngineError::Parameter { name: "weight", value: weight, expected: "finite" }.into());
    }
    match (objective, shape.y_rows) {
        (Objective::Uniformity(_), None) if outputs.y.is_some() => {
            refused("there is no second set, whose gradient is asked for; name one file of a gradient".into())
        }
        (Objective::Uniformity(_), None) | (Objective::CrossUniformity(_), Some(_)) => Ok(()),
        (Objective::Uniformity(_), Some(_)) => refused(
            "uniformity is of one set, and two are named; name one, or ask for cross uniformity".into(),
        ),
        (_, Some(rows)) if rows == shape.x_rows => Ok(()),
        (_, None) => refused("this gradient is of two sets, and one is named; name both".into()),
        (_, Some(rows)) => {
            refused(format!("one set has {} rows, and the other {rows}; pair them row by row", shape.x_rows))
        }
    }
}
