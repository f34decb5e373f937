//! Metrics of sets of any size for unisphere: an estimate of uniformity with an interval that is proven for any data, from a small
//! part of the pairs.
//!
//! ```
//! use unisphere::{Embeddings, Engine};
//! use unisphere_scale::Sampling;
//!
//! let values: Vec<f32> = (0..30_000).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
//! let x = Embeddings::new(values, 2_000, 15)?; // (2000, 15)
//! let engine = Engine::cpu();
//! let found = Sampling::new().with_tolerance(1e-3).uniformity(&engine, x, 2.0)?;
//! assert!(found.low <= found.value && found.value <= found.high);
//! assert!(found.half_width() <= 1e-3);
//! # Ok::<(), unisphere_scale::Error>(())
//! ```
//!
//! # How it works
//!
//! The rows, in a random order, are cut into panels. Every panel is summed with itself, exactly. The Gaussian kernel is positive
//! definite, so that the sum over the pairs of two panels is at most the root of the product of their own sums (Cauchy and
//! Schwarz). Blocks of two panels, drawn with a probability in proportion to that bound, are therefore draws from a known range,
//! and a betting interval (Waudby-Smith & Ramdas 2023) holds for their mean, whatever the data: sets with close pairs that no
//! block has shown among them.
//!
//! Rows that are equal are found beforehand and counted exactly, where the points fit into memory. A first stage of blocks tells
//! how many more are needed; a second follows, and a third where that fell just short; the interval is what all of them leave.
//! Where a stage would take three tenths of all pairs or twenty million blocks, the value is computed exactly, however
//! long that takes, unless only an estimate is asked for.
//!
//! Rounds of a tournament of the panels are another draw ([`Draw::Rounds`]): every row once in a round, which takes several times
//! fewer pairs, with an interval that is simulated, not proven.
//!
//! The contrastive loss is estimated from some of the candidates of some anchors, level by level, with an interval that is
//! simulated, not proven ([`Method::MultilevelCandidates`]).
//!
//! [`Evaluation`] computes the values of all pairs, of sets that may be larger than memory, in one process or in parts: alignment,
//! uniformity, and where asked for cross uniformity, squared MMD, the contrastive loss and what every row has by itself.
//! [`Gradient`] writes the gradients of such sets to files.

#![forbid(unsafe_code)]

mod error;
mod estimate;
mod exact;
mod journal;
mod panels;

pub use error::{Error, Result};
pub use estimate::{Draw, Interval, Method, Sampling};
pub use exact::{
    Cost, Counts, EqualRows, Evaluation, Expected, Found, FoundGroups, Gradient, GradientFound, GroupsOfSet,
    LossParts, Objective, Outputs, Part, Resources, Rows, Sample, Sets, Shape,
};
pub use journal::{JournalError, JournalFault, blocks_in_journal, check_journal};
