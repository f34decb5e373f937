//! Evidence that a sum over pairs needs finer arithmetic, for both backends.

use crate::log_sum::LogSumExp;

/// The mean squared distance of unit rows below which cosines in f32 say too little of it: such sets, collapsed
/// to a narrow cone, are summed in a better way.
pub(crate) const NARROW: f64 = 8e-4;

/// Whether a sum of exp(−t‖x−y‖²) over `count` pairs is of a set so narrow. By Jensen's inequality its log mean
/// is never below −t times the mean squared distance.
pub(crate) fn narrow(sum: LogSumExp, count: u64, t: f64) -> bool {
    sum.log_mean(count) > -t * NARROW
}
