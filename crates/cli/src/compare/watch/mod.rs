//! `unisphere watch`: every checkpoint of a training is measured as it comes, a line of a CSV file each, and a page of all of them.
//!
//! [`options`] → a look at the [`folder`] every few seconds → what is new and still is measured as `compare` measures it, and found in
//! its cache after a restart → the [`log`](record) and the page.

mod folder;
mod options;
mod record;

pub(crate) use options::{HELP, WatchOptions};

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use unisphere::Engine;
use unisphere_io::printable;

use super::{Setting, measure::Measuring, natural::natural, run::Run};
use crate::{
    devices,
    exit::{self, Failure},
    export::{self, Checkpoint, ComparedModel, ComparisonDocument, Exporter as _, Json},
    interrupt, output,
    progress::Display,
    text::{plural, seconds},
};
use folder::{Folder, State};
use record::Record;

/// How often a wait looks for Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

pub(crate) fn watch(options: &WatchOptions) -> Result<(), Failure> {
    let (csv, html) = (options.csv_file(), options.html_file());
    let folder = Folder::new(&options.folder, options.pattern.as_deref(), [&csv, &html])?;
    folder.look()?;
    output::check_page(&html, std::iter::empty())?;
    output::check_distinct(&[("--csv", Some(&csv)), ("--html", Some(&html))])?;
    let record = Record::read(&csv)?;
    let display = Display::new();
    display.step("opening the device");
    let engine = devices::open(&options.measure.device)?;
    drop(display);
    exit::say(&format!(
        "watching {}: {} {} in {}, and the page is {}; Ctrl-C ends it, and the same command goes on",
        printable(&options.folder),
        plural(record.len() as u64, "checkpoint"),
        if record.len() == 1 { "is" } else { "are" },
        printable(&csv),
        printable(&html)
    ));
    Watch { options, html, folder, record, engine, seen: HashMap::new(), models: Vec::new() }.run()
}

/// What became of the checkpoints.
struct Watch<'a> {
    options: &'a WatchOptions,
    html: PathBuf,
    folder: Folder,
    record: Record,
    engine: Engine,
    /// How each was at the last look, by its name.
    seen: HashMap<String, Seen>,
    /// Those that were measured, by their steps.
    models: Vec<ComparedModel>,
}

/// A checkpoint as it was at the last look.
struct Seen {
    state: State,
    since: Instant,
    /// Whether nothing is to be done until it changes: it is measured, or told as what cannot be.
    is_done: bool,
    /// Whether it is told as what cannot be measured.
    is_failed: bool,
}

impl Watch<'_> {
    fn run(mut self) -> Result<(), Failure> {
        let interval = Duration::from_secs_f64(self.options.interval);
        let mut told_of_folder = false;
        loop {
            let runs = match self.folder.look() {
                Ok(runs) => runs,
                // A file system that is away comes back.
                Err(failure) if self.options.once => return Err(failure),
                Err(Failure::Input(reason)) => {
                    if !std::mem::replace(&mut told_of_folder, true) {
                        exit::say(&format!(
                            "{reason}\nit is looked at again every {}",
                            seconds(self.options.interval)
                        ));
                    }
                    wait(interval)?;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            told_of_folder = false;
            self.forget(&runs);
            let mut is_new = false;
            for run in runs {
                is_new |= self.look_at(run, interval)?;
            }
            if is_new {
                self.write_page()?;
            }
            if self.options.once && self.seen.values().all(|seen| seen.is_done) {
                return self.ended();
            }
            wait(interval)?;
        }
    }

    /// The end of a single round, which fails where a checkpoint could not be measured.
    fn ended(&self) -> Result<(), Failure> {
        let failed = self.seen.values().filter(|seen| seen.is_failed).count();
        if failed == 0 {
            return Ok(());
        }
        let all = plural(self.seen.len() as u64, "checkpoint");
        Err(Failure::Input(format!("{failed} of {all} could not be measured, as is said above")))
    }

    /// Forgets the state of what is gone; what was measured of it stays on the page.
    fn forget(&mut self, runs: &[Run]) {
        let there: HashSet<_> = runs.iter().map(|run| &run.name).collect();
        self.seen.retain(|name, _| there.contains(name));
    }

    /// Measures a checkpoint that has been still for an interval. Whether the page has changed.
    fn look_at(&mut self, run: Run, interval: Duration) -> Result<bool, Failure> {
        let state = State::of(&run);
        match self.seen.get(&run.name) {
            Some(seen) if seen.state == state => {
                if seen.is_done || seen.since.elapsed() < interval {
                    return Ok(false);
                }
            }
            _ => {
                let seen = Seen { state, since: Instant::now(), is_done: false, is_failed: false };
                self.seen.insert(run.name.clone(), seen);
                return Ok(false);
            }
        }
        if run.y.is_none() && self.models.iter().any(|of| of.model.alignment.is_some()) {
            self.tell_once(
                &run,
                "is one set, and those before it are pairs; it is measured once its y is there",
            );
            return Ok(false);
        }
        let name = run.name.clone();
        let is_new = match self.measure(run) {
            Ok(model) => {
                self.put(model)?;
                true
            }
            Err((run, Failure::Input(reason) | Failure::Machine(reason))) => {
                let reason = reason.lines().collect::<Vec<_>>().join("; ");
                self.tell_once(
                    &run,
                    &format!("is not measured: {reason}; it is looked at again when it changes"),
                );
                false
            }
            Err((_, failure)) => return Err(failure),
        };
        if let Some(seen) = self.seen.get_mut(&name) {
            seen.is_done = true;
        }
        Ok(is_new)
    }

    /// Says something of a checkpoint, once until it changes.
    fn tell_once(&mut self, run: &Run, what: &str) {
        if let Some(seen) = self.seen.get_mut(&run.name)
            && !std::mem::replace(&mut seen.is_done, true)
        {
            seen.is_failed = true;
            exit::say(&format!("{} {what}", printable(&run.name)));
        }
    }

    fn measure(&self, run: Run) -> Result<ComparedModel, (Run, Failure)> {
        let display = Display::new();
        let measure = &self.options.measure;
        let engine = self.engine.clone().observed_by(display.observer());
        let cache = match measure.cache() {
            Ok(cache) => cache,
            Err(failure) => return Err((run, failure)),
        };
        let measuring = Measuring {
            plan: measure.plan(),
            engine: &engine,
            display: &display,
            cache,
            reading: &measure.reading,
        };
        measuring.model(run)
    }

    /// Takes a checkpoint in: in the place of what it was before, in the order of steps. It is told unless an earlier watch has.
    fn put(&mut self, model: ComparedModel) -> Result<(), Failure> {
        let written = self.seen.get(&model.name).and_then(|seen| seen.state.written());
        let name = model.name.clone();
        self.models.retain(|of| of.name != name);
        let is_pair = |of: &ComparedModel| of.model.alignment.is_some();
        // Single sets among pairs wait for their partners.
        if is_pair(&model) {
            self.models.retain(is_pair);
        }
        let key = |of: &ComparedModel| (of.place.step.unwrap_or(f64::NEG_INFINITY), natural(&of.name));
        let at = self.models.partition_point(|of| {
            let (a, b) = (key(of), key(&model));
            a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)).is_lt()
        });
        self.models.insert(at, model);
        if self.record.has(&name, written) {
            return Ok(());
        }
        let document = self.document()?;
        let checkpoint = Checkpoint { document: &document, place: at };
        self.record.append(&name, &checkpoint)?;
        let line =
            if self.options.json { Json.export(&checkpoint) } else { export::Text.export(&checkpoint) };
        output::print(&line)
    }

    fn document(&self) -> Result<ComparisonDocument, Failure> {
        let measure = &self.options.measure;
        let baseline = self.models.first().map_or(String::new(), |of| of.name.clone());
        let setting = Setting { plan: measure.plan(), engine: &self.engine, reading: &measure.reading };
        setting.document(self.models.clone(), Vec::new(), baseline, Default::default())
    }

    fn write_page(&self) -> Result<(), Failure> {
        export::write_page(&self.html, &self.document()?)
    }
}

/// Waits, and ends with the program.
fn wait(time: Duration) -> Result<(), Failure> {
    let until = Instant::now() + time;
    loop {
        interrupt::check()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(TICK));
    }
}
