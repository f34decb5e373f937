//! Points: as they come from the caller, and as they lie on a device.

mod device;
mod duplicates;
mod embeddings;
pub(crate) mod gram;
mod half;
mod host;
mod ranks;

pub use device::{Matrix, Points};
pub use embeddings::{Embeddings, Scaling};
pub use half::HalfEmbeddings;
pub use ranks::Rank;

pub(crate) use device::MatrixStorage;
#[cfg(feature = "gpu")]
pub(crate) use device::own;
pub(crate) use duplicates::hash;
pub(crate) use embeddings::not_finite;
#[cfg(feature = "gpu")]
pub(crate) use embeddings::{LENGTHS, check, raw_limit};
pub(crate) use gram::{Moments, Offset};
pub(crate) use half::{widen, widen_into};
#[cfg(feature = "gpu")]
pub(crate) use host::ReadRows;
pub(crate) use host::{HostRows, RowView};
pub(crate) use ranks::{Positives, ranks};
