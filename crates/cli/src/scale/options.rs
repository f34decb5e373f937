//! The options of `unisphere eval` for sets of any size, and those of `plan`, `part` and `merge`.

use std::path::PathBuf;

use unisphere::{Candidates, DeviceChoice, Precision, Storage};
use unisphere_scale::Draw;

use super::Place;
use crate::{
    reading::ReadingOptions,
    set_files::ShardOptions,
    values::{candidates, device, draw, factor, fraction, positive, size},
};

const LARGE: &str = "Sets of any size";

/// What `eval` takes for sets that are too large for its report.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Scale {
    /// Estimate uniformity from a small part of the pairs: the interval's half-width, or auto (the larger of 1e-4 and a tenth
    /// of the standard error of the rows). Of squared MMD it is a part of the mean of the kernel within X and within Y. With --tau,
    /// the contrastive loss has an interval too, which is simulated, not proven. What no estimate can promise is computed from
    /// all pairs
    #[arg(long, value_name = "HALF_WIDTH", value_parser = tolerance, allow_negative_numbers = true)]
    #[arg(help_heading = LARGE)]
    pub(super) tolerance: Option<Tolerance>,

    /// What an estimate of the uniformity of one set is made of
    #[arg(long, value_name = "WHAT", value_parser = draw(), requires = "tolerance", help_heading = LARGE)]
    #[arg(default_value = "blocks")]
    pub(super) draw: Draw,

    /// The probability with which the interval is to hold the value [default: 0.95]
    #[arg(long, value_name = "P", value_parser = fraction, requires = "tolerance", help_heading = LARGE)]
    #[arg(allow_negative_numbers = true)]
    pub(super) confidence: Option<f64>,

    /// What the draw of the pairs follows from: the same seed gives the same bits [default: 0]
    #[arg(long, requires = "tolerance", help_heading = LARGE)]
    pub(super) seed: Option<u64>,

    /// No value of all pairs in the place of an estimate: exit code 3 where the tolerance is not reached
    #[arg(long, requires = "tolerance", help_heading = LARGE)]
    pub(super) estimate_only: bool,

    /// Keep points and results in so much memory, such as 500M or 4G, and read the files as often as it takes; values are of
    /// all pairs, unless --tolerance is given too [default where this is used: nine tenths of what is free]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = LARGE)]
    pub(super) max_memory: Option<u64>,

    /// Keep points in so much memory on each GPU, and those that do not fit in the memory of the host [default: half of what the
    /// GPU's driver says it has, or what --max-memory allows where it does not say]
    #[arg(long, value_name = "SIZE", value_parser = size, conflicts_with = "tolerance", help_heading = LARGE)]
    pub(super) max_device_memory: Option<u64>,

    /// Add cross uniformity, over all pairs of X with Y, and squared MMD [in a report of everything: --t or --full]
    #[arg(long, help_heading = LARGE)]
    pub(super) across: bool,

    /// Keep finished work of all pairs in this file: the same command goes on from it after a stop
    /// [default for runs of more than ten minutes: a file in the user's cache directory]
    #[arg(long, value_name = "FILE", conflicts_with = "estimate_only", help_heading = LARGE)]
    pub(super) journal: Option<PathBuf>,

    /// Compute on several devices at once, such as 0,1,cpu, by the names that --device takes: each takes blocks of pairs as it is
    /// free. Devices of one kind give the bits of one of them; of a mixture, the last digits are others in every run
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = device(), help_heading = LARGE)]
    #[arg(conflicts_with_all = ["tolerance", "device"])]
    pub(super) devices: Vec<DeviceChoice>,
}

/// The half-width that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tolerance {
    /// By the standard error of the rows.
    Auto,
    HalfWidth(f64),
}

impl Scale {
    /// Whether cross uniformity is asked for.
    pub(crate) fn across(&self) -> bool {
        self.across
    }

    /// What an estimate is asked for with.
    pub(crate) fn tolerance(&self) -> Option<Tolerance> {
        self.tolerance
    }

    /// Whether any of these options is given.
    pub(crate) fn is_used(&self) -> bool {
        self.given().is_some()
    }

    /// The first of these options that is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--tolerance", self.tolerance.is_some()),
            ("--max-memory", self.max_memory.is_some()),
            ("--max-device-memory", self.max_device_memory.is_some()),
            ("--journal", self.journal.is_some()),
            ("--devices", !self.devices.is_empty()),
            ("--across", self.across),
        ];
        options.into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
    }

    /// The devices that are asked for, or else this one.
    pub(crate) fn devices_or(&self, device: &DeviceChoice) -> Vec<DeviceChoice> {
        several_or_one(&self.devices, device)
    }
}

/// Several devices, or where none are named this one.
fn several_or_one(devices: &[DeviceChoice], device: &DeviceChoice) -> Vec<DeviceChoice> {
    if devices.is_empty() { vec![device.clone()] } else { devices.to_vec() }
}

/// A half-width, or auto.
fn tolerance(text: &str) -> Result<Tolerance, &'static str> {
    match text {
        "auto" => Ok(Tolerance::Auto),
        _ => {
            positive(text).map(Tolerance::HalfWidth).map_err(|_| "must be a positive, finite number, or auto")
        }
    }
}

/// Divide an evaluation into parts, for many machines: prints a plan
#[derive(Debug, clap::Args)]
pub(crate) struct PlanOptions {
    /// Embeddings, one point a row: a file, or a quoted pattern of numbered files, such as 'emb_*.npy'
    #[arg(value_name = "X", required_unless_present = "shards")]
    pub(super) x: Option<PathBuf>,

    /// Their positive partners, row by row: the same shape
    #[arg(value_name = "Y")]
    pub(super) y: Option<PathBuf>,

    #[command(flatten)]
    pub(super) shards: ShardOptions,

    #[command(flatten)]
    pub(super) reading: ReadingOptions,

    /// The number of parts, which have about as many pairs each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) parts: u32,

    /// Uniformity's t, or several
    #[arg(long, value_name = "T", value_delimiter = ',', value_parser = factor, allow_negative_numbers = true)]
    #[arg(default_value = "2")]
    pub(super) t: Vec<f64>,

    /// Alignment's power of the distance
    #[arg(long, value_parser = positive, allow_negative_numbers = true, default_value_t = 2.0)]
    pub(super) alpha: f64,

    /// Take the rows as they are [default: each is scaled to unit length]
    #[arg(long)]
    pub(super) raw: bool,

    /// Cross uniformity too, over all pairs of X with Y, and squared MMD
    #[arg(long)]
    pub(super) across: bool,

    /// The contrastive loss (InfoNCE) at this temperature, or several
    #[arg(long, value_delimiter = ',', value_parser = positive, allow_negative_numbers = true)]
    pub(super) tau: Vec<f64>,

    /// What competes with a positive in the contrastive loss, as for eval
    #[arg(long, value_name = "WHICH", value_parser = candidates(), requires = "tau", default_value = "both-ways")]
    pub(super) candidates: Candidates,

    /// The potential of every row and the distance of every pair too: merge --rows and --top tell them. Takes three times as long
    #[arg(long)]
    pub(super) potentials: bool,

    /// Histograms of the cosines of all pairs too. Takes twice as long
    #[arg(long, conflicts_with = "raw")]
    pub(super) cosines: bool,

    /// Count the pairs of one set at most this far apart too. Takes twice as long, with --cosines or without
    #[arg(long, value_name = "DISTANCE", value_parser = positive, allow_negative_numbers = true)]
    pub(super) near: Option<f64>,

    /// The label of every row, in a file as for eval: uniformity and alignment of each group of rows with one label too
    #[arg(long, value_name = "FILE")]
    pub(super) labels: Option<PathBuf>,

    /// The column or key of the labels [default: the only one]; without --labels, it is one of X's own file
    #[arg(long, value_name = "NAME")]
    pub(super) labels_column: Option<String>,
}

/// Compute one part of a plan, or go on with it
#[derive(Debug, clap::Args)]
pub(crate) struct PartOptions {
    /// The plan that `unisphere plan` has printed
    #[arg(value_name = "PLAN")]
    pub(super) plan: PathBuf,

    /// The part, from 1; or auto: what SLURM_ARRAY_TASK_ID, HQ_TASK_ID or PARALLEL_SEQ say, or JOB_COMPLETION_INDEX and 1
    #[arg(value_name = "K")]
    pub(super) part: String,

    /// The folder of the parts' files, the same for all of them
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,

    /// Memory for points and results, such as 500M or 4G [default: nine tenths of what is free]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) max_memory: Option<u64>,

    /// As for eval
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) max_device_memory: Option<u64>,

    /// As for eval
    #[arg(long, default_value = "auto", value_parser = device())]
    device: DeviceChoice,

    /// As for eval: several devices at once, the same kinds for all parts
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = device(), conflicts_with = "device")]
    devices: Vec<DeviceChoice>,

    /// As for eval
    #[arg(long, value_name = "GRADE", default_value_t)]
    precision: Precision,

    /// As for eval
    #[arg(long, value_name = "STORAGE", default_value_t)]
    storage: Storage,
}

impl PartOptions {
    pub(super) fn place(&self) -> Place {
        let devices = several_or_one(&self.devices, &self.device);
        Place { devices, precision: self.precision, storage: self.storage }
    }
}

/// Merge the parts of a plan into its report
#[derive(Debug, clap::Args)]
pub(crate) struct MergeOptions {
    /// The plan that `unisphere plan` has printed
    #[arg(value_name = "PLAN")]
    pub(super) plan: PathBuf,

    /// The folder of the parts' files
    #[arg(value_name = "DIR")]
    pub(super) parts: PathBuf,

    /// As for eval, of a plan with --potentials
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) top: Option<u32>,

    /// As for eval, of a plan with --potentials
    #[arg(long, value_name = "OUT.npy")]
    pub(super) rows: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,

    /// Print the report in Markdown, for a README or an issue
    #[arg(long, conflicts_with = "json")]
    pub(super) markdown: bool,

    /// Append a line to this CSV file too, with a header where it is new, as eval does
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Option<PathBuf>,

    /// Write the report as a page too, with tables of what the plan has asked for, and of two sets their plane
    #[arg(long, value_name = "OUT.html")]
    pub(super) html: Option<PathBuf>,
}
