//! Exact values of sets of any size: panels of rows are held and streamed, results of blocks are kept in a journal, and parts
//! of the work can be done elsewhere.

mod blocks;
mod cache;
mod counts;
mod devices;
mod equal_rows;
mod evaluation;
mod fingerprint;
mod found;
mod gradients;
mod grouped;
mod groups;
mod memory;
mod parts;
mod queue;
mod resources;
mod results;
mod rows;
mod run;
mod schedule;
mod selected;
mod sets;
mod spectrum;
mod strips;
mod units;

pub use counts::Counts;
pub use equal_rows::EqualRows;
pub use evaluation::Evaluation;
pub use found::{Cost, Expected, Found};
pub use gradients::{Gradient, GradientFound, LossParts, Objective, Outputs};
pub use groups::{FoundGroups, GroupsOfSet};
pub use parts::Part;
pub use resources::Resources;
pub use rows::Rows;
pub use sets::{Sample, Sets, Shape};

pub(crate) use blocks::{Block, Layout, SetName};
pub(crate) use fingerprint::{Hash, hash_of};
pub(crate) use schedule::schedule;
