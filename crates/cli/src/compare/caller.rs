//! The comparison for a caller within this process, such as Python: models are files, or rows of the caller's.

use std::{collections::HashMap, path::PathBuf, time::Instant};

use unisphere::Engine;
use unisphere_eval::compare::{Bootstrap, ComparePlan, Place};

use super::{
    Setting,
    cache::Cache,
    files::files_in,
    measure::{CURE_OF_ZEROS, Measuring, check_options},
    run::Run,
    runs::check_files,
};
use crate::{
    exit::Failure,
    export::{ComparedModel, Told},
    progress::{Caller, Display},
    reading::ReadingOptions,
    scale::{ARRAY, LargeSet},
    set_files::SetFiles,
};

/// A model: one set, or two whose rows are positive pairs.
#[derive(Debug)]
pub struct GivenModel {
    /// Its name in the report: no other has it.
    pub name: String,
    /// The first set, or a folder with a file of its points, or with a file x and a file y.
    pub x: LargeSet,
    /// The second; a file where the first is one.
    pub y: Option<LargeSet>,
    /// What is known of it from elsewhere.
    pub place: Place,
}

/// How models are compared.
#[derive(Debug)]
pub struct CompareRequest {
    /// What is measured.
    pub plan: ComparePlan,
    /// The name of the model that all others are held against.
    pub baseline: String,
    /// The resamples of intervals of correlations.
    pub bootstrap: Bootstrap,
    /// How files are read.
    pub reading: ReadingOptions,
    /// A folder that keeps what was measured of files.
    pub cache: Option<PathBuf>,
}

/// A model of files; None of rows that a caller holds.
fn run(of: &GivenModel) -> Option<Run> {
    let path = |set: &LargeSet| match set {
        LargeSet::Path(path) => Some(path.clone()),
        LargeSet::Rows(_) => None,
    };
    let y = of.y.as_ref().map(path);
    // Of a path and rows, the error is another.
    if y == Some(None) { None } else { Some(Run::new(of.name.clone(), path(&of.x)?, y.flatten(), of.place)) }
}

/// Measures models that are all single sets or all pairs, and compares them. Files that cannot be measured are told in the report, as
/// long as one model is left; rows of the caller's that cannot be are an error.
///
/// # Errors
///
/// Those of the program.
pub fn compare_models(
    engine: &Engine,
    models: Vec<GivenModel>,
    request: CompareRequest,
    caller: Caller,
) -> Result<Told, Failure> {
    let CompareRequest { plan, baseline, bootstrap, reading, cache } = request;
    let cache = cache.as_deref().map(Cache::named).transpose()?;
    let models = models.into_iter().map(of_folder).collect::<Result<Vec<_>, _>>()?;
    for set in models.iter().flat_map(|of| std::iter::once(&of.x).chain(&of.y)) {
        if let LargeSet::Path(path) = set {
            check_files(&SetFiles::of_path(path))?;
        }
    }
    let runs: Vec<_> = models.iter().filter_map(run).collect();
    // Rows of a caller's take no option.
    let unused = check_options(&runs, &reading)?;
    let display = Display::of_caller(caller);
    let engine = engine.clone().observed_by(display.observer());
    let measuring = Measuring {
        plan,
        engine: &engine,
        display: &display,
        cache,
        is_fingerprinted: false,
        reading: &reading,
        unused,
        cure_of_zeros: CURE_OF_ZEROS,
        skipped: HashMap::new(),
    };
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for GivenModel { name, x, y, place } in models {
        let (x, y) = match (x, y) {
            (LargeSet::Rows(x), None) => (x, None),
            (LargeSet::Rows(x), Some(LargeSet::Rows(y))) => (x, Some(y)),
            (LargeSet::Path(x), y) => {
                let Ok(y) = y.map(path).transpose() else { return Err(mixed(&name)) };
                let run = Run::new(name, x, y, place);
                measuring.sort_in(&run, &mut found, &mut failed)?;
                continue;
            }
            (LargeSet::Rows(_), Some(LargeSet::Path(_))) => return Err(mixed(&name)),
        };
        let start = Instant::now();
        let model = measuring.held(&name, &*x, y.as_deref())?;
        let files = [Some("x"), y.is_some().then_some("y")].into_iter().flatten();
        let files = files.map(|role| (role, ARRAY.to_owned())).collect();
        let seconds = start.elapsed().as_secs_f64();
        // Rows of a caller's are in f32.
        let rounding = None;
        found.push(ComparedModel {
            name,
            files,
            place,
            model,
            rounding,
            skipped: Vec::new(),
            fingerprint: None,
            cached: false,
            seconds,
        });
    }
    let setting = Setting { plan, engine: &engine, reading: &reading };
    Ok(Told::of(setting.document(found, failed, baseline, bootstrap)?))
}

/// A model of the files in its folder, where it is named by one.
fn of_folder(model: GivenModel) -> Result<GivenModel, Failure> {
    match (&model.x, &model.y) {
        (LargeSet::Path(folder), None) if folder.is_dir() => {
            let (x, y) = files_in(folder)?;
            Ok(GivenModel { x: LargeSet::Path(x), y: y.map(LargeSet::Path), ..model })
        }
        _ => Ok(model),
    }
}

fn path(set: LargeSet) -> Result<PathBuf, ()> {
    match set {
        LargeSet::Path(path) => Ok(path),
        LargeSet::Rows(_) => Err(()),
    }
}

fn mixed(name: &str) -> Failure {
    Failure::Usage(format!("{name}: one set is a file and the other an array; give two files or two arrays"))
}
