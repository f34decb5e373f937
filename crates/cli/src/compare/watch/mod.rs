//! `unisphere watch`: every checkpoint of a training is measured as it comes, a line of a CSV file each, and a page of all of them.
//!
//! [`options`] → a look at the [`folder`] every few seconds → what is new and still is measured as `compare` measures it, and found in
//! its cache after a restart → the [`record`] and the page.

mod folder;
mod options;
mod record;
mod zero_rows;

pub(crate) use options::{HELP, WatchOptions, line_for};

use std::{
    collections::{HashMap, HashSet},
    fs, mem,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use unisphere::Engine;
use unisphere_eval::compare::Bootstrap;
use unisphere_io::{is_pattern, natural_order, printable};

use super::{
    Setting,
    measure::{CURE_OF_ZEROS_BY_OPTION, Measuring},
    run::Run,
    unknown_baseline,
};
use crate::{
    devices,
    endings::is_of_points,
    exit::{self, Failure},
    export::{self, Checkpoint, ComparedModel, ComparisonDocument, Exporter as _, Json, Text},
    interrupt, output,
    progress::Display,
    text::{in_line, plural, seconds},
};
use folder::{Folder, Found, State, X};
use record::{Lines, Record};
use zero_rows::ZeroRows;

/// How often a wait looks for Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

pub(crate) fn watch(options: &WatchOptions) -> Result<(), Failure> {
    check_folder(options)?;
    options.measure.check_zero_rows()?;
    let (csv, html) = (options.csv_file(), options.html_file());
    let folder = Folder::new(&options.folder, options.pattern.as_deref(), &options.measure.reading)?;
    // A page of an earlier watch may match the pattern, and is none of the inputs.
    let is_page = |path: &&Path| path.extension().is_some_and(|ending| ending == "html");
    let found = folder.look(&[])?;
    if let Some(wanted) = &options.baseline {
        check_baseline(wanted, options, &folder, [&csv, &html])?;
    }
    let inputs: Vec<_> = found.iter().flat_map(|of| of.state.paths()).collect();
    output::check_page(&html, inputs.iter().copied().filter(|path| !is_page(path)))?;
    output::check_distinct(&[("--csv", Some(&csv)), ("--html", Some(&html))])?;
    // A file with other columns than a watch's is refused, so that a CSV among the inputs is safe.
    let is_csv = |path: &&Path| path.extension().is_some_and(|ending| ending == "csv");
    let record = Record::open(&csv, inputs.iter().copied().filter(|path| !is_csv(path)))?;
    let lines = record.lines()?.count();
    let display = Display::new();
    display.step("opening the device");
    let engine = devices::open(&options.measure.device)?;
    drop(display);
    exit::say(&format!(
        "watching {}: {} {} in {}, and the page is {}{}",
        printable(&options.folder),
        plural(lines as u64, "checkpoint"),
        if lines == 1 { "is" } else { "are" },
        printable(&csv),
        printable(&html),
        if options.once { "" } else { "; Ctrl-C ends it, and the same command goes on" }
    ));
    if let (true, false, Some(pattern)) = (found.is_empty(), options.once, folder.pattern_within()) {
        exit::say(&format!("no checkpoint is there yet; {}", options.cure_of_folders(&pattern)));
    }
    let interval = Duration::from_secs_f64(options.interval);
    Watch {
        options,
        interval,
        outputs: [csv, html],
        folder,
        record,
        engine,
        seen: HashMap::new(),
        lines: None,
        models: Vec::new(),
        zero_rows: ZeroRows::default(),
        page_is_due: false,
        has_told_of_baseline: false,
        troubles: HashSet::new(),
    }
    .run()
}

/// Fails where what is to be watched is no folder, and says what is meant by a pattern or a file.
fn check_folder(options: &WatchOptions) -> Result<(), Failure> {
    let path = &options.folder;
    let name = printable(path);
    let eval = options.line_of_eval();
    if is_pattern(path) {
        let wrong = format!("{name} is a pattern, and watch takes a folder");
        let (folder, pattern) = in_folder(path);
        if Folder::new(&folder, Some(&pattern), &options.measure.reading).is_err() {
            return Err(Failure::Input(format!(
                "{wrong}\nname the folder, and which of its files are checkpoints behind --pattern, such as 'step_*.npy'"
            )));
        }
        // What is in a folder is taken without a pattern, as are files in folders of it.
        let pattern = Some(pattern.as_str()).filter(|pattern| *pattern != "*");
        return Err(Failure::Input(format!(
            "{wrong}\n{} takes each file as a checkpoint; {eval} takes all for one set",
            options.line_of(&folder, pattern)
        )));
    }
    if path.is_file() {
        // Of other endings, files are taken by a pattern alone.
        let ending = path.extension().filter(|_| !is_of_points(path) && options.pattern.is_none());
        let pattern = ending.map(|ending| format!("*.{}", ending.display()));
        return Err(Failure::Input(format!(
            "{name} is a file, and watch takes a folder\n{} measures the files in it; {eval}, this one",
            options.line_of(path.parent().unwrap_or(Path::new("")), pattern.as_deref())
        )));
    }
    Ok(())
}

/// The folder of a pattern, and the pattern of files within it, as --pattern takes them.
fn in_folder(path: &Path) -> (PathBuf, String) {
    let has_signs = |path: &Path| path.to_string_lossy().contains(['*', '?', '[']);
    let folder =
        path.ancestors().find(|folder| folder.is_dir() || !has_signs(folder)).unwrap_or(Path::new(""));
    let within = path.strip_prefix(folder).unwrap_or(path).components();
    // A ** is any number of folders, of which --pattern takes one.
    let parts = within.map(|part| part.as_os_str().to_string_lossy().replace("**", "*"));
    let mut pattern = parts.collect::<Vec<_>>().join("/");
    let first = glob::glob(&path.to_string_lossy()).ok().and_then(|mut found| found.find_map(Result::ok));
    if let Some(first) = first.filter(|found| found.is_dir()) {
        match points_in(&first) {
            Some(name) => pattern += &format!("/{}", glob::Pattern::escape(&name)),
            None if pattern != "*" => pattern += &format!("/{X}.*"),
            None => {}
        }
    }
    (folder.to_path_buf(), pattern)
}

/// The first file of points in a folder without a file x.
fn points_in(folder: &Path) -> Option<String> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|file| file.path());
    let mut files: Vec<_> = files.filter(|path| is_of_points(path) && path.is_file()).collect();
    files.sort();
    let has_x = files.iter().any(|path| path.file_stem().is_some_and(|stem| stem == X));
    files.first().filter(|_| !has_x)?.file_name()?.to_str().map(str::to_owned)
}

/// Fails where the paths of several checkpoints end in the name of the baseline, and in a single round where none has it; else says that
/// it is waited for.
fn check_baseline(
    wanted: &str,
    options: &WatchOptions,
    folder: &Folder<'_>,
    outputs: [&PathBuf; 2],
) -> Result<(), Failure> {
    let found = folder.look(&outputs.map(PathBuf::as_path))?;
    let names: Vec<_> = found.iter().map(|of| of.name.as_str()).collect();
    let Err(ending) = options.named(wanted, &names) else { return Ok(()) };
    if options.once && names.is_empty() {
        return Ok(());
    }
    if options.once || !ending.is_empty() {
        return Err(unknown_baseline(wanted, &ending, &names));
    }
    exit::say(&format!(
        "--baseline {}: no checkpoint has this name yet, and until one has, the page is against the first",
        printable(wanted)
    ));
    Ok(())
}

/// What became of the checkpoints.
struct Watch<'a> {
    options: &'a WatchOptions,
    interval: Duration,
    /// The CSV file and the page.
    outputs: [PathBuf; 2],
    folder: Folder<'a>,
    record: Record,
    engine: Engine,
    /// How each was at the last look, by its name.
    seen: HashMap<String, Seen>,
    /// The lines of the record, as they were at the first checkpoint of this look.
    lines: Option<Lines>,
    /// Those that were measured and are on the page, by their steps.
    models: Vec<ComparedModel>,
    /// Which rows are zeros, where these are skipped.
    zero_rows: ZeroRows,
    /// Whether the page lacks something.
    page_is_due: bool,
    /// Whether it is said that the paths of several checkpoints end in the name of the baseline.
    has_told_of_baseline: bool,
    /// Faults that are told, and may pass: each once until all is well again.
    troubles: HashSet<String>,
}

/// A checkpoint as it was at the last look.
struct Seen {
    state: State,
    since: Instant,
    fate: Fate,
    /// The rows that were left out of it when it was refused.
    left_out: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// Still to be measured.
    Due,
    Measured,
    /// Told as what cannot be measured, until it changes, or what is left out of it.
    Refused,
    /// A disk failed in reading it: to be tried again.
    Unread,
}

impl Watch<'_> {
    fn run(mut self) -> Result<(), Failure> {
        loop {
            match self.look() {
                // In a single round nothing is tried again.
                Err(failure) if self.options.once => return Err(failure),
                // A file system that is away or full comes back.
                Err(Failure::Input(reason) | Failure::Machine(reason)) => self.trouble(&reason),
                looked => {
                    looked?;
                    self.troubles.clear();
                }
            }
            let is_settled = self.seen.values().all(|seen| seen.fate != Fate::Due);
            if self.options.once && is_settled {
                return self.ended();
            }
            wait(self.interval)?;
        }
    }

    /// Says what is wrong and may pass, once.
    fn trouble(&mut self, reason: &str) {
        if self.troubles.insert(reason.to_owned()) {
            let reason = in_line(reason);
            exit::say(&format!("{reason}; it is tried again every {}", seconds(self.options.interval)));
        }
    }

    /// The end of a single round, which fails where a checkpoint could not be measured.
    fn ended(&self) -> Result<(), Failure> {
        let with = |fate: Fate| self.seen.values().filter(|seen| seen.fate == fate).count();
        let (refused, unread) = (with(Fate::Refused), with(Fate::Unread));
        if self.seen.is_empty() {
            let cure = self.folder.pattern_within().map(|pattern| self.options.cure_of_folders(&pattern));
            exit::say(&format!(
                "no checkpoint is there, and no page was written; {}",
                cure.as_deref().unwrap_or("--pattern says which files are checkpoints")
            ));
        }
        if let Some(name) = self.options.baseline.as_ref()
            && self.baseline(&self.models).is_none()
            && let Some(first) = self.models.first()
        {
            exit::say(&format!(
                "--baseline {}: no checkpoint that was measured has this name, and the page is against {}",
                printable(name),
                printable(&first.name)
            ));
        }
        if refused + unread == 0 {
            return Ok(());
        }
        let all = plural(self.seen.len() as u64, "checkpoint");
        let text = format!("{} of {all} could not be measured, as is said above", refused + unread);
        Err(if refused == 0 { Failure::Machine(text) } else { Failure::Input(text) })
    }

    fn look(&mut self) -> Result<(), Failure> {
        // Another program may have added to the record since the last.
        self.lines = None;
        let found = self.folder.look(&self.outputs.each_ref().map(PathBuf::as_path))?;
        // The state of what is gone is forgotten; what was measured of it stays on the page.
        let names: HashSet<_> = found.iter().map(|of| of.name.clone()).collect();
        self.seen.retain(|name, _| names.contains(name));
        let is_pair = |of: &Found| of.run.as_ref().is_ok_and(|run| run.y.is_some());
        let has_pairs = found.iter().any(is_pair) || self.models.iter().any(has_alignment);
        if has_pairs {
            self.leave_out_single_sets();
        }
        if self.options.measure.skips_zero_rows() {
            self.find_zero_rows(&found, has_pairs)?;
        }
        for found in found {
            self.look_at(found, has_pairs)?;
        }
        self.tell_of_baseline();
        if mem::take(&mut self.page_is_due)
            && !self.models.is_empty()
            && let Err(failure) = self.write_page()
        {
            self.page_is_due = true;
            return Err(failure);
        }
        Ok(())
    }

    /// Takes single sets off the page, where it is of pairs.
    fn leave_out_single_sets(&mut self) {
        let before = self.models.len();
        self.models.retain(has_alignment);
        let left_out = before - self.models.len();
        if left_out > 0 {
            self.page_is_due = true;
            let checkpoints = plural(left_out as u64, "checkpoint");
            exit::say(&format!("{checkpoints} of one set left the page, as others are pairs"));
        }
    }

    /// Whether a checkpoint is to be measured now: it has been still for an interval.
    fn is_due(&self, name: &str, state: &State) -> bool {
        self.seen.get(name).is_some_and(|seen| {
            let is_over = matches!(seen.fate, Fate::Measured | Fate::Refused);
            seen.state == *state && !is_over && seen.since.elapsed() >= self.interval
        })
    }

    /// Finds the rows of zeros of checkpoints that are due, and what is left out of all. Those that were measured or refused with other
    /// rows are due again; they leave the page until then.
    fn find_zero_rows(&mut self, found: &[Found], has_pairs: bool) -> Result<(), Failure> {
        let is_measured = |of: &Found| of.run.as_ref().is_ok_and(|run| run.y.is_some() || !has_pairs);
        let due = found.iter().filter(|of| is_measured(of) && self.is_due(&of.name, &of.state));
        for of in due.collect::<Vec<_>>() {
            let Ok(run) = &of.run else { continue };
            match self.with_measuring(HashMap::new(), |measuring| measuring.zero_rows(run)) {
                Ok(zero) => self.zero_rows.insert(&of.name, zero, of.state.written()),
                // It is told when it is measured.
                Err(Failure::Input(_) | Failure::Machine(_)) => self.zero_rows.remove(&of.name),
                Err(failure) => return Err(failure),
            }
        }
        let there: HashSet<_> =
            found.iter().filter(|of| is_measured(of)).map(|of| of.name.as_str()).collect();
        // What leaves the page as it is gone takes its rows with it.
        while self.share_out_zero_rows(&there) {}
        for (name, seen) in &mut self.seen {
            if seen.fate == Fate::Refused && seen.left_out != self.zero_rows.left_out_of(name) {
                seen.fate = Fate::Due;
            }
        }
        Ok(())
    }

    /// Finds what is left out of all, by the checkpoints that are there and those on the page: as a restart would, but for what is gone.
    /// False where all on the page were measured so.
    fn share_out_zero_rows(&mut self, there: &HashSet<&str>) -> bool {
        let on_page: HashSet<_> = self.models.iter().map(|of| of.name.as_str()).collect();
        self.zero_rows.retain(|name| there.contains(name) || on_page.contains(name));
        self.zero_rows.share_out();
        let is_old =
            |of: &ComparedModel| self.zero_rows.left_out(of.model.rows + of.skipped.len()) != of.skipped;
        let old: Vec<_> = self.models.iter().filter(|of| is_old(of)).map(|of| of.name.clone()).collect();
        self.models.retain(|of| !old.contains(&of.name));
        self.page_is_due |= !old.is_empty();
        for name in &old {
            match self.seen.get_mut(name) {
                Some(seen) => seen.fate = Fate::Due,
                None => exit::say(&format!(
                    "{} left the page: its file is gone, and other rows of zeros are left out now",
                    printable(name)
                )),
            }
        }
        !old.is_empty()
    }

    /// Measures a checkpoint that has been still for an interval.
    fn look_at(&mut self, found: Found, has_pairs: bool) -> Result<(), Failure> {
        let Found { name, run, state } = found;
        if self.seen.get(&name).is_none_or(|seen| seen.state != state) {
            let (since, fate, left_out) = (Instant::now(), Fate::Due, Vec::new());
            self.seen.insert(name, Seen { state, since, fate, left_out });
            return Ok(());
        }
        if !self.is_due(&name, &state) {
            return Ok(());
        }
        let run = match run {
            Ok(run) if run.y.is_none() && has_pairs => {
                let is_of_folder = run.x.path().file_stem().is_some_and(|stem| stem == "x");
                let then = if is_of_folder { "it is measured once its y is there" } else { "it is left out" };
                let text = format!(
                    "is one set, and others are pairs: {then}; --pattern '*/x.*' chooses folders, and '*.npy' files"
                );
                self.settle(&name, Fate::Refused, &text);
                return Ok(());
            }
            Ok(run) => run,
            Err(reason) => {
                self.settle(&name, Fate::Refused, &not_measured(&reason));
                return Ok(());
            }
        };
        if let Some(reason) = self.zero_rows.refusal(&name) {
            self.settle(&name, Fate::Refused, &format!("is not measured: {reason}"));
            return Ok(());
        }
        match self.measure(&run) {
            Ok(model) => {
                self.put(model)?;
                self.settle(&name, Fate::Measured, "");
            }
            Err(Failure::Input(reason)) => self.settle(&name, Fate::Refused, &not_measured(&reason)),
            Err(Failure::Machine(reason)) => {
                self.settle(&name, Fate::Unread, "");
                self.trouble(&reason);
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Notes what became of a checkpoint, and says it where there is something to be said.
    fn settle(&mut self, name: &str, fate: Fate, said: &str) {
        if let Some(seen) = self.seen.get_mut(name) {
            seen.fate = fate;
            seen.left_out = self.zero_rows.left_out_of(name);
        }
        if !said.is_empty() {
            exit::say(&format!("{} {said}", printable(name)));
        }
    }

    fn measure(&self, run: &Run) -> Result<ComparedModel, Failure> {
        let skipped = HashMap::from([(run.name.clone(), self.zero_rows.left_out_of(&run.name))]);
        self.with_measuring(skipped, |measuring| measuring.model(run))
    }

    /// Does something with what all checkpoints are measured with, and with the rows that are left out of some.
    fn with_measuring<T>(
        &self,
        skipped: HashMap<String, Vec<usize>>,
        then: impl FnOnce(&Measuring<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let display = Display::new();
        let measure = &self.options.measure;
        let engine = self.engine.clone().observed_by(display.observer());
        let cache = measure.cache()?;
        let (plan, reading) = (measure.plan(), &measure.reading);
        then(&Measuring {
            plan,
            engine: &engine,
            display: &display,
            cache,
            is_fingerprinted: true,
            reading,
            unused: Vec::new(),
            cure_of_zeros: CURE_OF_ZEROS_BY_OPTION,
            skipped,
        })
    }

    /// Takes a checkpoint in: in the place of what it was before, in the order of steps. It has a line and is told, unless its last line
    /// with these options is of the same.
    fn put(&mut self, model: ComparedModel) -> Result<(), Failure> {
        let plan = self.options.measure.plan();
        let mut lines = self.lines.take().map_or_else(|| self.record.lines(), Ok)?;
        if lines.add(&model, &plan) {
            let document = self.document(vec![model.clone()])?;
            let checkpoint = Checkpoint { document: &document };
            self.record.append(&checkpoint)?;
            output::print(&if self.options.json {
                Json.export(&checkpoint)
            } else {
                Text.export(&checkpoint)
            })?;
        }
        self.lines = Some(lines);
        self.models.retain(|of| of.name != model.name);
        let step = |of: &ComparedModel| of.place.step.unwrap_or(f64::INFINITY);
        let at = self.models.partition_point(|of| {
            step(of).total_cmp(&step(&model)).then_with(|| natural_order(&of.name, &model.name)).is_lt()
        });
        self.models.insert(at, model);
        self.page_is_due = true;
        Ok(())
    }

    /// These checkpoints beside the first of them.
    fn document(&self, models: Vec<ComparedModel>) -> Result<ComparisonDocument, Failure> {
        let measure = &self.options.measure;
        let first = || models.first().map(|of| of.name.clone());
        // A line of one checkpoint is beside itself, as is a page before its baseline is there.
        let baseline = self.baseline(&models).or_else(first).unwrap_or_default();
        let setting = Setting { plan: measure.plan(), engine: &self.engine, reading: &measure.reading };
        setting.document(models, Vec::new(), baseline, Bootstrap::default())
    }

    /// The name of the baseline that the options name, where it is among these.
    fn baseline(&self, models: &[ComparedModel]) -> Option<String> {
        let names: Vec<_> = models.iter().map(|of| of.name.as_str()).collect();
        self.options.named(self.options.baseline.as_ref()?, &names).ok().map(str::to_owned)
    }

    /// Says, once, that the paths of several checkpoints have come to end in the name of the baseline.
    fn tell_of_baseline(&mut self) {
        let names: Vec<_> = self.models.iter().map(|of| of.name.as_str()).collect();
        if let Some(wanted) = &self.options.baseline
            && let Err(ending) = self.options.named(wanted, &names)
            && !ending.is_empty()
            && !mem::replace(&mut self.has_told_of_baseline, true)
        {
            exit::say(&format!(
                "--baseline {}: the paths of {} checkpoints end so now, and the page is against the first; name one of them: {}",
                printable(wanted),
                ending.len(),
                ending.iter().map(printable).collect::<Vec<_>>().join(", ")
            ));
        }
    }

    fn write_page(&self) -> Result<(), Failure> {
        let [_, html] = &self.outputs;
        export::write_page(html, &self.document(self.models.clone())?)
    }
}

fn has_alignment(of: &ComparedModel) -> bool {
    of.model.alignment.is_some()
}

fn not_measured(reason: &str) -> String {
    format!("is not measured: {}; it is looked at again when it changes", in_line(reason))
}

/// Waits, and ends with the program.
fn wait(time: Duration) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        interrupt::check()?;
        let left = time.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(TICK));
    }
}
