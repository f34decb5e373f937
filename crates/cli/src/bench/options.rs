//! The options of `unisphere bench`.

use unisphere::{DeviceChoice, Precision};

use super::{size::Size, work::Work};
use crate::values::{device, positive};

/// The options of `unisphere bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Points by dimensions, several separated by commas
    #[arg(long, value_name = "NxD", value_delimiter = ',', default_value = "8192x768,8192x128")]
    pub(crate) sizes: Vec<Size>,

    /// What to time, several separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = Work::DEFAULT)]
    pub(crate) work: Vec<Work>,

    /// One device, as eval takes it [default: the CPU and every GPU but software ones]
    #[arg(long, value_parser = device())]
    pub(crate) device: Option<DeviceChoice>,

    /// f32, f16x2 or f16, several separated by commas
    #[arg(long, value_name = "GRADE", value_delimiter = ',', default_values_t = [Precision::F32])]
    pub(crate) precision: Vec<Precision>,

    /// The seconds for which each measurement is repeated: at least three times, and once where it takes more than ten
    /// seconds
    #[arg(long, default_value_t = 2.0, value_parser = positive, allow_negative_numbers = true)]
    pub(crate) seconds: f64,

    /// Print one JSON object; `seconds` are the median of the runs
    #[arg(long)]
    pub(crate) json: bool,
}
