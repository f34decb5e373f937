//! The options of `unisphere compare`.

use std::path::PathBuf;

use unisphere::{Alignment, DeviceChoice, Scaling, Uniformity};
use unisphere_eval::compare::{Bootstrap, ComparePlan};

use super::cache::Cache;
use crate::{
    exit::Failure,
    reading::ReadingOptions,
    values::{ZeroRows, device, factor, positive},
};

const TABLE: &str = "The table";
const MEASURED: &str = "What is measured";
const OUTPUT: &str = "The report";

#[derive(Debug, clap::Args)]
pub(crate) struct CompareOptions {
    /// A model each: a set, such as a.npy, or a quoted pattern of numbered files, such as 'emb_*.npy'; a pair of sets whose rows are
    /// positive pairs, such as x.npy:y.npy; a folder with a file of its points, or with a file x and a file y, of any format:
    /// model/x.npy and model/y.npy; or a pipe, or - for standard input, which no cache keeps. Its name is the argument itself
    #[arg(value_name = "MODEL", required_unless_present = "runs", conflicts_with = "runs")]
    pub(super) models: Vec<PathBuf>,

    /// A table of models: CSV (or .tsv) with the columns name and x, and perhaps y, step and score. Paths are from the folder of
    /// the table. Empty cells have no value, and other columns are ignored
    #[arg(long, value_name = "FILE", help_heading = TABLE)]
    pub(super) runs: Option<PathBuf>,

    /// The model that all others are held against, by its name or the end of its path [default: the first]
    #[arg(long, value_name = "NAME", help_heading = TABLE)]
    pub(super) baseline: Option<String>,

    /// The column by which the table is in order, least first [default: the order of the models]. The step of a model is that of the table
    /// of --runs, or the number in which names differ, where they differ in one alone, or behind 'step'; last, best and final have none, and
    /// come at the end
    #[arg(long, value_name = "COLUMN", value_enum, help_heading = TABLE)]
    pub(super) sort: Option<SortColumn>,

    /// The greatest first
    #[arg(long, requires = "sort", help_heading = TABLE)]
    pub(super) descending: bool,

    /// The seed of the resamples that intervals of correlations are made of
    #[arg(long, value_name = "SEED", default_value_t = 0, help_heading = TABLE)]
    seed: u64,

    /// Print one JSON object
    #[arg(long, conflicts_with = "markdown", help_heading = OUTPUT)]
    pub(super) json: bool,

    /// Print tables in Markdown
    #[arg(long, help_heading = OUTPUT)]
    pub(super) markdown: bool,

    /// Write the report as a page too, with figures: one HTML file that needs nothing else
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(super) html: Option<PathBuf>,

    /// Append a line for each model to this CSV file, with a header where it is new
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(super) csv: Option<PathBuf>,

    #[command(flatten)]
    pub(super) measure: MeasureOptions,
}

/// What is measured of every model, and how.
#[derive(Debug, clap::Args)]
pub(super) struct MeasureOptions {
    /// Uniformity's t, in log mean exp(-t |x-x'|^2) [default: 2]
    #[arg(long, value_name = "T", value_parser = factor, allow_negative_numbers = true, help_heading = MEASURED)]
    t: Option<f64>,

    /// Alignment's power of the distance: mean |x-y|^alpha [default: 2]
    #[arg(long, value_parser = positive, allow_negative_numbers = true, help_heading = MEASURED)]
    pub(super) alpha: Option<f64>,

    /// Take the rows as they are [default: each is scaled to unit length]
    #[arg(long, help_heading = MEASURED)]
    raw: bool,

    /// Rows that are all zeros have no direction: error, or skip them, in all models of as many rows
    #[arg(long, value_name = "WHAT", value_enum, default_value_t, help_heading = MEASURED)]
    zero_rows: ZeroRows,

    /// Keep what was measured of each model in this folder, by the contents of its files: a model that is there already is not
    /// measured again [default: a folder in the user's cache directory]
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache", help_heading = OUTPUT)]
    cache: Option<PathBuf>,

    /// Measure every model, and keep nothing
    #[arg(long, help_heading = OUTPUT)]
    no_cache: bool,

    #[command(flatten)]
    pub(super) reading: ReadingOptions,

    /// auto (the best GPU, else the CPU), cpu, gpu (a software one if need be), or the index, the name or a part of the name of
    /// one that unisphere devices lists
    #[arg(long, default_value = "auto", value_parser = device(), help_heading = "The device")]
    pub(super) device: DeviceChoice,
}

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum SortColumn {
    /// As text, with numbers in their order.
    Name,
    Step,
    Score,
    Rows,
    Dims,
    Alignment,
    Uniformity,
}

impl MeasureOptions {
    /// The folder of what was measured before; None where nothing is to be kept, or there is no such folder.
    pub(super) fn cache(&self) -> Result<Option<Cache>, Failure> {
        match &self.cache {
            _ if self.no_cache => Ok(None),
            Some(folder) => Cache::named(folder).map(Some),
            None => Ok(Cache::of_user()),
        }
    }

    pub(super) fn skips_zero_rows(&self) -> bool {
        self.zero_rows == ZeroRows::Skip
    }

    /// Refuses to look for rows of zeros where they are points.
    pub(super) fn check_zero_rows(&self) -> Result<(), Failure> {
        if self.raw && self.skips_zero_rows() {
            return Err(Failure::Usage(
                "with --raw, rows of zeros are points like all others; leave out --zero-rows skip or --raw"
                    .into(),
            ));
        }
        Ok(())
    }

    pub(super) fn plan(&self) -> ComparePlan {
        let mut plan = ComparePlan::default();
        plan.scaling = if self.raw { Scaling::Raw } else { Scaling::Unit };
        plan.uniformity = self.t.map_or(plan.uniformity, |t| Uniformity { t });
        plan.alignment = self.alpha.map_or(plan.alignment, Alignment::new);
        plan
    }
}

impl CompareOptions {
    pub(super) fn bootstrap(&self) -> Bootstrap {
        Bootstrap { seed: self.seed, ..Bootstrap::default() }
    }
}

/// Exit codes, for `--help`.
pub(crate) const HELP: &str = "\
Intervals are of 95 %, by the jackknife over the rows; differences to the baseline leave the same row out of both models at
once, and their p-values are also corrected for the number of differences (Holm). Row i of every model is taken for the same
thing; models with other numbers of rows have no such difference.

Exit codes:
  0    a report was printed
  1    a fault of this program, or a report that could not be printed
  2    options that are wrong or contradict each other
  3    a file that cannot be read or written, or whose rows cannot be measured; the report has the other models
  4    a device that is missing or failed
  5    a disk that failed or is full, no thread to be had: try again
  130  as shells show an end of Ctrl-C; what was measured is in the cache";
