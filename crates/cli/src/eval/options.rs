//! The options of `unisphere eval`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use unisphere::{Candidates, DeviceChoice, Precision, Scaling, Storage};

use super::{estimator::Estimator, protocol::Protocol};
use crate::args::{device, positive};

const PARAMETERS: &str = "What is measured";
const FILES: &str = "Files beside X and Y";
const REPORT: &str = "The report";
const DEVICE: &str = "The device";

#[derive(Debug, clap::Args)]
pub(crate) struct Eval {
    /// Embeddings, one point a row: .npy of f16, f32 or f64, computed as f32
    #[arg(value_name = "X.npy")]
    pub(super) x: PathBuf,

    /// Their positive partners, row by row: the same shape. Adds alignment and their own uniformity
    #[arg(value_name = "Y.npy")]
    pub(super) y: Option<PathBuf>,

    /// Uniformity's t, per squared distance: log mean exp(-t |x-x'|^2). Several, separated by commas, add a table; the
    /// first is that of all else [default: 2; with --full the table is of 0.5, 1, 2 and 5]
    #[arg(long, value_name = "T", value_delimiter = ',', value_parser = positive, allow_negative_numbers = true)]
    #[arg(help_heading = PARAMETERS)]
    pub(super) t: Vec<f64>,

    /// Alignment's power of the distance: mean |x-y|^alpha [default: 2]
    #[arg(long, value_parser = positive, allow_negative_numbers = true, help_heading = PARAMETERS)]
    pub(super) alpha: Option<f64>,

    /// The contrastive loss (InfoNCE) at this temperature, or several [default with --full: 0.07 and 0.5]
    #[arg(long, value_delimiter = ',', value_parser = positive, allow_negative_numbers = true)]
    #[arg(help_heading = PARAMETERS)]
    pub(super) tau: Vec<f64>,

    /// What competes with a positive: one-way (x looks for its y), both-ways (and y for its x), views (each of the 2n
    /// points for its partner, as NT-Xent) [default: both-ways]
    #[arg(long, value_name = "WHICH", value_parser = candidates(), help_heading = PARAMETERS)]
    pub(super) candidates: Option<Candidates>,

    /// u: pairs i < j, without the diagonal; v: all ordered pairs, each point with itself too
    #[arg(long, value_enum, default_value_t, help_heading = PARAMETERS)]
    pub(super) estimator: Estimator,

    /// Take the rows as they are [default: each is scaled to unit length]
    #[arg(long, help_heading = PARAMETERS)]
    raw: bool,

    /// Measure as another work does: see below
    #[arg(long, value_name = "NAME", value_enum, help_heading = PARAMETERS)]
    #[arg(conflicts_with_all = ["t", "alpha", "estimator", "raw"])]
    pub(super) protocol: Option<Protocol>,

    /// More negatives for the contrastive loss, of any number of rows; the queue of --protocol moco
    #[arg(long, value_name = "FILE.npy", help_heading = FILES)]
    pub(super) queue: Option<PathBuf>,

    /// One integer a row: alignment of each group, and uniformity within each and across each two
    #[arg(long, value_name = "FILE.npy", help_heading = FILES)]
    pub(super) labels: Option<PathBuf>,

    /// How much each row, and each pair, counts: one number a row, none negative
    #[arg(long, value_name = "FILE.npy", conflicts_with = "labels", help_heading = FILES)]
    pub(super) weights: Option<PathBuf>,

    /// Rows that are all zeros have no direction: error, or skip them in both files
    #[arg(long, value_name = "WHAT", value_enum, default_value_t, help_heading = FILES)]
    pub(super) zero_rows: ZeroRows,

    /// Everything
    #[arg(long, help_heading = REPORT)]
    pub(super) full: bool,

    /// So many rows that are crowded most, and pairs that lie farthest apart [default with --full: 10]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..), help_heading = REPORT)]
    pub(super) top: Option<u32>,

    /// Count pairs of rows of one set that lie at most so far apart, and equal rows [default with --full: 0.1]
    #[arg(long, value_name = "DISTANCE", value_parser = positive, allow_negative_numbers = true)]
    #[arg(help_heading = REPORT)]
    pub(super) near: Option<f64>,

    /// Write a table of f64: the row, log mean exp(-t |x-x'|^2) over the other rows, the same of y, and |x-y|
    #[arg(long, value_name = "OUT.npy", help_heading = REPORT)]
    pub(super) rows: Option<PathBuf>,

    /// Print one JSON object; its `seconds` are those of upload, scaling and metrics, without reading
    #[arg(long, help_heading = REPORT)]
    pub(super) json: bool,

    /// auto (the best GPU, else the CPU), cpu, gpu (a software one if need be), or an index or part of a
    /// name from unisphere devices
    #[arg(long, default_value = "auto", value_parser = device(), help_heading = DEVICE)]
    pub(super) device: DeviceChoice,

    /// In which precision coordinates are multiplied: f32, or f16x2 or f16 on GPUs with cooperative matrices
    #[arg(long, value_name = "GRADE", default_value_t, help_heading = DEVICE)]
    pub(super) precision: Precision,

    /// How the device keeps coordinates: f32, or f16 on GPUs: half the memory, each rounded by 2.4e-4 of itself at most,
    /// and not of raw points
    #[arg(long, value_name = "STORAGE", default_value_t, help_heading = DEVICE)]
    pub(super) storage: Storage,
}

/// What becomes of rows that cannot be scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ZeroRows {
    #[default]
    Error,
    Skip,
}

impl Eval {
    pub(super) fn scaling(&self) -> Scaling {
        if self.raw { Scaling::Raw } else { Scaling::Unit }
    }

    pub(super) fn skips_zero_rows(&self) -> bool {
        self.zero_rows == ZeroRows::Skip
    }
}

const WAYS: [(&str, Candidates); 3] =
    [("one-way", Candidates::OneWay), ("both-ways", Candidates::BothWays), ("views", Candidates::Views)];

fn candidates() -> impl TypedValueParser<Value = Candidates> {
    let named = |name: String| WAYS.into_iter().find(|(known, _)| *known == name).map(|(_, way)| way);
    PossibleValuesParser::new(WAYS.map(|(name, _)| name)).map(move |name| named(name).unwrap_or_default())
}

/// As `--candidates` takes it.
pub(super) fn way(candidates: Candidates) -> &'static str {
    WAYS.into_iter().find(|(_, way)| *way == candidates).map_or("", |(name, _)| name)
}
