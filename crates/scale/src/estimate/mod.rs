//! Estimates from a small part of the pairs, with an interval that is proven for any data.

mod betting;
mod blocks;
mod copies;
mod discrepancy;
mod sampling;
mod shuffled;
mod squared_mmd;
mod stages;
mod streamed;
mod sums;

pub use sampling::{Interval, Method, Sampling};
