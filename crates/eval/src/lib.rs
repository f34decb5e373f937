//! A report on embeddings as data: options → a [`Plan`] without contradictions → sets on a device ([`Data`]) → a
//! [`Report`], every number of it public.
//!
//! Nothing is printed and no file is opened here: a program reads files and prints, a Python module takes arrays and
//! returns attributes, and both call [`measure`].
//!
//! ```
//! use unisphere::{Embeddings, Engine};
//! use unisphere_eval::{Data, Options, Plan, Session, measure};
//!
//! let points = [1.0, 0.0, 0.6, 0.8, 0.0, 1.0];
//! let mut options = Options::default();
//! options.full = true;
//! let plan = Plan::new(&options)?;
//!
//! let engine = Engine::cpu();
//! let mut session = Session::new(&engine, |_| std::ops::ControlFlow::Continue(()));
//! let x = session.upload(Embeddings::new(&points, 3, 2)?, &plan)?;
//! let report = measure(plan, Data::new(x), session)?;
//! assert!(report.summary.sets[0].measured.value < 0.0 && report.spectrum.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod compare;
mod contradictions;
mod data;
mod directions;
mod drawn;
mod error;
mod estimate;
mod estimator;
mod maybe;
mod min_score;
mod options;
mod plan;
mod projection;
mod protocol;
mod report;
mod rounding;
mod rows;
pub mod sections;
mod session;
mod shadow;
pub mod unpaired;
pub mod views;
mod work;

pub use data::{Data, Set, SetName};
pub use drawn::{GroupAngles, RowGroups, ShownRow};
pub use error::{Contradiction, Error, Parameter, Result};
pub use estimate::Measured;
pub use estimator::Estimator;
pub use maybe::{Absent, Maybe};
pub use min_score::MinScore;
pub use options::Options;
pub use plan::Plan;
pub use projection::Projection;
pub use protocol::{Pooling, Protocol, Settings, Weighed};
pub use report::{Report, measure};
pub use rounding::{Moved, MovedValue, Rounding, RoundingCure};
pub use rows::listed;
pub use session::{Session, Step};
pub use shadow::{Axes, Lengths};
