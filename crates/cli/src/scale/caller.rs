//! Reports on sets of any size for a caller within this process, such as Python: what `unisphere eval` makes of them, on sets that are
//! files or the caller's own rows.

use std::{path::PathBuf, time::Instant};

use unisphere::{Candidates, Engine};
use unisphere_eval::Plan;
use unisphere_io::{Labels, Source};
use unisphere_scale::{Draw, Resources};

use super::{
    NamedSets, Scale, Task, Tolerance,
    all_pairs::free_memory,
    analysis::Listing,
    estimate, exact,
    files::{Files, Set, check_dims},
};
use crate::{
    exit::Failure,
    export::Told,
    progress::{Caller, Display},
    reading::{Of, ReadingOptions, warn_of_guess},
    set_files::SetFiles,
};

/// Rows of a caller's, as reports name them.
pub(crate) const ARRAY: &str = "array";

/// A set of any size.
#[derive(Debug)]
pub enum LargeSet {
    /// A file, or a pattern of the names of files.
    Path(PathBuf),
    /// Rows of the caller's; its path is their name in messages.
    Rows(Box<dyn Source>),
}

/// Sets of any size: one, or two whose rows are positive pairs.
#[derive(Debug)]
pub struct LargeSets {
    /// The first.
    pub x: LargeSet,
    /// The second.
    pub y: Option<LargeSet>,
    /// How those are read that are files.
    pub reading: ReadingOptions,
}

/// What is measured of them.
#[derive(Debug)]
pub struct LargeOptions {
    /// The options that other reports have too.
    pub plan: Plan,
    /// What competes with a positive.
    pub candidates: Candidates,
    /// Cross uniformity and squared MMD.
    pub across: bool,
    /// Memory for points and results, in bytes; None for nine tenths of what is free.
    pub max_memory: Option<u64>,
    /// A file that keeps finished work of all pairs.
    pub journal: Option<PathBuf>,
}

/// How an estimate is made.
#[derive(Debug)]
pub struct EstimateOptions {
    /// The half-width; None for the one that the standard error of the rows calls for.
    pub tolerance: Option<f64>,
    /// What is drawn.
    pub draw: Draw,
    /// The probability with which an interval is to hold its value.
    pub confidence: f64,
    /// What the draw follows from.
    pub seed: u64,
    /// No value of all pairs in the place of an estimate that misses the tolerance.
    pub estimate_only: bool,
}

/// All pairs, read in pieces: `unisphere eval --max-memory`. Groups are those of the labels, where there are any.
///
/// # Errors
///
/// Those of the program.
pub fn evaluate_large(
    engine: &Engine,
    sets: LargeSets,
    options: LargeOptions,
    labels: Option<&Labels>,
    caller: Caller,
) -> Result<Told, Failure> {
    let start = Instant::now();
    let (task, files, memory) = prepared(sets, &options)?;
    if let Some(labels) = labels.map(|labels| labels.of_rows.len()).filter(|&count| count != files.x.rows()) {
        let rows = files.x.rows();
        return Err(Failure::Usage(format!(
            "labels are {labels}, and x has {rows} rows; give one label a row"
        )));
    }
    let display = Display::of_caller(caller);
    let control = display.control();
    let engines = [engine.clone().observed_by(move |_| control())];
    let mut resources = Resources::default();
    (resources.max_memory, resources.journal) = (memory, options.journal);
    let listing = Listing { top: options.plan.top, file: None };
    let wanted = exact::Wanted { task: &task, listing: &listing, full: options.plan.full, labels };
    let mut report = exact::measured(wanted, &files, &engines, resources, display)?;
    report.seconds = Some(start.elapsed().as_secs_f64());
    Ok(Told::of(report))
}

/// An estimate from a part of the pairs: `unisphere eval --tolerance`.
///
/// # Errors
///
/// Those of the program; but for intervals that are wider than what was asked for, which the report tells.
pub fn estimate_large(
    engine: &Engine,
    sets: LargeSets,
    options: LargeOptions,
    how: &EstimateOptions,
    caller: Caller,
) -> Result<Told, Failure> {
    let start = Instant::now();
    let (task, files, memory) = prepared(sets, &options)?;
    let scale = Scale {
        tolerance: Some(how.tolerance.map_or(Tolerance::Auto, Tolerance::HalfWidth)),
        draw: how.draw,
        confidence: Some(how.confidence),
        seed: Some(how.seed),
        estimate_only: how.estimate_only,
        journal: options.journal,
        ..Scale::default()
    };
    estimate::check_draw(&task, &scale)?;
    let display = Display::of_caller(caller);
    let engine = engine.clone().observed_by(display.observer());
    let (mut report, outcome) = estimate::measured(&task, files, &engine, (&scale, memory), false, &display)?;
    outcome?;
    report.seconds = Some(start.elapsed().as_secs_f64());
    Ok(Told::of(report))
}

/// A failure to open a file, with the name of its set.
fn of_argument(set: Of, failure: Failure) -> Failure {
    let name = if set == Of::X { "x" } else { "y" };
    match failure {
        Failure::Input(text) => Failure::Input(format!("{name}: {text}")),
        Failure::Machine(text) => Failure::Machine(format!("{name}: {text}")),
        failure => failure,
    }
}

/// The task, the sets opened, and the memory that is left.
fn prepared(sets: LargeSets, options: &LargeOptions) -> Result<(Task, Files, Option<u64>), Failure> {
    let LargeSets { x, y, reading } = sets;
    let LargeOptions { plan, candidates, .. } = options;
    let max_memory = options.max_memory.or_else(free_memory);
    let mut left = max_memory.unwrap_or(u64::MAX);
    let mut open = |set: LargeSet, of: Of| {
        let (files, set) = match set {
            LargeSet::Path(path) => {
                let files = SetFiles::of_path(path);
                let shards = files.open(&reading.reading(of).with_max_bytes(left));
                (files, Set::Files(shards.map_err(|error| of_argument(of, error.into()))?))
            }
            LargeSet::Rows(rows) => (SetFiles::of_path(ARRAY), Set::Held(rows)),
        };
        warn_of_guess(set.files());
        left = left.saturating_sub(set.bytes_in_memory());
        check_dims(&*set, plan.scaling)?;
        Ok::<_, Failure>((files, set))
    };
    let (x, of_x) = open(x, Of::X)?;
    let (y, of_y) = y.map(|y| open(y, Of::Y)).transpose()?.unzip();
    let files = Files::located(of_x, of_y, plan.scaling, plan.is_of_distances())?;
    files.check_pairs()?;
    let memory = files.left_of(max_memory);
    let sets = NamedSets { x, y, reading, scaling: plan.scaling };
    Ok((Task::planned(plan, sets, options.across, *candidates), files, memory))
}
