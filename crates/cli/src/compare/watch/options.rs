//! The options of `unisphere watch`.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::super::{named, options::MeasureOptions};
use crate::{text::words, values::positive};

/// The longest time between two looks, in seconds: a day.
const MAX_INTERVAL: f64 = 86_400.0;

const FOLDER: &str = "The folder";
const OUTPUT: &str = "The report";

#[derive(Debug, clap::Args)]
pub(crate) struct WatchOptions {
    /// The folder that a training writes its checkpoints into: files of points, or folders with a file x and perhaps a file y, which is
    /// to be written before x. The number behind 'step' in the name of each, or else the last, is its step
    #[arg(value_name = "FOLDER")]
    pub(super) folder: PathBuf,

    /// The checkpoints, by their paths in the folder, such as 'step_*/embeddings.npy' [default: all files of points but CSV and text,
    /// and in each folder the file x]
    #[arg(long, value_name = "PATTERN", help_heading = FOLDER)]
    pub(super) pattern: Option<String>,

    /// Look at the folder every S seconds. A checkpoint is measured once it has been still for as long
    #[arg(long, value_name = "S", value_parser = interval, allow_negative_numbers = true, default_value_t = 2.0)]
    #[arg(help_heading = FOLDER)]
    pub(super) interval: f64,

    /// Measure what is there, and end
    #[arg(long, help_heading = FOLDER)]
    pub(super) once: bool,

    /// Append a line for each checkpoint to this CSV file, with a header where it is new [default: watch.csv in the folder]
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    csv: Option<PathBuf>,

    /// The page of all checkpoints, written anew with each [default: watch.html in the folder]
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    html: Option<PathBuf>,

    /// The checkpoint that the page holds all others against: its name in the folder, such as step_0.npy, or its path with FOLDER as it
    /// is named here, or an end of that [default: the first]
    #[arg(long, value_name = "NAME", help_heading = OUTPUT)]
    pub(super) baseline: Option<String>,

    /// Print a JSON object for each checkpoint, a line each
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) measure: MeasureOptions,

    /// The words behind `watch`, as they were given.
    #[arg(skip)]
    line: Vec<OsString>,
}

/// The option of a pattern, and those that are of a watch and of no `eval`; and whether a value is behind each.
const PATTERN: (&str, bool) = ("--pattern", true);
const OF_WATCH_ALONE: [(&str, bool); 8] = [
    PATTERN,
    ("--interval", true),
    ("--once", false),
    ("--csv", true),
    ("--html", true),
    ("--baseline", true),
    ("--cache", true),
    ("--no-cache", false),
];

/// Seconds between two looks.
fn interval(text: &str) -> Result<f64, &'static str> {
    positive(text)
        .ok()
        .filter(|&seconds| seconds <= MAX_INTERVAL)
        .ok_or("must be above 0 and at most 86400 seconds")
}

/// The line for a shell that watches a folder, with more words behind it.
pub(crate) fn line_for<'a>(folder: &'a Path, behind: impl IntoIterator<Item = &'a OsStr>) -> String {
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    let line = [OsStr::new("unisphere"), OsStr::new("watch"), folder.as_os_str()];
    words(line.into_iter().chain(behind))
}

impl WatchOptions {
    /// The same with the words that it was read from, for the lines of cures.
    pub(crate) fn of_line(self, line: &[OsString]) -> Self {
        Self { line: line.to_vec(), ..self }
    }

    /// The line for a shell that watches another folder, or by another pattern, with all else as it was given.
    pub(super) fn line_of(&self, folder: &Path, pattern: Option<&str>) -> String {
        let others = self.others(if pattern.is_some() { &[PATTERN] } else { &[] });
        let pattern = pattern.map(|pattern| [OsStr::new("--pattern"), OsStr::new(pattern)]);
        line_for(folder, pattern.into_iter().flatten().chain(others))
    }

    /// What is said where no checkpoint is there, and files of points that a pattern matches are in folders of this one.
    pub(super) fn cure_of_folders(&self, pattern: &str) -> String {
        format!(
            "files of points are in its folders, and {} takes them",
            self.line_of(&self.folder, Some(pattern))
        )
    }

    /// The line for a shell that measures what is in the place of the folder as one set, with all else that `eval` takes.
    pub(super) fn line_of_eval(&self) -> String {
        let line = [OsStr::new("unisphere"), OsStr::new("eval"), self.folder.as_os_str()];
        words(line.into_iter().chain(self.others(&OF_WATCH_ALONE)))
    }

    /// The words of the line without the folder and without these options.
    fn others(&self, without: &[(&str, bool)]) -> Vec<&OsStr> {
        let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"--");
        let is_folder = |at: &usize| self.line[*at] == *self.folder.as_os_str();
        // A file that an option names may be called so too.
        let behind_none = |at: &usize| *at == 0 || !is_option(&self.line[at - 1]);
        let places = || (0..self.line.len()).filter(is_folder);
        let folder = places().find(behind_none).or_else(|| places().next_back());
        let (mut others, mut is_value) = (Vec::new(), false);
        for (_, word) in self.line.iter().enumerate().filter(|(at, _)| Some(*at) != folder) {
            if std::mem::take(&mut is_value) {
                continue;
            }
            let text = word.to_string_lossy();
            let name = text.split('=').next().unwrap_or_default();
            match without.iter().find(|(option, _)| *option == name) {
                Some((_, has_value)) => is_value = *has_value && !text.contains('='),
                None => others.push(word.as_os_str()),
            }
        }
        others
    }

    pub(super) fn csv_file(&self) -> PathBuf {
        self.csv.clone().unwrap_or_else(|| self.folder.join("watch.csv"))
    }

    /// The checkpoint of a name: as it is called in the folder, or by its path, or the end of it. Else all whose paths end so.
    pub(super) fn named<'a>(&self, wanted: &str, names: &[&'a str]) -> Result<&'a str, Vec<&'a str>> {
        let paths: Vec<_> = names.iter().map(|name| self.folder.join(name)).collect();
        named(wanted, names.iter().copied().zip(paths.iter().map(PathBuf::as_path)))
    }

    pub(super) fn html_file(&self) -> PathBuf {
        self.html.clone().unwrap_or_else(|| self.folder.join("watch.html"))
    }
}

/// Exit codes, for `--help`.
pub(crate) const HELP: &str = "\
A checkpoint that cannot be read is told once, and looked at again when it changes; one whose contents change is measured again, in a
line of its own. A restart goes on where the CSV file ends: checkpoints whose last line there is of the same contents and options are
found in the cache, and get no further line. A file system that is away or full is told once, and tried again.
The page compares all checkpoints whose files are there, or were while the program ran, with the first of them, or with --baseline.

Exit codes:
  0    --once, and everything that is there was measured
  1    a fault of this program
  2    options that are wrong or contradict each other
  3    a folder or a file of results that cannot be read or written; --once, and a checkpoint that cannot be measured
  4    a device that is missing or failed
  5    a disk that failed or is full: try again
  130  as shells show an end of Ctrl-C, the usual one; everything measured is in the CSV file";
