//! The options of `unisphere watch`.

use std::path::PathBuf;

use super::super::{named, options::MeasureOptions};
use crate::values::positive;

/// The longest time between two looks, in seconds: a day.
const MAX_INTERVAL: f64 = 86_400.0;

const FOLDER: &str = "The folder";
const OUTPUT: &str = "The report";

#[derive(Debug, clap::Args)]
pub(crate) struct WatchOptions {
    /// The folder that a training writes its checkpoints into: files of points, or folders with a file x and perhaps a file y, which is
    /// to be written before x. The last number in the name of each is its step
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
}

/// Seconds between two looks.
fn interval(text: &str) -> Result<f64, &'static str> {
    positive(text)
        .ok()
        .filter(|&seconds| seconds <= MAX_INTERVAL)
        .ok_or("must be above 0 and at most 86400 seconds")
}

impl WatchOptions {
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
