//! One model measured, or what is kept of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::PathBuf,
    time::{Instant, SystemTime},
};

use unisphere::{Embeddings, Engine, Scaling};
use unisphere_eval::{
    Rounding, Session,
    compare::{ComparePlan, Model, ModelRows},
};
use unisphere_io::{Fault, File, Shards, Source, printable, unused_options};

use super::{
    cache::{Cache, Key},
    run::Run,
};
use crate::{
    eval::whole,
    exit::Failure,
    export::{ComparedModel, FailedModel},
    interrupt,
    origin::about_mean,
    progress::Display,
    reading::{Of, ReadingOptions, warn_of_guess, warn_of_order},
    scale::{check_dims, check_pairs},
    set_files::SetFiles,
};

/// The help against a row of zeros, where there is no option that skips it.
pub(super) const CURE_OF_ZEROS: &str =
    "leave such rows out of the files of all models; --raw takes rows as they are";
/// The same where there is one.
pub(super) const CURE_OF_ZEROS_BY_OPTION: &str =
    "--zero-rows skip leaves such rows out of all models, and --raw takes rows as they are";

/// The least number of rows that uniformity is of.
pub(super) const LEAST_ROWS: usize = 2;

/// What all models are measured with.
pub(super) struct Measuring<'a> {
    pub(super) plan: ComparePlan,
    pub(super) engine: &'a Engine,
    pub(super) display: &'a Display,
    pub(super) cache: Option<Cache>,
    /// Whether each model is to have a fingerprint, which takes a reading more where there is no cache.
    pub(super) is_fingerprinted: bool,
    pub(super) reading: &'a ReadingOptions,
    /// Options that mean nothing to the files of all other models, where this is of a pipe: see [`check_options`].
    pub(super) unused: Vec<&'static str>,
    /// The help against a row of zeros.
    pub(super) cure_of_zeros: &'static str,
    /// Rows of zeros that are left out of a model, by its name.
    pub(super) skipped: HashMap<String, Vec<usize>>,
}

/// A model, and how it was come by.
struct Found {
    model: Model,
    /// Its files under their roles, and how they are read, where that is not known before they are opened: of pipes, and of tables that
    /// are read without some of their columns.
    piped: Option<Vec<(&'static str, String)>>,
    /// What rounding has taken of its points.
    rounding: Option<Rounding>,
    fingerprint: Option<String>,
    /// Whether it was in the cache.
    cached: bool,
    seconds: f64,
}

/// What is measured of a model, what rounding took of it, and the files of pipes.
type Measured = (ModelRows, Option<Rounding>, Option<Vec<(&'static str, String)>>);

impl Measuring<'_> {
    /// A model with its numbers.
    pub(super) fn model(&self, run: &Run) -> Result<ComparedModel, Failure> {
        let Found { model, piped, rounding, fingerprint, cached, seconds } = self.find(run)?;
        let (name, place) = (run.name.clone(), run.place);
        let files = piped.unwrap_or_else(|| self.files(run));
        let skipped = self.skipped(run).to_vec();
        Ok(ComparedModel { name, files, place, model, rounding, skipped, fingerprint, cached, seconds })
    }

    /// Measures a model into those that were measured, or tells why it cannot be among those that failed. Fails where no other model
    /// could be measured either.
    pub(super) fn sort_in(
        &self,
        run: &Run,
        models: &mut Vec<ComparedModel>,
        failed: &mut Vec<FailedModel>,
    ) -> Result<(), Failure> {
        let (reason, is_of_disk) = match self.model(run) {
            Ok(model) => {
                models.push(model);
                return Ok(());
            }
            Err(Failure::Input(reason)) => (reason, false),
            Err(Failure::Machine(reason)) => (reason, true),
            Err(failure) => return Err(failure),
        };
        failed.push(FailedModel { name: run.name.clone(), files: self.files(run), reason, is_of_disk });
        Ok(())
    }

    /// A model of rows that a caller holds: x, and perhaps y. It is kept nowhere.
    pub(super) fn held(&self, name: &str, x: &dyn Source, y: Option<&dyn Source>) -> Result<Model, Failure> {
        y.map_or(Ok(()), |y| check_pairs(x, y))?;
        [x].into_iter().chain(y).try_for_each(|set| check_dims(set, self.plan.scaling))?;
        let rows = self.measured(name, x, y, |set| Ok(set.embeddings(self.plan.scaling)?))?;
        Ok(Model::new(&self.plan, rows)?)
    }

    /// What is measured of two sets, or of one, each read and copied to the device before the next.
    fn measured<'a, S>(
        &self,
        name: &str,
        x: S,
        y: Option<S>,
        read: impl Fn(S) -> Result<Embeddings<'a>, Failure>,
    ) -> Result<ModelRows, Failure> {
        let (name, control) = (printable(name), self.display.control());
        let mut session = Session::new(self.engine, move |step| {
            self.display.counted(format!("{name}: {step}"));
            control()
        });
        let mut load = |set| session.upload_points(read(set)?).map_err(of_model);
        let (x, y) = (load(x)?, y.map(&mut load).transpose()?);
        ModelRows::measure(&self.plan, &x, y.as_ref(), &mut session).map_err(of_model)
    }

    /// Its files under their roles, and how they are read.
    fn files(&self, run: &Run) -> Vec<(&'static str, String)> {
        run.sets().map(|(role, files)| (role, self.reading.told(files.path(), Of::role(role)))).collect()
    }

    fn find(&self, run: &Run) -> Result<Found, Failure> {
        let start = Instant::now();
        // A file that is written to meanwhile is not the one whose contents the key is of, and may be half of either.
        let before = states(run);
        let mut key = None;
        // A pipe gives its bytes once, and is in no cache.
        if (self.cache.is_some() || self.is_fingerprinted) && !run.is_piped() {
            self.display.step(format!("looking for {} in the cache", printable(&run.name)));
            key = Some(Key::of(run, self.reading, &self.plan, self.engine, self.skipped(run))?);
        }
        let fingerprint = key.as_ref().map(Key::fingerprint);
        let known = key.and_then(|key| self.cache.as_ref()?.find(key));
        let ((rows, rounding, piped), cached) = match known {
            Some(rows) => ((rows, self.rounding(run)?, None), true),
            None => (self.rows(run)?, false),
        };
        if states(run) != before {
            return Err(Failure::Input(format!(
                "{} was written to while it was read; compare it again once it is complete",
                printable(run.x.path())
            )));
        }
        if let (false, Some(cache), Some(key)) = (cached, &self.cache, key) {
            cache.keep(key, &rows);
        }
        let model = Model::new(&self.plan, rows)?;
        Ok(Found { model, piped, rounding, fingerprint, cached, seconds: start.elapsed().as_secs_f64() })
    }

    /// Reads and measures its sets; raw ones are taken about their mean, where that saves most of what rounding takes.
    fn rows(&self, run: &Run) -> Result<Measured, Failure> {
        let (x, y) = self.opened(run)?;
        let told = |(role, files): (&'static str, &SetFiles), set: &Shards| {
            let file = set.files().first()?;
            Some((role, self.reading.told_of(files.path(), Of::role(role), file)))
        };
        let sets = || run.sets().zip([&x].into_iter().chain(&y)).filter_map(|(of, set)| told(of, set));
        let has_left_out =
            || [&x].into_iter().chain(&y).flat_map(Shards::files).any(|file| file.left_out().is_some());
        let piped = (run.is_piped() || has_left_out()).then(|| sets().collect());
        let skipped = self.skipped(run);
        whole::check_enough(&x, x.rows().saturating_sub(skipped.len()))?;
        y.as_ref().map_or(Ok(()), |y| check_pairs(&x, y))?;
        whole::check_memory([&x].into_iter().chain(&y).flat_map(Shards::files), "compare")?;
        let scaling = self.plan.scaling;
        let (x, y, rounding) = interrupt::leaving_at_once(|| about_mean(x, y, scaling, true))??;
        let rows = self.measured(&run.name, &x, y.as_ref(), |set: &Shards| {
            whole::read(set, self.display, self.cure_of_zeros, |set| match skipped {
                [] => set.embeddings(scaling),
                rows => set.embeddings_without(rows, scaling),
            })
        })?;
        Ok((rows, rounding, piped))
    }

    /// What rounding takes of the points of a model in the cache, whose entry does not say it.
    fn rounding(&self, run: &Run) -> Result<Option<Rounding>, Failure> {
        let scaling = self.plan.scaling;
        if scaling == Scaling::Unit {
            return Ok(None);
        }
        let (x, y) = self.opened(run)?;
        let (.., rounding) = interrupt::leaving_at_once(|| about_mean(x, y, scaling, true))??;
        Ok(rounding)
    }

    fn opened(&self, run: &Run) -> Result<(Shards, Option<Shards>), Failure> {
        let open = |files: &SetFiles, set, other| {
            let opened = interrupt::leaving_at_once(|| files.open(&self.reading.reading(set)))?;
            let opened = opened.map_err(|error| SetFiles::fault_beside(other, self.reading, set, error))?;
            check_dims(&opened, self.plan.scaling)?;
            warn_of_guess(opened.files());
            Ok::<_, Failure>(opened)
        };
        let x = open(&run.x, Of::X, run.y.as_ref())?;
        let y = run.y.as_ref().map(|y| open(y, Of::Y, Some(&run.x))).transpose()?;
        File::check_columns([&x].into_iter().chain(&y).flat_map(Shards::files))?;
        warn_of_order([&x].into_iter().chain(&y).flat_map(Shards::files));
        // What none of its files takes may be of another model's.
        let is_unused = |option: &&&'static str| {
            let mut files = [&x].into_iter().chain(&y).flat_map(Shards::files);
            files.all(|file| file.unused_options().contains(option))
        };
        match self.unused.iter().filter(|_| run.is_piped()).find(is_unused) {
            Some(option) => Err(unused_option(run.x.path().into(), option)),
            None => Ok((x, y)),
        }
    }

    fn skipped(&self, run: &Run) -> &[usize] {
        self.skipped.get(&run.name).map_or(&[], Vec::as_slice)
    }

    /// Finds the rows of zeros of all models, which are left out of every model of as many rows: row i of each is of the same thing. What
    /// cannot be read, or has hardly another row, is told when it is measured, and takes nothing from the others.
    pub(super) fn skip_zero_rows(&mut self, runs: &[Run]) -> Result<(), Failure> {
        let mut of_rows: BTreeMap<usize, (BTreeSet<usize>, Vec<&str>)> = BTreeMap::new();
        for run in runs {
            self.display.step(format!("looking for rows of zeros in {}", printable(&run.name)));
            match self.zero_rows(run) {
                Ok((rows, zero)) if !zero.is_empty() && zero.len() + LEAST_ROWS > rows => {
                    self.skipped.insert(run.name.clone(), zero);
                }
                Ok((rows, zero)) => {
                    let (all, names) = of_rows.entry(rows).or_default();
                    all.extend(zero);
                    names.push(&run.name);
                }
                Err(Failure::Input(_) | Failure::Machine(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        for (zero, names) in of_rows.into_values() {
            let zero: Vec<_> = zero.into_iter().collect();
            self.skipped.extend(names.into_iter().map(|name| (name.to_owned(), zero.clone())));
        }
        Ok(())
    }

    /// The number of rows of a model, and those that are zero in x or in y, in order.
    pub(super) fn zero_rows(&self, run: &Run) -> Result<(usize, Vec<usize>), Failure> {
        let (x, y) = self.opened(run)?;
        y.as_ref().map_or(Ok(()), |y| check_pairs(&x, y))?;
        let mut zero = BTreeSet::new();
        for set in [&x].into_iter().chain(&y) {
            zero.extend(interrupt::leaving_at_once(|| set.zero_rows())??);
        }
        Ok((x.rows(), zero.into_iter().collect()))
    }
}

/// Refuses an option that means nothing to any file of these models. Where one of them is a pipe, whose format is not known before it is
/// opened, the options are told that mean nothing to all others; none where there are two pipes or more, of which either may take them.
pub(super) fn check_options(runs: &[Run], reading: &ReadingOptions) -> Result<Vec<&'static str>, Failure> {
    let pipes = runs.iter().filter(|run| run.is_piped()).count();
    // Two names are of one file each, which fails by itself where it has no such thing.
    if pipes > 1 || reading.names_two_sets() {
        return Ok(Vec::new());
    }
    let files = runs.iter().flat_map(|run| {
        let of = |(role, path): (&str, PathBuf)| (path, Of::role(role));
        run.files().map(of).filter(|(path, _)| fs::metadata(path).is_ok_and(|there| there.is_file()))
    });
    let mut first = None;
    let mut unused = ReadingOptions::OF_SOME_FORMATS.to_vec();
    for (path, set) in files {
        let of_file = unused_options(&path, &reading.reading(set));
        unused.retain(|option| of_file.contains(option));
        first.get_or_insert(path);
    }
    match (first, unused.first().copied()) {
        (Some(path), Some(option)) if pipes == 0 => Err(unused_option(path, option)),
        _ => Ok(unused),
    }
}

fn unused_option(path: PathBuf, option: &'static str) -> Failure {
    unisphere_io::Error { path, fault: Fault::UnusedOption { option } }.into()
}

/// A fault in measuring a model: where the device is too small for it, others may be measured all the same.
fn of_model(error: unisphere_eval::Error) -> Failure {
    use unisphere::Error::{Limit, OutOfMemory};
    match &error {
        unisphere_eval::Error::Engine(OutOfMemory { .. } | Limit { .. }) => Failure::Input(format!(
            "{}\ncompare holds all points of a model: take a sample of its rows, of all models the same, or another --device",
            error.to_string().lines().next().unwrap_or_default()
        )),
        _ => error.into(),
    }
}

/// Lengths and times of a model's files; None where the system does not say. Nothing of pipes, which change as they are read.
fn states(run: &Run) -> Vec<Option<(u64, SystemTime)>> {
    if run.is_piped() {
        return Vec::new();
    }
    let state = |(_, path): (_, PathBuf)| {
        let there = fs::metadata(path).ok()?;
        Some((there.len(), there.modified().ok()?))
    };
    run.files().map(state).collect()
}
