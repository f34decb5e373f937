//! Estimates from a small part of the pairs, with an interval that is proven for any data.

mod betting;
mod blocks;
mod candidates;
mod contrastive;
mod copies;
mod discrepancy;
mod interval;
mod multilevel;
mod rounding;
mod rounds;
mod sampling;
mod shuffled;
mod squared_mmd;
mod stages;
mod streamed;
mod student;
mod sums;
mod tournament;

pub use interval::{Interval, Method};
pub use sampling::{Draw, Sampling};
