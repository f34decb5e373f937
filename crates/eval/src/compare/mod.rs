//! Several models over the same rows: which is better, and is the difference real?
//!
//! Sets on a device → [`ModelRows`], a few numbers for each row → [`Model`], the numbers of one → [`Comparison`]: paired differences
//! with their p-values, correlations with a score, and changes from step to step. What follows from rows is a pure function of
//! them.

mod comparison;
mod correlation;
mod difference;
mod holm;
mod kendall;
mod leave_one_out;
mod model;
mod student;

pub use comparison::{BASELINE, Change, Comparison, Difference, OfMetric, Place, ScoreCorrelation};
pub use correlation::{Bootstrap, Correlation, Correlations};
pub use difference::PairedDifference;
pub use holm::holm;
pub use kendall::kendall;
pub use leave_one_out::LeaveOneOut;
pub use model::{ComparePlan, Metric, Model, ModelRows, PartnerRows};
